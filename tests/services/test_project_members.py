"""Members of projects: who comes, who goes, and what stays whose, on both databases."""

import asyncio

import pytest
from sqlalchemy import select

from llm_ui.db import Database
from llm_ui.errors import Conflict, InvalidInput, NotFound
from llm_ui.kit.ids import ChatId, ProjectId
from llm_ui.models import AuditLog, ChatHistory, Document, Project, ProjectMember, ProjectRole, Role
from llm_ui.services import chats, departures, documents, memories, project_members, projects, users
from llm_ui.services.access import SYSTEM, Actor
from llm_ui.services.documents import Arrived
from llm_ui.services.project_figures import used
from tests.conftest import make_actor
from tests.documents.ready import a_document, a_project
from tests.services.test_branches import answered

EDITOR, OWNER, VIEWER = ProjectRole.EDITOR, ProjectRole.OWNER, ProjectRole.VIEWER


async def add(
    database: Database, actor: Actor, project_id: ProjectId, member: Actor, role: ProjectRole = VIEWER
) -> None:
    async with database.writing() as session:
        await project_members.add(session, actor, project_id, f" {member.name.upper()}@example.org ", role)


async def remove(database: Database, actor: Actor, project_id: ProjectId, member: Actor) -> None:
    async with database.writing() as session:
        await project_members.remove(session, actor, project_id, member.user_id)


async def roles(database: Database, actor: Actor, project_id: ProjectId) -> dict[str, ProjectRole]:
    async with database.reading() as session:
        return {one.name: one.role for one in await project_members.list_members(session, actor, project_id)}


async def names(database: Database, actor: Actor) -> list[tuple[str, str, bool, int]]:
    async with database.reading() as session:
        found = await projects.list_projects(session, actor)
    return [(one.name, one.owner, one.is_own, one.members) for one in found]


async def place_of(database: Database, chat_id: ChatId) -> ProjectId | None:
    async with database.reading() as session:
        return (await session.get_one(ChatHistory, chat_id)).project_id


async def test_a_project_is_shared_by_address_and_told_from_one_of_the_same_name(
    seeded: Database, a_user: Actor, another_user: Actor
) -> None:
    shared, _own = await a_project(seeded, a_user), await a_project(seeded, another_user)

    await add(seeded, a_user, shared, another_user, EDITOR)

    assert await names(seeded, a_user) == [("Herons", "bob", True, 2)]
    assert sorted(await names(seeded, another_user)) == [("Herons", "bob", False, 2), ("Herons", "eve", True, 1)]
    assert await roles(seeded, another_user, shared) == {"bob": OWNER, "eve": EDITOR}


@pytest.mark.parametrize(
    ("email", "error", "sentence"),
    [("nobody@example.org", InvalidInput, "Nobody here"), ("", InvalidInput, "Nobody here"),
     ("bob@example.org", Conflict, "a member already"), ("gone@example.org", InvalidInput, "Nobody here")],
)  # fmt: skip
async def test_who_cannot_be_added_is_told_in_a_sentence(
    seeded: Database, a_user: Actor, an_admin: Actor, email: str, error: type[Exception], sentence: str
) -> None:
    project_id = await a_project(seeded, a_user)
    gone = await make_actor(seeded, "gone", Role.USER)
    async with seeded.writing() as session:
        await users.set_active(session, an_admin, gone.user_id, is_active=False)

    with pytest.raises(error, match=sentence):
        async with seeded.writing() as session:
            await project_members.add(session, a_user, project_id, email, VIEWER)

    assert await roles(seeded, a_user, project_id) == {"bob": OWNER}


async def test_members_read_neither_chats_nor_facts_of_each_other(
    seeded: Database, a_user: Actor, another_user: Actor
) -> None:
    project_id = await a_project(seeded, a_user)
    await add(seeded, a_user, project_id, another_user, OWNER)
    turn = await answered(seeded, a_user, "a secret", "reply", project_id=project_id)
    async with seeded.writing() as session:
        await memories.save(session, a_user, None, "A secret.", project_id=project_id)
        await projects.let_memory_in(session, a_user, project_id, is_in=True)

    async with seeded.reading() as session:
        with pytest.raises(NotFound):
            await chats.open_chat(session, another_user, turn.chat_id)
        assert (await chats.list_chats(session, another_user, project_id=project_id)).items == ()
        assert await memories.facts_of(session, another_user, project_id) == ()
        assert not (await projects.read(session, another_user, project_id)).lets_memory_in
        assert (await used(session, another_user, project_id)).messages == 2, "figures count everybody"


async def test_who_is_removed_keeps_their_chats_outside_of_the_project(
    seeded: Database, a_user: Actor, another_user: Actor
) -> None:
    project_id = await a_project(seeded, a_user)
    await add(seeded, a_user, project_id, another_user, EDITOR)
    document_id = await a_document(seeded, another_user, project_id, ["A heron."])
    kept = (await answered(seeded, another_user, "kept", "reply", project_id=project_id)).chat_id
    binned = (await answered(seeded, another_user, "binned", "reply", project_id=project_id)).chat_id
    of_owner = (await answered(seeded, a_user, "mine", "reply", project_id=project_id)).chat_id
    async with seeded.writing() as session:
        await chats.delete(session, another_user, binned)
        await memories.save(session, another_user, None, "A fact.", project_id=project_id)

    await remove(seeded, a_user, project_id, another_user)

    assert [await place_of(seeded, each) for each in (kept, binned, of_owner)] == [None, None, project_id]
    async with seeded.reading() as session:
        assert (await chats.open_chat(session, another_user, kept)).title == "kept"
        with pytest.raises(NotFound):
            await documents.find(session, another_user, document_id)
        # What they brought stays, and takes the owner's room.
        assert (await session.get_one(Document, document_id)).user_id == a_user.user_id
        assert await memories.facts_of(session, another_user, project_id) == ()
        assert await projects.list_projects(session, another_user) == ()


async def test_another_version_of_a_document_is_brought_by_who_replaces_it(
    seeded: Database, a_user: Actor, another_user: Actor
) -> None:
    project_id = await a_project(seeded, a_user)
    await add(seeded, a_user, project_id, another_user, EDITOR)
    document_id = await a_document(seeded, a_user, project_id, ["A heron."])

    async with seeded.writing() as session:
        await documents.receive(session, another_user, project_id, Arrived("birds.txt", 7, f"{7:064x}"))

    async with seeded.reading() as session:
        row = await session.get_one(Document, document_id)
    assert (row.version, row.user_id) == (2, another_user.user_id)


async def test_the_last_owner_can_neither_go_nor_become_less(
    seeded: Database, a_user: Actor, another_user: Actor
) -> None:
    project_id = await a_project(seeded, a_user)
    await add(seeded, a_user, project_id, another_user, EDITOR)

    for role in (None, EDITOR):
        with pytest.raises(Conflict, match="without an owner"):
            async with seeded.writing() as session:
                if role is None:
                    await project_members.remove(session, a_user, project_id, a_user.user_id)
                else:
                    await project_members.change_role(session, a_user, project_id, a_user.user_id, role)

    assert await roles(seeded, a_user, project_id) == {"bob": OWNER, "eve": EDITOR}


async def test_of_two_owners_who_leave_at_once_one_stays(seeded: Database, a_user: Actor, another_user: Actor) -> None:
    project_id = await a_project(seeded, a_user)
    await add(seeded, a_user, project_id, another_user, OWNER)

    ends = await asyncio.gather(
        *(remove(seeded, one, project_id, one) for one in (a_user, another_user)), return_exceptions=True
    )

    assert sorted(type(end).__name__ for end in ends) == ["Conflict", "NoneType"]
    async with seeded.reading() as session:
        (member,) = await session.scalars(select(ProjectMember))
        assert (await session.get_one(Project, project_id)).owner_id == member.user_id


async def test_a_project_goes_on_under_another_owner_by_a_name_that_is_free(
    seeded: Database, a_user: Actor, another_user: Actor
) -> None:
    project_id = await a_project(seeded, a_user)
    await a_project(seeded, another_user, "herons")
    await add(seeded, a_user, project_id, another_user, OWNER)

    await remove(seeded, a_user, project_id, a_user)

    assert await names(seeded, a_user) == []
    assert [name for name, *_ in await names(seeded, another_user)] == ["herons", "Herons (2)"]


async def test_with_an_account_goes_what_is_its_own_and_shared_projects_go_on(
    seeded: Database, a_user: Actor, another_user: Actor, an_admin: Actor
) -> None:
    shared, alone = await a_project(seeded, a_user), await a_project(seeded, a_user, "Alone")
    await add(seeded, a_user, shared, another_user, OWNER)
    await add(seeded, a_user, alone, another_user, EDITOR)
    document_id = await a_document(seeded, a_user, shared, ["A heron."])
    theirs = (await answered(seeded, another_user, "theirs", "reply", project_id=alone)).chat_id

    async with seeded.writing() as session:
        await departures.remove(session, SYSTEM, a_user.user_id)

    assert await names(seeded, another_user) == [("Herons", "eve", True, 1)]
    assert await place_of(seeded, theirs) is None
    async with seeded.reading() as session:
        assert (await documents.find(session, another_user, document_id)).name == "birds.txt"
    with pytest.raises(Conflict, match="only administrator"):
        async with seeded.writing() as session:
            await departures.remove(session, SYSTEM, an_admin.user_id)


async def test_changes_of_members_are_in_the_audit_log(seeded: Database, a_user: Actor, another_user: Actor) -> None:
    project_id = await a_project(seeded, a_user)
    await add(seeded, a_user, project_id, another_user)
    async with seeded.writing() as session:
        await project_members.change_role(session, a_user, project_id, another_user.user_id, EDITOR)
    await remove(seeded, another_user, project_id, another_user)
    await add(seeded, a_user, project_id, another_user)
    await remove(seeded, a_user, project_id, another_user)

    async with seeded.reading() as session:
        entries = await session.scalars(select(AuditLog).order_by(AuditLog.number))
        found = [(row.actor_name, row.action, row.target, row.detail, row.changes) for row in entries]
    assert found == [
        ("bob", "project.begun", "Herons", {}, {}),
        ("bob", "project.member_added", "Herons", {"member": "eve", "role": "viewer"}, {}),
        ("bob", "project.role_changed", "Herons", {"member": "eve"}, {"role": ["viewer", "editor"]}),
        ("eve", "project.member_left", "Herons", {"member": "eve"}, {}),
        ("bob", "project.member_added", "Herons", {"member": "eve", "role": "viewer"}, {}),
        ("bob", "project.member_removed", "Herons", {"member": "eve"}, {}),
    ]
