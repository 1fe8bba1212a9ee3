"""Deleting accounts: what goes, what stays, and who takes over."""

from decimal import Decimal

import pytest
from sqlalchemy import func, select

from llm_ui.db import Database
from llm_ui.errors import InvalidInput, NotFound
from llm_ui.kit.clock import now
from llm_ui.kit.ids import ProjectId, RunId, uuid7
from llm_ui.models import (
    AuditLog,
    ChatHistory,
    ChatMessage,
    Project,
    ProjectMember,
    ProjectRole,
    RunStatus,
    UsageLog,
    UsageSource,
    User,
)
from llm_ui.services import departures, users
from llm_ui.services.access import Actor
from llm_ui.services.departures import Fate


@pytest.fixture
async def owned(database: Database, a_user: Actor, another_user: Actor) -> ProjectId:
    """Bob's chat, his booked call, a project of his own and one that he shares with eve, who owns it, too."""
    own, shared = ProjectId(uuid7()), ProjectId(uuid7())
    async with database.writing() as session:
        chat = ChatHistory(user_id=a_user.user_id, last_message_at=now())
        session.add_all([chat, *(Project(id=each, owner_id=a_user.user_id, name=str(each)) for each in (own, shared))])
        await session.flush()
        session.add(ChatMessage(chat_id=chat.id, position=0, role="user", status="complete", text="secret"))
        for project, person in ((own, a_user), (shared, a_user), (shared, another_user)):
            session.add(ProjectMember(project_id=project, user_id=person.user_id, role=ProjectRole.OWNER))
        session.add(
            UsageLog(
                run_id=RunId(uuid7()), user_id=a_user.user_id, model_name="m", provider_name="p",
                status=RunStatus.COMPLETED, input_tokens=3, output_tokens=4, usage_source=UsageSource.PROVIDER,
                cost_usd=Decimal("0.5"), created_at=now(),
            )
        )  # fmt: skip
    return own


async def figures(database: Database) -> list[Decimal | None]:
    async with database.reading() as session:
        return list(await session.scalars(select(UsageLog.cost_usd)))


async def test_what_would_go_is_counted(database: Database, an_admin: Actor, a_user: Actor, owned: ProjectId) -> None:
    async with database.reading() as session:
        goes = await departures.weigh(session, an_admin, a_user.user_id)

    assert (goes.chats, goes.messages, goes.projects, goes.shared_projects, goes.calls) == (1, 1, 1, 1, 1)
    assert goes.project_names == (str(owned),)


@pytest.mark.parametrize("fate", Fate)
async def test_what_was_written_goes_whatever_is_chosen(
    database: Database, an_admin: Actor, a_user: Actor, another_user: Actor, owned: ProjectId, fate: Fate
) -> None:
    async with database.writing() as session:
        await departures.remove(session, an_admin, a_user.user_id, fate, another_user.user_id)

    async with database.reading() as session:
        assert await session.scalar(select(func.count()).select_from(ChatMessage)) == 0
        assert await session.scalar(select(func.count()).where(User.id == a_user.user_id)) == 0
        assert await session.scalar(select(func.count()).where(UsageLog.user_id == a_user.user_id)) == 0
        owners = set(await session.scalars(select(Project.owner_id)))
        kept = await session.scalar(select(func.count()).select_from(Project))
        entry = (await session.scalars(select(AuditLog).where(AuditLog.action == "user.deleted"))).one()
    assert owners == {another_user.user_id}
    assert kept == (2 if fate is Fate.HAND_OVER else 1)
    receipt = entry.detail.pop("receipt")
    assert receipt
    assert entry.detail == {"role": "user", "data": fate.value, "to": "eve" if fate is Fate.HAND_OVER else None}
    assert await figures(database) == ([] if fate is Fate.ERASE else [Decimal("0.5")])


async def test_projects_are_handed_to_somebody_who_can_use_them(
    database: Database, an_admin: Actor, a_user: Actor, another_user: Actor, owned: ProjectId
) -> None:
    async with database.writing() as session:
        await users.set_active(session, an_admin, another_user.user_id, is_active=False)

    for heir in (None, a_user.user_id, another_user.user_id):
        with pytest.raises(InvalidInput):
            async with database.writing() as session:
                await departures.remove(session, an_admin, a_user.user_id, Fate.HAND_OVER, heir)
    with pytest.raises(NotFound):
        async with database.writing() as session:
            await departures.remove(session, an_admin, ProjectId(uuid7()))  # type: ignore[arg-type]
