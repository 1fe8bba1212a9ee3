import asyncio
import gc
import json
import weakref

import pytest

from llm_ui.contract import TitleEvent
from llm_ui.kit.ids import RunId, uuid7
from llm_ui.kit.sse import PING
from llm_ui.runs import event_log, event_logs
from llm_ui.runs.event_log import EventLog, Wire
from llm_ui.runs.event_logs import EventLogs

END = TitleEvent(title="the end")


class Run:
    """A text that grows, and its log."""

    def __init__(self) -> None:
        self.text = ""
        self.log = EventLog(self.retell)

    def retell(self) -> list[Wire]:
        return [("start", {"is_replay": True}), ("token", {"token": self.text, "offset": 0})]

    def say(self, piece: str) -> None:
        self.log.append_raw("token", {"token": piece, "offset": len(self.text)})
        self.text += piece


def parsed(frames: bytes) -> list[tuple[int, str, dict[str, object]]]:
    """Return number, type and data of each event."""
    found = []
    for block in frames.decode().split("\n\n")[:-1]:
        fields = dict(line.split(": ", 1) for line in block.split("\n"))
        found.append((int(fields["id"]), fields["event"], json.loads(fields["data"])))
    return found


async def followed(log: EventLog, after: int = 0) -> list[tuple[int, str, dict[str, object]]]:
    return parsed(b"".join([frames async for frames in log.follow(after)]))


def rebuilt(events: list[tuple[int, str, dict[str, object]]], text: str = "") -> str:
    """Return the text as a reader who had `text` builds it."""
    for _, kind, data in events:
        if kind == "start" and data.get("is_replay"):
            text = ""
        if kind == "token":
            assert data["offset"] == len(text)
            text += str(data["token"])
    return text


async def test_events_are_numbered_from_one() -> None:
    run = Run()
    for piece in "abc":
        run.say(piece)
    run.log.end(END)

    assert [number for number, _, _ in await followed(run.log)] == [1, 2, 3, 4]


async def test_a_follower_gets_what_comes_while_it_follows() -> None:
    run = Run()
    run.say("a")
    following = asyncio.create_task(followed(run.log))
    await asyncio.sleep(0)
    run.say("b")
    run.log.end(END)

    assert rebuilt(await following) == "ab"


async def test_a_follower_who_does_not_read_holds_up_nobody() -> None:
    run = Run()
    run.say("a")
    sleeper = run.log.follow()
    await anext(sleeper)
    for _ in range(5_000):
        run.say("b")
    run.log.end(END)

    assert rebuilt(await followed(run.log)) == run.text
    rest = [frames async for frames in sleeper]
    assert rebuilt(parsed(b"".join(rest)), "a") == run.text


async def test_events_that_are_ready_go_out_together() -> None:
    run = Run()
    for _ in range(event_log.FRAMES_A_WRITE):
        run.say("a")

    first = await anext(run.log.follow())

    assert len(parsed(first)) == event_log.FRAMES_A_WRITE


async def test_silence_is_broken_by_pings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_log, "PING_EVERY_S", 0.01)
    run = Run()

    assert await anext(run.log.follow()) == PING


async def test_a_closed_log_lets_its_followers_go() -> None:
    run = Run()
    run.say("a")
    following = asyncio.create_task(followed(run.log))
    await asyncio.sleep(0)

    run.log.close()

    assert rebuilt(await following) == "a"
    assert not run.log.has_end


async def test_memory_is_bounded_and_whoever_comes_late_is_told_the_text_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_log, "RING_BYTES", 5_000)
    run = Run()
    for number in range(500):
        run.say(f"{number} ")
        assert run.log.size_bytes <= 5_000
    run.log.end(END)

    late = await followed(run.log, after=3)

    assert late[0][1:] == ("start", {"is_replay": True})
    assert rebuilt(late) == run.text
    assert [number for number, _, _ in late] == sorted({number for number, _, _ in late})
    assert late[-1] == (501, "title", {"title": "the end"})


async def test_a_run_that_was_told_again_can_be_resumed_from_every_event(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_log, "RING_BYTES", 5_000)
    run = Run()
    for number in range(500):
        run.say(f"{number} ")
    run.log.end(END)
    late = await followed(run.log, after=3)

    for seen in range(1, len(late) + 1):
        rest = await followed(run.log, late[seen - 1][0])
        assert rebuilt(rest, rebuilt(late[:seen])) == run.text


async def test_a_slow_follower_is_told_again_what_it_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_log, "RING_BYTES", 5_000)
    run = Run()
    run.say("a")
    slow = run.log.follow()
    first = parsed(await anext(slow))
    for number in range(500):
        run.say(f"{number} ")
    run.log.end(END)

    rest = parsed(b"".join([frames async for frames in slow]))

    assert rebuilt(rest, rebuilt(first)) == run.text


def a_run_that_ended(logs: EventLogs, text: str = "a") -> RunId:
    run, run_id = Run(), RunId(uuid7())
    logs.add(run_id, run.log)
    run.say(text)
    run.log.end(END)
    logs.ended(run_id)
    return run_id


async def test_an_ended_run_is_found_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_logs, "KEEP_ENDED_S", 0.02)
    logs = EventLogs()

    run_id = a_run_that_ended(logs)

    assert logs.find(run_id) is not None
    while logs.find(run_id) is not None:
        await asyncio.sleep(0.005)


async def test_of_many_ended_runs_the_oldest_go_early(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_logs, "ENDED_BYTES", 10_000)
    logs = EventLogs()

    ended = [a_run_that_ended(logs, "x" * 1_000) for _ in range(20)]

    kept = [run_id for run_id in ended if logs.find(run_id) is not None]
    assert 0 < len(kept) < 10
    assert kept == ended[-len(kept) :]
    logs.clear()
    assert not any(logs.find(run_id) for run_id in ended)


async def test_a_log_that_ended_holds_its_events_and_not_what_the_run_was_made_of() -> None:
    run = Run()
    run.say("a")
    log, held = run.log, weakref.ref(run)
    log.end(END)
    log.close()
    del run
    gc.collect()

    assert held() is None
    assert rebuilt(await followed(log)) == "a"


async def test_a_log_without_its_end_is_not_kept() -> None:
    logs, run, run_id = EventLogs(), Run(), RunId(uuid7())
    logs.add(run_id, run.log)

    logs.ended(run_id)

    assert logs.find(run_id) is None
