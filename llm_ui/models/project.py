"""What chats are sorted by: projects and tags."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from llm_ui.kit.clock import now
from llm_ui.kit.ids import ChatId, ModelId, ProjectId, UserId, uuid7
from llm_ui.models.base import Base, Timestamped, enum_column


class ProjectColor(StrEnum):
    """What a project is told from others by; the shades are in assets/theme.css."""

    GREY = "grey"
    RED = "red"
    ORANGE = "orange"
    GREEN = "green"
    TEAL = "teal"
    BLUE = "blue"
    VIOLET = "violet"
    PINK = "pink"


class ProjectIcon(StrEnum):
    """What stands before its name; the drawings are in assets/chat_project_look.js."""

    FOLDER = "folder"
    BOOK = "book"
    BRIEFCASE = "briefcase"
    CALENDAR = "calendar"
    CHART = "chart"
    CODE = "code"
    FLASK = "flask"
    GLOBE = "globe"
    HEART = "heart"
    HOUSE = "house"
    LAMP = "lamp"
    LEAF = "leaf"
    MUSIC = "music"
    PEOPLE = "people"
    STAR = "star"
    WRENCH = "wrench"


class Cutting(StrEnum):
    """Where passages of a document begin and end."""

    STRUCTURE = "structure"
    """With its sections, paragraphs and tables, over the ends of pages."""
    PAGES = "pages"
    """As well, but never over the end of a page: of slides, where each says one thing."""


class Strategy(StrEnum):
    """Ways to find passages, by their names."""

    LEXICAL = "lexical"
    """By their words."""
    VECTOR = "vector"
    """By what they mean."""
    HYBRID = "hybrid"
    """By both."""


class ProjectRole(StrEnum):
    """What a member may do in a project; what that is says services/access.py."""

    VIEWER = "viewer"
    EDITOR = "editor"
    OWNER = "owner"


class Project(Timestamped, Base):
    """Chats and documents that belong together. Nothing crosses from one project to another."""

    __tablename__ = "projects"
    __table_args__ = (UniqueConstraint("owner_id", "name"),)

    id: Mapped[ProjectId] = mapped_column(primary_key=True, default=lambda: ProjectId(uuid7()))
    owner_id: Mapped[UserId] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    """The owner among whose projects its name is no other's. Who may do what stands in `project_members`."""
    name: Mapped[str] = mapped_column(String(80))
    instructions: Mapped[str] = mapped_column(default="", server_default="")
    """What models are told in all chats of the project; may be empty."""
    color: Mapped[ProjectColor] = mapped_column(
        enum_column(ProjectColor), default=ProjectColor.GREY, server_default=ProjectColor.GREY.value
    )
    icon: Mapped[ProjectIcon] = mapped_column(
        enum_column(ProjectIcon), default=ProjectIcon.FOLDER, server_default=ProjectIcon.FOLDER.value
    )
    model_id: Mapped[ModelId | None]
    """What its chats begin with; None: the model its person has picked. No foreign key, as with `project_id` of chats.
    """
    model_name: Mapped[str] = mapped_column(String(200), default="", server_default="")
    """As it was called when it was picked, so that one that is gone can be named."""
    temperature: Mapped[float | None]
    max_tokens: Mapped[int | None]
    cutting: Mapped[Cutting] = mapped_column(
        enum_column(Cutting), default=Cutting.STRUCTURE, server_default=Cutting.STRUCTURE.value
    )
    passage_tokens: Mapped[int] = mapped_column(default=350, server_default="350")
    """What a passage of its documents has at most, but for a long row of a table."""
    overlap_tokens: Mapped[int] = mapped_column(default=50, server_default="50")
    """What a passage repeats of the one before."""
    strategy: Mapped[Strategy | None] = mapped_column(enum_column(Strategy))
    """How passages are found for its chats; None: by both where an embedding model is set, else by words."""
    is_template: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether it is offered where a project is begun."""
    archived_at: Mapped[datetime | None]
    """While it is put away, it and its chats are only read."""
    keep_days: Mapped[int | None]
    """After so many days without a change its chats go to the bin, but for pinned ones; None: never."""


class ProjectMember(Base):
    """Somebody who may do something in a project. Each project has an owner at least."""

    __tablename__ = "project_members"
    __table_args__ = (Index(None, "user_id"),)

    project_id: Mapped[ProjectId] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[UserId] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    role: Mapped[ProjectRole] = mapped_column(enum_column(ProjectRole))
    lets_memory_in: Mapped[bool] = mapped_column(default=False)
    """Whether models are told there what this person has told of themselves."""
    created_at: Mapped[datetime] = mapped_column(default=now)


class ChatTag(Base):
    """A word that a chat is found by. The owner is the chat's."""

    __tablename__ = "chat_tags"
    __table_args__ = (Index(None, "name"),)

    chat_id: Mapped[ChatId] = mapped_column(ForeignKey("chat_histories.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
