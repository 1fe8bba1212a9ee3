"""Projects with documents and passages, put straight into a database."""

import hashlib
import itertools
import random
import string
from collections.abc import Iterable, Sequence

from sqlalchemy import Uuid, bindparam, insert, select, text, update

from llm_ui.db import Database
from llm_ui.kit.ids import DocumentId, ProjectId, uuid7
from llm_ui.kit.token_count import estimate
from llm_ui.models import Document, DocumentChunk, DocumentStage, Project, ProjectMember, ProjectRole
from llm_ui.services.access import Actor

CHANCE = random.Random(1)
VOCABULARY = ["".join(CHANCE.choices(string.ascii_lowercase, k=CHANCE.randint(3, 10))) for _ in range(100_000)]
"""Words by how often they are written: the n-th about one n-th as often as the first (Zipf's law)."""
OFTEN = list(itertools.accumulate(1 / (rank + 2) for rank in range(len(VOCABULARY))))
HALF_WORDS, HALVES = 100, 20_000
"""A passage is two pieces of so many words, of so many that there are."""
BATCH = 5_000
"""Passages of one document, which is stored with one transaction."""


async def a_project(database: Database, actor: Actor, name: str = "Project") -> ProjectId:
    """Store an empty project of the actor."""
    project_id = ProjectId(uuid7())
    async with database.writing() as session:
        session.add(Project(id=project_id, owner_id=actor.user_id, name=name))
        await session.flush()
        session.add(ProjectMember(project_id=project_id, user_id=actor.user_id, role=ProjectRole.OWNER))
    return project_id


async def a_document(
    database: Database,
    actor: Actor,
    project_id: ProjectId,
    passages: Sequence[str],
    *,
    name: str = "notes.txt",
    titles: Iterable[str] = (),
    stage: DocumentStage = DocumentStage.READY,
) -> DocumentId:
    """Store a document of these passages; the first of them stand under the titles."""
    document_id = DocumentId(uuid7())
    tokens = [estimate(passage) for passage in passages]
    headings = [*titles, *("" for _ in passages)]
    document = Document(
        id=document_id, project_id=project_id, user_id=actor.user_id, name=name, size_bytes=sum(map(len, passages)),
        sha256=hashlib.sha256(document_id.bytes).hexdigest(), stage=stage, chunk_count=len(passages),
        tokens=sum(tokens),
    )  # fmt: skip
    rows = [
        {"document_id": document_id, "project_id": project_id, "position": position, "title_path": headings[position],
         "text": passage, "page_from": 1, "page_to": 1, "tokens": tokens[position]}
        for position, passage in enumerate(passages)
    ]  # fmt: skip
    async with database.writing() as session:
        session.add(document)
        await session.flush()
        if rows:
            await session.execute(insert(DocumentChunk), rows)
    return document_id


async def many_passages(database: Database, actor: Actor, project_id: ProjectId, count: int) -> None:
    """Store so many passages of 200 words each."""
    chance = random.Random(project_id.int)
    halves = [" ".join(chance.choices(VOCABULARY, cum_weights=OFTEN, k=HALF_WORDS)) for _ in range(HALVES)]
    for begin in range(0, count, BATCH):
        passages = [f"{chance.choice(halves)} {chance.choice(halves)}" for _ in range(min(BATCH, count - begin))]
        await a_document(database, actor, project_id, passages, name=f"{begin}.txt")


async def copy_passages(database: Database, actor: Actor, source: ProjectId, target: ProjectId) -> None:
    """Store what one project holds in another one as well."""
    columns = "position, title_path, text, page_from, page_to, tokens"
    copying = text(
        f"INSERT INTO document_chunks (document_id, project_id, {columns})"
        f" SELECT :document, :target, {columns} FROM document_chunks WHERE document_id = :copied"
    ).bindparams(*(bindparam(name, type_=Uuid()) for name in ("document", "target", "copied")))
    async with database.reading() as session:
        sources = (await session.scalars(select(Document).where(Document.project_id == source))).all()
    for document in sources:
        copy = await a_document(database, actor, target, [])
        counts = {"chunk_count": document.chunk_count, "tokens": document.tokens}
        async with database.writing() as session:
            await session.execute(update(Document).where(Document.id == copy).values(counts))
            await session.execute(copying, {"document": copy, "target": target, "copied": document.id})


def questions(count: int, words: int) -> list[str]:
    """Return so many questions of words as they are written, without the hundred that are written most."""
    chance = random.Random(words)
    often = OFTEN[100:]
    return [" ".join(chance.choices(VOCABULARY[100:], cum_weights=often, k=words)) for _ in range(count)]
