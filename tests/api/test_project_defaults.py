"""What a project says of the model and its parameters, for questions that do not."""

from llm_ui.db import Database
from llm_ui.kit.ids import ModelId, ProjectId
from llm_ui.services import ai_models, projects
from llm_ui.services.access import SYSTEM, Actor
from llm_ui.services.projects import ProjectSettings
from tests.api.conftest import AddModel, RunningApi
from tests.api.test_answers import ClientOf, asking, everything, started
from tests.fakes.provider import FakeProvider, answer, reply


async def a_project(database: Database, actor: Actor, model_id: ModelId) -> ProjectId:
    settings = ProjectSettings(model_id=model_id, temperature=0.5, max_tokens=77)
    async with database.writing() as session:
        return await projects.save(session, actor, None, "Thesis", settings)


def asked(fake: FakeProvider) -> tuple[object, ...]:
    """Return what the provider was asked last: the model and its parameters."""
    body = fake.requests[-1].json()
    return tuple(body.get(name) for name in ("model", "temperature", "max_tokens"))


async def test_a_question_that_names_no_model_asks_that_of_the_project(
    api: RunningApi, database: Database, client_of: ClientOf, a_user: Actor, add_model: AddModel
) -> None:
    async with FakeProvider(reply("openai", answer("openai", ["Well."]))) as fake:
        usual = await add_model(fake.base_url("openai"), "usual")
        of_project = await add_model(fake.base_url("openai"), "of-project")
        async with database.writing() as session:
            await ai_models.set_default(session, SYSTEM, usual)
        client, project_id = client_of(a_user), await a_project(database, a_user, of_project)

        first = started(await everything(client, asking(project_id=project_id)))
        assert asked(fake) == ("of-project", 0.5, 77)
        await everything(client, asking(chat_id=first.chat_id))
        assert asked(fake)[0] == "of-project", "the chat goes on with it"
        await everything(client, asking(project_id=project_id, max_tokens=5))
        assert asked(fake) == ("of-project", 0.5, 5)

        await everything(client, asking(project_id=project_id, model_id=usual))
        assert asked(fake) == ("usual", None, None), "as a page asks: what it names holds"
        await everything(client, asking())
        assert asked(fake) == ("usual", None, None)


async def test_a_model_of_the_project_that_is_switched_off_is_not_asked(
    api: RunningApi, database: Database, client_of: ClientOf, a_user: Actor, add_model: AddModel
) -> None:
    async with FakeProvider(reply("openai", answer("openai", ["Well."]))) as fake:
        usual = await add_model(fake.base_url("openai"), "usual")
        of_project = await add_model(fake.base_url("openai"), "of-project")
        project_id = await a_project(database, a_user, of_project)
        async with database.writing() as session:
            await ai_models.set_default(session, SYSTEM, usual)
            await ai_models.set_model_enabled(session, SYSTEM, of_project, is_enabled=False)

        await everything(client_of(a_user), asking(project_id=project_id))

        assert asked(fake) == ("usual", 0.5, 77)
