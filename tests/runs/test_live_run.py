from hypothesis import given
from hypothesis import strategies as st

from llm_ui.models import RunStatus
from llm_ui.providers.base import ReasoningDelta, TextDelta, UsageDelta
from llm_ui.runs.ending import Ending
from llm_ui.runs.growing import Growing
from tests.runs.conftest import Ask

UNITS = st.lists(st.integers(0, 0xFFFF).map(chr), max_size=40)
"""UTF-16 units as `\\uXXXX` escapes bring them: NUL, halves of pairs and all."""


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0")), st.data())
def test_a_text_cut_between_any_utf16_units_grows_whole(text: str, data: st.DataObject) -> None:
    units = [chr(int.from_bytes(pair, "little")) for pair in _pairs(text.encode("utf-16-le"))]
    growing = Growing()

    pieces = []
    while units:
        size = data.draw(st.integers(1, len(units)))
        pieces.append(growing.add("".join(units[:size])))
        units = units[size:]

    assert "".join(pieces) == growing.whole() == text
    assert growing.chars == len(text)


def _pairs(raw: bytes) -> list[bytes]:
    return [raw[at : at + 2] for at in range(0, len(raw), 2)]


@given(UNITS)
def test_whatever_a_model_writes_can_be_stored(units: list[str]) -> None:
    growing = Growing()

    for unit in units:
        growing.add(unit)

    assert "\0" not in growing.whole()
    growing.whole().encode()


async def test_nothing_is_told_of_a_piece_without_content(ask: Ask) -> None:
    live = await ask()

    live.add_text(TextDelta("\0"))

    assert live.log.last == 0
    assert not live.has_text


async def test_usage_is_the_providers_once_the_run_is_whole(ask: Ask) -> None:
    live = await ask()
    live.add_text(TextDelta("some words of an answer"))
    live.report(UsageDelta(input_tokens=7))
    live.report(UsageDelta(output_tokens=3))
    live.ending = Ending(RunStatus.COMPLETED, "stop")

    usage = live.usage(is_final=True)

    assert (usage.input_tokens, usage.output_tokens, usage.source) == (7, 3, "provider")


async def test_usage_of_a_stopped_run_counts_what_was_said(ask: Ask) -> None:
    live = await ask()
    live.called(1)
    live.add_text(TextDelta("some words of an answer"))
    live.add_reasoning(ReasoningDelta("a thought"))
    live.report(UsageDelta(input_tokens=7, output_tokens=1))
    live.ending = Ending(RunStatus.STOPPED, "stopped")

    usage = live.usage(is_final=True)

    assert usage.input_tokens == 7
    assert usage.output_tokens > 5
    assert usage.source == "estimate"


async def test_a_run_whose_provider_was_never_called_used_nothing(ask: Ask) -> None:
    live = await ask()

    usage = live.usage(is_final=True)

    assert (usage.input_tokens, usage.output_tokens) == (0, 0)
    assert live.cost_usd() == 0


async def test_timings_are_told_where_they_are_known(ask: Ask) -> None:
    live = await ask()
    before = live.metrics(live.usage(is_final=False))
    live.called(1)
    live.called(2)
    live.add_text(TextDelta("x"))

    after = live.metrics(live.usage(is_final=False))

    assert (before.queue_ms, before.ttft_ms, before.attempts) == (None, None, 0)
    assert after.queue_ms is not None
    assert after.ttft_ms is not None
    assert after.attempts == 2
    assert live.started_at is not None
