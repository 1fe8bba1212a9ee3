import asyncio

import pytest

from llm_ui.db import Database
from llm_ui.kit.calibration import Calibration
from llm_ui.kit.ids import ModelId, uuid7
from llm_ui.services import ai_models, calibrations, targets
from llm_ui.services.access import SYSTEM


@pytest.fixture
async def model_id(seeded: Database) -> ModelId:
    async with seeded.reading() as session:
        return (await targets.target(session, SYSTEM, None)).model_id


async def keep(database: Database, model_id: ModelId, learnt: Calibration) -> None:
    async with database.writing() as session:
        await calibrations.keep(session, model_id, learnt)


async def known(database: Database, model_id: ModelId) -> Calibration:
    async with database.reading() as session:
        return (await targets.target(session, SYSTEM, model_id)).calibration


async def test_what_was_learnt_of_a_model_goes_with_it(seeded: Database, model_id: ModelId) -> None:
    assert await known(seeded, model_id) == Calibration()

    for learnt in (Calibration(1.25, 1), Calibration(1.2, 2)):
        await keep(seeded, model_id, learnt)

        assert await known(seeded, model_id) == learnt


async def test_the_first_runs_of_a_model_may_end_together(seeded: Database, model_id: ModelId) -> None:
    await asyncio.gather(*(keep(seeded, model_id, Calibration(1.0 + number / 10, 1)) for number in range(1, 6)))

    assert (await known(seeded, model_id)).samples == 1


async def test_a_model_that_is_gone_is_no_error(seeded: Database) -> None:
    await keep(seeded, ModelId(uuid7()), Calibration(1.2, 1))


async def test_learning_does_not_get_in_the_way_of_who_changes_the_model(seeded: Database, model_id: ModelId) -> None:
    async with seeded.reading() as session:
        before = await ai_models.get_model(session, SYSTEM, model_id)

    await keep(seeded, model_id, Calibration(1.2, 1))

    async with seeded.reading() as session:
        assert await ai_models.get_model(session, SYSTEM, model_id) == before
