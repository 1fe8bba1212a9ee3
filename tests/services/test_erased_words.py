"""Somebody who has one of everything is erased: afterwards their words are in no table and in no file."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

from sqlalchemy import select, text

from llm_ui.config import Config
from llm_ui.db import Database, ReadSession
from llm_ui.kit.clock import now
from llm_ui.kit.ids import ChatId, DocumentId, KeyId, ProjectId, uuid7
from llm_ui.models import (
    Agent,
    AiModel,
    ApiKey,
    Audience,
    BackgroundJob,
    Base,
    Budget,
    BudgetScope,
    CachedAnswer,
    ChatHistory,
    ChatMessage,
    ChatSummary,
    ChatTag,
    Document,
    DocumentChunk,
    DocumentFetch,
    Evaluation,
    EvaluationKind,
    JobKind,
    Limit,
    LimitAction,
    LimitKind,
    LimitScope,
    MessageFeedback,
    PassageVector,
    Project,
    ProjectColor,
    ProjectIcon,
    PromptVersion,
    RetrievalCase,
    Role,
    Run,
    SavedPrompt,
    ShareLink,
    SystemPrompt,
    User,
    UserMemory,
    UserPicture,
)
from llm_ui.services import departures, erasures
from llm_ui.services.access import Actor
from llm_ui.services.departures import Fate
from llm_ui.services.seed import seed
from llm_ui.worker.main import run, verify_erasures
from tests.conftest import make_actor
from tests.documents.ready import a_document, a_project
from tests.services.test_branches import answered

SECRET = "quetzalfeder"
"""In all that they wrote. Names of projects and documents stand in the audit log, which is only added to."""


async def test_nothing_that_somebody_wrote_is_left_in_a_table_or_a_file(
    seeded: Database, database_config: Config, an_admin: Actor, a_user: Actor
) -> None:
    chat_id = (await answered(seeded, a_user, f"My {SECRET} question", f"Your {SECRET} answer")).chat_id
    project_id = await a_project(seeded, a_user)
    document_id = await a_document(seeded, a_user, project_id, [f"A {SECRET} passage."])
    async with seeded.writing() as session:
        async for row in _around(session, a_user, chat_id, project_id, document_id):
            session.add(row)
            await session.flush()
    assert await _tables_with(seeded, SECRET) >= {
        "agents", "api_keys", "background_jobs", "cached_answers", "chat_histories", "chat_messages", "chat_summaries",
        "chat_tags", "document_chunks", "document_fetches", "document_pages", "documents", "evaluations",
        "message_feedback", "passage_vectors", "projects", "prompt_versions", "retrieval_cases", "runs",
        "saved_prompts", "share_links", "system_prompts", "user_memories", "user_pictures",
    }  # fmt: skip

    async with seeded.writing() as session:
        await departures.remove(session, an_admin, a_user.user_id, Fate.ERASE)
    await verify_erasures(database_config)(seeded)

    assert await _tables_with(seeded, SECRET) == set()
    async with seeded.reading() as session:
        assert (await session.scalars(select(Budget.id))).all() == []
        assert (await session.scalars(select(Limit.id))).all() == []
        (receipt,) = await erasures.list_receipts(session, an_admin)
    assert (receipt.left, receipt.verified_at is not None) == ({}, True)
    await seeded.close()
    holding = [path.name for path in _files(database_config) if SECRET.encode() in path.read_bytes().lower()]
    assert holding == []


async def test_who_was_erased_goes_again_at_the_start_when_an_old_database_was_put_back_by_hand(
    sqlite_config: Config, tmp_path: Path
) -> None:
    path, copy = sqlite_config.folder / "llm-ui.db", tmp_path / "copy.db"
    database = Database.open(sqlite_config)
    async with database.writing(lock="seed") as session:
        await seed(session)
    admin, person = [await make_actor(database, name, role) for name, role in (("ada", Role.ADMIN), ("bob", Role.USER))]
    await answered(database, person, f"My {SECRET} question", "An answer")
    await database.close()
    shutil.copy(path, copy)
    database = Database.open(sqlite_config)
    async with database.writing() as session:
        await departures.remove(session, admin, person.user_id, Fate.ANONYMISE)
    await verify_erasures(sqlite_config)(database)
    await database.close()

    shutil.copy(copy, path)
    stop = asyncio.Event()
    stop.set()
    await run(sqlite_config, stop)

    database = Database.open(sqlite_config)
    assert await _tables_with(database, SECRET) == set()
    async with database.reading() as session:
        assert (await session.scalars(select(User.name))).all() == ["ada"]
        (receipt,) = await erasures.list_receipts(session, admin)
    await database.close()
    assert receipt.verified_at is not None
    assert SECRET.encode() not in path.read_bytes().lower()


async def _around(
    session: ReadSession, actor: Actor, chat_id: ChatId, project_id: ProjectId, document_id: DocumentId
) -> AsyncIterator[Base]:
    """Yield one of each of what hangs on a person, their chat, their project or their document."""
    me, at = actor.user_id, now()
    chat = await session.get_one(ChatHistory, chat_id)
    chat.title = f"Title {SECRET}"
    (await session.get_one(Project, project_id)).instructions = SECRET
    (await session.get_one(Document, document_id)).remark = SECRET
    answer = (await session.scalars(select(ChatMessage).where(ChatMessage.chat_id == chat_id))).all()[-1]
    run = (await session.scalars(select(Run).where(Run.chat_id == chat_id))).one()
    run.manifest = {"parts": [SECRET]}
    model_id = (await session.scalars(select(AiModel.id))).first()
    chunk = (await session.scalars(select(DocumentChunk).where(DocumentChunk.document_id == document_id))).one()
    assert model_id is not None
    agent_id, prompt_id, saved_id, series_id = uuid7(), uuid7(), uuid7(), uuid7()
    yield Agent(
        id=agent_id, owner_id=me, name=f"Agent {SECRET}", color=ProjectColor.BLUE, icon=next(iter(ProjectIcon)),
        instructions=SECRET, starters=[SECRET], project_id=project_id, documents=[str(document_id)],
    )  # fmt: skip
    yield ApiKey(
        id=KeyId(uuid7()), series_id=series_id, user_id=me, name=f"Key {SECRET}", prefix="p", token_hash="h",
        scopes=[], addresses=[], created_at=at,
    )  # fmt: skip
    # Nothing refers to what these are of: no foreign key takes them along.
    for scope, key in (
        (BudgetScope.KEY, series_id),
        (BudgetScope.LIMIT_KEY, series_id),
        (BudgetScope.PROJECT, project_id),
    ):
        yield Budget(scope=scope, scope_id=key, amount_usd=Decimal(1), spent_usd=Decimal(0), period_start=at)
    yield Limit(scope=LimitScope.KEY, scope_id=series_id, kind=LimitKind.MONTH_USD, amount=100, action=LimitAction.STOP)
    yield BackgroundJob(user_id=me, kind=JobKind.IMPORT, name=f"{SECRET}.json", progress={"title": SECRET})
    for key, group_key, in_project in (("e" * 64, None, None), ("s" * 64, "g" * 64, project_id)):
        yield CachedAnswer(
            key=key, user_id=me, project_id=in_project, chat_id=chat_id, model_id=model_id, group_key=group_key,
            question=f"Asked {SECRET}", vector=SECRET.encode(), pieces=[[0, "token", f"Kept {SECRET}"]], size_bytes=9,
            created_at=at,
        )  # fmt: skip
    yield ChatSummary(chat_id=chat_id, upto_id=answer.id, text=SECRET, tokens=1, model_name="m")
    yield ChatTag(chat_id=chat_id, name=SECRET)
    yield DocumentFetch(project_id=project_id, user_id=me, address=f"https://example.org/{SECRET}")
    yield Evaluation(
        kind=EvaluationKind.BENCH, dataset=SECRET, questions=1, strategy="words", figures={}, version="1",
        project_id=project_id, is_listed=False,
    )  # fmt: skip
    yield MessageFeedback(message_id=answer.id, user_id=me, rating=1, comment=SECRET)
    yield PassageVector(chunk_id=chunk.id, project_id=project_id, model_id=model_id, vector=SECRET.encode())
    yield RetrievalCase(project_id=project_id, document_id=document_id, question=SECRET, passage=SECRET, is_wanted=True)
    yield SavedPrompt(id=saved_id, owner_id=me, name=f"p-{SECRET}", text=SECRET)
    yield SystemPrompt(id=prompt_id, owner_id=me, name=f"P {SECRET}", text=SECRET)
    for saved, system in ((saved_id, None), (None, prompt_id)):
        yield PromptVersion(
            saved_prompt_id=saved, system_prompt_id=system, number=1, text=SECRET, author_name="bob", created_at=at
        )
    yield ShareLink(
        user_id=me, chat_id=chat_id, token_hash="l", audience=Audience.ANYONE, snapshot={"messages": [SECRET]}
    )
    for inside in (None, project_id):
        yield UserMemory(user_id=me, project_id=inside, text=f"They like {SECRET}.")
    yield UserPicture(user_id=me, data=SECRET.encode())


async def _tables_with(database: Database, word: str) -> set[str]:
    """Return the tables, those of the full text too, in which a word stands; bytes are looked through as well."""
    found = set()
    async with database.reading() as session:
        if database.dialect == "sqlite":
            names = await session.scalars(text("SELECT name FROM sqlite_master WHERE type = 'table'"))
        else:
            names = await session.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))
        for name in names.all():
            if name.startswith("sqlite_") or name in ("search_text", "search_passages"):
                continue
            rows = (await session.execute(text(f'SELECT * FROM "{name}"'))).all()
            if any(_holds(value, word) for row in rows for value in row):
                found.add(name)
    return found


def _holds(value: object, word: str) -> bool:
    if isinstance(value, bytes | memoryview):
        return word.encode() in bytes(value).lower()
    return word in str(value).lower()


def _files(config: Config) -> list[Path]:
    return [path for path in config.folder.rglob("*") if path.is_file()]
