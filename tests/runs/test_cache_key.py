"""The key of kept answers: all that an answer depends on, and nothing else."""

from dataclasses import fields, replace
from uuid import UUID

import pytest

from llm_ui.kit.calibration import Calibration
from llm_ui.kit.ids import ModelId, ProjectId, ProviderId, UserId
from llm_ui.models import CacheMode, ProviderKind
from llm_ui.providers.base import Image, Output, Prompt, PromptMessage, Sampling, ToolCall, ToolResult, ToolSpec
from llm_ui.runs.cache_key import CacheUse, Keeping, group_of, key_of, use_of
from llm_ui.services.prices import Prices
from llm_ui.services.targets import ModelTarget

ONE, TWO = UUID(int=1), UUID(int=2)
TARGET = ModelTarget(
    ModelId(ONE), ProviderId(ONE), ProviderKind.OPENAI, "http://one", None, "m", "M", "P", None, None, Prices(),
    Calibration(), cache_mode=CacheMode.OWN,
)  # fmt: skip
IMAGE = Image("a.png", "image/png", "AAAA")
PROMPT = Prompt("m", "be kind", (PromptMessage("user", "hi", (IMAGE,)),))
OTHERS: dict[str, object] = {
    "model": "n", "system": "be brief", "temperature": 0.5, "max_tokens": 9, "tools": (ToolSpec("t", "d", {}),),
    "may_call": False, "must_call": "t", "output": Output(), "sampling": Sampling(seed=1), "goes_on": True,
    "messages": (PromptMessage("user", "hi", (replace(IMAGE, data="BBBB"),)),),
}  # fmt: skip
MESSAGES: dict[str, object] = {
    "role": "assistant", "text": "ho", "images": (), "calls": (ToolCall("1", "t", {}),),
    "results": (ToolResult("1", "t", "x"),),
}  # fmt: skip


def using(target: ModelTarget = TARGET, user: UUID = ONE, project: UUID | None = None, **more: bool) -> CacheUse:
    use = use_of(target, UserId(user), None if project is None else ProjectId(project), **more)
    assert use is not None
    return use


async def test_whatever_is_asked_otherwise_has_another_key() -> None:
    prompts = [PROMPT, *(replace(PROMPT, **{name: other}) for name, other in OTHERS.items())]
    message = PROMPT.messages[0]
    prompts += [replace(PROMPT, messages=(replace(message, **{name: one}),)) for name, one in MESSAGES.items()]
    targets = [replace(TARGET, model_id=ModelId(TWO)), replace(TARGET, base_url="http://two")]

    found = [await key_of(using(), TARGET, prompt) for prompt in prompts]
    found += [await key_of(using(), target, PROMPT) for target in targets]

    assert set(OTHERS) == {one.name for one in fields(Prompt)}, "each field counts, those to come too"
    assert set(MESSAGES) == {one.name for one in fields(PromptMessage)}
    assert len(set(found)) == len(found)


async def test_walls_are_of_a_person_in_a_project_unless_all_share() -> None:
    shared = replace(TARGET, cache_mode=CacheMode.SHARED)
    asked = [(ONE, None), (TWO, None), (ONE, ONE), (TWO, ONE), (ONE, TWO)]

    own = {await key_of(using(user=user, project=project), TARGET, PROMPT) for user, project in asked}
    every = {await key_of(using(shared, user, project), shared, PROMPT) for user, project in asked}

    assert (len(own), len(every)) == (len(asked), 1)


def test_nothing_is_used_unless_somebody_wants_it() -> None:
    off = replace(TARGET, cache_mode=CacheMode.OFF)

    assert use_of(off, UserId(ONE), None) is None
    assert use_of(TARGET, UserId(ONE), None, may_read=False, may_keep=False) is None
    wanted = use_of(off, UserId(ONE), None, wanted=(Keeping(), Keeping(answers=True)))
    assert wanted is not None
    assert not wanted.is_shared
    assert not wanted.is_similar


async def test_a_group_is_of_all_that_the_words_of_the_last_question_are_not() -> None:
    said = PromptMessage("user", "one"), PromptMessage("assistant", "1"), PromptMessage("user", "two")
    asked = replace(PROMPT, messages=said)
    others = [
        replace(asked, system="be brief"),
        replace(asked, messages=(replace(said[0], text="none"), *said[1:])),
        replace(asked, messages=(*said[:2], replace(said[2], images=(IMAGE,)))),
    ]

    alike = [await group_of(using(), TARGET, one, ModelId(ONE)) for one in (asked, replace(
        asked, messages=(*said[:2], replace(said[2], text="too")))
    )]  # fmt: skip
    apart = [await group_of(using(), TARGET, one, ModelId(ONE)) for one in others]
    apart += [await group_of(using(user=TWO), TARGET, asked, ModelId(ONE)), await group_of(
        using(), TARGET, asked, ModelId(TWO)
    )]  # fmt: skip

    assert len(set(alike)) == 1
    assert len({*apart, *alike}) == len(apart) + 1


@pytest.mark.parametrize(
    ("model", "wanted", "is_similar"),
    [
        ((CacheMode.OWN, False), (), False),
        ((CacheMode.OWN, True), (), True),
        ((CacheMode.OFF, True), (Keeping(answers=True),), False),
        ((CacheMode.OFF, False), (Keeping(answers=True, similar=True),), True),
        ((CacheMode.OWN, False), (Keeping(similar=True),), False),
    ],
)
def test_what_means_the_same_will_do_where_somebody_wants_that(
    model: tuple[CacheMode, bool], wanted: tuple[Keeping, ...], is_similar: bool
) -> None:
    use = use_of(replace(TARGET, cache_mode=model[0], cache_similar=model[1]), UserId(ONE), None, wanted=wanted)

    assert use is not None
    assert use.is_similar is is_similar
