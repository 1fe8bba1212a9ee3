"""Keys with which scripts ask the API."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Uuid, false
from sqlalchemy.orm import Mapped, mapped_column

from llm_ui.kit.ids import KeyId, ProjectId, UserId, uuid7
from llm_ui.models.base import Base


class KeyScope(StrEnum):
    """What a key may be used for."""

    CHAT = "chat"
    EMBEDDINGS = "embeddings"
    MODELS = "models"
    """Listing the models it may ask."""
    CONVERSATIONS_READ = "conversations:read"
    CONVERSATIONS_WRITE = "conversations:write"
    PROJECTS_READ = "projects:read"
    PROJECTS_WRITE = "projects:write"
    DOCUMENTS_READ = "documents:read"
    """Looking for passages in them too."""
    DOCUMENTS_WRITE = "documents:write"
    PROMPTS_READ = "prompts:read"
    PROMPTS_WRITE = "prompts:write"
    AGENTS_READ = "agents:read"
    AGENTS_WRITE = "agents:write"
    USAGE_READ = "usage:read"


class ApiKey(Base):
    """A key. Only the SHA-256 of it is stored, and its first characters, by which its owner knows it."""

    __tablename__ = "api_keys"
    __table_args__ = (Index(None, "user_id"), Index(None, "revoked_at"))

    id: Mapped[KeyId] = mapped_column(primary_key=True, default=lambda: KeyId(uuid7()))
    series_id: Mapped[UUID] = mapped_column(Uuid())
    """The same for a key and those that took its place: they share a budget. It is the first one's id."""
    user_id: Mapped[UserId] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    project_id: Mapped[ProjectId | None] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    """Where its use is booked. A key goes with its project, as it would spend without its budget."""
    name: Mapped[str] = mapped_column(String(64))
    prefix: Mapped[str] = mapped_column(String(16))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    scopes: Mapped[list[str]]
    models: Mapped[list[str] | None]
    """Ids of the models that may be asked; None: all that its owner may ask."""
    addresses: Mapped[list[str]]
    """Networks that it may be used from; none of them: from anywhere."""
    requests_per_minute: Mapped[int | None]
    """None: as many as anybody."""
    keeps_answers: Mapped[bool] = mapped_column(default=False, server_default=false())
    keeps_similar: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether answers to it are kept and given again, also of models whose answers are not."""
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
