"""What a usage page shows: of everybody for administrators, of themselves for everybody else."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import param

from llm_ui.admin.state import AdminState, action
from llm_ui.admin.usage.asked import Asked, asked
from llm_ui.db import ReadSession
from llm_ui.kit.clock import now
from llm_ui.services import limits, quotas
from llm_ui.services.access import Actor
from llm_ui.services.limits import LimitInfo
from llm_ui.services.quotas import Left
from llm_ui.services.usage import allowances, calls, figures, forecast, statements
from llm_ui.services.usage.allowances import Allowance
from llm_ui.services.usage.calls import Calls
from llm_ui.services.usage.figures import Bar, Times, Used
from llm_ui.services.usage.forecast import Month
from llm_ui.services.usage.names import first_names, names
from llm_ui.services.usage.slots import Period
from llm_ui.services.usage.statements import By, Filters
from llm_ui.services.usage.zones import Step, segments, zone
from llm_ui.ui.page import PageContext

CHOICES = 200
"""Most people, models … that a filter offers: the most expensive of the range."""
CALLS = 25
"""On a page."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """One person, model … of a ranking."""

    key: Any
    name: str
    """Empty: it is gone, or there is none."""
    used: Used
    times: Times | None


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything on the page, of one moment."""

    asked: Asked
    place: ZoneInfo
    at: datetime
    period: Period
    step: Step
    used: Used
    before: Used | None
    times: Times
    times_before: Times | None
    bars: tuple[Bar, ...]
    bars_before: tuple[Bar, ...]
    week: tuple[tuple[Used, ...], ...]
    ranked: tuple[Ranked, ...]
    calls: Calls
    month: Month
    allowances: tuple[Allowance, ...]
    is_own: bool = False
    """Whether somebody looks at their own."""
    limits: tuple[Left, ...] = ()
    """Of who looks at their own."""
    rates: tuple[LimitInfo, ...] = ()
    """Likewise: of rates and money, theirs and those they share with others."""
    choices: Mapping[By, Mapping[Any, str]] = field(default_factory=dict)
    sql: Mapping[str, str] = field(default_factory=dict)
    """The statement of each chart, by its name; of everybody's figures only."""


class UsageState(AdminState):
    """Figures of a range. What is asked for is in the page's address, which the browser keeps."""

    shown = param.ClassSelector(class_=Figures, default=None, allow_None=True, doc="What the page shows, once read.")
    is_dark = param.Boolean(default=False, doc="Whether the browser shows the dark theme.")

    def __init__(self, context: PageContext, *, is_own: bool) -> None:
        super().__init__(context)
        self.is_own = is_own
        self._address = ""
        self._place = "UTC"

    @property
    def bys(self) -> tuple[By, ...]:
        """What can be told apart: one's own use not by person."""
        return tuple(by for by in By if not (self.is_own and by is By.USER))

    def choose_theme(self, name: str) -> None:
        """Take over what the browser shows."""
        self.is_dark = name == "dark"

    @action
    async def look(self, actor: Actor, address: str, place: str) -> None:
        """Show what the address asks for, in the time zone of the viewer."""
        self._address, self._place = address, place
        await self._read(actor)

    async def follow(self) -> None:
        """Read the same again, without a sign of work."""
        if self.shown is not None:
            await self.quietly(self._read)

    async def _read(self, actor: Actor) -> None:
        address = self._address
        wanted = asked(address)
        if self.is_own:
            own = replace(wanted.filters, user_id=actor.user_id)
            wanted = replace(wanted, filters=own, by=By.MODEL if wanted.by is By.USER else wanted.by)
        async with self.context.backend.database.reading() as session:
            found = await self._figures(session, actor, wanted)
        # Whoever chooses fast is answered out of order: only what is still asked for is shown.
        if address == self._address:
            self.shown = found

    async def _figures(self, session: ReadSession, actor: Actor, wanted: Asked) -> Figures:
        place, at, chosen = await zone(self._place), now(), wanted.filters
        period, step = wanted.period(place, at), wanted.drawn_step(place, at)
        before = wanted.before(place, at) if wanted.is_compared else None
        are_many = await figures.are_many(session, chosen, period)
        ranked = await figures.ranking(session, actor, chosen, period, wanted.by, most=CHOICES)
        # Percentiles of these are told by the calls alone.
        is_quick = not are_many or chosen.is_together(wanted.by)
        took = await figures.times_of(session, actor, chosen, period, wanted.by) if is_quick else {}
        called = await names(session, wanted.by, list(ranked))
        return Figures(
            asked=wanted,
            place=place,
            at=at,
            period=period,
            step=step,
            used=await figures.totals(session, actor, chosen, period),
            before=None if before is None else await figures.totals(session, actor, chosen, before),
            times=await figures.times(session, actor, chosen, period),
            times_before=None if before is None else await figures.times(session, actor, chosen, before),
            bars=tuple(await figures.series(session, actor, chosen, period, place=place, step=step)),
            bars_before=()
            if before is None
            else tuple(await figures.series(session, actor, chosen, before, place=place, step=step)),
            week=tuple(map(tuple, await figures.heat(session, actor, chosen, period, place))),
            ranked=tuple(Ranked(key, called.get(key, ""), used, took.get(key)) for key, used in ranked.items()),
            calls=await calls.find(session, actor, chosen, period, offset=wanted.offset, size=CALLS),
            month=await forecast.month(session, actor, replace(chosen, kind=None), place, at),
            allowances=await self._allowances(session, actor, place, at),
            limits=await quotas.list_left(session, actor) if self.is_own else (),
            is_own=self.is_own,
            rates=await limits.list_mine(session, actor) if self.is_own else (),
            sql={} if self.is_own else self._sql(wanted, period, place, step),
            choices={by: await self._choices(session, actor, chosen, period, by, are_many=are_many) for by in self.bys},
        )

    def _sql(self, wanted: Asked, period: Period, place: ZoneInfo, step: Step) -> dict[str, str]:
        dialect, chosen = self.context.backend.database.engine.dialect, wanted.filters
        found = segments(period, place)
        return {
            "series": statements.as_sql(statements.series(chosen, found, step.unit_s), dialect),
            "ranking": statements.as_sql(statements.ranking(chosen, period, wanted.by), dialect),
            "week": statements.as_sql(statements.heat(chosen, found), dialect),
        }

    async def _allowances(
        self, session: ReadSession, actor: Actor, place: ZoneInfo, at: datetime
    ) -> tuple[Allowance, ...]:
        if self.is_own:
            return await allowances.of_mine(session, actor)
        return await allowances.of_everybody(session, actor, place, at)

    async def _choices(
        self, session: ReadSession, actor: Actor, chosen: Filters, period: Period, by: By, *, are_many: bool
    ) -> Mapping[Any, str]:
        """Return what a filter offers: what there is when all other filters stay; of very many the first by name."""
        changed: dict[str, Any] = {} if self.is_own and by is By.USER else {by.column: None}
        others, now_chosen = replace(chosen, **changed), getattr(chosen, by.column)
        if are_many and not others.is_together(by):
            called = await names(session, by, [] if now_chosen is None else [now_chosen])
            return {**await first_names(session, actor, by, CHOICES), **called}
        found = await figures.ranking(session, actor, others, period, by, most=CHOICES)
        listed = {key for key in found if key is not None}
        called = await names(session, by, listed | ({now_chosen} if now_chosen is not None else set()))
        return dict(sorted(called.items(), key=lambda one: one[1].lower()))
