"""`llm-ui eval answers`, asked of a server that runs: what is answered, cited and judged."""

import json
from pathlib import Path

import pytest
from sqlalchemy import func, select

from llm_ui.cli.answers import Asked, Who, load, measure
from llm_ui.config import Config
from llm_ui.db import Database
from llm_ui.errors import ApiDown, InvalidInput, NotFound
from llm_ui.models import ChatHistory, UsageLog, UserSession
from llm_ui.services.access import Actor
from tests.api.conftest import AddModel, RunningApi
from tests.documents.ready import a_document, a_project
from tests.fakes.provider import FakeProvider, Received, Reply, answer, reply

VERDICT = {
    "statements": [
        {"number": 1, "verdict": "supported", "citations": {"1": True}},
        {"number": 2, "verdict": "unsupported", "citations": {"1": False}},
    ]
}
UNREADABLE = "Who knows?"


def answered(request: Received) -> Reply:
    """Answer as the model that is judged and as the one that judges, by what is asked."""
    asked = json.dumps(request.json(), ensure_ascii=False)
    if "You judge how well" not in asked:
        return reply("openai", answer("openai", ["A heron weighs two kilograms [1]. ", "It sings [1]."]))
    said = UNREADABLE if UNREADABLE in asked else json.dumps(VERDICT)
    return reply("openai", answer("openai", [said]))


async def count(database: Database, table: type) -> int:
    async with database.reading() as session:
        return await session.scalar(select(func.count()).select_from(table)) or 0


async def test_answers_are_judged_and_nothing_of_it_stays_but_what_it_cost(
    api: RunningApi, database: Database, database_config: Config, a_user: Actor, add_model: AddModel
) -> None:
    project_id = await a_project(database, a_user, "Birds")
    await a_document(database, a_user, project_id, ["A grey heron weighs about two kilograms."], name="birds.txt")
    await a_document(database, a_user, project_id, ["The heron is a boat."], name="boats.txt")
    asked = [
        Asked(question="How much does a heron weigh?", project="Birds", documents=("birds.txt",)),
        Asked(question="What about the heron?", project=str(project_id)),
        Asked(question=f"A heron? {UNREADABLE}", project="Birds"),
    ]
    async with FakeProvider(answered) as fake:
        await add_model(fake.base_url("openai"), "fake")
        found = await measure(database, database_config, asked, Who(a_user.name, "fake", "fake"))
        with pytest.raises(InvalidInput, match=r"no model named gone\. These can be asked: "):
            await measure(database, database_config, asked, Who(a_user.name, "gone", None))
        for missing in (Asked(question="?", project="Secret"), Asked(question="?", project="Birds", documents=("x",))):
            with pytest.raises(InvalidInput, match="named"):
                await measure(database, database_config, [missing], Who(a_user.name, "fake", "fake"))

    each = found.pop("each")
    assert found == {
        "citation_precision": 0.5, "groundedness": 0.5, "questions": 3, "judged": 2, "citations": 4, "claims": 4
    }  # fmt: skip
    assert [one.get("problem") for one in each] == [None, None, "The judge did not judge it."]
    assert each[0]["sources"] == 1
    assert each[0]["answer"] == "A heron weighs two kilograms [1]. It sings [1]."
    assert await count(database, ChatHistory) == 0
    assert await count(database, UsageLog) == 3 + 2 + 2
    async with database.reading() as session:
        signed_in = select(UserSession.id).where(UserSession.revoked_at.is_(None))
        assert (await session.scalars(signed_in)).all() == [a_user.session_id]


async def test_without_a_server_or_a_person_one_sentence_says_so(
    database: Database, database_config: Config, a_user: Actor
) -> None:
    asked = [Asked(question="?", project="Birds")]
    with pytest.raises(ApiDown):
        await measure(database, database_config, asked, Who(a_user.name, "fake", None))
    with pytest.raises(NotFound, match="no account named"):
        await measure(database, database_config, asked, Who("nobody", "fake", None))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "holds no question"),
        (b'{"question": "Why?", "project": "Birds"}\n\n{"question": ""}', "line 3 is not a question"),
        (b"\xff", "it is not UTF-8"),
        (None, "No such file"),
    ],
)
def test_a_file_that_is_none_is_named(tmp_path: Path, content: bytes | None, said: str) -> None:
    path = tmp_path / "questions.jsonl"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(InvalidInput, match=said):
        load(path)
