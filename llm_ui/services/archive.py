"""Everything that a person owns, as one zip archive that any program opens and that can be imported again.

It is made while it is sent: a page of chats is read, packed and forgotten, however many there are.
"""

import asyncio
import html
import itertools
import json
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from os.path import splitext
from pathlib import Path

from llm_ui.db import Database, ReadSession
from llm_ui.errors import NotFound
from llm_ui.kit.clock import now
from llm_ui.kit.file_store import FileStore
from llm_ui.kit.ids import ChatId, DocumentId
from llm_ui.kit.zip_stream import ZipFile, ZipStream
from llm_ui.models import ChatHistory, ProjectRole, SavedPrompt, User
from llm_ui.services.access import Actor, readable
from llm_ui.services.agents import AgentInfo, list_agents, name_documents
from llm_ui.services.attachments import AttachmentInfo
from llm_ui.services.cutting import CuttingInfo, read_cutting
from llm_ui.services.documents import DocumentInfo, list_documents
from llm_ui.services.exports import ExportKind, WholeChat, exported, file_name, read_whole_chats
from llm_ui.services.memories import list_memories
from llm_ui.services.projects import ProjectInfo, list_projects
from llm_ui.services.retrieval import list_cases, strategy_of

FORMAT = "llm-ui-archive"
VERSION = 1
PAGE_CHATS = 50
PAGE_MESSAGES = 2_000
"""Of a page, unless one chat alone has more."""
CONTENTS = {
    "index.html": "A list of all chats, for a browser.",
    "chats/*.md": "Each chat as text: the branch that was shown.",
    "chats/*.json": "Each chat with all its branches. LLM UI imports these.",
    "files/*": "What you attached, once each, under the SHA-256 that the chat's JSON names. LLM UI imports these too.",
    "documents/*/*": "The documents of your projects, a folder for each project.",
    "documents.json": "Which document belongs to which project, and its test set. LLM UI imports them too.",
    "projects.json": "Your projects. LLM UI imports these too.",
    "agents.json": "Your agents. LLM UI imports these too.",
    "prompts.json": "The prompts you keep. LLM UI imports these too.",
    "memories.json": "What you want models to know of you. LLM UI imports this too.",
    "account.json": "Your account.",
}
LEFT_OUT = "Chats in the bin, deleted messages, earlier versions of documents, what belongs to others."
PIECE_BYTES = 1 << 18
UNFIT = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]+')
"""What the name of a file may not hold on one system or another."""
MAX_PATH_CHARS = 100
"""Of a part of a path: Windows opens no path of more than 260."""
INDEX_HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width"><title>Chats of {name}</title><style>
:root {{ color-scheme: light dark; }} body {{ max-width: 760px; margin: 40px auto; padding: 0 20px;
font: 16px/1.6 system-ui, sans-serif; }} li {{ margin: 4px 0; }} span {{ opacity: .7; font-size: 14px; }}
</style></head><body><h1>Chats of {name}</h1><p>{count:,} chats, as of {at:%d %b %Y, %H:%M} UTC.</p><ul>
"""
INDEX_TAIL = "</ul></body></html>\n"


@dataclass(frozen=True, slots=True)
class _Belongings:
    """What there is, as it was when the archive was begun."""

    account: dict[str, str]
    own_projects: tuple[ProjectInfo, ...]
    projects: list[dict[str, object]]
    agents: list[dict[str, object]]
    prompts: list[dict[str, str]]
    memories: list[dict[str, str | bool]]
    pages: list[list[ChatId]]
    cases: dict[DocumentId, list[dict[str, str | bool]]]
    """What test sets say of documents."""
    at: datetime

    @property
    def count(self) -> int:
        return sum(map(len, self.pages))


async def archive(database: Database, store: FileStore, actor: Actor) -> AsyncIterator[bytes]:
    """Yield the archive of the actor's own things, piece by piece.

    It reads in many short sessions, so that none stays open while a browser is slow.
    """
    async with database.reading() as session:
        owned = await _belongings(session, actor)
    zipped = ZipStream()
    index = ZipFile("index.html", owned.at)
    index.write(INDEX_HEAD.format(name=html.escape(actor.name), count=owned.count, at=owned.at).encode())
    yield await asyncio.to_thread(_beginning, zipped, owned)
    sent: set[str] = set()
    for page in owned.pages:
        async with database.reading() as session:
            chats = await read_whole_chats(session, actor, page)
        yield await asyncio.to_thread(_packed, zipped, index, chats)
        for file in (file for chat in chats for files in chat.files.values() for file in files):
            if file.sha256 not in sent:
                sent.add(file.sha256)
                yield await asyncio.to_thread(_attached, zipped, store, file, owned.at)
    index.write(INDEX_TAIL.encode())
    yield zipped.add(index)
    async for piece in _documents(zipped, database, store, actor, owned):
        yield piece
    # Behind the documents, which are there when these come in.
    yield _file(zipped, "agents.json", owned.at, _json(owned.agents))
    yield zipped.end()


async def _documents(
    zipped: ZipStream, database: Database, store: FileStore, actor: Actor, owned: _Belongings
) -> AsyncIterator[bytes]:
    """Yield the documents of all projects, and then the list of them."""
    listed, taken = ZipFile("documents.json", owned.at), set[str]()
    async for project, one in _all_documents(database, actor, owned):
        # As what was attached: what is gone from the disk is gone from the archive.
        if not await asyncio.to_thread(store.has, one.sha256):
            continue
        path = _path(project.name, one.name, taken)
        pieces = zipped.stream(ZipFile(path, owned.at), _pieces(store.path(one.sha256)))
        while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
            if piece:
                yield piece
        kept_in = {"id": str(project.id), "name": project.name}
        told: dict[str, object] = {
            "project": kept_in, "name": one.name, "path": path, "source_url": one.source_url,
            "cases": owned.cases.get(one.id, []),
        }  # fmt: skip
        listed.write((",\n" if listed.size else "[\n").encode() + _json(told).encode())
    listed.write(b"\n]\n" if listed.size else b"[]\n")
    yield zipped.add(listed)


async def _all_documents(
    database: Database, actor: Actor, owned: _Belongings
) -> AsyncIterator[tuple[ProjectInfo, DocumentInfo]]:
    for project in owned.own_projects:
        offset, has_more = 0, True
        while has_more:
            try:
                async with database.reading() as session:
                    page = await list_documents(session, actor, project.id, offset=offset)
            except NotFound:
                # Deleted while the archive was on its way.
                break
            for one in page.documents:
                yield project, one
            offset, has_more = offset + len(page.documents), page.has_more


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            yield piece


def _path(project: str, name: str, taken: set[str]) -> str:
    """Return where a document lies in the archive: on every system a name of its own."""
    stem, ending = splitext(_fit(name, "document"))
    folder = f"documents/{_fit(project, 'project')}"
    for number in itertools.count(1):
        found = f"{folder}/{stem[: MAX_PATH_CHARS - len(ending)]}{f' ({number})' if number > 1 else ''}{ending}"
        if found.casefold() not in taken:
            taken.add(found.casefold())
            return found
    raise AssertionError


def _fit(name: str, otherwise: str) -> str:
    return UNFIT.sub("-", name)[:MAX_PATH_CHARS].strip(". ") or otherwise


async def _belongings(session: ReadSession, actor: Actor) -> _Belongings:
    user = await session.get_one(User, actor.user_id)  # rights: the actor's own
    account = {"name": user.name, "email": user.email, "created_at": user.created_at.isoformat()}
    mine = readable(SavedPrompt, actor).where(SavedPrompt.owner_id == actor.user_id).order_by(SavedPrompt.name)
    prompts = [{"name": row.name, "text": row.text} for row in await session.scalars(mine)]
    own_projects = tuple(one for one in await list_projects(session, actor) if one.role is ProjectRole.OWNER)
    projects: list[dict[str, object]] = [
        {
            "id": str(one.id),
            "name": one.name,
            "instructions": one.instructions,
            **_told(one),
            "passages": {
                **_cut(await read_cutting(session, actor, one.id)),
                "strategy": await strategy_of(session, actor, one.id),
            },
            "facts": [{"text": fact.text, "is_on": fact.is_on} for fact in await list_memories(session, actor, one.id)],
        }
        for one in own_projects
    ]
    facts: list[dict[str, str | bool]] = [
        {"text": one.text, "is_on": one.is_on} for one in await list_memories(session, actor)
    ]
    columns = readable(ChatHistory, actor).with_only_columns(ChatHistory.id, ChatHistory.next_position)
    newest_first = columns.order_by(ChatHistory.last_message_at.desc(), ChatHistory.id.desc())
    pages = _pages([(row.id, row.next_position) for row in await session.execute(newest_first)])
    own = [one for one in await list_agents(session, actor) if one.is_mine]
    own_agents = [await _agent(session, actor, one, own_projects) for one in own]
    cases = await _cases(session, actor, own_projects)
    return _Belongings(account, own_projects, projects, own_agents, prompts, facts, pages, cases, now())


async def _cases(
    session: ReadSession, actor: Actor, projects: Sequence[ProjectInfo]
) -> dict[DocumentId, list[dict[str, str | bool]]]:
    found: dict[DocumentId, list[dict[str, str | bool]]] = {}
    for project in projects:
        for one in await list_cases(session, actor, project.id):
            case: dict[str, str | bool] = {
                "question": one.question, "passage": one.passage, "is_wanted": one.is_wanted
            }  # fmt: skip
            found.setdefault(one.document_id, []).append(case)
    return found


async def _agent(
    session: ReadSession, actor: Actor, one: AgentInfo, projects: Sequence[ProjectInfo]
) -> dict[str, object]:
    """Return an agent of the actor's own; what it knows by its names."""
    own = one.settings
    known = next((project for project in projects if project.id == own.project_id), None)
    documents: list[str] = []
    if known is not None and own.documents:
        offered = await name_documents(session, actor, known.id)
        documents = [name for document_id, name in offered if document_id in own.documents]
    return {
        "name": own.name,
        "description": own.description,
        "instructions": own.instructions,
        "color": own.color.value,
        "icon": own.icon.value,
        "model": own.model_name,
        "temperature": own.temperature,
        "max_tokens": own.max_tokens,
        "project": None if known is None else {"id": str(known.id), "name": known.name},
        "documents": documents,
        "starters": list(own.starters),
        "keeps_answers": own.keeps_answers,
        "keeps_similar": own.keeps_similar,
    }


def _told(project: ProjectInfo) -> dict[str, object]:
    """Return how a project is set; its model by the name that it has elsewhere, too."""
    settings = project.settings
    return {
        "lets_memory_in": project.lets_memory_in,
        "color": settings.color.value,
        "icon": settings.icon.value,
        "model": settings.model_name,
        "temperature": settings.temperature,
        "max_tokens": settings.max_tokens,
        "is_template": settings.is_template,
        "is_archived": project.is_archived,
    }


def _cut(cutting: CuttingInfo) -> dict[str, object]:
    return {"by": cutting.by.value, "tokens": cutting.passage_tokens, "overlap_tokens": cutting.overlap_tokens}


def _pages(chats: Sequence[tuple[ChatId, int]]) -> list[list[ChatId]]:
    """Return the chats, each with its number of messages, in pages that fit into little memory."""
    pages: list[list[ChatId]] = []
    messages = 0
    for chat_id, count in chats:
        if not pages or messages + count > PAGE_MESSAGES or len(pages[-1]) == PAGE_CHATS:
            pages.append([])
            messages = 0
        pages[-1].append(chat_id)
        messages += count
    return pages


def _beginning(zipped: ZipStream, owned: _Belongings) -> bytes:
    manifest = {
        "format": FORMAT,
        "version": VERSION,
        "exported_at": owned.at.isoformat(),
        "account": owned.account["name"],
        "chats": owned.count,
        "projects": len(owned.projects),
        "agents": len(owned.agents),
        "prompts": len(owned.prompts),
        "memories": len(owned.memories),
        "contents": CONTENTS,
        "left_out": LEFT_OUT,
    }
    files: dict[str, object] = {
        "manifest.json": manifest,
        "account.json": owned.account,
        "projects.json": owned.projects,
        "prompts.json": owned.prompts,
        "memories.json": owned.memories,
    }
    return b"".join(_file(zipped, name, owned.at, _json(content)) for name, content in files.items())


def _json(content: object) -> str:
    return json.dumps(content, ensure_ascii=False, indent=2)


def _packed(zipped: ZipStream, index: ZipFile, chats: Sequence[WholeChat]) -> bytes:
    sent = bytearray()
    for chat in chats:
        path = f"chats/{chat.last_message_at:%Y-%m-%d} {file_name(chat.title, chat.id.hex[-12:])}"
        for kind in (ExportKind.MARKDOWN, ExportKind.JSON):
            sent += _file(zipped, f"{path}.{kind.value}", chat.last_message_at, exported(chat, kind))
        title, day = html.escape(chat.title), f"{chat.last_message_at:%d %b %Y}"
        index.write(f'<li><a href="{html.escape(path)}.md">{title}</a> <span>{day}</span></li>\n'.encode())
    return bytes(sent)


def _attached(zipped: ZipStream, store: FileStore, info: AttachmentInfo, at: datetime) -> bytes:
    """Return a file that was attached; nothing when it is gone from the disk, as it is from its chat."""
    ending = re.search(r"\.[a-z0-9]{1,8}$", info.name.lower())
    file = ZipFile(f"files/{info.sha256}{ending.group() if ending else ''}", at)
    try:
        file.write(store.read(info.sha256))
    except NotFound:
        return b""
    return zipped.add(file)


def _file(zipped: ZipStream, name: str, at: datetime, content: str) -> bytes:
    file = ZipFile(name, at)
    file.write(content.encode())
    return zipped.add(file)
