"""How much room documents may take, on both databases."""

import asyncio
from decimal import Decimal

import pytest
from sqlalchemy import select

from llm_ui.db import Database
from llm_ui.errors import Forbidden, InvalidInput, TooLarge
from llm_ui.kit.ids import ProjectId
from llm_ui.models import Budget, Quota, QuotaKind, QuotaScope, TeamRole
from llm_ui.services import budgets, departures, documents, projects, quotas, settings, teams
from llm_ui.services.access import SYSTEM, Actor
from llm_ui.services.documents import FILES_LOCK, Arrived, DocumentInfo
from llm_ui.services.quotas import MB, room
from llm_ui.services.settings import PERSON_DOCUMENTS_MB, PROJECT_DOCUMENTS_MB, WorkspaceSetting
from llm_ui.services.teams import teams_of
from tests.documents.ready import a_document, a_project
from tests.services.test_teams import a_team


@pytest.fixture
async def project_id(seeded: Database, a_user: Actor) -> ProjectId:
    """A project of the user's."""
    return await begun(seeded, a_user, "House")


async def begun(database: Database, actor: Actor, name: str) -> ProjectId:
    async with database.writing() as session:
        return await projects.save(session, actor, None, name)


async def limit(database: Database, admin: Actor, setting: WorkspaceSetting[int], megabytes: int) -> None:
    async with database.writing() as session:
        await settings.change(session, admin, setting, megabytes)


async def receive(
    database: Database, actor: Actor, project_id: ProjectId, name: str, size: int, source: str | None = None
) -> DocumentInfo:
    async with database.writing(lock=FILES_LOCK) as session:
        arrived = Arrived(name, size, f"{hash((name, size)) & 0xFFFFFFFF:064x}", source)
        return (await documents.receive(session, actor, project_id, arrived))[0]


async def test_without_a_limit_everything_fits(seeded: Database, a_user: Actor, project_id: ProjectId) -> None:
    await receive(seeded, a_user, project_id, "film.pdf", 10**12)

    async with seeded.reading() as session:
        there_is = await room(session, a_user, project_id)
    assert (there_is.of_project, there_is.most_of_project, there_is.most_of_person) == (10**12, 0, 0)


async def test_what_does_not_fit_into_a_project_is_refused_with_what_to_do(
    seeded: Database, a_user: Actor, an_admin: Actor, project_id: ProjectId
) -> None:
    await limit(seeded, an_admin, PROJECT_DOCUMENTS_MB, 10)
    first = await receive(seeded, a_user, project_id, "a.pdf", 6 * MB)

    for source in (None, "https://example.org/b.pdf"):
        with pytest.raises(
            TooLarge, match=r"^b.pdf does not fit: the documents of this project take 6 MB and may take 10 MB\."
        ):
            await receive(seeded, a_user, project_id, "b.pdf", 5 * MB, source)
    with pytest.raises(TooLarge, match="Delete some of them, or ask an administrator"):
        async with seeded.reading() as session:
            await documents.admit(session, a_user, project_id, "b.pdf", 5 * MB)

    await receive(seeded, a_user, await begun(seeded, a_user, "Garden"), "b.pdf", 5 * MB)
    newer = await receive(seeded, a_user, project_id, "a.pdf", 10 * MB)
    async with seeded.reading() as session:
        await documents.admit(session, a_user, project_id, "a.pdf", 10 * MB)
    async with seeded.writing() as session:
        await documents.remove(session, a_user, newer.id)
    await receive(seeded, a_user, project_id, "b.pdf", 10 * MB)

    assert (newer.id, newer.version) == (first.id, 2)


async def test_a_persons_limit_holds_in_all_projects_and_for_nobody_else(
    seeded: Database, a_user: Actor, another_user: Actor, an_admin: Actor, project_id: ProjectId
) -> None:
    await limit(seeded, an_admin, PERSON_DOCUMENTS_MB, 10)
    garden = await begun(seeded, a_user, "Garden")
    await receive(seeded, a_user, project_id, "a.pdf", 6 * MB)

    with pytest.raises(TooLarge, match="you may store 10 MB, and your documents in all projects take 6 MB"):
        await receive(seeded, a_user, garden, "b.pdf", 5 * MB)

    theirs = await begun(seeded, another_user, "House")
    await receive(seeded, another_user, theirs, "b.pdf", 10 * MB)
    async with seeded.reading() as session:
        there_is = await room(session, a_user, garden)
    assert (there_is.of_person, there_is.most_of_person, there_is.of_project) == (6 * MB, 10 * MB, 0)


async def test_a_limit_below_what_is_there_deletes_nothing(
    seeded: Database, a_user: Actor, an_admin: Actor, project_id: ProjectId
) -> None:
    await receive(seeded, a_user, project_id, "a.pdf", 6 * MB)
    await limit(seeded, an_admin, PROJECT_DOCUMENTS_MB, 1)

    smaller = await receive(seeded, a_user, project_id, "a.pdf", 5 * MB)

    assert smaller.version == 2
    with pytest.raises(TooLarge):
        await receive(seeded, a_user, project_id, "a.pdf", 6 * MB)


async def test_many_at_once_do_not_get_past_it(
    seeded: Database, a_user: Actor, an_admin: Actor, project_id: ProjectId
) -> None:
    await limit(seeded, an_admin, PROJECT_DOCUMENTS_MB, 10)

    ended = await asyncio.gather(
        *(receive(seeded, a_user, project_id, f"{number}.pdf", 4 * MB) for number in range(8)), return_exceptions=True
    )

    assert sum(isinstance(one, DocumentInfo) for one in ended) == 2
    assert sum(isinstance(one, TooLarge) for one in ended) == 6


async def test_the_nearest_quota_holds_and_of_several_teams_the_widest(database: Database, a_user: Actor) -> None:
    kind = QuotaKind.API_KEYS
    first, second = (
        await a_team(database, "First", bob=TeamRole.MEMBER),
        await a_team(database, "Second", bob=TeamRole.MEMBER),
    )

    async def most_after(scope: QuotaScope, scope_id: str, amount: int | None) -> int:
        async with database.writing() as session:
            await quotas.set_quotas(session, SYSTEM, scope, scope_id, "somebody", {kind: amount})
            return await quotas.most(session, await teams_of(session, a_user.user_id), a_user.user_id, kind)

    assert await most_after(QuotaScope.ROLE, "admin", 1) == 50, "another role"
    assert await most_after(QuotaScope.ROLE, "user", 5) == 5
    assert await most_after(QuotaScope.TEAM, str(first), 2) == 2
    assert await most_after(QuotaScope.TEAM, str(second), 3) == 3
    assert await most_after(QuotaScope.TEAM, str(second), 0) == 0, "no limit"
    assert await most_after(QuotaScope.USER, str(a_user.user_id), 1) == 1
    assert await most_after(QuotaScope.USER, str(a_user.user_id), None) == 0
    async with database.writing() as session:
        with pytest.raises(InvalidInput, match="whole number"):
            await quotas.set_quotas(session, SYSTEM, QuotaScope.ROLE, "user", "user", {kind: -1})
        with pytest.raises(Forbidden):
            await quotas.set_quotas(session, a_user, QuotaScope.ROLE, "user", "user", {})


async def test_a_project_has_no_more_documents_than_its_owner_may_have(seeded: Database, a_user: Actor) -> None:
    project_id = await a_project(seeded, a_user)
    await a_document(seeded, a_user, project_id, ["A heron."])
    async with seeded.writing() as session:
        limits = {QuotaKind.PROJECT_DOCUMENTS: 1, QuotaKind.STORAGE_MB: 7}
        await quotas.set_quotas(session, SYSTEM, QuotaScope.USER, str(a_user.user_id), "bob", limits)
        with pytest.raises(TooLarge, match="1 documents, which is the most"):
            await documents.admit(session, a_user, project_id, "another.txt", 1)
        left = {one.kind: one for one in await quotas.list_left(session, a_user)}
    assert (left[QuotaKind.STORAGE_MB].most, left[QuotaKind.API_KEYS].used) == (7, 0)


async def test_limits_go_with_the_team_or_the_person_that_has_them(seeded: Database, a_user: Actor) -> None:
    team_id = await a_team(seeded)
    async with seeded.writing() as session:
        for scope, scope_id in ((QuotaScope.TEAM, str(team_id)), (QuotaScope.USER, str(a_user.user_id))):
            await quotas.set_quotas(session, SYSTEM, scope, scope_id, "somebody", {QuotaKind.MONTH_USD: 3})
        await budgets.set_of_team(session, SYSTEM, team_id, Decimal(5))

    async with seeded.writing() as session:
        await teams.remove(session, SYSTEM, team_id)
    async with seeded.writing() as session:
        await departures.remove(session, SYSTEM, a_user.user_id)

    async with seeded.reading() as session:
        assert list(await session.scalars(select(Quota))) == list(await session.scalars(select(Budget))) == []
