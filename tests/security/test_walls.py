"""The walls of projects: every path that reads documents, passages or facts, with near-identical secrets behind each.

A new path fails here until somebody has thought about it: either it is probed, or it is said why it needs no probe.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from llm_ui.contract import PreviewRequest
from llm_ui.db import Database, ReadSession
from llm_ui.documents import neighbours, retrieve, whole
from llm_ui.documents.vectors import Meaning, Vectors
from llm_ui.errors import NotFound
from llm_ui.kit.clock import now
from llm_ui.kit.ids import DocumentId, KeyId, ProjectId, uuid7
from llm_ui.kit.vectors import packed
from llm_ui.models import AiModel, AiProvider, Document, DocumentChunk, PassageVector, ProjectRole, ProviderKind
from llm_ui.runs import passages
from llm_ui.services import agents, documents, fetches, memories, project_figures, project_teams, retrieval
from llm_ui.services.access import Actor, KeyRights
from llm_ui.services.agents import Knowledge
from llm_ui.services.retrieval import NewCase
from llm_ui.services.seed import seed
from tests.documents.ready import a_document, a_project
from tests.security.reading_paths import calling, touching
from tests.services.test_service_accounts import an_account, holder
from tests.services.test_teams import OWNER, a_team

ASKED = "What is the code of the vault?"
VECTOR = packed([1.0, 0.5])
HELD = "a worker's, of the one document it holds"
FIGURES = "numbers, names of stored files or rows to be deleted, and no content"
RULE = "a part of the rule itself, of its check, or of one that is probed"
PROBED = "probed below"
ON_PROBED = "hands on what a probed one gives to the same actor, for the same project"
APART = "in a database of its own"

TOUCHING = {
    "backup.rehearsal": {"rehearse": FIGURES},
    "documents.evaluate": {"stored": APART},
    "documents.neighbours": {"beside": PROBED},
    "documents.retrieve": {"_scope": RULE, "read_passages": RULE},
    "documents.stored_vectors": {
        "_whole": RULE, "compare": RULE, "list_large": FIGURES, "read_dimensions": FIGURES, "read_documents": RULE,
        "read_state": FIGURES, "read_vectors": RULE,
    },
    "documents.whole": {"_passages": RULE, "read_pages": PROBED, "read_whole": PROBED},
    "services.access": {"_is_of_a_project": RULE, "_is_within": RULE, "_of_person": RULE},
    "services.agents": {"_require_known": RULE, "name_documents": PROBED},
    "services.alert_values": {"_queue_depth": FIGURES},
    "services.cutting": {"set_cutting": FIGURES},
    "services.departures": {"weigh": FIGURES},
    "services.dependants": {"_found": FIGURES},
    "services.erased_rows": {"_in_indexes": FIGURES, "belongings": FIGURES},
    "services.erasures": {"_unneeded": FIGURES},
    "services.document_copies": {
        "_begin_anew": HELD, "_last_page": HELD, "_original": HELD, "_take_pages": HELD, "_take_passages": HELD,
        "take_over": HELD,
    },
    "services.documents": {
        "begin_anew": HELD, "_free": RULE, "_listing": RULE, "_named": RULE, "_of_project": RULE, "_to_replace": RULE,
        "_row": RULE, "has_ready": PROBED, "is_needed": FIGURES, "list_documents": PROBED, "list_in_order": PROBED,
        "look_at": PROBED, "offer": PROBED, "passages_on": PROBED, "read_page": PROBED, "read_pages": PROBED,
        "receive": FIGURES, "remove": PROBED, "rename": PROBED, "stored_names": FIGURES,
    },
    "services.embedding": {
        "_change": HELD, "_held": HELD, "_waiting": HELD, "add_vectors": HELD, "fail": HELD, "is_any_waiting": FIGURES,
        "next_passages": HELD, "set_embedding_model": FIGURES,
    },
    "services.fetches": {
        "_change": HELD, "_held": HELD, "_row": RULE, "_waiting": HELD, "begin": PROBED, "finish": HELD,
        "list_fetches": PROBED, "release": HELD,
    },
    "services.holds": {"require_free_project": FIGURES},
    "services.ingestion": {
        "_change": HELD, "_held": HELD, "_waiting": HELD, "add_chunks": HELD, "add_pages": HELD, "release": HELD,
        "stored_pages": HELD,
    },
    "services.job_list": {"_document": FIGURES, "rows": FIGURES},
    "services.memories": {
        "_told": RULE, "_told_anywhere": RULE, "facts_of": PROBED, "list_memories": PROBED, "remove": PROBED,
        "save": PROBED,
    },
    "services.project_copies": {"_copy_documents": ON_PROBED, "begin_like": ON_PROBED},
    "services.project_figures": {"contents": PROBED},
    "services.project_members": {"part_strangers": FIGURES},
    "services.projects": {"take_away": FIGURES},
    "services.quotas": {"_stored": FIGURES, "require_documents": FIGURES, "room": FIGURES},
    "services.usage.overview": {"read": FIGURES},
    "services.retrieval": {"_same": RULE, "list_cases": PROBED, "ready_documents": FIGURES},
    "services.soundness": {"_rules": FIGURES},
    "services.waiting": {"waiting": FIGURES},
    "services.user_details": {"details": FIGURES},
}  # fmt: skip
"""Functions that touch the tables or the index, by module, and what keeps the wall there."""
CALLING = {
    "api.rest.documents": {"_read", "download"},
    "api.routes.retrieve": {"retrieve"},
    "app.documents": {"get"},
    "chat.bench": {"_promote"},
    "chat.cutting": {"_save"},
    "chat.documents": {"_change", "_find", "_look", "_page", "_read", "listed"},
    "chat.fetches": {"fetches"},
    "chat.memories": {"memory"},
    "cli.answers": {"_document"},
    "documents.evaluate": {"examine"},
    "documents.preview": {"preview"},
    "runs.as_answers": {"as_answers"},
    "runs.bench": {"look"},
    "runs.context": {"_standing", "preview"},
    "runs.engine": {"_store"},
    "runs.passages": {"_whole", "look_ahead", "look_up", "seek"},
    "runs.temporary": {"prepare"},
    "runs.tools.documents": {"use"},
    "services.archive": {"_all_documents", "_belongings"},
    "services.fetches": {"begin_again"},
    "services.imports": {"_store_memory"},
    "services.project_copies": {"begin_like"},
}
"""Functions that call readers of another module: they pass on whose question it is, and in which project."""


def test_every_path_that_reads_has_been_thought_about() -> None:
    assert {f"{module}.{name}" for module, names in TOUCHING.items() for name in names} == touching()
    assert {f"{module}.{name}" for module, names in CALLING.items() for name in names} == calling()


@dataclass(frozen=True, slots=True)
class Place:
    """A project, and what is in it."""

    secret: str
    project: ProjectId
    document: DocumentId
    found: tuple[retrieve.Passage, ...]
    """Its passages."""
    meaning: Meaning

    @property
    def name(self) -> str:
        """Its document's name."""
        return f"vault {self.secret}.txt"


Probe = Callable[[ReadSession, Actor, ProjectId, Place], Awaitable[Any]]
"""Reads as an actor in a project, and names what is in a place."""


async def _nearest(session: ReadSession, _actor: Actor, project: ProjectId, place: Place) -> Any:
    finding = await place.meaning.vectors.nearest(session, project, place.meaning, most=50)
    hits = (await finding.ranking(session)).hits
    known = {one.chunk_id: one.text for one in place.found}
    return [known[hit.chunk_id] for hit in hits if hit.chunk_id in known]


IN_PROJECT: dict[str, Probe] = {
    "by words": lambda s, who, where, _: retrieve.retrieve(s, who, where, ASKED),
    "by words in its document": lambda s, who, where, it: retrieve.retrieve(
        s, who, where, ASKED, documents=[it.document]
    ),
    "by meaning": lambda s, who, where, it: retrieve.retrieve(s, who, where, "", meaning=it.meaning),
    "by both": lambda s, who, where, it: retrieve.look(s, who, where, ASKED, meaning=it.meaning),
    "nearest": _nearest,
    "beside": lambda s, who, where, it: neighbours.beside(s, who, where, it.found[1:]),
    "read_whole": lambda s, who, where, it: whole.read_whole(s, who, where, [it.document], most_tokens=10_000),
    "look_ahead": lambda s, who, where, it: passages.look_ahead(
        s, who, Knowledge(where, who), PreviewRequest(text=ASKED, documents=(it.document,))
    ),
    "read_pages": lambda s, who, where, it: whole.read_pages(s, who, where, it.name, page=1, most=9),
    "name_documents": lambda s, who, where, _: agents.name_documents(s, who, where),
    "list_cases": lambda s, who, where, _: retrieval.list_cases(s, who, where),
    "list_documents": lambda s, who, where, _: documents.list_documents(s, who, where),
    "list_in_order": lambda s, who, where, _: documents.list_in_order(s, who, where, after=None, limit=9),
    "look_at": lambda s, who, where, it: documents.look_at(s, who, where, [it.document]),
    "offer": lambda s, who, where, _: documents.offer(s, who, where, "vault"),
    "list_fetches": lambda s, who, where, _: fetches.list_fetches(s, who, where),
    "facts": lambda s, who, where, _: memories.facts_of(s, who, where),
    "list_memories": lambda s, who, where, _: memories.list_memories(s, who, where),
}
"""What reads in one project: nothing of another may come, one's own included."""
OF_PERSON: dict[str, Probe] = {
    "find": lambda s, who, _, it: documents.find(s, who, it.document),
    "read_page": lambda s, who, _, it: documents.read_page(s, who, it.document, 1),
    "read_pages": lambda s, who, _, it: documents.read_pages(s, who, it.document, most=9),
    "passages_on": lambda s, who, _, it: documents.passages_on(s, who, it.document, 1),
}
"""What reads a document that is named: whoever owns it may."""


@pytest.fixture
async def places(database: Database, a_user: Actor, another_user: Actor) -> dict[str, Place]:
    """Two projects of one person and one of another, which hold nearly the same."""
    async with database.writing(lock="seed") as session:
        await seed(session)
        provider = AiProvider(
            kind=ProviderKind.OPENAI, name="V", name_key="v", base_url="http://127.0.0.1:9", key_hint=""
        )
        session.add(provider)
        await session.flush()
        model = AiModel(provider_id=provider.id, name="embed", display_name="embed", makes_embeddings=True)
        session.add(model)
    meaning, owners = (
        Meaning(Vectors(), model.id, VECTOR),
        {"heron-17": a_user, "heron-18": a_user, "heron-71": another_user},
    )
    return {secret: await a_place(database, owner, secret, meaning) for secret, owner in owners.items()}


async def a_place(database: Database, owner: Actor, secret: str, meaning: Meaning) -> Place:
    project = await a_project(database, owner, f"Project {secret}")
    said = [f"The code of the vault is {secret}.", f"Nobody else knows {secret}, the code of this vault."]
    document = await a_document(database, owner, project, said, name=f"vault {secret}.txt")
    async with database.writing() as session:
        await fetches.begin(session, owner, project, f"https://example.org/{secret}")
        case = NewCase(f"Is it {secret}?", document, said[0], is_wanted=True)
        await retrieval.judge(session, owner, project, case)
        await memories.save(session, owner, None, f"The code is {secret}.", project_id=project)
        chunks = list(await session.scalars(select(DocumentChunk.id).where(DocumentChunk.document_id == document)))
        common = {"project_id": project, "model_id": meaning.model_id, "vector": VECTOR}
        await session.execute(insert(PassageVector), [{**common, "chunk_id": one} for one in chunks])
        made = {"embedded_by": meaning.model_id, "embedded_at": now()}
        await session.execute(update(Document).where(Document.id == document).values(made))
    async with database.reading() as session:
        found = await whole.read_whole(session, owner, project, [document], most_tokens=10_000)
    return Place(secret, project, document, found, meaning)


async def read(database: Database, probe: Probe, who: Actor, where: ProjectId, named: Place) -> str:
    """Return all that a probe gives."""
    try:
        async with database.reading() as session:
            return repr(await probe(session, who, where, named))
    except NotFound:
        return ""


@pytest.mark.parametrize("name", IN_PROJECT)
async def test_nothing_of_another_project_is_read(
    database: Database, a_user: Actor, places: dict[str, Place], name: str
) -> None:
    mine = places["heron-17"]
    for other in (places["heron-18"], places["heron-71"]):
        assert mine.secret in await read(database, IN_PROJECT[name], a_user, mine.project, mine), "it does read"

        assert other.secret not in await read(database, IN_PROJECT[name], a_user, mine.project, other)


@pytest.mark.parametrize("name", [name for name in {**IN_PROJECT, **OF_PERSON} if name != "nearest"])
async def test_nothing_of_another_person_is_read_but_by_what_is_told_a_project_that_was_checked(
    database: Database, a_user: Actor, another_user: Actor, places: dict[str, Place], name: str
) -> None:
    probe, theirs = {**IN_PROJECT, **OF_PERSON}[name], places["heron-71"]

    assert theirs.secret in await read(database, probe, another_user, theirs.project, theirs), "it does read"
    assert theirs.secret not in await read(database, probe, a_user, theirs.project, theirs)


@pytest.mark.parametrize("name", [name for name in {**IN_PROJECT, **OF_PERSON} if name != "nearest"])
async def test_with_a_key_of_a_project_nothing_outside_of_it_is_there(
    database: Database, a_user: Actor, places: dict[str, Place], name: str
) -> None:
    probe, mine, other = {**IN_PROJECT, **OF_PERSON}[name], places["heron-17"], places["heron-18"]
    script = replace(a_user, key=KeyRights(KeyId(uuid7()), uuid7(), mine.project, None))

    assert mine.secret in await read(database, probe, script, mine.project, mine), "it does read"
    assert other.secret not in await read(database, probe, script, other.project, other)


@pytest.mark.parametrize("name", [name for name in {**IN_PROJECT, **OF_PERSON} if name != "nearest"])
async def test_a_service_account_sees_what_its_team_was_given_and_nothing_else(
    database: Database, a_user: Actor, another_user: Actor, places: dict[str, Place], name: str
) -> None:
    probe, given = {**IN_PROJECT, **OF_PERSON}[name], places["heron-17"]
    team_id = await a_team(database, bob=OWNER)
    async with database.writing() as session:
        await project_teams.share(session, a_user, given.project, team_id, ProjectRole.EDITOR)
    itself = await holder(database, await an_account(database, team_id))

    # What a person tells models in a project is that person's, in whatever team they are.
    is_read = name not in ("facts", "list_memories")
    assert is_read == (given.secret in await read(database, probe, itself, given.project, given))
    for other in (places["heron-18"], places["heron-71"]):
        assert other.secret not in await read(database, probe, itself, other.project, other)


async def test_nothing_of_another_person_is_counted_or_changed(
    database: Database, a_user: Actor, places: dict[str, Place]
) -> None:
    theirs = places["heron-71"]
    changes: dict[str, Callable[[Any], Awaitable[Any]]] = {
        "rename": lambda session: documents.rename(session, a_user, theirs.document, "mine.txt"),
        "begin": lambda session: fetches.begin(session, a_user, theirs.project, "https://example.org/"),
        "save": lambda session: memories.save(session, a_user, None, "A fact.", project_id=theirs.project),
        "contents": lambda session: project_figures.contents(session, a_user, theirs.project),
    }
    for name, change in changes.items():
        with pytest.raises(NotFound):
            async with database.writing() as session:
                await change(session)
            pytest.fail(name)
    async with database.writing() as session:
        assert not await documents.has_ready(session, a_user, theirs.project)
        assert await documents.remove(session, a_user, theirs.document) is None
    async with database.reading() as session:
        assert await session.get(Document, theirs.document) is not None
