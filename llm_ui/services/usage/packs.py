"""Rankings of everybody by person, project, team or agent, and how many people asked, from sums that are packed.

People's sums hardly ever share a slot: among ten million calls of a year they are nearly as many as the calls, and a
database takes seconds to add them up row by row. Packed by days and months that are over, and by the quarters of an
hour of the present day, they are read in one piece each and added up as whole columns. What is not packed comes from
the rollups.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, Select, and_, case, cast, delete, func, insert, or_, select

from llm_ui.db import AS_BYTES, Database, ReadSession, Session
from llm_ui.kit.clock import now
from llm_ui.kit.ids import uuid7
from llm_ui.models import ServiceAccount, Span, UsageDimension, UsagePack, UsageRollup, UsageSubject, UsageTotal
from llm_ui.services.usage import packing, statements
from llm_ui.services.usage.packing import Row, merged, most_expensive, packed
from llm_ui.services.usage.rollups import LOCK, SUMS
from llm_ui.services.usage.slots import Period, Pieces, Stretch, begin_of, cut, slot_of
from llm_ui.services.usage.statements import By, Filters

PACKED = (By.USER, By.PROJECT, By.TEAM, By.AGENT)
"""What is packed; rankings by anything else come from the few sums of all people together."""
FEW = 5_000
"""Sums of combinations that the database itself adds up sooner."""
SETTLED = timedelta(minutes=15)
"""How long a slot has to be over: what is booked late would only have it made anew."""
QUARTERS_OF = 31
"""Days before the present one of which quarters of an hour are packed too: thirty days of a viewer begin in one."""
TRIES = 3
MOST_HOLES = 20
"""Stretches that are not packed, among those that are; each is one part of a statement."""

Slot = tuple[Span, int]


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a period is read from."""

    packs: tuple[UUID, ...]
    rest: Pieces
    """What is left to the rollups and the calls."""


async def make(database: Database, most: int | None = None) -> int:
    """Pack what is over and not packed, the latest first; return how many slots. `most`: so many at most."""
    async with database.reading() as session:
        missing = [slot for span in Span for slot in await _missing(session, span)]
    made = 0
    for span, number in sorted(missing, key=lambda slot: begin_of(*slot), reverse=True)[:most]:
        if span is Span.MONTH:
            made += all([await _pack_month(database, by, number) for by in PACKED])
            continue
        for by in PACKED:
            began = time.perf_counter()
            await _pack(database, by, Stretch(span, number, number + 1))
            # Of a year that is packed for the first time half belongs to others who want to write.
            await asyncio.sleep(time.perf_counter() - began)
        made += 1
    return made


async def are_quicker(session: ReadSession, period: Period) -> bool:
    """Return whether there is so much to add up in a period that packs are read."""
    return bool(await session.scalar(statements.much(period, FEW)))


async def ranking(session: ReadSession, period: Period, by: By, most: int | None) -> list[tuple[UUID | None, Row]]:
    """Return the id and the sums of each person, team …, the most expensive first, then the busiest."""
    packs, rows = await _read(session, period, by, partial(statements.ranking, Filters(), period, by), SUMS)
    # Read last: no number in the packs is above it, so those after it are free for who has none yet.
    highest = await session.scalar(select(func.max(UsageSubject.number))) or 0
    ids: dict[int, UUID | None] = {0: None}
    numbered = []
    for number, key, *sums in rows:
        if number is None and key is not None:
            number = highest = highest + 1
            ids[number] = key
        numbered.append((number or 0, *sums))
    found = await asyncio.to_thread(most_expensive, packs, numbered, most)
    query = select(UsageSubject.number, UsageSubject.subject_id)
    if most is not None:
        query = query.where(UsageSubject.number.in_([number for number, *_ in found if number not in ids]))
    ids |= {row.number: row.subject_id for row in await session.execute(query)}
    # Who is in none of them was erased in this very moment.
    return [(ids[number], sums) for number, *sums in found if number in ids]


async def who_asked(session: ReadSession, period: Period) -> int:
    """Return how many people asked for an answer in a period; service accounts of teams are none."""
    asked = partial(statements.people, Filters(kinds=statements.ANSWERS), period)
    packs, rows = await _read(session, period, By.USER, asked, ())
    known = await asyncio.to_thread(packing.who_asked, packs)
    known |= {number for number, _ in rows if number is not None}
    new = {key for number, key in rows if number is None}
    # rights: whom it leaves out is told to nobody
    services = select(ServiceAccount.user_id, UsageSubject.number)
    is_of = UsageSubject.subject_id == ServiceAccount.user_id
    for user_id, number in await session.execute(services.join_from(ServiceAccount, UsageSubject, is_of, isouter=True)):
        known.discard(number)
        new.discard(user_id)
    return len(known) + len(new)


async def _read(
    session: ReadSession, period: Period, by: By, rest: Callable[..., Select[Any]], sums: Sequence[str]
) -> tuple[Sequence[bytes], Sequence[Any]]:
    """Return the packs of a period, and what is not packed: numbers, ids of those who have none, and sums.

    Each call is in it once. A pack that is gone when it is read has had something added since it was found: then the
    rest that was read does not fit it any more, and all is read again.
    """
    for _ in range(TRIES):
        chosen = choose(period, await _found(session, period, by))
        rows = (await session.execute(_numbered(rest(pieces=chosen.rest), sums))).all()
        query = select(UsagePack.sums).where(UsagePack.id.in_(chosen.packs))
        packs = (await session.scalars(query, execution_options=AS_BYTES)).all() if chosen.packs else []
        if len(packs) == len(chosen.packs):
            return packs, rows
    return [], (await session.execute(_numbered(rest(), sums))).all()


def choose(period: Period, found: Mapping[Slot, UUID]) -> Chosen:
    """Return which packs a period is read from, and what is left."""
    pieces = cut(period)
    slots = [slot for stretch in pieces.stretches for slot in _slots(stretch, found)]
    left = sorted(slot for slot in slots if slot not in found)
    stretches = tuple(_stretches(left))
    if len(stretches) > MOST_HOLES:
        return Chosen((), pieces)
    return Chosen(tuple(found[slot] for slot in slots if slot in found), Pieces(stretches, pieces.rests))


def _slots(stretch: Stretch, found: Mapping[Slot, UUID]) -> Iterator[Slot]:
    """Yield the slots of a stretch; in place of one that is not packed those within it, where any of these is."""
    for number in range(stretch.first, stretch.last):
        slot = (stretch.span, number)
        inner = None if slot in found or stretch.span is Span.QUARTER else _within(stretch.span, number)
        if inner is not None and any((inner.span, one) in found for one in range(inner.first, inner.last)):
            yield from _slots(inner, found)
        else:
            yield slot


def _stretches(slots: Iterable[Slot]) -> Iterator[Stretch]:
    """Yield slots that are in order as stretches, as few as there can be."""
    for (span, _), run in groupby(enumerate(slots), lambda one: (one[1][0], one[1][1] - one[0])):
        numbers = [number for _, (_, number) in run]
        yield Stretch(span, numbers[0], numbers[-1] + 1)


def _within(span: Span, number: int) -> Stretch:
    """Return the days of a month, or the quarters of an hour of a day."""
    smaller = Span(span - 1)
    return Stretch(smaller, *(slot_of(smaller, begin_of(span, one)) for one in (number, number + 1)))


async def _found(session: ReadSession, period: Period, by: By) -> dict[Slot, UUID]:
    def within(span: Span) -> ColumnElement[bool]:
        first, last = slot_of(span, period.start), slot_of(span, period.end)
        return and_(UsagePack.span == int(span), UsagePack.slot.between(first, last))

    query = select(UsagePack.span, UsagePack.slot, UsagePack.id)
    query = query.where(UsagePack.by == by.value, or_(*map(within, Span)))
    return {(Span(row.span), row.slot): row.id for row in await session.execute(query)}


def _numbered(query: Select[Any], sums: Sequence[str]) -> Select[Any]:
    """Return the numbers of what has one and the ids of what has none, with some sums."""
    found, number = query.subquery(), UsageSubject.number
    key: ColumnElement[Any] = case((number.is_(None), found.c.key))
    # Of PostgreSQL sums of whole numbers are decimals.
    whole = [cast(found.c[name], BigInteger) for name in sums]
    is_of = UsageSubject.subject_id == found.c.key
    return select(number, key, *whole).join_from(found, UsageSubject, is_of, isouter=True)


async def _missing(session: ReadSession, span: Span) -> list[Slot]:
    """Return the slots that are over and not packed; those without a call too, so that none is looked for again."""
    first = await session.scalar(select(func.min(UsageTotal.slot)).where(UsageTotal.span == int(span)))
    if first is None:
        return []
    settled = now() - SETTLED
    if span is Span.QUARTER:
        first = max(first, _within(Span.DAY, slot_of(Span.DAY, settled) - QUARTERS_OF).first)
    whole = select(UsagePack.slot).where(UsagePack.span == int(span)).group_by(UsagePack.slot)
    there = set(await session.scalars(whole.having(func.count() == len(PACKED))))
    return [(span, slot) for slot in range(first, slot_of(span, settled)) if slot not in there]


async def _pack(database: Database, by: By, stretch: Stretch) -> None:
    """Pack what the rollups of a slot hold; nothing is added to them meanwhile. With a day old quarters go."""
    async with database.writing(lock=LOCK) as session:
        if await _is_there(session, by, stretch.span, stretch.first):
            return
        await _give_numbers(session, by, stretch)
        rows = (await session.execute(_numbered(statements.of_rollups(by, stretch), (*SUMS, "asked")))).all()
        sums = await asyncio.to_thread(packed, [(number or 0, *sums) for number, _, *sums in rows])
        if stretch.span is Span.DAY:
            kept = _within(Span.DAY, stretch.first + 1 - QUARTERS_OF)
            old = UsagePack.by == by.value, UsagePack.span == int(Span.QUARTER), UsagePack.slot < kept.first
            await session.execute(delete(UsagePack).where(*old))
        session.add(UsagePack(id=uuid7(), by=by.value, span=int(stretch.span), slot=stretch.first, sums=sums))


async def _pack_month(database: Database, by: By, slot: int) -> bool:
    """Add up the packs of a month's days; return whether all were there, and still are once that is done."""
    days = _within(Span.MONTH, slot)
    async with database.reading() as session:
        first = await session.scalar(select(func.min(UsageTotal.slot)).where(UsageTotal.span == int(Span.DAY)))
        query = select(UsagePack.id, UsagePack.sums).where(UsagePack.by == by.value)
        found = (await session.execute(query.where(*statements.within(UsagePack, days)))).all()
    if first is None or len(found) < days.last - max(days.first, first):
        return False
    # It may take a second, in which others want to write.
    sums = await asyncio.to_thread(merged, [row.sums for row in found])
    async with database.writing(lock=LOCK) as session:
        still = select(func.count()).select_from(UsagePack).where(UsagePack.id.in_([row.id for row in found]))
        if await session.scalar(still) != len(found) or await _is_there(session, by, Span.MONTH, slot):
            return False
        session.add(UsagePack(id=uuid7(), by=by.value, span=int(Span.MONTH), slot=slot, sums=sums))
    return True


async def _is_there(session: Session, by: By, span: Span, slot: int) -> bool:
    query = select(UsagePack.id).where(UsagePack.by == by.value, UsagePack.span == int(span), UsagePack.slot == slot)
    return await session.scalar(query) is not None


async def _give_numbers(session: Session, by: By, stretch: Stretch) -> None:
    """Give a number to each person, team … of some rollups that has none."""
    # rights: the product's own upkeep
    key = getattr(UsageDimension, by.column)
    of_them = select(key).join_from(UsageRollup, UsageDimension, UsageDimension.id == UsageRollup.dimension_id)
    of_them = of_them.where(*statements.within(UsageRollup, stretch), key.is_not(None)).distinct()
    new = of_them.where(~select(UsageSubject.number).where(UsageSubject.subject_id == key).exists())
    await session.execute(insert(UsageSubject).from_select(["subject_id"], new))
