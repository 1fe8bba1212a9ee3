"""The bench tells what an answer would be written from, and why the rest is left out."""

import pytest

from llm_ui.db import Database
from llm_ui.errors import NotFound
from llm_ui.kit.http import new_client
from llm_ui.kit.ids import ModelId, ProjectId
from llm_ui.providers.base import Timeouts
from llm_ui.runs.as_answers import AsAnswers, LeftOut, as_answers
from llm_ui.runs.embeddings import Embeddings
from llm_ui.runs.reranking import Reranker
from llm_ui.services import projects
from llm_ui.services.access import SYSTEM, Actor
from llm_ui.services.ai_models import ModelChange, change_model
from llm_ui.services.prices import Prices
from llm_ui.services.projects import ProjectSettings
from llm_ui.services.reranking import set_reranking_model
from llm_ui.services.secrets import Secrets
from tests.documents.ready import a_document, a_project
from tests.fakes.provider import FakeProvider
from tests.fakes.reranking import reranking_reply
from tests.runs.test_reranking import SAID as BOATS
from tests.runs.test_reranking import a_reranker

VAULT = "The vault of the harbour lies under the third quay."
SAID = ["The harbour is old.", f"{VAULT} A heron guards the lock.", "Its code is 4711."]
QUAYS = [f"Quay {number} has two cranes." for number in range(9)]
ASKED = "Which bird guards the lock at the quay?"


async def told(
    database: Database, secrets: Secrets, actor: Actor, project_id: ProjectId, query: str = ASKED
) -> AsAnswers:
    async with new_client() as http:
        embeddings = Embeddings(database, secrets.sealer, http)
        reranker = Reranker(database, secrets.sealer, http, timeouts=Timeouts(60, 60, 60, 60))
        return await as_answers(database, embeddings, reranker, actor, project_id, query)


async def answered_by(database: Database, actor: Actor, project_id: ProjectId, model_id: ModelId) -> None:
    async with database.writing() as session:
        await projects.save(session, actor, project_id, "Herons", ProjectSettings(model_id=model_id))


async def test_what_is_sent_is_numbered_and_the_rest_says_why_not(
    database: Database, secrets: Secrets, a_user: Actor, model_id: ModelId
) -> None:
    project_id = await a_project(database, a_user)
    await a_document(database, a_user, project_id, SAID)
    await a_document(database, a_user, project_id, [SAID[1]], name="again.txt")
    await a_document(database, a_user, project_id, QUAYS, name="quays.txt")
    await answered_by(database, a_user, project_id, model_id)

    whole = await told(database, secrets, a_user, project_id)
    change = ModelChange("Model One", 500, 100, Prices())
    async with database.writing() as session:
        await change_model(session, SYSTEM, model_id, change)
    small = await told(database, secrets, a_user, project_id)

    sent = [fate for fate in whole.fates if fate.left_out is None]
    assert (whole.model, whole.strategy.value, whole.reranked_by) == ("Model One", "lexical", "")
    assert [(one.number, one.passage.text, one.is_beside) for one in sent] == [
        (1, SAID[1], False), (2, SAID[2], True), (3, SAID[0], True)
    ]  # fmt: skip
    left = [(one.passage.document_name, one.left_out, one.number) for one in whole.fates[3:]]
    assert left[0] == ("again.txt", LeftOut.ALIKE, None)
    assert set(left[1:]) == {("quays.txt", LeftOut.WEAK, None)}
    assert (small.fates[0].passage.text, small.fates[0].left_out) == (SAID[1], LeftOut.ROOM)
    assert {one.number for one in small.fates} == {None}


async def test_the_reranking_model_has_the_last_word(database: Database, secrets: Secrets, a_user: Actor) -> None:
    project_id = await a_project(database, a_user)
    await a_document(database, a_user, project_id, BOATS)
    asked = "Is a boat of the doctor at a quay?"
    async with FakeProvider(reranking_reply) as fake:
        model_id = await a_reranker(database, secrets, fake)
        async with database.writing() as session:
            await set_reranking_model(session, SYSTEM, model_id)
        found = await told(database, secrets, a_user, project_id, asked)

    assert [one.passage.text for one in found.fates] == [BOATS[1], BOATS[2], BOATS[0]]
    assert (found.reranked_by, found.not_reranked) == ("bge-reranker", "")
    assert found.reranking_ms > 0


async def test_it_is_told_to_nobody_else(database: Database, secrets: Secrets, a_user: Actor, an_admin: Actor) -> None:
    project_id = await a_project(database, a_user)
    await a_document(database, a_user, project_id, SAID)

    with pytest.raises(NotFound):
        await told(database, secrets, an_admin, project_id)
