"""Receipts of deleted accounts: they tell what went, what stays and why, and would show what is left."""

from datetime import timedelta
from decimal import Decimal

from sqlalchemy import delete, select

from llm_ui.db import Database
from llm_ui.kit.clock import now
from llm_ui.kit.ids import ChatId, KeyId, ProjectId, RunId, UserId, uuid7
from llm_ui.models import (
    ApiKey,
    Attachment,
    Audience,
    AuditLog,
    Budget,
    BudgetScope,
    LogEntry,
    ProjectMember,
    ProjectRole,
    RunStatus,
    ShareLink,
    UsageLog,
    UsageSource,
    UserPicture,
    UserSession,
)
from llm_ui.services import departures, erased_rows, erasures, memories
from llm_ui.services.access import Actor
from llm_ui.services.departures import Fate
from llm_ui.services.erased_rows import Belongings
from llm_ui.services.erasures import Receipt
from tests.documents.ready import a_document, a_project
from tests.services.test_branches import answered

NAME = "ab" * 32


async def filled(database: Database, actor: Actor, other: Actor) -> tuple[ChatId, ProjectId]:
    """One of each of what a person may have, and a project that goes on under somebody else."""
    chat_id = (await answered(database, actor, "secret", "reply")).chat_id
    project_id = await a_project(database, actor)
    await a_document(database, actor, project_id, ["Herons wade."])
    shared = await a_project(database, actor, "Shared")
    await a_document(database, actor, shared, ["Storks nest."], name="storks.txt")
    at = now()
    async with database.writing() as session:
        await memories.save(session, actor, None, "I like herons.")
        session.add_all([
            ProjectMember(project_id=shared, user_id=other.user_id, role=ProjectRole.OWNER),
            UserPicture(user_id=actor.user_id, data=b"x"),
            ApiKey(
                id=KeyId(uuid7()), series_id=uuid7(), user_id=actor.user_id, name="k", prefix="p", token_hash="h",
                scopes=[], addresses=[], created_at=at,
            ),
            UserSession(
                user_id=actor.user_id, token_hash="t", created_at=at, last_seen_at=at,
                expires_at=at + timedelta(days=1),
            ),
            Attachment(user_id=actor.user_id, name="a.txt", media_type="text/plain", size_bytes=1, sha256=NAME),
            ShareLink(
                user_id=actor.user_id, chat_id=chat_id, token_hash="l", audience=Audience.ANYONE, snapshot={}
            ),
            UsageLog(
                run_id=RunId(uuid7()), user_id=actor.user_id, model_name="m", provider_name="p",
                status=RunStatus.COMPLETED, usage_source=UsageSource.PROVIDER, created_at=at,
            ),
            LogEntry(
                at=at, level=20, process="ui", event="e", fields={}, words="", request_id="", user_id=actor.user_id
            ),
        ])  # fmt: skip
    return chat_id, project_id


async def receipts(database: Database, actor: Actor) -> tuple[Receipt, ...]:
    async with database.reading() as session:
        return await erasures.list_receipts(session, actor)


async def verified(database: Database, *stored: str) -> int:
    async with database.writing() as session:
        return await erasures.verify(session, frozenset(stored))


async def test_a_receipt_tells_what_went_and_what_stays_and_why(
    seeded: Database, an_admin: Actor, a_user: Actor, another_user: Actor
) -> None:
    await filled(seeded, a_user, another_user)
    async with seeded.writing() as session:
        await departures.remove(session, an_admin, a_user.user_id, Fate.ANONYMISE)

    (receipt,) = await receipts(seeded, an_admin)
    expected = {
        "users": 1, "chat_histories": 1, "chat_messages": 2, "runs": 1, "projects": 1, "documents": 1,
        "document_chunks": 1, "document_pages": 1, "user_memories": 1, "user_pictures": 1, "api_keys": 1,
        "user_sessions": 2, "attachments": 1, "share_links": 1,
    }  # fmt: skip
    if seeded.dialect == "sqlite":
        expected |= {"search_passages": 1}
        assert receipt.found["search_text"] >= 2
    assert expected.items() <= receipt.found.items()
    assert (receipt.left, receipt.erased.user_id) == ({}, a_user.user_id)
    assert {"projects": 1, "documents": 1, "usage_logs": 1, "log_entries": 1}.items() <= receipt.kept.items()
    assert receipt.backups_until is not None
    assert receipt.kept.keys() <= erasures.REASONS.keys()
    async with seeded.reading() as session:
        entry = (await session.scalars(select(AuditLog).where(AuditLog.action == "user.deleted"))).one()
    assert entry.detail["receipt"] == str(receipt.id)


async def test_a_receipt_waits_until_the_files_are_gone(
    seeded: Database, an_admin: Actor, a_user: Actor, another_user: Actor
) -> None:
    await filled(seeded, a_user, another_user)
    async with seeded.writing() as session:
        await departures.leave(session, a_user)

    assert await verified(seeded, NAME, "cd" * 32) == 0
    (waiting,) = await receipts(seeded, an_admin)
    assert (waiting.verified_at, waiting.files_waiting) == (None, 1)
    assert await verified(seeded, "cd" * 32) == 1
    (done,) = await receipts(seeded, an_admin)
    assert done.verified_at is not None
    assert done.files_waiting == 0


async def test_what_is_left_over_is_told_until_it_is_gone(
    seeded: Database, an_admin: Actor, a_user: Actor, another_user: Actor
) -> None:
    await filled(seeded, a_user, another_user)
    async with seeded.writing() as session:
        await departures.remove(session, an_admin, a_user.user_id, Fate.ERASE)
        # As a place that somebody forgot would be: no foreign key takes it along.
        budget = Budget(
            scope=BudgetScope.PERSON,
            scope_id=a_user.user_id,
            amount_usd=Decimal(1),
            spent_usd=Decimal(0),
            period_start=now(),
        )
        session.add(budget)

    assert await verified(seeded) == 0
    (receipt,) = await receipts(seeded, an_admin)
    assert (receipt.left, receipt.verified_at) == ({"budgets": 1}, None)
    assert "usage_logs" not in receipt.kept
    async with seeded.writing() as session:
        await session.execute(delete(Budget))
    assert await verified(seeded) == 1


async def test_what_hangs_on_a_chat_is_looked_for_as_well(seeded: Database, a_user: Actor, another_user: Actor) -> None:
    await filled(seeded, a_user, another_user)
    async with seeded.reading() as session:
        has = await erased_rows.belongings(session, a_user.user_id, ())
        stranger = Belongings(UserId(uuid7()), has.parents, {}, (), frozenset())
        found = await erased_rows.count(session, stranger)

    assert found["chat_messages"] == 2, "also where nothing names the person any more"


def test_every_table_of_people_is_looked_at() -> None:
    named = {"users", "chat_histories", "runs", "attachments", "cached_answers", "share_links", "usage_logs", "quotas"}

    assert named <= erased_rows.NAMING
