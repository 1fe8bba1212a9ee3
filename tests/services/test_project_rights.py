"""Who may do what in a project: every action of the services, tried by everybody there can be, on both databases."""

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from types import ModuleType
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from llm_ui.db import Database, Session
from llm_ui.documents import retrieve, whole
from llm_ui.errors import Forbidden, NotFound
from llm_ui.kit.ids import CaseId, ChatId, DocumentId, FetchId, ProjectId, TeamId, UserId, uuid7
from llm_ui.models import Cutting, Document, DocumentChunk, ProjectColor, ProjectIcon, ProjectRole, Role, Strategy
from llm_ui.services import (
    budgets,
    cutting,
    documents,
    fetches,
    memories,
    project_copies,
    project_figures,
    project_members,
    project_teams,
    projects,
    retention,
    retrieval,
    team_members,
    teams,
)
from llm_ui.services.access import SYSTEM, Actor, ProjectRight
from llm_ui.services.cutting import CuttingInfo
from llm_ui.services.documents import Arrived
from llm_ui.services.retrieval import NewCase
from tests.conftest import make_actor
from tests.documents.ready import a_document, a_project
from tests.services.test_branches import answered

ASK, EDIT, OWN = ProjectRight.ASK, ProjectRight.EDIT, ProjectRight.OWN
MODULES: tuple[ModuleType, ...] = (
    projects, project_copies, project_figures, project_members, project_teams, documents, fetches, retrieve, whole,
    budgets, retention, cutting, retrieval,
)  # fmt: skip
NOT_IN_A_PROJECT = {
    "projects.project_of": "of one's own chat",
    "project_teams.projects_of": "of a team",
    "budgets.read_of_team": "of a team",
    "budgets.set_of_team": "of a team",
    "project_members.leave_all": "of an account that an administrator deletes",
}
CUT = CuttingInfo(Cutting.PAGES, 100, 10)
ADDRESS = "https://example.org/herons"


@dataclass(frozen=True)
class Place:
    """What there is in the project."""

    project: ProjectId
    document: DocumentId
    fetch: FetchId
    viewer: UserId
    newcomer: str
    """An address of somebody who is not in it."""
    team: TeamId
    """One that takes part."""
    case: CaseId
    chat: ChatId
    """One of the person who tries."""


Action = Callable[[Session, Actor, Place], Awaitable[object]]


async def begun_anew(session: Session, actor: Actor, at: Place) -> bool:
    _, is_new = await projects.find_or_begin(session, actor, [ProjectId(uuid7()), at.project], "Elsewhere")
    return not is_new


async def told_instructions(session: Session, actor: Actor, at: Place) -> bool:
    return (await projects.instructions_of(session, actor, at.project)) == ("Herons", "Be brief.")


async def read_what_was_found(session: Session, actor: Actor, at: Place) -> object:
    ids = await session.scalars(select(DocumentChunk.id).where(DocumentChunk.project_id == at.project))
    return await retrieve.read_passages(session, actor, at.project, dict.fromkeys(ids, 1.0))


async def found_by_looking(session: Session, actor: Actor, at: Place) -> object:
    return (await retrieve.look(session, actor, at.project, "heron")).passages


ACTIONS: dict[str, tuple[ProjectRight, Action]] = {
    "projects.list_projects": (ASK, lambda s, a, _: projects.list_projects(s, a)),
    "projects.instructions_of": (ASK, told_instructions),
    "projects.read": (ASK, lambda s, a, at: projects.read(s, a, at.project)),
    "projects.project_row": (ASK, lambda s, a, at: projects.project_row(s, a, at.project)),
    "projects.require_project": (ASK, lambda s, a, at: done(projects.require_project(s, a, at.project))),
    "projects.require_open": (ASK, lambda s, a, at: done(projects.require_open(s, a, at.project))),
    "projects.let_memory_in": (ASK, lambda s, a, at: done(projects.let_memory_in(s, a, at.project, is_in=True))),
    "projects.move": (ASK, lambda s, a, at: done(projects.move(s, a, at.chat, at.project))),
    "projects.find_or_begin": (ASK, begun_anew),
    "projects.change": (EDIT, lambda s, a, at: done(projects.change(s, a, at.project, instructions="x"))),
    "projects.save": (EDIT, lambda s, a, at: projects.save(s, a, at.project, "Herons", projects.AS_NEW)),
    "projects.save, another name": (OWN, lambda s, a, at: projects.save(s, a, at.project, "Storks")),
    "projects.archive": (OWN, lambda s, a, at: done(projects.archive(s, a, at.project, is_archived=True))),
    "projects.remove": (
        OWN,
        lambda s, a, at: is_gone(s, projects.remove(s, a, at.project), projects.Project, at.project),
    ),
    "project_copies.begin_like": (
        ASK,
        lambda s, a, at: project_copies.begin_like(
            s, a, at.project, "Copy", (ProjectColor.RED, ProjectIcon.STAR), with_documents=True
        ),
    ),
    "project_figures.used": (ASK, lambda s, a, at: project_figures.used(s, a, at.project)),
    "project_figures.contents": (ASK, lambda s, a, at: project_figures.contents(s, a, at.project)),
    "project_members.list_members": (ASK, lambda s, a, at: project_members.list_members(s, a, at.project)),
    "project_members.add": (
        OWN,
        lambda s, a, at: project_members.add(s, a, at.project, at.newcomer, ProjectRole.VIEWER),
    ),
    "project_members.change_role": (
        OWN,
        lambda s, a, at: done(project_members.change_role(s, a, at.project, at.viewer, ProjectRole.EDITOR)),
    ),
    "project_members.remove": (OWN, lambda s, a, at: done(project_members.remove(s, a, at.project, at.viewer))),
    "project_teams.list_teams": (ASK, lambda s, a, at: project_teams.list_teams(s, a, at.project)),
    "project_teams.people_of": (ASK, lambda s, a, at: project_teams.people_of(s, a, at.project)),
    "project_teams.share": (
        OWN,
        lambda s, a, at: done(project_teams.share(s, a, at.project, at.team, ProjectRole.EDITOR)),
    ),
    "project_teams.unshare": (OWN, lambda s, a, at: done(project_teams.unshare(s, a, at.project, at.team))),
    "project_members.remove, oneself": (
        ASK,
        lambda s, a, at: done(project_members.remove(s, a, at.project, a.user_id)),
    ),
    "documents.receive": (
        EDIT,
        lambda s, a, at: documents.receive(s, a, at.project, Arrived("new.txt", 1, f"{1:064x}")),
    ),
    "documents.receive, another version": (
        EDIT,
        lambda s, a, at: documents.receive(s, a, at.project, Arrived("birds.txt", 1, f"{1:064x}")),
    ),
    "documents.admit": (EDIT, lambda s, a, at: done(documents.admit(s, a, at.project, "new.txt", 1))),
    "documents.retry": (EDIT, lambda s, a, at: documents.retry(s, a, at.document)),
    "documents.rename": (EDIT, lambda s, a, at: done(documents.rename(s, a, at.document, "x.txt"))),
    "documents.remove": (EDIT, lambda s, a, at: documents.remove(s, a, at.document)),
    "documents.list_documents": (ASK, lambda s, a, at: documents.list_documents(s, a, at.project)),
    "documents.list_in_order": (
        ASK,
        lambda s, a, at: documents.list_in_order(s, a, at.project, after=None, limit=9),
    ),
    "documents.look_at": (ASK, lambda s, a, at: documents.look_at(s, a, at.project, [at.document])),
    "documents.offer": (ASK, lambda s, a, at: documents.offer(s, a, at.project, "")),
    "documents.find": (ASK, lambda s, a, at: documents.find(s, a, at.document)),
    "documents.read_page": (ASK, lambda s, a, at: documents.read_page(s, a, at.document, 1)),
    "documents.read_pages": (ASK, lambda s, a, at: documents.read_pages(s, a, at.document, most=9)),
    "documents.passages_on": (ASK, lambda s, a, at: documents.passages_on(s, a, at.document, 1)),
    "documents.has_ready": (ASK, lambda s, a, at: documents.has_ready(s, a, at.project)),
    "fetches.begin": (EDIT, lambda s, a, at: done(fetches.begin(s, a, at.project, "https://example.org/storks"))),
    "fetches.begin, the same": (EDIT, lambda s, a, at: done(fetches.begin(s, a, at.project, ADDRESS))),
    "fetches.begin_again": (EDIT, lambda s, a, at: done(fetches.begin_again(s, a, at.document))),
    "fetches.retry": (EDIT, lambda s, a, at: fetches.retry(s, a, at.fetch)),
    "fetches.remove": (EDIT, lambda s, a, at: fetches.remove(s, a, at.fetch)),
    "fetches.list_fetches": (ASK, lambda s, a, at: fetches.list_fetches(s, a, at.project)),
    "memories.save": (ASK, lambda s, a, at: memories.save(s, a, None, "A fact.", project_id=at.project)),
    "budgets.read": (ASK, lambda s, a, at: budgets.read(s, a, at.project)),
    "budgets.set_amount": (OWN, lambda s, a, at: done(budgets.set_amount(s, a, at.project, Decimal(2)))),
    "retention.weigh_keeping": (OWN, lambda s, a, at: retention.weigh_keeping(s, a, at.project, 30)),
    "retention.keep_for": (OWN, lambda s, a, at: done(retention.keep_for(s, a, at.project, 30))),
    "retrieve.retrieve": (ASK, lambda s, a, at: retrieve.retrieve(s, a, at.project, "heron")),
    "cutting.read_cutting": (ASK, lambda s, a, at: cutting.read_cutting(s, a, at.project)),
    "cutting.set_cutting": (EDIT, lambda s, a, at: done(cutting.set_cutting(s, a, at.project, CUT))),
    "retrieval.strategy_of": (ASK, lambda s, a, at: retrieval.strategy_of(s, a, at.project)),
    "retrieval.set_strategy": (
        EDIT,
        lambda s, a, at: done(retrieval.set_strategy(s, a, at.project, Strategy.HYBRID)),
    ),
    "retrieval.list_cases": (ASK, lambda s, a, at: retrieval.list_cases(s, a, at.project)),
    "retrieval.judge": (
        EDIT,
        lambda s, a, at: done(retrieval.judge(s, a, at.project, NewCase("Where?", at.document, "heron", True))),
    ),
    "retrieval.take_in": (
        EDIT,
        lambda s, a, at: done(retrieval.take_in(s, a, at.project, [NewCase("Where?", at.document, "heron", True)])),
    ),
    "retrieval.change": (
        EDIT,
        lambda s, a, at: retrieval.change(s, a, at.case, question="When?", passage="", is_wanted=False),
    ),
    "retrieval.remove": (EDIT, lambda s, a, at: retrieval.remove(s, a, at.case)),
    "retrieval.ready_documents": (ASK, lambda s, a, at: retrieval.ready_documents(s, a, at.project)),
    "retrieve.look": (ASK, found_by_looking),
    "retrieve.read_passages": (ASK, read_what_was_found),
    "whole.read_pages": (
        ASK,
        lambda s, a, at: whole.read_pages(s, a, at.project, "birds.txt", page=1, most=9),
    ),
    "whole.read_whole": (ASK, lambda s, a, at: whole.read_whole(s, a, at.project, [at.document], most_tokens=1_000)),
}
"""Each action with the right it takes. What finds nothing counts as refused."""

PEOPLE: dict[str, frozenset[ProjectRight]] = {
    "owner": frozenset({ASK, EDIT, OWN}),
    "editor": frozenset({ASK, EDIT}),
    "viewer": frozenset({ASK}),
    "editor by team": frozenset({ASK, EDIT}),
    "viewer by team": frozenset({ASK}),
    "former member": frozenset(),
    "former member of a team": frozenset(),
    "stranger": frozenset(),
    "admin": frozenset(),
}


class Undone(Exception):
    """Nothing that is tried here stays."""


def undo() -> None:
    raise Undone


async def done(work: Awaitable[None]) -> bool:
    await work
    return True


async def is_gone(session: Session, work: Awaitable[None], table: type[Any], key: UUID) -> bool:
    await work
    session.expire_all()
    return await session.get(table, key) is None


async def outcome(database: Database, actor: Actor, place: Place, action: Action) -> str:
    found: list[object] = []
    try:
        async with database.writing() as session:
            found.append(await action(session, actor, place))
            undo()
    except Undone:
        return "done" if found[0] else "nothing"
    except Forbidden:
        return "forbidden"
    except NotFound:
        return "nothing"


async def with_role(database: Database, owner: Actor, project_id: ProjectId, name: str, role: ProjectRole) -> Actor:
    member = await make_actor(database, name, Role.USER)
    async with database.writing() as session:
        await project_members.add(session, owner, project_id, f"{name}@example.org", role)
    return member


async def one_of(database: Database, person: str, owner: Actor, project_id: ProjectId, team_id: TeamId) -> Actor:
    """Return somebody of that kind; an owner is one beside the first."""
    if person.endswith("team"):
        member, role = await make_actor(database, "sam", Role.USER), person.partition(" ")[0]
        async with database.writing() as session:
            await team_members.join(session, SYSTEM, team_id, member.user_id)
            if role == "editor":
                await project_teams.share(session, owner, project_id, team_id, ProjectRole.EDITOR)
            if role == "former":
                await team_members.leave(session, SYSTEM, team_id, member.user_id)
        return member
    if person in ("stranger", "admin"):
        return await make_actor(database, "sam", Role.ADMIN if person == "admin" else Role.USER)
    role = ProjectRole.OWNER if person == "former member" else ProjectRole(person)
    member = await with_role(database, owner, project_id, "sam", role)
    if person == "former member":
        async with database.writing() as session:
            await project_members.remove(session, owner, project_id, member.user_id)
    return member


@pytest.mark.parametrize("person", PEOPLE)
async def test_everybody_may_do_what_their_role_allows_and_nothing_else(seeded: Database, person: str) -> None:
    owner = await make_actor(seeded, "olga", Role.USER)
    project_id = await a_project(seeded, owner)
    document_id = await a_document(seeded, owner, project_id, ["A heron stands in the reeds."])
    viewer = await with_role(seeded, owner, project_id, "vera", ProjectRole.VIEWER)
    await make_actor(seeded, "nora", Role.USER)
    async with seeded.writing() as session:
        await projects.change(session, owner, project_id, instructions="Be brief.")
        await fetches.begin(session, owner, project_id, ADDRESS)
        await budgets.set_amount(session, owner, project_id, Decimal(1))
        await retrieval.set_strategy(session, owner, project_id, Strategy.LEXICAL)
        await retrieval.judge(session, owner, project_id, NewCase("What?", document_id, "", is_wanted=True))
        (case,) = await retrieval.list_cases(session, owner, project_id)
        (fetch,) = await fetches.list_fetches(session, owner, project_id)
        await session.execute(update(Document).values(source_url=f"{ADDRESS}/1"))
        team_id = await teams.begin(session, SYSTEM, "Ornithology")
        await team_members.join(session, SYSTEM, team_id, owner.user_id)
        await project_teams.share(session, owner, project_id, team_id, ProjectRole.VIEWER)
    actor = await one_of(seeded, person, owner, project_id, team_id)
    chat_id = (await answered(seeded, actor, "mine", "reply")).chat_id
    place = Place(project_id, document_id, fetch.id, viewer.user_id, "nora@example.org", team_id, case.id, chat_id)

    found = {name: await outcome(seeded, actor, place, action) for name, (_, action) in ACTIONS.items()}

    refused = "forbidden" if PEOPLE[person] else "nothing"
    expected = {name: "done" if right in PEOPLE[person] else refused for name, (right, _) in ACTIONS.items()}
    if person.endswith("by team"):
        # These take a membership of one's own.
        expected |= {"projects.let_memory_in": "forbidden", "project_members.remove, oneself": "nothing"}
    assert found == expected


def test_every_action_has_its_row() -> None:
    actions = {
        f"{module.__name__.rpartition('.')[2]}.{name}"
        for module in MODULES
        for name, function in inspect.getmembers(module, inspect.iscoroutinefunction)
        if function.__module__ == module.__name__ and not name.startswith("_")
        if "actor" in inspect.signature(function).parameters
    }

    assert actions - set(NOT_IN_A_PROJECT) == {name.partition(",")[0] for name in ACTIONS} - {"memories.save"}
    assert actions >= set(NOT_IN_A_PROJECT)
