"""How projects look, what their chats begin with, and what is put away, on both databases."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from llm_ui.db import Database
from llm_ui.errors import Conflict, InvalidInput, NotFound
from llm_ui.kit.clock import now
from llm_ui.kit.ids import ModelId, ProjectId, RunId, uuid7
from llm_ui.models import AiModel, ProjectColor, ProjectIcon, RunStatus, UsageLog, UsageSource
from llm_ui.services import ai_models, branches, chats, documents, memories, projects
from llm_ui.services.access import Actor
from llm_ui.services.documents import Arrived
from llm_ui.services.project_figures import Contents, Used, contents, used
from llm_ui.services.projects import AS_NEW, ProjectInfo, ProjectSettings
from tests.services.test_branches import answered
from tests.services.test_projects import begin

GREEN = ProjectSettings(
    ProjectColor.GREEN, ProjectIcon.LEAF, temperature=0.25, max_tokens=900, is_template=True
)  # fmt: skip


async def save(
    database: Database, actor: Actor, settings: ProjectSettings, project_id: ProjectId | None = None
) -> ProjectId:
    async with database.writing() as session:
        return await projects.save(session, actor, project_id, "Garden", settings)


async def read(database: Database, actor: Actor, project_id: ProjectId) -> ProjectInfo:
    async with database.reading() as session:
        return await projects.read(session, actor, project_id)


async def a_model(database: Database, actor: Actor) -> ModelId:
    async with database.reading() as session:
        return (await ai_models.list_models(session, actor))[0].id


async def test_settings_are_kept_and_a_new_project_looks_as_any(seeded: Database, a_user: Actor) -> None:
    project_id = await save(seeded, a_user, GREEN)
    async with seeded.writing() as session:
        plain = await projects.save(session, a_user, None, "Plain")
        await projects.save(session, a_user, project_id, "Orchard")

    found = await read(seeded, a_user, project_id)
    assert (found.name, found.settings) == ("Orchard", GREEN)
    assert (await read(seeded, a_user, plain)).settings == AS_NEW


async def test_a_model_is_known_by_its_name_even_when_it_is_gone(seeded: Database, a_user: Actor) -> None:
    model_id = await a_model(seeded, a_user)
    project_id = await save(seeded, a_user, replace(GREEN, model_id=model_id))
    name = (await read(seeded, a_user, project_id)).settings.model_name
    assert name == "Demo (no language model)"
    async with seeded.writing() as session:
        (await session.get_one(AiModel, model_id)).is_enabled = False

    # Whatever else is changed, the model stays; but no other one that is gone comes in its place.
    await save(seeded, a_user, replace(AS_NEW, model_id=model_id), project_id)
    with pytest.raises(NotFound, match="Pick another"):
        await save(seeded, a_user, replace(AS_NEW, model_id=ModelId(uuid7())), project_id)

    assert (await read(seeded, a_user, project_id)).settings == replace(AS_NEW, model_id=model_id, model_name=name)


async def test_settings_of_others_are_neither_read_nor_changed(
    seeded: Database, a_user: Actor, another_user: Actor, an_admin: Actor
) -> None:
    project_id = await save(seeded, a_user, GREEN)

    for stranger in (another_user, an_admin):
        with pytest.raises(NotFound):
            await read(seeded, stranger, project_id)
        with pytest.raises(NotFound):
            await save(seeded, stranger, AS_NEW, project_id)

    assert (await read(seeded, a_user, project_id)).settings == GREEN


async def archive(database: Database, actor: Actor, project_id: ProjectId, *, is_archived: bool = True) -> None:
    async with database.writing() as session:
        await projects.archive(session, actor, project_id, is_archived=is_archived)


async def test_in_an_archived_project_nothing_is_asked_or_added(seeded: Database, a_user: Actor) -> None:
    project_id = await save(seeded, a_user, AS_NEW)
    inside = await answered(seeded, a_user, "inside", "reply", project_id=project_id)
    outside = await answered(seeded, a_user, "outside", "reply")
    await archive(seeded, a_user, project_id)

    with pytest.raises(Conflict, match="The project Garden is archived"):
        await answered(seeded, a_user, "more", "reply", chat_id=inside.chat_id)
    with pytest.raises(Conflict):
        await answered(seeded, a_user, "new", "reply", project_id=project_id)
    for attempt in (
        lambda session: projects.move(session, a_user, outside.chat_id, project_id),
        lambda session: documents.receive(session, a_user, project_id, Arrived("a.md", 1, "0" * 64)),
        lambda session: branches.branch_off(session, a_user, inside.answer_id),
    ):
        with pytest.raises(Conflict):
            async with seeded.writing() as session:
                await attempt(session)
    with pytest.raises(InvalidInput, match="restore that one"):
        await save(seeded, a_user, AS_NEW)

    await archive(seeded, a_user, project_id, is_archived=False)
    await answered(seeded, a_user, "more", "reply", chat_id=inside.chat_id)
    assert not (await read(seeded, a_user, project_id)).is_archived


async def test_chats_of_an_archived_project_leave_the_list_even_when_pinned(seeded: Database, a_user: Actor) -> None:
    project_id = await save(seeded, a_user, AS_NEW)
    inside = (await answered(seeded, a_user, "inside", "reply", project_id=project_id)).chat_id
    outside = (await answered(seeded, a_user, "outside", "reply")).chat_id
    async with seeded.writing() as session:
        for chat_id in (inside, outside):
            await chats.pin(session, a_user, chat_id, is_pinned=True)

    await archive(seeded, a_user, project_id)

    async with seeded.reading() as session:
        assert [chat.id for chat in (await chats.list_chats(session, a_user)).items] == [outside]
        within = await chats.list_chats(session, a_user, project_id=project_id)
        assert [chat.id for chat in within.items] == [inside]


async def test_what_goes_with_a_project_and_what_stays_is_counted(
    seeded: Database, a_user: Actor, another_user: Actor
) -> None:
    project_id = await save(seeded, a_user, AS_NEW)
    await answered(seeded, a_user, "inside", "reply", project_id=project_id)
    binned = (await answered(seeded, a_user, "binned", "reply", project_id=project_id)).chat_id
    async with seeded.writing() as session:
        await chats.delete(session, a_user, binned)
        await memories.save(session, a_user, None, "It is green.", project_id=project_id)
        for number in range(2):
            await documents.receive(session, a_user, project_id, Arrived(f"{number}.md", 50, f"{number}" * 64))

    async with seeded.reading() as session:
        assert await contents(session, a_user, project_id) == Contents(2, 100, 1, 1)
        with pytest.raises(NotFound):
            await contents(session, another_user, project_id)
    with pytest.raises(NotFound):
        await archive(seeded, another_user, project_id)


async def test_what_was_used_in_a_project_is_counted_where_it_was_used(
    seeded: Database, a_user: Actor, another_user: Actor
) -> None:
    project_id, other_id = await save(seeded, a_user, AS_NEW), await begin(seeded, a_user, "Other")
    turn = await answered(seeded, a_user, "inside", "reply", project_id=project_id)
    await answered(seeded, a_user, "more", "reply", chat_id=turn.chat_id)
    await answered(seeded, a_user, "outside", "reply")
    long_ago = now() - timedelta(days=90)
    async with seeded.writing() as session:
        for cost, at, place in ((Decimal("0.1"), now(), project_id), (Decimal("0.2"), long_ago, project_id)):
            session.add(a_booking(a_user, place, cost, at))
        session.add(a_booking(a_user, None, Decimal(1), now()))
        session.add(a_booking(another_user, project_id, Decimal(1), now()))

    async with seeded.reading() as session:
        in_all = await used(session, a_user, project_id)
        assert await used(session, a_user, project_id, now() - timedelta(days=9)) == Used(1, 4, 14, Decimal("1.1"))
        assert await used(session, a_user, project_id, now() + timedelta(days=9)) == Used(0, 0, 0, None)
        with pytest.raises(NotFound):
            await used(session, another_user, project_id)
    assert in_all == Used(1, 4, 21, Decimal("1.3")), "of all who were ever in it"

    # The chat goes along with its messages; what it used stays where it used it.
    async with seeded.writing() as session:
        await projects.move(session, a_user, turn.chat_id, other_id)

    async with seeded.reading() as session:
        assert await used(session, a_user, project_id) == replace(in_all, chats=0, messages=0)
        assert await used(session, a_user, other_id) == Used(1, 4, 0, None)


def a_booking(actor: Actor, project_id: ProjectId | None, cost: Decimal, at: datetime) -> UsageLog:
    return UsageLog(
        run_id=RunId(uuid7()),
        user_id=actor.user_id,
        project_id=project_id,
        model_name="m",
        provider_name="p",
        status=RunStatus.COMPLETED,
        input_tokens=5,
        output_tokens=2,
        usage_source=UsageSource.PROVIDER,
        cost_usd=cost,
        created_at=at,
    )
