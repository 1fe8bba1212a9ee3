"""Experiments as administrators make them: variants, who gets which, what was counted, and what is written down."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from sqlalchemy import select

from llm_ui.db import Database
from llm_ui.errors import Conflict, Forbidden, InvalidInput, NotFound
from llm_ui.kit.clock import now
from llm_ui.kit.ids import ExperimentId, ModelId, RunId, uuid7
from llm_ui.models import AuditLog, ExperimentAnswer, ExperimentState, Sticky
from llm_ui.services import dependants, experiment_results, experiments, prompts
from llm_ui.services.access import Actor
from llm_ui.services.experiment_results import Verdict, Went
from llm_ui.services.experiment_rules import Assigned, Variant, drawn
from llm_ui.services.experiments import ExperimentChange, Way
from llm_ui.services.targets import target
from tests.services.test_deployments import models

__all__ = ["models"]


def wanted(models: dict[str, ModelId], **more: object) -> ExperimentChange:
    ways = (Way(1, model_id=models["b/big"]),)
    return replace(ExperimentChange("Which?", 3, ways, model_id=models["a/big"]), **more)  # type: ignore[arg-type]


@pytest.fixture
async def added(seeded: Database, an_admin: Actor, models: dict[str, ModelId]) -> ExperimentId:
    """One that gives every fourth person `b/big` for `a/big`, not started."""
    async with seeded.writing() as session:
        return await experiments.add_experiment(session, an_admin, wanted(models))


async def started(database: Database, actor: Actor, experiment_id: ExperimentId) -> None:
    async with database.writing() as session:
        await experiments.start(session, actor, experiment_id)


def test_weights_are_kept_and_nobody_gets_another_variant_without_need() -> None:
    experiment_id, people = ExperimentId(uuid4()), [uuid4() for _ in range(4_000)]
    even = [Variant("a", "A", 1), Variant("b", "B", 1), Variant("c", "C", 2)]
    fewer = [Variant("a", "A", 3), Variant("b", "B", 1)]
    half = [Variant("a", "A", 1), Variant("b", "B", 1)]

    got = [drawn(experiment_id, even, one).key for one in people]
    before, after = ([drawn(experiment_id, each, one).key for one in people] for each in (fewer, half))

    assert got == [drawn(experiment_id, even, one).key for one in people]
    assert [round(got.count(key) / len(people), 1) for key in "abc"] == [0.2, 0.2, 0.5] or all(
        abs(got.count(key) / len(people) - share) < 0.04 for key, share in zip("abc", (0.25, 0.25, 0.5), strict=True)
    )
    assert all(now == "b" for was, now in zip(before, after, strict=True) if was == "b")
    other = [drawn(ExperimentId(uuid4()), even, one).key for one in people]
    assert 0.2 < sum(one == two for one, two in zip(got, other, strict=True)) / len(people) < 0.6


async def test_it_goes_on_only_between_its_instants_and_once_for_a_model(
    seeded: Database, an_admin: Actor, a_user: Actor, models: dict[str, ModelId], added: ExperimentId
) -> None:
    async def is_split() -> tuple[bool, bool]:
        async with seeded.reading() as session:
            asked = await target(session, a_user, models["a/big"])
            return asked.has_split, await experiments.on_model(session, models["a/big"]) is not None

    assert await is_split() == (False, False)
    await started(seeded, an_admin, added)
    assert await is_split() == (True, True)
    async with seeded.writing() as session:
        other = await experiments.add_experiment(session, an_admin, wanted(models, name="Other"))
    with pytest.raises(Conflict, match=r"Which\? goes on with the same"):
        await started(seeded, an_admin, other)
    async with seeded.reading() as session:
        assert (await dependants.of_model(session, an_admin, models["b/big"])).experiments.names == ("Which?",)
    later = wanted(models, starts_at=now() + timedelta(hours=1))
    async with seeded.writing() as session:
        await experiments.change_experiment(session, an_admin, added, later)
    assert await is_split() == (True, False)
    async with seeded.writing() as session:
        await experiments.change_experiment(session, an_admin, added, wanted(models, ends_at=now()))
    assert await is_split() == (True, False)
    async with seeded.writing() as session:
        await experiments.stop(session, an_admin, added)
    assert await is_split() == (False, False)
    with pytest.raises(InvalidInput, match="is over"):
        await started(seeded, an_admin, added)


async def test_what_cannot_be_is_refused_with_what_to_do(
    seeded: Database, an_admin: Actor, a_user: Actor, models: dict[str, ModelId], added: ExperimentId
) -> None:
    a, embedder = models["a/big"], models["a/text-embedding-3-small"]
    refused = [
        (wanted(models, name=" "), "Give it a name"),
        (wanted(models, ways=()), "from 1 to 3"),
        (wanted(models, weight=0), "from 1 to 100"),
        (wanted(models, ways=(Way(1, model_id=a),)), "another model for each"),
        (wanted(models, ways=(Way(1, model_id=embedder),)), "makes no answers"),
        (wanted(models, model_id=None), "Choose what is split"),
        (wanted(models, starts_at=now(), ends_at=now() - timedelta(days=1)), "later end"),
    ]
    for change, said in refused:
        async with seeded.writing() as session:
            with pytest.raises(InvalidInput, match=said):
                await experiments.add_experiment(session, an_admin, change)
    await started(seeded, an_admin, added)
    async with seeded.writing() as session:
        with pytest.raises(Conflict, match="was started"):
            await experiments.change_experiment(
                session, an_admin, added, wanted(models, ways=(Way(1, model_id=models["c/big"]),))
            )
        await experiments.change_experiment(session, an_admin, added, wanted(models, weight=1))
        with pytest.raises(Forbidden):
            await experiments.stop(session, a_user, added)
    async with seeded.writing() as session:
        await experiments.delete_experiment(session, an_admin, added)
        with pytest.raises(NotFound):
            await experiments.stop(session, an_admin, added)
        entries = select(AuditLog.action).where(AuditLog.action.startswith("experiment.")).order_by(AuditLog.number)
        said = list(await session.scalars(entries))
    assert said == ["experiment.added", "experiment.started", "experiment.changed"]


async def test_instructions_that_are_promoted_are_changed_with_a_version(seeded: Database, an_admin: Actor) -> None:
    async with seeded.writing() as session:
        prompt = (await prompts.list_shared(session, an_admin))[0]
        change = ExperimentChange("Tone", 1, (Way(1, text="Be brief."),), prompt_id=prompt.id, sticky=Sticky.CHAT)
        experiment_id = await experiments.add_experiment(session, an_admin, change)
        with pytest.raises(InvalidInput, match="never started"):
            await experiments.promote(session, an_admin, experiment_id, "b")
        await experiments.start(session, an_admin, experiment_id)

        await experiments.promote(session, an_admin, experiment_id, "b")

        (listed,) = await experiments.list_experiments(session, an_admin)
        known = {one.id: one.text for one in await prompts.list_shared(session, an_admin)}
    assert (listed.plan.state, listed.splits) == (ExperimentState.STOPPED, prompt.name)
    assert known[prompt.id] == "Be brief."
    async with seeded.reading() as session:
        said = await session.scalars(select(AuditLog.action).order_by(AuditLog.number.desc()).limit(2))
        assert set(said) == {"experiment.promoted", "prompt.changed"}


async def test_results_say_what_was_counted_and_whether_it_tells_anything(
    seeded: Database, an_admin: Actor, models: dict[str, ModelId], added: ExperimentId
) -> None:
    await started(seeded, an_admin, added)
    a, b, c = (models[f"{place}/big"] for place in "abc")

    async def note(key: str, answered: ModelId, cost: str, ttft_ms: float, **more: bool) -> None:
        got = Assigned(added, "Which?", key, is_again=more.get("is_again", False), model_id=a if key == "a" else b)
        went = Went(
            RunId(uuid7()), None, answered, is_failed=more.get("is_failed", False),
            by_limit=more.get("by_limit", False), cost_usd=Decimal(cost), ttft_ms=ttft_ms,
        )  # fmt: skip
        async with seeded.writing() as session:
            await experiment_results.note(session, got, went)
            await experiment_results.note(session, got, went)
            await experiment_results.note(session, replace(got, is_promoted=True), replace(went, run_id=RunId(uuid7())))

    for cost, ms in (("0.01", 100), ("0.02", 300), ("0.09", 200)):
        await note("a", a, cost, ms)
    await note("b", b, "0.5", 10, is_again=True)
    await note("b", b, "0.7", 30)
    await note("b", c, "9", 999)  # Another model stood in.
    await note("b", a, "9", 999, by_limit=True)  # A limit has left it to a cheaper one.
    async with seeded.reading() as session:
        first, second = await experiment_results.results(session, an_admin, added)

    assert (first.answers, first.failed, first.cost_usd, first.ttft_ms) == (3, 0, Decimal("0.02"), 200)
    assert (second.answers, second.failed, second.again, second.cost_usd) == (3, 1, 1, Decimal("0.5"))
    assert (first.verdict, second.verdict, second.p, second.share) == (None, Verdict.FEW, None, None)
    assert second.again_share == 0.5
    async with seeded.writing() as session:
        await experiments.delete_experiment(session, an_admin, added)
        assert (await session.scalars(select(ExperimentAnswer))).all() == []
        # An answer that ends after its experiment was deleted is counted nowhere, and is no error.
    await note("a", a, "1", 1)


def test_a_verdict_takes_ratings_enough_and_more_where_more_is_compared() -> None:
    told = experiment_results._verdict

    assert told((9, 0), (0, 9), 1) == (Verdict.FEW, None)
    assert told((60, 40), (90, 10), 1)[0] is Verdict.BETTER
    assert told((90, 10), (60, 40), 1)[0] is Verdict.WORSE
    assert [told((50, 50), (64, 36), compared)[0] for compared in (1, 3)] == [Verdict.EVEN, Verdict.EVEN]
    assert [told((50, 50), (66, 34), compared)[0] for compared in (1, 3)] == [Verdict.BETTER, Verdict.EVEN]
