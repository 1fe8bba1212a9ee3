"""Retries before the first piece only, and the breaker, on a clock of the test's own."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from llm_ui.errors import ProviderError, ProviderFault
from llm_ui.kit.http import new_client
from llm_ui.kit.ids import ProviderId, uuid7
from llm_ui.models import ProviderKind
from llm_ui.providers.base import Delta, Endpoint, Finish, Prompt, PromptMessage, TextDelta, Timeouts
from llm_ui.providers.registry import adapter
from llm_ui.runs.breaker import OPEN_S
from llm_ui.runs.breakers import Breakers
from llm_ui.runs.resilience import Call, Resilience
from tests.fakes.provider import FakeProvider, Reply, answer, reply

GOOD = reply("openai", answer("openai", ["fine"]))


def refusing(status: int, **headers: str) -> Reply:
    return Reply(
        [b'{"error": {"message": "no"}}'], status=status, headers={"Content-Type": "application/json", **headers}
    )


class World:
    """A resilience whose sleep moves the clock instead of waiting."""

    def __init__(self) -> None:
        self.instant = 0.0
        self.slept: list[float] = []
        self.attempts: list[int] = []
        self.provider_id = ProviderId(uuid7())

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.instant += seconds
        await asyncio.sleep(0)

    async def ask(self, resilience: Resilience, fake: FakeProvider) -> list[Delta]:
        call = Call(
            adapter(ProviderKind.OPENAI),
            Endpoint(fake.base_url("openai"), "k"),
            Prompt("m", "", (PromptMessage("user", "hi"),)),
            self.provider_id,
            Timeouts(2, 2, 2, 5),
        )
        return [delta async for delta in resilience.stream(call, self.attempts.append)]


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
async def resilience(world: World) -> AsyncIterator[Resilience]:
    async with new_client() as http:
        yield Resilience(http, breakers=Breakers(lambda: world.instant), sleep=world.sleep)


@pytest.mark.parametrize("status", [408, 409, 425, 500, 502, 503, 504, 529])
async def test_f21_f25_a_passing_fault_is_tried_again(world: World, resilience: Resilience, status: int) -> None:
    async with FakeProvider([refusing(status), refusing(status), GOOD]) as fake:
        deltas = await world.ask(resilience, fake)

    assert TextDelta("fine") in deltas
    assert world.attempts == [1, 2, 3]
    assert len(world.slept) == 2


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413])
async def test_f19_f20_f22_a_lasting_fault_is_not(world: World, resilience: Resilience, status: int) -> None:
    async with FakeProvider([refusing(status), GOOD]) as fake:
        with pytest.raises(ProviderError):
            await world.ask(resilience, fake)

    assert world.attempts == [1]


async def test_retries_are_two_at_most(world: World, resilience: Resilience) -> None:
    async with FakeProvider(refusing(503)) as fake:
        with pytest.raises(ProviderError):
            await world.ask(resilience, fake)

    assert world.attempts == [1, 2, 3]


@pytest.mark.parametrize(("after", "attempts"), [("7", 2), ("36000", 1), ("-3", 2), ("junk", 1)])
async def test_f23_f24_a_rate_limit_is_obeyed(world: World, resilience: Resilience, after: str, attempts: int) -> None:
    async with FakeProvider([refusing(429, **{"Retry-After": after}), GOOD]) as fake:
        try:
            await world.ask(resilience, fake)
        except ProviderError as error:
            assert error.fault is ProviderFault.RATE_LIMITED  # noqa: PT017 - both outcomes are asked about

    assert len(world.attempts) == attempts
    assert after != "7" or world.slept == [7]


async def test_nothing_is_repeated_once_text_was_shown(world: World, resilience: Resilience) -> None:
    shown = reply("openai", answer("openai", ["one ", "two"])[:2], end="reset", delay_s=0.05)
    async with FakeProvider([shown, GOOD]) as fake:
        with pytest.raises(ProviderError) as raised:
            await world.ask(resilience, fake)

    assert raised.value.fault is ProviderFault.CUT_OFF
    assert world.attempts == [1]


async def test_the_breaker_opens_probes_once_and_closes(world: World, resilience: Resilience) -> None:
    replies = [*[refusing(503)] * 6, GOOD]
    async with FakeProvider(replies) as fake:
        for _ in range(2):
            with pytest.raises(ProviderError):
                await world.ask(resilience, fake)
        asked = len(fake.requests)

        with pytest.raises(ProviderError, match="left alone"):
            await world.ask(resilience, fake)
        assert len(fake.requests) == asked
        world.instant += OPEN_S + 1
        replies[:] = [GOOD] * 20
        deltas = await world.ask(resilience, fake)

    assert deltas[-1] == Finish("stop")
