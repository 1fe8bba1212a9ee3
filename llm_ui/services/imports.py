"""Chats from a file that somebody brings: read entry by entry, stored in small steps, never twice.

Ids are made of the person, the source and the id it had there, so that the same file again adds nothing, and what was
said there since is added to where it belongs.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from llm_ui.contract import MAX_PROMPT_CHARS
from llm_ui.db import Database, Session
from llm_ui.errors import Forbidden, InvalidInput, LLMUIError, TooLarge
from llm_ui.kit.file_store import FileStore, NewFile
from llm_ui.kit.i18n import later
from llm_ui.kit.ids import JobId
from llm_ui.kit.media import inspect
from llm_ui.kit.text import one_line
from llm_ui.services import documents, library, memories
from llm_ui.services.access import Actor, Permission, require
from llm_ui.services.attachments import Received, file_name
from llm_ui.services.documents import FILES_LOCK, Arrived
from llm_ui.services.formats.base import (
    BadEntry,
    ImportedAgent,
    ImportedChat,
    ImportedDocument,
    ImportedFile,
    ImportedMemory,
    ImportedProject,
    ImportedPrompt,
)
from llm_ui.services.formats.files import Entry, Upload
from llm_ui.services.import_agents import store_agent
from llm_ui.services.import_chats import Arrivals
from llm_ui.services.import_progress import Progress
from llm_ui.services.retrieval import NewCase, take_in

BATCH_MESSAGES = 300
"""Of one transaction, unless one chat alone has more: some 50 ms, for which everybody else's writes wait."""
BATCH_HEAVY = 30
"""Chats and documents: a document is an open file until it is in its place."""
BATCH_BYTES = 50 * 10**6
"""Of files that belong to the chats, and of documents."""
BATCH_S = 0.5
"""Longest reading between two transactions, so that the bar moves."""
PAUSE = 0.5
"""Of a transaction's time: how long others have the database for themselves before the next."""
WITHOUT_PROJECT = later("Its project could not be begun, so the document was left out.")
MAX_WHAT_CHARS = 80
"""Of what is named among what was left out."""


Note = Callable[[Session, Progress, int, int], Awaitable[bool]]
"""Writes down, with what came in, how far it is: progress, bytes done, bytes in all; returns whether to go on."""


def upload_path(folder: Path, job_id: JobId) -> Path:
    """Return where the file of an import lies until it is brought in."""
    return folder / "imports" / job_id.hex


async def import_file(
    database: Database,
    store: FileStore,
    actor: Actor,
    path: Path,
    progress: Progress,
    note: Note,
    *,
    max_document_mb: int,
) -> bool:
    """Bring in what a file holds from where `progress` is; return whether the end was reached.

    Raises `InvalidInput` where the file is damaged; what came before is in.
    """
    upload = await asyncio.to_thread(Upload, path)
    entries = _Entries(upload, store, max_document_mb)
    try:
        to_skip = progress.entries
        while batch := await asyncio.to_thread(entries.take, to_skip):
            new = batch[min(to_skip, len(batch)) :]
            to_skip -= len(batch) - len(new)
            received = await asyncio.to_thread(entries.unpack, new, progress)
            began = time.monotonic()
            try:
                # Files take room that is limited, and others may have the same ones.
                async with database.writing(lock=FILES_LOCK if received.has_files else None) as session:
                    await keep(session, actor, new, received, progress)
                    may_go_on = await note(session, progress, batch[-1].done_bytes, upload.total_bytes)
            finally:
                await asyncio.to_thread(received.discard)
            if not may_go_on:
                return False
            await asyncio.sleep(PAUSE * (time.monotonic() - began))
        return True
    finally:
        await asyncio.to_thread(entries.close)


@dataclass(slots=True)
class Beside:
    """What lay beside the entries of a batch."""

    files: dict[str, Received | None] = field(default_factory=dict)
    """Of chats, by the names they had; None for those that were refused, which was told."""
    documents: dict[str, NewFile] = field(default_factory=dict)
    """By their paths; not kept yet."""

    @property
    def has_files(self) -> bool:
        """Return whether anything came beside the entries."""
        return bool(self.files or self.documents)

    def discard(self) -> None:
        """Leave nothing behind of what was not kept."""
        for file in self.documents.values():
            file.discard()


class _Entries:
    """The entries of a file in batches. Used by one thread at a time."""

    def __init__(self, upload: Upload, store: FileStore, max_document_mb: int) -> None:
        self._upload = upload
        self._store = store
        self._max_document_mb = max_document_mb
        self._entries: Iterator[Entry] = upload.entries()
        self._error: LLMUIError | None = None

    def take(self, to_skip: int) -> list[Entry]:
        """Return the next entries, none at the end. Those to skip count as nothing."""
        if self._error is not None:
            raise self._error
        batch: list[Entry] = []
        messages = heavy = size = 0
        deadline = time.monotonic() + BATCH_S
        try:
            for entry in self._entries:
                batch.append(entry)
                if isinstance(entry.what, ImportedChat) and len(batch) > to_skip:
                    heavy += 1
                    messages += len(entry.what.messages)
                    size += sum(self._upload.size(file.sha256) for file in _files(entry.what))
                if isinstance(entry.what, ImportedDocument) and len(batch) > to_skip:
                    heavy += 1
                    size += self._upload.document_size(entry.what.path)
                is_full = heavy >= BATCH_HEAVY or messages >= BATCH_MESSAGES or size >= BATCH_BYTES
                if is_full or time.monotonic() > deadline:
                    break
        except InvalidInput as error:
            # First what came before it.
            self._error = error
            if not batch:
                raise
        return batch

    def unpack(self, entries: Sequence[Entry], progress: Progress) -> Beside:
        """Store the files that belong to some entries.

        What is not in the archive is not looked for on the disk: it may be somebody else's.
        """
        beside = Beside()
        try:
            for chat in (entry.what for entry in entries if isinstance(entry.what, ImportedChat)):
                self._add_files(chat, beside, progress)
            for one in (entry.what for entry in entries if isinstance(entry.what, ImportedDocument)):
                self._add_document(one, beside, progress)
        except BaseException:
            beside.discard()
            raise
        return beside

    def _add_files(self, chat: ImportedChat, beside: Beside, progress: Progress) -> None:
        for file in _files(chat):
            content = b"" if file.sha256 in beside.files else self._upload.content(file.sha256)
            if content:
                name = file_name(file.name)
                try:
                    beside.files[file.sha256] = _taken_in(content, name, self._store)
                except InvalidInput as refusal:
                    beside.files[file.sha256] = None
                    progress.skip(name, refusal.message)

    def _add_document(self, one: ImportedDocument, beside: Beside, progress: Progress) -> None:
        try:
            beside.documents[one.path] = self._document(one)
        except InvalidInput as refusal:
            progress.skip(one.name, refusal.message)

    def _document(self, one: ImportedDocument) -> NewFile:
        """Write a document down. Raises `InvalidInput`."""
        size, most = self._upload.document_size(one.path), self._max_document_mb
        if size == 0:
            raise InvalidInput("The archive does not hold this document.")
        if size > most * 1_000_000:
            raise TooLarge(
                "{name} is larger than {most} MB, which is the most. Make it smaller or split it.",
                name=one.name,
                most=most,
            )
        new = self._store.begin()
        try:
            for piece in self._upload.document(one.path):
                new.write(piece)
            new.settle()
        except BaseException:
            new.discard()
            raise
        return new

    def close(self) -> None:
        """Close the file."""
        self._upload.close()


def _taken_in(content: bytes, name: str, store: FileStore) -> Received:
    """Store what a file holds. Raises `InvalidInput`."""
    media = inspect(content, name)
    if len(media.text) > MAX_PROMPT_CHARS:
        raise InvalidInput(
            "{name} has more than {most} characters, which is the most.", name=name, most=MAX_PROMPT_CHARS
        )
    new = store.begin()
    try:
        new.write(content)
        return Received(name, media, new.size, new.keep())
    finally:
        new.discard()


def _files(chat: ImportedChat) -> Iterator[ImportedFile]:
    return (file for message in chat.messages for file in message.files)


async def keep(session: Session, actor: Actor, entries: Sequence[Entry], received: Beside, progress: Progress) -> None:
    """Store what is new in some entries, with the files that were unpacked, and count it."""
    require(actor, Permission.CHAT)
    waiting: list[ImportedChat] = []
    arrivals = Arrivals(session, actor, received.files, progress)
    for entry in entries:
        match entry.what:
            case BadEntry():
                progress.skip(entry.name, entry.what.why)
            case ImportedProject():
                await arrivals.places.project(entry.what)
            case ImportedAgent():
                await store_agent(session, actor, entry.what, arrivals.places)
            case ImportedPrompt():
                await _store_prompt(session, actor, entry.what, progress)
            case ImportedMemory():
                await _store_memory(session, actor, entry.what, progress)
            case ImportedDocument():
                await _store_document(session, actor, entry.what, received, arrivals)
            case ImportedChat():
                waiting.append(entry.what)
    while waiting:
        # A chat that a file holds twice is first stored, then compared.
        distinct = {(one.source, one.id): one for one in reversed(waiting)}
        waiting = [one for one in waiting if one is not distinct[one.source, one.id]]
        await arrivals.store(list(distinct.values()))
    progress.entries += len(entries)


async def _store_document(
    session: Session, actor: Actor, one: ImportedDocument, received: Beside, arrivals: Arrivals
) -> None:
    file = received.documents.pop(one.path, None)
    if file is None:
        return
    progress = arrivals.places.progress
    project_id = await arrivals.places.project(one.project)
    if project_id is None:
        progress.skip(one.name, WITHOUT_PROJECT)
        return
    sha256 = await asyncio.to_thread(file.keep)
    arrived = Arrived(one.name, file.size, sha256, one.source_url, is_beside=True)
    try:
        info, is_new = await documents.receive(session, actor, project_id, arrived)
        progress.documents_added += is_new
        cases = [NewCase(case.question, info.id, case.passage, case.is_wanted) for case in one.cases]
        await take_in(session, actor, project_id, cases)
    except (InvalidInput, Forbidden) as refusal:
        progress.skip(one.name, refusal.message)


async def _store_prompt(session: Session, actor: Actor, prompt: ImportedPrompt, progress: Progress) -> None:
    mine = {one.name: one.text for one in await library.list_prompts(session, actor) if one.is_mine}
    if mine.get(prompt.name) == prompt.text:
        return
    try:
        await library.save(session, actor, None, prompt.name, prompt.text, is_shared=False)
    except InvalidInput as refusal:
        progress.skip(f"/{prompt.name}", refusal.message)
    else:
        progress.prompts_added += 1


async def _store_memory(session: Session, actor: Actor, memory: ImportedMemory, progress: Progress) -> None:
    text = " ".join(memory.text.split())
    if text in {one.text for one in await memories.list_memories(session, actor)}:
        return
    try:
        await memories.save(session, actor, None, text, is_on=memory.is_on)
    except InvalidInput as refusal:
        progress.skip(one_line(text, MAX_WHAT_CHARS), refusal.message)
    else:
        progress.memories_added += 1
