"""Places at a provider, given out in order."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from llm_ui.errors import ProviderError
from llm_ui.runs.bulkhead import Bulkhead


def a_target(name: str, most: int) -> Any:
    return SimpleNamespace(provider_id=name, provider_name=name, reach=SimpleNamespace(most_at_once=most))


class Guest:
    """Somebody who holds a place until told to leave."""

    def __init__(self, bulkhead: Bulkhead, target: Any, longest_s: float = 60) -> None:
        self.is_in, self.leaves = asyncio.Event(), asyncio.Event()
        self.task = asyncio.create_task(self._stay(bulkhead, target, longest_s))

    async def _stay(self, bulkhead: Bulkhead, target: Any, longest_s: float) -> None:
        async with bulkhead.place(target, longest_s=longest_s):
            self.is_in.set()
            await self.leaves.wait()


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_places_are_kept_given_on_in_order_and_refused_when_the_line_is_full() -> None:
    bulkhead, stuck = Bulkhead(), a_target("Stuck", 2)
    guests = [Guest(bulkhead, stuck) for _ in range(4)]
    await settled()
    assert [guest.is_in.is_set() for guest in guests] == [True, True, False, False]

    refused = Guest(bulkhead, stuck)
    with pytest.raises(ProviderError, match="Stuck answers 2 questions at once"):
        await refused.task
    other = Guest(bulkhead, a_target("Other", 1))
    await settled()
    assert other.is_in.is_set(), "what is stuck takes nothing from the others"

    guests[2].task.cancel()
    guests[0].leaves.set()
    await settled()
    assert guests[3].is_in.is_set(), "who left the line is passed over"
    for guest in (*guests, other):
        guest.leaves.set()
    await asyncio.gather(*(guest.task for guest in (*guests, other)), return_exceptions=True)
    last = [Guest(bulkhead, stuck, longest_s=0) for _ in range(3)]
    await settled()
    assert [guest.is_in.is_set() for guest in last] == [True, True, False]
    assert isinstance(last[2].task.exception(), ProviderError), "nobody waits who may ask another model"
    for guest in last:
        guest.leaves.set()


async def test_a_place_that_comes_to_somebody_who_leaves_is_given_on() -> None:
    bulkhead, target = Bulkhead(), a_target("One", 1)
    guests = [Guest(bulkhead, target)]
    await settled()
    guests += [Guest(bulkhead, target)]
    await settled()

    guests[0].leaves.set()
    await asyncio.sleep(0)
    guests[1].task.cancel()
    await settled()

    late = Guest(bulkhead, target, longest_s=0)
    await settled()
    assert late.is_in.is_set()
    late.leaves.set()
