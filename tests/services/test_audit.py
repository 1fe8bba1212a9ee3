"""The audit log: written with the change, chained, never changed again, for administrators only."""

import asyncio
import hashlib
import json

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from llm_ui import migrations
from llm_ui.config import Config
from llm_ui.db import Database
from llm_ui.errors import Forbidden, InvalidInput
from llm_ui.models import AuditHead, AuditLog, Role
from llm_ui.observability.origin import COMMAND_LINE, Origin, come_from
from llm_ui.services import audit, audit_chain, settings, users
from llm_ui.services.access import Actor
from llm_ui.services.audit_chain import Verified
from llm_ui.services.settings import SHARING

TRIGGERS = {
    "sqlite": ("DROP TRIGGER audit_logs_stay", "DROP TRIGGER audit_logs_are_kept"),
    "postgresql": ("ALTER TABLE audit_logs DISABLE TRIGGER USER",),
}
"""How somebody who holds the database itself gets round its triggers."""


async def write(database: Database, actor: Actor, *names: str) -> None:
    for name in names:
        async with database.writing() as session:
            await audit.record(session, actor, "thing.changed", name, size=len(name))


async def forge(database: Database, statement: str) -> None:
    """Change the database as somebody who holds it, with the triggers out of the way."""
    async with database.writing() as session:
        for trigger in TRIGGERS[database.dialect]:
            await session.execute(text(trigger))
        await session.execute(text(statement))


async def test_entries_are_a_chain_that_can_be_followed_by_hand(database: Database, an_admin: Actor) -> None:
    come_from(Origin(COMMAND_LINE, "192.0.2.7", "ann at host", "r1"))
    await write(database, an_admin, "one", "two")

    async with database.reading() as session:
        first, second = (await session.scalars(select(AuditLog).order_by(AuditLog.number))).all()
    told = {
        "number": 2, "id": str(second.id), "created_at": second.created_at.isoformat(timespec="microseconds"),
        "actor_id": str(an_admin.user_id), "actor_name": an_admin.name, "action": "thing.changed", "target": "two",
        "target_id": "", "detail": {"size": 3}, "changes": {}, "via": "command line", "address": "192.0.2.7",
        "user_agent": "ann at host", "request_id": "r1", "previous_hash": first.hash,
    }  # fmt: skip
    canonical = json.dumps(told, sort_keys=True, separators=(",", ":"))
    assert first.previous_hash == "0" * 64
    assert second.hash == hashlib.sha256(canonical.encode()).hexdigest()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_logs SET target = 'three' WHERE number = 1",
        "DELETE FROM audit_logs WHERE number = 2",
        "DELETE FROM audit_heads",
    ],
)
async def test_the_database_refuses_to_change_an_entry(database: Database, an_admin: Actor, statement: str) -> None:
    await write(database, an_admin, "one", "two")

    with pytest.raises((DBAPIError, IntegrityError), match="never changed"):
        async with database.writing() as session:
            await session.execute(text(statement))

    assert (await audit_chain.verify(database, an_admin)).problem is None


@pytest.mark.parametrize(
    ("statement", "broken", "sentence"),
    [
        ("UPDATE audit_logs SET target = 'x' WHERE number = 2", 2, "Entry 2 was changed after it was written."),
        ("UPDATE audit_logs SET detail = '{}' WHERE number = 3", 3, "Entry 3 was changed after it was written."),
        ("DELETE FROM audit_logs WHERE number = 2", 2, "Entry 2 is missing."),
        ("DELETE FROM audit_logs WHERE number = 4", 4, "Entry 4 and all after it are missing."),
        ("UPDATE audit_heads SET hash = 'x'", 4, "The last entry is not the one that was written last."),
    ],
)
async def test_what_was_changed_behind_its_back_is_named(
    database: Database, an_admin: Actor, statement: str, broken: int, sentence: str
) -> None:
    await write(database, an_admin, "one", "two", "three", "four")

    await forge(database, statement)

    found = await audit_chain.verify(database, an_admin)
    assert (found.broken, found.problem) == (broken, sentence)


async def test_an_end_that_was_cut_off_is_noticed_with_a_hash_kept_elsewhere(
    database: Database, an_admin: Actor
) -> None:
    await write(database, an_admin, "one", "two", "three")
    kept = await audit_chain.verify(database, an_admin)
    async with database.reading() as session:
        second = (await session.scalars(select(AuditLog).where(AuditLog.number == 2))).one()
    await forge(database, "DELETE FROM audit_logs WHERE number = 3")
    async with database.writing() as session:
        await session.execute(text("UPDATE audit_heads SET number = 2, hash = :hash"), {"hash": second.hash})

    assert (await audit_chain.verify(database, an_admin)).problem is None
    found = await audit_chain.verify(database, an_admin, head=kept.head, count=kept.count)

    assert (found.broken, found.problem) == (3, "There were 3 entries; those from 3 are gone.")
    await write(database, an_admin, "another")
    found = await audit_chain.verify(database, an_admin, head=kept.head, count=kept.count)
    assert (found.broken, found.problem) == (3, "Entry 3 is another one than when its hash was kept.")
    with pytest.raises(InvalidInput):
        await audit_chain.verify(database, an_admin, head=kept.head)


async def test_writers_at_once_in_several_processes_make_one_chain(
    database_config: Config, database: Database, an_admin: Actor
) -> None:
    # A database of its own is what another process or replica has.
    others = [Database.open(database_config) for _ in range(3)]
    await asyncio.gather(
        *(write(one, an_admin, *(f"{i}.{k}" for k in range(5))) for i, one in enumerate((database, *others)))
    )
    for other in others:
        await other.close()

    found = await audit_chain.verify(database, an_admin)

    assert (found.count, found.problem) == (20, None)
    async with database.reading() as session:
        assert await session.scalar(select(func.count()).select_from(AuditLog)) == 20


async def test_what_is_undone_leaves_no_entry_and_no_gap(database: Database, an_admin: Actor) -> None:
    await write(database, an_admin, "one")
    with pytest.raises(ValueError, match="undone"):
        async with database.writing() as session:
            await audit.record(session, an_admin, "thing.changed", "two")
            raise ValueError("undone")

    await write(database, an_admin, "three")

    found = await audit_chain.verify(database, an_admin)
    assert (found.count, found.problem) == (2, None)


async def test_a_change_whose_entry_cannot_be_written_does_not_happen(database: Database, an_admin: Actor) -> None:
    await forge(database, "SELECT 1")
    async with database.writing() as session:
        # The triggers on the head keep it there; without them it can go.
        drop = "DROP TRIGGER audit_head_is_kept"
        await session.execute(text(drop if database.dialect == "sqlite" else f"{drop} ON audit_heads"))
        await session.execute(text("DELETE FROM audit_heads"))

    with pytest.raises(Exception, match="No row was found"):
        async with database.writing() as session:
            await settings.change(session, an_admin, SHARING, "off")

    async with database.reading() as session:
        assert await settings.get(session, SHARING) == "signed_in"


async def test_before_and_after_are_told_and_secrets_are_not() -> None:
    before = {"name": "a", "role": Role.USER, "key": b"old", "same": 1, "text": "x" * 5_000}
    after = {"name": "b", "role": Role.ADMIN, "key": b"new", "same": 1, "text": ""}

    found = audit.difference(before, after)

    assert found["name"] == ["a", "b"]
    assert found["role"] == ["user", "admin"]
    assert found["key"] == [audit.MASKED, audit.MASKED]
    assert len(str(found["text"][0])) == audit.MAX_VALUE_CHARS + 1
    assert "same" not in found


async def test_a_role_that_is_changed_is_told_with_whose_it_is(
    database: Database, an_admin: Actor, a_user: Actor
) -> None:
    async with database.writing() as session:
        await users.set_role(session, an_admin, a_user.user_id, Role.ADMIN)

    async with database.reading() as session:
        entry = (await session.scalars(select(AuditLog))).one()
    assert (entry.action, entry.target_id) == ("user.role_changed", str(a_user.user_id))
    assert entry.changes == {"role": ["user", "admin"]}


async def test_people_who_are_no_administrators_see_nothing_of_it(database: Database, a_user: Actor) -> None:
    async with database.writing() as session:
        for refused in (
            audit_chain.chain(session, a_user),
            audit_chain.note_verified(session, a_user, Verified(0, "")),
        ):
            with pytest.raises(Forbidden):
                await refused
    with pytest.raises(Forbidden):
        await audit_chain.verify(database, a_user)


async def test_what_was_there_before_is_chained_by_the_migration(database: Database, an_admin: Actor) -> None:
    await write(database, an_admin, "one", "two")
    await migrations.downgrade(database, "0030")

    await migrations.upgrade(database, "head")

    await write(database, an_admin, "three")
    found = await audit_chain.verify(database, an_admin)
    assert (found.count, found.problem) == (3, None)
    async with database.writing() as session:
        await audit_chain.note_verified(session, an_admin, found)
        assert (await session.get_one(AuditHead, 1)).verified_number == 3
