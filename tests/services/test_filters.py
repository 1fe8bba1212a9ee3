"""Safety filters on both databases: who sets them, what holds for whom, what is counted."""

import asyncio

import pytest
from sqlalchemy import select

from llm_ui.db import Database
from llm_ui.errors import Forbidden, InvalidInput, NotFound
from llm_ui.kit.ids import ProviderId, TeamId, uuid7
from llm_ui.models import AuditLog, FilterAction, FilterKind, Role, SafetyFilter, TeamRole
from llm_ui.services import filters, teams
from llm_ui.services.access import SYSTEM, Actor
from llm_ui.services.filters import Found, Options, Rule
from tests.conftest import make_actor
from tests.services.test_teams import a_team

OFF, LOG, WARN, MASK, BLOCK = FilterAction
PII, TERMS = FilterKind.PII, FilterKind.TERMS


async def test_each_change_is_written_down_with_what_was_before(database: Database, an_admin: Actor) -> None:
    async with database.writing() as session:
        await filters.change(session, an_admin, Rule(TERMS, WARN, OFF, Options(terms=(" one ", "two", "one"))))
    async with database.writing() as session:
        await filters.change(session, an_admin, Rule(TERMS, BLOCK, OFF, Options(terms=("two",))))

    async with database.reading() as session:
        held = {rule.kind: rule for rule in await filters.list_rules(session, an_admin)}
        (entry,) = [
            one for one in await session.scalars(select(AuditLog).where(AuditLog.action == "filter.changed"))
            if one.changes["on_input"][0] == "warn"
        ]  # fmt: skip
    assert (held[TERMS].on_input, held[TERMS].options.terms, held[PII].is_on) == (BLOCK, ("two",), False)
    assert entry.changes == {"on_input": ["warn", "block"], "terms": ["one, two", "two"]}


@pytest.mark.parametrize(
    "wrong",
    [
        Rule(FilterKind.INJECTION, OFF, LOG), Rule(FilterKind.INJECTION, MASK), Rule(TERMS, LOG),
        Rule(PII, MASK, OFF, Options(types=frozenset())), Rule(FilterKind.MODERATION, LOG),
        Rule(FilterKind.MODERATION, LOG, OFF, Options(provider_id=ProviderId(uuid7()))),
        Rule(TERMS, LOG, OFF, Options(terms=tuple(map(str, range(2_001))))),
    ],
)  # fmt: skip
async def test_what_a_filter_cannot_do_is_refused(database: Database, an_admin: Actor, wrong: Rule) -> None:
    async with database.writing() as session:
        with pytest.raises(InvalidInput):
            await filters.change(session, an_admin, wrong)


async def test_only_administrators_set_and_see_them(database: Database, a_user: Actor) -> None:
    async with database.writing() as session:
        for refused in (
            filters.change(session, a_user, Rule(PII, LOG)),
            filters.list_rules(session, a_user),
            filters.counts(session, a_user),
            filters.moderators(session, a_user),
        ):
            with pytest.raises(Forbidden):
                await refused
        with pytest.raises(NotFound):
            await filters.change(session, SYSTEM, Rule(PII, LOG), TeamId(uuid7()))


async def test_all_that_concern_somebody_apply_and_go_with_their_team(
    database: Database, a_user: Actor, another_user: Actor
) -> None:
    team_id = await a_team(database, bob=TeamRole.MEMBER)
    async with database.writing() as session:
        email, card = Options(types=frozenset({"email"})), Options(types=frozenset({"card"}))
        await filters.change(session, SYSTEM, Rule(PII, MASK, OFF, email))
        await filters.change(session, SYSTEM, Rule(PII, LOG, WARN, card), team_id)
        await filters.change(session, SYSTEM, Rule(TERMS, BLOCK, OFF, Options(terms=("x",))), team_id)

    async with database.reading() as session:
        his, hers = await filters.rules_for(session, a_user), await filters.rules_for(session, another_user)
    assert his[0] == Rule(PII, MASK, WARN, Options(types=frozenset({"email", "card"})))
    assert [rule.kind for rule in his] == [PII, TERMS]
    assert hers == (Rule(PII, MASK, OFF, email),)
    async with database.writing() as session:
        await teams.remove(session, SYSTEM, team_id)
    async with database.reading() as session:
        assert list(await session.scalars(select(SafetyFilter.scope))) == [""]


async def test_counts_add_up_whoever_counts_at_the_same_time(database: Database, an_admin: Actor) -> None:
    found = [Found(PII, "email", False, MASK), Found(PII, "card", True, LOG, 2), Found(PII, "email", False, MASK)]

    async def count() -> None:
        async with database.writing() as session:
            await filters.count(session, found)

    await asyncio.gather(*(count() for _ in range(8)))

    async with database.reading() as session:
        told = await filters.counts(session, an_admin)
    assert sorted((one.found.what, one.found.count) for one in told) == [("card", 16), ("email", 16)]


async def test_an_operator_sees_no_filters(database: Database) -> None:
    operator = await make_actor(database, "ops", Role.OPERATOR)

    async with database.reading() as session:
        with pytest.raises(Forbidden):
            await filters.list_rules(session, operator)
