"""What administrators are told of quality: ratings by model and over time, and what was measured."""

from collections.abc import Sequence

import pytest
from sqlalchemy import update

from llm_ui.db import Database
from llm_ui.errors import Forbidden, NotFound
from llm_ui.kit.ids import MessageId
from llm_ui.models import Cutting, EvaluationKind, FeedbackReason, Rating, Run
from llm_ui.services import evaluations, feedback, ratings
from llm_ui.services.access import SYSTEM, Actor
from llm_ui.services.cutting import CuttingInfo
from llm_ui.services.evaluations import EvaluationInfo, Exam, Measured
from llm_ui.services.feedback import Feedback
from llm_ui.services.listing import Asked, find
from tests.documents.ready import a_project
from tests.services.test_branches import answered

CUT, OTHER = CuttingInfo(Cutting.STRUCTURE, 350, 50), CuttingInfo(Cutting.PAGES, 200, 20)
BENCH = Exam(EvaluationKind.BENCH, "", 2, 1, "", "")


async def rated(database: Database, actor: Actor, model: str, given: Sequence[Feedback], *, invented: int = 0) -> None:
    """Have a person rate answers of a model."""
    for one in given:
        turn = await answered(database, actor, "What of herons?", "They are grey.")
        answer_id = MessageId(turn.answer_id)
        async with database.writing() as session:
            named = update(Run).where(Run.answer_id == answer_id)
            await session.execute(named.values(model_name=model, invented=invented))
            await feedback.rate(session, actor, answer_id, one)


async def listed(database: Database, actor: Actor) -> list[EvaluationInfo]:
    async with database.reading() as session:
        found = await find(session, evaluations.rows(actor, Asked()), Asked())
    return list(found.items)


def test_few_ratings_tell_little() -> None:
    assert ratings.at_least(0, 0) == 0
    assert ratings.at_least(1, 0) == pytest.approx(0.2065, abs=1e-4)
    assert ratings.at_least(90, 10) == pytest.approx(0.8256, abs=1e-4)
    assert ratings.at_least(0, 5) == 0


async def test_models_are_ordered_by_what_is_certain(seeded: Database, a_user: Actor, an_admin: Actor) -> None:
    good, bad = Feedback(Rating.UP), Feedback(Rating.DOWN, FeedbackReason.WRONG, "It is a stork.")
    await rated(seeded, a_user, "Once", [good], invented=2)
    await rated(seeded, a_user, "Often", [good, good, good, good, bad])

    async with seeded.reading() as session:
        models = await ratings.by_model(session, an_admin, Asked())
        narrowed = await ratings.by_model(session, an_admin, Asked("OFT", {"rating": "down", "days": "7"}))
        weeks = await ratings.by_week(session, an_admin, Asked())
        wrong = Asked(filters={"reason": "wrong"})
        found = await find(session, ratings.rows(an_admin, wrong), wrong)

    assert [(one.model, one.up, one.down, one.invented) for one in models] == [("Often", 4, 1, 0), ("Once", 1, 0, 2)]
    assert [(one.model, one.up, one.down) for one in narrowed] == [("Often", 0, 1)]
    assert (len(weeks), weeks[-1].up, weeks[-1].down) == (ratings.WEEKS, 5, 1)
    assert [(one.model, one.rating, one.comment) for one in found.items] == [("Often", Rating.DOWN, "It is a stork.")]


async def test_what_was_measured_is_listed_and_a_bench_once_a_way_is_taken_over(
    seeded: Database, a_user: Actor, an_admin: Actor
) -> None:
    project_id = await a_project(seeded, a_user)
    exam = Exam(EvaluationKind.RETRIEVAL, "cranfield", 225, 1_400, "minilm", "ann")
    ways = [Measured("lexical", {"ndcg@10": 0.5}, CUT), Measured("lexical", {"ndcg@10": 0.6}, OTHER)]
    async with seeded.writing() as session:
        await evaluations.keep(session, SYSTEM, exam, [Measured("hybrid", {"ndcg@10": 0.4})])
        await evaluations.keep_bench(session, a_user, project_id, BENCH, ways[:1])
        await evaluations.keep_bench(session, a_user, project_id, BENCH, ways)

    before = await listed(seeded, an_admin)
    async with seeded.writing() as session:
        await evaluations.take_over(session, a_user, project_id, "lexical", OTHER)
    after = await listed(seeded, an_admin)

    assert [(one.dataset, one.questions, one.documents, one.model, one.measured_by) for one in before] == [
        ("cranfield", 225, 1_400, "minilm", "ann")
    ]
    assert {(one.cut, one.figures["ndcg@10"], one.is_used) for one in after[1:]} == {
        ("350/50 structure", 0.5, False), ("200/20 pages", 0.6, True)
    }  # fmt: skip


async def test_the_bench_of_a_project_is_its_members(seeded: Database, a_user: Actor, an_admin: Actor) -> None:
    project_id = await a_project(seeded, a_user)

    async with seeded.writing() as session:
        with pytest.raises(NotFound):
            await evaluations.keep_bench(session, an_admin, project_id, BENCH, [])
        with pytest.raises(NotFound):
            await evaluations.take_over(session, an_admin, project_id, "lexical", CUT)


async def test_only_administrators_are_told(seeded: Database, a_user: Actor) -> None:
    with pytest.raises(Forbidden):
        ratings.rows(a_user, Asked())
    with pytest.raises(Forbidden):
        evaluations.rows(a_user, Asked())
    async with seeded.reading() as session:
        with pytest.raises(Forbidden):
            await ratings.by_model(session, a_user, Asked())
    async with seeded.writing() as session:
        with pytest.raises(Forbidden):
            await evaluations.keep(session, a_user, BENCH, [])
