"""What a chat that begins is asked with, in projects and outside of them."""

from dataclasses import replace

from llm_ui.chat.defaults import Choice, Defaults
from llm_ui.chat.follow import Op
from llm_ui.kit.ids import ChatId, ModelId, ProjectId, uuid7
from llm_ui.services import ai_models, projects
from llm_ui.services.chats import ChatDetail
from llm_ui.services.projects import AS_NEW, ProjectSettings
from llm_ui.ui.page import PageContext

MINE = Choice("mine", 1.5, None)


def told_nothing(op: Op) -> None:
    """A page that looks at nothing it is told."""
    del op


class Controls:
    """The controls of a page."""

    def __init__(self, *offered: str) -> None:
        self.shown = MINE
        self.offered = offered
        self.told: list[Op] = []

    def controls(self, chosen: Choice | None = None) -> Choice:
        self.shown = chosen or self.shown
        return self.shown

    def offers(self, model: str) -> bool:
        return model in self.offered

    def tell(self, op: Op) -> None:
        self.told.append(op)


async def begun(context: PageContext, name: str, settings: ProjectSettings) -> ProjectId:
    actor = await context.actor()
    async with context.backend.database.writing() as session:
        return await projects.save(session, actor, None, name, settings)


async def the_model(context: PageContext) -> ModelId:
    async with context.backend.database.reading() as session:
        return (await ai_models.list_models(session, await context.actor()))[0].id


async def test_a_project_says_what_a_chat_begins_with_and_outside_it_is_as_before(context: PageContext) -> None:
    model_id = await the_model(context)
    whole = await begun(context, "Whole", ProjectSettings(model_id=model_id, temperature=0.0, max_tokens=70))
    part = await begun(context, "Part", ProjectSettings(max_tokens=80))
    plain = await begun(context, "Plain", AS_NEW)
    page = Controls("mine", str(model_id))
    defaults = Defaults(context, page, told_nothing)

    for project_id, shown in (
        (whole, Choice(str(model_id), 0.0, 70)),
        (part, replace(MINE, max_tokens=80)),
        (plain, MINE),
        (whole, Choice(str(model_id), 0.0, 70)),
        (None, MINE),
        (ProjectId(uuid7()), MINE),
    ):
        await defaults.begin(project_id)
        assert page.shown == shown


async def test_a_model_that_is_not_offered_any_more_is_the_persons_own_instead(context: PageContext) -> None:
    settings = ProjectSettings(model_id=await the_model(context), temperature=0.5)
    project_id = await begun(context, "Thesis", settings)
    page = Controls("mine")

    await Defaults(context, page, told_nothing).begin(project_id)

    assert page.shown == replace(MINE, temperature=0.5)


async def test_a_chat_keeps_what_it_has_and_one_of_a_project_leaves_the_persons_own_alone(
    context: PageContext,
) -> None:
    project_id = await begun(context, "Thesis", ProjectSettings(temperature=0.5))
    model_id = ModelId(uuid7())
    page = Controls("mine", str(model_id))
    defaults = Defaults(context, page, told_nothing)
    inside = ChatDetail(ChatId(uuid7()), "", model_id, 2.0, 5, None, project_id)

    await defaults.opened(inside)
    assert page.shown == Choice(str(model_id), 2.0, 5)
    await defaults.begin(project_id)
    assert page.shown == replace(MINE, temperature=0.5)
    await defaults.begin(None)
    assert page.shown == MINE

    await defaults.opened(replace(inside, project_id=None))
    await defaults.begin(None)
    assert page.shown == Choice(str(model_id), 2.0, 5)
