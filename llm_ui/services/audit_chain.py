"""Whether the chain of the audit log is whole."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import update

from llm_ui.db import Database, ReadSession, Session
from llm_ui.errors import InvalidInput
from llm_ui.kit.clock import now
from llm_ui.models import AuditHead, AuditLog
from llm_ui.services.access import Actor, Permission, readable, require
from llm_ui.services.audit import FIRST_HASH, HEAD, hash_of

BATCH = 500
"""Entries that are read and hashed at once, in a thread: some 20 ms."""


@dataclass(frozen=True, slots=True)
class Chain:
    """How the chain stands."""

    count: int
    head: str
    verified_at: datetime | None
    verified_count: int | None
    problem: str | None


@dataclass(frozen=True, slots=True)
class Verified:
    """What verifying found. `broken` is the number of the first entry that is wrong; None while `problem` is, too."""

    count: int
    head: str
    broken: int | None = None
    problem: str | None = None


async def chain(session: ReadSession, actor: Actor) -> Chain:
    """Return how the chain stands."""
    require(actor, Permission.MANAGE_SETTINGS)
    head = await session.get_one(AuditHead, HEAD)
    return Chain(head.number, head.hash, head.verified_at, head.verified_number, head.problem)


async def verify(database: Database, actor: Actor, *, head: str = "", count: int | None = None) -> Verified:
    """Return whether every entry is as it was written, none is missing and none was put between.

    `head` and `count` are what an earlier look said and was kept elsewhere: that entry must still be there, so an end
    that was cut off, or a chain that was written anew, is noticed. Raises `InvalidInput`.
    """
    if (count is None) is not (not head) or (count is not None and count < 0):
        raise InvalidInput("The kept hash and the kept count go together: give both --head and --count.")
    async with database.reading() as session:
        now_is = await chain(session, actor)
    if count == 0 and head != FIRST_HASH:
        return Verified(0, FIRST_HASH, 1, "The kept hash is not that of an empty log.")
    number, previous = 0, FIRST_HASH
    while number < now_is.count:
        async with database.reading() as session:
            query = readable(AuditLog, actor).where(AuditLog.number > number, AuditLog.number <= now_is.count)
            rows = (await session.scalars(query.order_by(AuditLog.number).limit(BATCH))).all()
        broken = await asyncio.to_thread(_first_broken, rows, number, previous, (count, head))
        if broken is not None:
            return Verified(now_is.count, now_is.head, *broken)
        if not rows:
            return Verified(now_is.count, now_is.head, number + 1, f"Entry {number + 1} and all after it are missing.")
        number, previous = rows[-1].number, rows[-1].hash
    if previous != now_is.head:
        return Verified(now_is.count, now_is.head, number, "The last entry is not the one that was written last.")
    if count is not None and count > number:
        return Verified(number, previous, number + 1, f"There were {count} entries; those from {number + 1} are gone.")
    return Verified(number, previous)


async def note_verified(session: Session, actor: Actor, found: Verified) -> None:
    """Keep what verifying found, for the page to show."""
    require(actor, Permission.MANAGE_SETTINGS)
    whole_to = found.count if found.broken is None else max(0, found.broken - 1)
    values = {"verified_at": now(), "verified_number": whole_to, "problem": found.problem}
    await session.execute(update(AuditHead).where(AuditHead.id == HEAD).values(values))


def _first_broken(
    rows: Sequence[AuditLog], number: int, previous: str, kept: tuple[int | None, str]
) -> tuple[int, str] | None:
    """Return the first entry that is wrong and why, None when all are as they were written."""
    for row in rows:
        number += 1
        if row.number != number:
            return number, f"Entry {number} is missing."
        if row.previous_hash != previous:
            return number, f"Entry {number} does not follow the one before it."
        if hash_of(row) != row.hash:
            return number, f"Entry {number} was changed after it was written."
        if number == kept[0] and row.hash != kept[1]:
            return number, f"Entry {number} is another one than when its hash was kept."
        previous = row.hash
    return None
