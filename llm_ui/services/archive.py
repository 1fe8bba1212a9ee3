"""Everything that a person owns, as one zip archive that any program opens and that can be imported again.

It is made while it is sent: a page of chats is read, packed and forgotten, however many there are.
"""

import asyncio
import html
import json
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from llm_ui.db import Database, ReadSession
from llm_ui.errors import NotFound
from llm_ui.kit.clock import now
from llm_ui.kit.file_store import FileStore
from llm_ui.kit.ids import ChatId
from llm_ui.kit.zip_stream import ZipFile, ZipStream
from llm_ui.models import ChatHistory, SavedPrompt, User
from llm_ui.services.access import Actor, readable
from llm_ui.services.attachments import AttachmentInfo
from llm_ui.services.exports import ExportKind, WholeChat, exported, file_name, read_whole_chats
from llm_ui.services.memories import list_memories
from llm_ui.services.projects import ProjectInfo, list_projects

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
    "projects.json": "Your projects. LLM UI imports these too.",
    "prompts.json": "The prompts you keep. LLM UI imports these too.",
    "memories.json": "What you want models to know of you. LLM UI imports this too.",
    "account.json": "Your account.",
}
LEFT_OUT = "Chats in the bin, deleted messages, documents (download them in their projects), what belongs to others."
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
    projects: list[dict[str, object]]
    prompts: list[dict[str, str]]
    memories: list[dict[str, str | bool]]
    pages: list[list[ChatId]]
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
    yield zipped.add(index) + zipped.end()


async def _belongings(session: ReadSession, actor: Actor) -> _Belongings:
    user = await session.get_one(User, actor.user_id)  # rights: the actor's own
    account = {"name": user.name, "email": user.email, "created_at": user.created_at.isoformat()}
    mine = readable(SavedPrompt, actor).where(SavedPrompt.owner_id == actor.user_id).order_by(SavedPrompt.name)
    prompts = [{"name": row.name, "text": row.text} for row in await session.scalars(mine)]
    projects: list[dict[str, object]] = [
        {
            "id": str(one.id),
            "name": one.name,
            "instructions": one.instructions,
            **_told(one),
            "facts": [{"text": fact.text, "is_on": fact.is_on} for fact in await list_memories(session, actor, one.id)],
        }
        for one in await list_projects(session, actor)
    ]
    facts: list[dict[str, str | bool]] = [
        {"text": one.text, "is_on": one.is_on} for one in await list_memories(session, actor)
    ]
    columns = readable(ChatHistory, actor).with_only_columns(ChatHistory.id, ChatHistory.next_position)
    newest_first = columns.order_by(ChatHistory.last_message_at.desc(), ChatHistory.id.desc())
    pages = _pages([(row.id, row.next_position) for row in await session.execute(newest_first)])
    return _Belongings(account, projects, prompts, facts, pages, now())


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
