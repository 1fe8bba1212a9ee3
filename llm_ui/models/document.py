"""Documents of a project: the files, what was read of them, and the passages that are searched."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from llm_ui.kit.ids import ChunkId, DocumentId, FetchId, ModelId, ProjectId, UserId, uuid7
from llm_ui.models.base import Base, Timestamped, enum_column


class DocumentStage(StrEnum):
    """How far a document is. It is searched once it is ready, as a whole or not at all."""

    RECEIVED = "received"
    """The file is stored."""
    PARSED = "parsed"
    """Its text is stored, page by page."""
    READY = "ready"
    """Its passages are stored, and the index holds their words."""
    FAILED = "failed"
    """It cannot be read; `error_message` says why."""


class Document(Timestamped, Base):
    """A file of a project. What it holds lies in the data folder under `sha256`, once for all that hold the same."""

    __tablename__ = "documents"
    __table_args__ = (
        UniqueConstraint("project_id", "sha256"),
        Index(None, "stage", "heartbeat_at"),
        Index(None, "sha256"),
    )

    id: Mapped[DocumentId] = mapped_column(primary_key=True, default=lambda: DocumentId(uuid7()))
    project_id: Mapped[ProjectId] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    user_id: Mapped[UserId] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    """Who brought it."""
    name: Mapped[str] = mapped_column(String(200))
    media_type: Mapped[str] = mapped_column(String(100), default="")
    """As found in the bytes when it was read."""
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
    source_url: Mapped[str | None] = mapped_column(String(2_000))
    """Where it was fetched from; None: somebody brought it."""
    version: Mapped[int] = mapped_column(default=1)
    """Counts the files that this document was, one after the other."""
    copy_of: Mapped[DocumentId | None]
    """The document of another project whose pages and passages it takes over instead of being read. No foreign key:
    when that one is gone, the file is read."""
    stage: Mapped[DocumentStage] = mapped_column(enum_column(DocumentStage), default=DocumentStage.RECEIVED)
    error_message: Mapped[str | None]
    remark: Mapped[str] = mapped_column(default="")
    """What its person should know of how it was read, such as invisible text that was left out; else empty."""
    page_count: Mapped[int] = mapped_column(default=0)
    has_pages: Mapped[bool] = mapped_column(default=False)
    """Whether these are pages of paper or slides that a person counts, and not pieces that we made."""
    chunk_count: Mapped[int] = mapped_column(default=0)
    tokens: Mapped[int] = mapped_column(default=0)
    """Estimated, of all passages."""
    attempts: Mapped[int] = mapped_column(default=0)
    """How often a worker has begun to read it since it was asked to."""
    lease_owner: Mapped[str | None] = mapped_column(String(64))
    heartbeat_at: Mapped[datetime | None]
    embedded_by: Mapped[ModelId | None]
    """The model that made vectors of all its passages; None while there are none, or not of all."""
    embedded_at: Mapped[datetime | None]
    """When the last of them was made."""
    embed_error: Mapped[str | None]
    """Why the last attempt to make them failed."""
    embed_attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    """How often the model refused these very passages."""


class DocumentFetch(Timestamped, Base):
    """What is to be fetched from the web into a project. The row goes once the document is there."""

    __tablename__ = "document_fetches"
    __table_args__ = (Index(None, "project_id"),)

    id: Mapped[FetchId] = mapped_column(primary_key=True, default=lambda: FetchId(uuid7()))
    project_id: Mapped[ProjectId] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    user_id: Mapped[UserId] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    """Who asked for it."""
    address: Mapped[str] = mapped_column(String(2_000))
    error_message: Mapped[str | None]
    """Why it failed; None: it waits, or a worker is at it."""
    attempts: Mapped[int] = mapped_column(default=0)
    """How often a worker has begun since it was asked for."""
    lease_owner: Mapped[str | None] = mapped_column(String(64))
    heartbeat_at: Mapped[datetime | None]


class DocumentPage(Base):
    """One page of a document as it was read; of a document without pages a piece of some thousand characters."""

    __tablename__ = "document_pages"

    document_id: Mapped[DocumentId] = mapped_column(ForeignKey("documents.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    """From 1."""
    blocks: Mapped[list[dict[str, Any]]]
    """Its blocks in reading order, each as `Block` of llm_ui/kit/reading.py tells it."""


class DocumentChunk(Base):
    """A passage of a document: what is searched and shown to models."""

    __tablename__ = "document_chunks"
    __table_args__ = (UniqueConstraint("document_id", "position"), Index(None, "project_id"))

    id: Mapped[ChunkId] = mapped_column(
        BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=True
    )
    """A number, because the rows of SQLite's full-text index have one."""
    document_id: Mapped[DocumentId] = mapped_column(ForeignKey("documents.id", ondelete="CASCADE"))
    project_id: Mapped[ProjectId] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    """The document's: the wall stands in this table, not behind a join."""
    position: Mapped[int]
    """From 0, in reading order."""
    title_path: Mapped[str]
    """The headings it stands under, outermost first, one a line; may be empty."""
    text: Mapped[str]
    page_from: Mapped[int]
    page_to: Mapped[int]
    tokens: Mapped[int]
    """Estimated."""


class PassageVector(Base):
    """What a passage means, as an embedding model tells it."""

    __tablename__ = "passage_vectors"

    chunk_id: Mapped[ChunkId] = mapped_column(ForeignKey("document_chunks.id", ondelete="CASCADE"), primary_key=True)
    project_id: Mapped[ProjectId] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    """The passage's: the wall stands in this table too."""
    model_id: Mapped[ModelId] = mapped_column(ForeignKey("ai_models.id", ondelete="CASCADE"))
    vector: Mapped[bytes] = mapped_column(LargeBinary)
    """As kit/vectors.py packs it."""
