"""Whatever a file holds: a chat whose messages make a tree, or one sentence; never anything else."""

import copy
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llm_ui.errors import InvalidInput
from llm_ui.kit import json_stream
from llm_ui.kit.json_stream import elements
from llm_ui.services.formats.base import BadEntry
from llm_ui.services.formats.registry import read_chat
from tests.fakes.exports import chatgpt_chat, librechat_chat, open_webui_chat

OURS: dict[str, Any] = {
    "format": "llm-ui-chat", "version": 1,
    "chat": {
        "id": "c", "title": "t", "created_at": "2026-03-01T12:00:00+00:00", "active_leaf_id": "b",
        "project": {"id": "p", "name": "Thesis"}, "tags": ["sea"], "temperature": 0.5, "max_tokens": 900,
    },
    "messages": [
        {"id": "a", "parent_id": None, "role": "user", "status": "complete", "text": "x"},
        {"id": "b", "parent_id": "a", "role": "assistant", "status": "complete", "text": "y", "run": {"model": "m"},
         "feedback": {"rating": "down", "reason": "wrong", "comment": "z"}},
    ],
    "summaries": [{"upto_id": "b", "text": "They talk.", "model": "m", "is_edited": False}],
}  # fmt: skip
SAMPLES = [chatgpt_chat(1, 2), open_webui_chat(1, 2), librechat_chat(1, 2), librechat_chat(1, 2, is_tree=True), OURS]
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just("\x00\ud800")
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=6,
)
QUIET = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])


def places(value: Any) -> list[tuple[Any, Any]]:
    """Return every place in a value that something else can be put into: its container and its key."""
    found: list[tuple[Any, Any]] = []
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        found += [(value, key), *places(value[key])]
    return found


def require_sound(entry: object) -> None:
    """Fail unless the entry is a chat that can be stored, or is refused in one sentence."""
    try:
        chat, why = read_chat(entry), "."
    except BadEntry as bad:
        chat, why = None, bad.why
    assert why.endswith(".")
    if chat is None:
        return
    seen: set[str] = set()
    for message in chat.messages:
        assert message.id not in seen
        assert message.parent_id is None or message.parent_id in seen
        message.text.encode()
        seen.add(message.id)
    assert chat.leaf_id in seen
    assert len({one.upto_id for one in chat.summaries} & seen) == len(chat.summaries)
    assert chat.temperature is None or 0 <= chat.temperature <= 2
    assert chat.max_tokens is None or 1 <= chat.max_tokens <= 1_000_000
    for tag in (*chat.place.tags, *(message.feedback.comment for message in chat.messages if message.feedback)):
        tag.encode()
    hash(chat.place.project)
    assert len(chat.title) <= 200


@QUIET
@given(
    sample=st.sampled_from(SAMPLES), changes=st.lists(st.tuples(st.integers(0, 10**6), VALUES), min_size=1, max_size=4)
)
def test_a_chat_with_anything_anywhere_in_it(sample: dict[str, Any], changes: list[tuple[int, Any]]) -> None:
    entry = copy.deepcopy(sample)
    for number, value in changes:
        where = places(entry)
        if where:
            container, key = where[number % len(where)]
            container[key] = value

    require_sound(entry)


@QUIET
@given(VALUES)
def test_anything_at_all(value: Any) -> None:
    require_sound(value)


@QUIET
@given(sample=st.sampled_from(SAMPLES[1:3]), data=st.data())
def test_messages_that_follow_each_other_in_any_way(sample: dict[str, Any], data: st.DataObject) -> None:
    entry = copy.deepcopy(sample)
    tree = entry["chat"]["history"]["messages"] if "chat" in entry else {m["messageId"]: m for m in entry["messages"]}
    ids = [*tree, "nowhere"]
    for message in tree.values():
        message["parentId" if "chat" in entry else "parentMessageId"] = data.draw(st.sampled_from(ids))

    require_sound(entry)


def reader(content: bytes) -> Callable[[int], bytes]:
    return io.BytesIO(content).read


@QUIET
@given(values=st.lists(VALUES.filter(lambda value: value == value), max_size=5), chunk=st.integers(1, 40))
def test_an_array_is_read_as_the_standard_library_reads_it(values: list[Any], chunk: int) -> None:
    content = json.dumps(values).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_stream, "CHUNK_BYTES", chunk)

        found = list(elements(reader(content)))

    assert json.dumps(found) == content.decode()


@QUIET
@given(
    content=st.binary(max_size=60) | st.text('[]{}",:0123 \\utrue', max_size=40).map(str.encode), at=st.integers(0, 60)
)
def test_any_bytes_are_read_or_refused_in_one_sentence(content: bytes, at: int) -> None:
    for part in (content, b"[" + content, json.dumps(SAMPLES[1]).encode()[: at * 50]):
        said = "."
        try:
            list(elements(reader(part)))
        except InvalidInput as refusal:
            said = refusal.message
        assert said.endswith(".")
