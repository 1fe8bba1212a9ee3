"""How a process ends: told to, or with whoever started it."""

import os
import signal
import subprocess
import sys

import pytest

from llm_ui.kit.process import LIFELINE

PROGRAM = """
import asyncio
from llm_ui.kit.process import run_until_told

async def serve(stop):
    print("ready", flush=True)
    await stop.wait()
    print("drained", flush=True)

asyncio.run(run_until_told(serve))
print("ending", flush=True)
input()
"""


def start(lifeline: int | None = None) -> subprocess.Popen[str]:
    fds = () if lifeline is None else (lifeline,)
    environment = dict(os.environ) if lifeline is None else {**os.environ, LIFELINE: str(lifeline)}
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        env=environment,
        pass_fds=fds,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_it_end_in_good_order(number: signal.Signals) -> None:
    process = start()

    process.send_signal(number)

    assert process.communicate("\n", timeout=10)[0] == "drained\nending\n"
    assert process.returncode == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_while_it_is_ending_does_not_change_how(number: signal.Signals) -> None:
    process = start()
    process.send_signal(signal.SIGTERM)
    assert process.stdout is not None
    assert [process.stdout.readline() for _ in range(2)] == ["drained\n", "ending\n"]

    process.send_signal(number)

    process.communicate("\n", timeout=10)
    assert process.returncode == 0


def test_it_ends_when_whoever_started_it_is_gone() -> None:
    reading_end, writing_end = os.pipe()
    process = start(reading_end)
    os.close(reading_end)
    assert process.poll() is None

    os.close(writing_end)

    assert process.communicate(timeout=2)[0] == ""
    assert process.returncode == 1
