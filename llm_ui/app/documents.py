"""Documents of a project over plain HTTP: taken in, and given back to whoever may see them."""

from typing import Any
from uuid import UUID

from llm_ui.app.streamed import StoredFile, StreamedUpload
from llm_ui.db import Session
from llm_ui.errors import InvalidInput, LLMUIError
from llm_ui.kit.file_store import NewFile
from llm_ui.kit.ids import DocumentId, ProjectId
from llm_ui.observability.logging import get_logger
from llm_ui.services import documents
from llm_ui.services.access import Actor
from llm_ui.services.documents import Arrived

log = get_logger(__name__)

SAVED_AS = "application/octet-stream"
"""A browser shows none of it, whatever it is: it is saved."""


class DocumentUpload(StreamedUpload):
    """Takes in one document of a project."""

    @property
    def most_mb(self) -> int:
        """What a document may have."""
        return self.site.backend.config.max_document_mb

    async def admit(self, actor: Actor) -> None:
        """Raise `NotFound` unless the project is theirs, `Conflict` when it is archived, `TooLarge` without room."""
        length = self.request.headers.get("Content-Length", "0")
        async with self.site.backend.database.reading() as session:
            await documents.admit(session, actor, self._project_id, self.name, int(length))

    async def look_at(self, file: NewFile, name: str) -> None:
        """Refuse what is empty; what is in it the worker reads."""
        if file.size == 0:
            raise InvalidInput("{name} is empty. Pick another file.", name=name)

    async def write_down(self, session: Session, actor: Actor, sha256: str, size: int) -> dict[str, Any]:
        """Note the document, to be read by a worker."""
        found, is_new = await documents.receive(session, actor, self._project_id, Arrived(self.name, size, sha256))
        log.info("document.received", document_id=found.id, size_bytes=size, is_new=is_new, version=found.version)
        return {"id": str(found.id), "name": found.name, "is_new": is_new, "version": found.version}

    @property
    def _project_id(self) -> ProjectId:
        return ProjectId(UUID(self.path_args[0]))


class DocumentFile(StoredFile):
    """The file of a document."""

    async def get(self, document: str) -> None:
        """Send it, to be saved."""
        if self.actor is None:
            self.redirect("/login")
            return
        try:
            async with self.site.backend.database.reading() as session:
                found = await documents.find(session, self.actor, DocumentId(UUID(document)))
        except (LLMUIError, ValueError):
            self.say_missing()
            return
        await self.send(found.sha256, found.name, SAVED_AS)
