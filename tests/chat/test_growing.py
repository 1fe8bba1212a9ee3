"""An answer with steps while it grows: however it comes in pieces, a page ends with the blocks of the whole."""

from hypothesis import given, settings
from hypothesis import strategies as st

from llm_ui.chat.growing import GrowingAnswer
from llm_ui.contract.steps import Step
from llm_ui.services.steps import answer_blocks, used_tool

PIECES = st.lists(st.sampled_from(["Word ", "two.\n\n", "- item\n", "```py\nx = 1\n", "```\n", "# Head\n", "STEP"]))


def step(number: int, at: int, state: str = "done") -> Step:
    told = {"number": number, "round": 1, "at": at, "name": "calculate", "arguments": {"expression": "1 + 1"}}
    return Step.model_validate({**told, "state": state, "result": "" if state == "running" else "2"})


@settings(deadline=None, max_examples=60)
@given(PIECES)
def test_a_page_that_takes_each_change_shows_the_whole(pieces: list[str]) -> None:
    growing, text = GrowingAnswer(), ""
    steps: list[Step] = []
    shown: list[str | None] = []

    def take(*, is_last: bool = False) -> None:
        change = growing.update(text, steps, is_last=is_last)
        if change.code is not None:
            shown[-1] = None
        else:
            shown[change.start :] = change.blocks

    for piece in pieces:
        if piece == "STEP":
            steps.append(step(len(steps) + 1, len(text), "running"))
            take()
            steps[-1] = step(len(steps), len(text))
        else:
            text += piece
        take()
    take(is_last=True)

    assert growing.all_blocks() == answer_blocks(text, [used_tool(one) for one in steps])
    assert [mine for mine, whole in zip(shown, growing.all_blocks(), strict=True) if mine not in (None, whole)] == []


def test_a_step_that_ends_is_drawn_again_and_nothing_before_it() -> None:
    growing = GrowingAnswer()
    growing.update("One.", [], is_last=False)
    growing.update("One.", [step(1, 4, "running")], is_last=False)

    change = growing.update("One.", [step(1, 4)], is_last=False)

    assert change.start == 1
    assert len(change.blocks) == 1
