"""Which deployment is asked, over many questions, on a clock of the test's own."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pytest

from llm_ui.kit.calibration import Calibration
from llm_ui.kit.ids import ModelId, ProviderId, uuid7
from llm_ui.models import Balancing, ProviderKind
from llm_ui.runs.balance import FORGETS_S, Balance
from llm_ui.runs.keyring import Keyring, keys_of
from llm_ui.services.prices import Prices
from llm_ui.services.reach import Share
from llm_ui.services.targets import ModelTarget

MANY = 2_000


class World:
    """Two deployments, and a balance whose clock the test moves."""

    def __init__(self) -> None:
        self.instant = 1_000.0
        self.keys = Keyring(lambda: self.instant)
        self.balance = Balance(self.keys, lambda: self.instant)
        self.first, self.second = deployment("first", 3), deployment("second", 1)

    def answered(self, target: ModelTarget, first_s: float) -> None:
        with self.balance.asked(target) as begun:
            self.instant += first_s
            begun()

    def shares(self, balancing: Balancing, found: Sequence[ModelTarget] = ()) -> dict[str, float]:
        picked = Counter(
            self.balance.pick(found or (self.first, self.second), balancing).provider_name for _ in range(MANY)
        )
        return {name: picked[name] / MANY for name in ("first", "second")}


def deployment(name: str, weight: int) -> ModelTarget:
    return ModelTarget(
        model_id=ModelId(uuid7()), provider_id=ProviderId(uuid7()), kind=ProviderKind.OPENAI, base_url="",
        sealed_key=f"sealed {name}", name="m", display_name="M", provider_name=name, context_window=None,
        max_output_tokens=None, prices=Prices(), calibration=Calibration(), share=Share(weight=weight),
    )  # fmt: skip


@pytest.fixture
def world() -> World:
    return World()


def test_a_weight_says_how_often(world: World) -> None:
    # 6 standard deviations of a share of 3/4 in 2,000.
    assert world.shares(Balancing.WEIGHT)["first"] == pytest.approx(0.75, abs=0.06)


def test_whose_allowance_is_nearly_used_up_is_hardly_asked(world: World) -> None:
    world.keys.told(keys_of(world.first)[0], 0.02)

    assert world.shares(Balancing.QUOTA)["first"] < 0.15


def test_whoever_begins_sooner_is_asked_and_who_was_slow_is_tried_again(world: World) -> None:
    world.answered(world.first, 2.0)
    world.answered(world.second, 0.5)

    assert world.shares(Balancing.LATENCY) == {"first": 0.0, "second": 1.0}
    for _ in range(20):
        world.instant += FORGETS_S / 5
        world.answered(world.second, 0.5)
    assert world.shares(Balancing.LATENCY)["first"] == 1.0


def test_who_is_busy_is_left_for_the_other(world: World) -> None:
    world.answered(world.first, 0.5)
    world.answered(world.second, 0.6)

    with world.balance.asked(world.first), world.balance.asked(world.first):
        assert world.shares(Balancing.LATENCY)["second"] == 1.0


def test_the_only_one_is_asked(world: World) -> None:
    alone = (replace(world.first, share=Share(weight=1)),)

    assert world.shares(Balancing.LATENCY, alone)["first"] == 1.0
