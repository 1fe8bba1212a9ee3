"""Who may do what and who may see what: the only place that knows."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Select, exists, select
from sqlalchemy.orm import InstrumentedAttribute, aliased

from llm_ui.errors import Forbidden
from llm_ui.kit.ids import ProjectId, SessionId, UserId
from llm_ui.models import (
    AccountLink,
    Agent,
    AiModel,
    AiProvider,
    ApiKey,
    Attachment,
    AuditLog,
    BackgroundJob,
    ChatHistory,
    ChatMessage,
    ChatSummary,
    ChatTag,
    Document,
    DocumentChunk,
    DocumentFetch,
    DocumentPage,
    Evaluation,
    MessageFeedback,
    Project,
    ProjectMember,
    ProjectRole,
    PromptVersion,
    RetrievalCase,
    Role,
    Run,
    SavedPrompt,
    ShareLink,
    SystemPrompt,
    UsageLog,
    User,
    UserMemory,
    UserSession,
)
from llm_ui.models.base import Base

T = TypeVar("T", bound=Base)


class Permission(StrEnum):
    """What can be allowed."""

    CHAT = "chat"
    MANAGE_PROVIDERS = "providers.manage"
    MANAGE_USERS = "users.manage"
    MANAGE_SETTINGS = "settings.manage"
    SEE_FIGURES = "figures.see"
    """The figures of everybody, without anybody's content."""


ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.ADMIN: frozenset(Permission),
    Role.OPERATOR: frozenset({Permission.CHAT, Permission.SEE_FIGURES}),
    Role.USER: frozenset({Permission.CHAT}),
}


class ProjectRight(StrEnum):
    """What can be allowed in a project."""

    ASK = "ask"
    """Ask in it with what it has, and read its documents."""
    EDIT = "edit"
    """Change its documents, its instructions, and what its chats begin with."""
    OWN = "own"
    """Decide on its members, its name and its end."""


PROJECT_RIGHTS: dict[ProjectRole, frozenset[ProjectRight]] = {
    ProjectRole.VIEWER: frozenset({ProjectRight.ASK}),
    ProjectRole.EDITOR: frozenset({ProjectRight.ASK, ProjectRight.EDIT}),
    ProjectRole.OWNER: frozenset(ProjectRight),
}


@dataclass(frozen=True, slots=True)
class Actor:
    """Whoever acts. Made from a live session, a ticket or the command line; never from what a browser says."""

    user_id: UserId
    name: str
    role: Role
    session_id: SessionId | None = None

    def may(self, permission: Permission) -> bool:
        """Return whether the actor may do this."""
        return permission in ROLE_PERMISSIONS[self.role]


OWNERS: dict[type[Base], InstrumentedAttribute[UserId]] = {
    Run: Run.user_id,
    MessageFeedback: MessageFeedback.user_id,
    ShareLink: ShareLink.user_id,
    BackgroundJob: BackgroundJob.user_id,
    UserMemory: UserMemory.user_id,
    UsageLog: UsageLog.user_id,
}
"""Tables whose rows are their owner's alone, and the column that names the owner."""

FOR_EVERYBODY: dict[type[Base], InstrumentedAttribute[datetime | None]] = {
    AiProvider: AiProvider.deleted_at,
    AiModel: AiModel.deleted_at,
}
"""Tables that everybody reads, and the column that says that a row is deleted."""

FOR_ADMINISTRATORS: dict[type[Base], Permission] = {
    AuditLog: Permission.MANAGE_SETTINGS,
    AccountLink: Permission.MANAGE_USERS,
    Evaluation: Permission.MANAGE_SETTINGS,
}
"""Tables that administrators read, and the permission that it takes."""

SYSTEM = Actor(user_id=UserId(UUID(int=0)), name="system", role=Role.ADMIN)
"""The command line and the product's own jobs."""


def require(actor: Actor, permission: Permission) -> None:
    """Raise `Forbidden` unless the actor may do this."""
    if not actor.may(permission):
        raise Forbidden


def _is_offered(table: type[Base], actor: Actor) -> ColumnElement[bool]:
    """Return the rule of prompts and agents: one's own and those for everybody; of versions, who may change it."""
    if table is Agent:
        return _is_agent(actor)
    if table is PromptVersion:
        is_own = SystemPrompt.owner_id == actor.user_id
        may_change = is_own | SystemPrompt.owner_id.is_(None) if actor.may(Permission.MANAGE_SETTINGS) else is_own
        of_system = exists().where(SystemPrompt.id == PromptVersion.system_prompt_id, may_change)
        is_mine = SavedPrompt.owner_id == actor.user_id
        return of_system | exists().where(SavedPrompt.id == PromptVersion.saved_prompt_id, is_mine)
    if table is SavedPrompt:
        return SavedPrompt.is_shared | (SavedPrompt.owner_id == actor.user_id)
    is_mine_or_shared = SystemPrompt.owner_id.is_(None) | (SystemPrompt.owner_id == actor.user_id)
    return is_mine_or_shared & SystemPrompt.deleted_at.is_(None)


def _is_agent(actor: Actor) -> ColumnElement[bool]:
    """Return the rule of agents: one's own, and those that are shared by somebody who may still share."""
    sharers = [role for role, allowed in ROLE_PERMISSIONS.items() if Permission.MANAGE_SETTINGS in allowed]
    may_share = exists().where(User.id == Agent.owner_id, User.is_active, User.role.in_(sharers))
    return ((Agent.owner_id == actor.user_id) | (Agent.is_shared & may_share)) & Agent.deleted_at.is_(None)


def _is_of_a_chat(table: type[Base], actor: Actor) -> ColumnElement[bool]:
    """Return the rule of what belongs to a chat: one's own, neither deleted nor in a chat of the bin."""
    is_open = ChatHistory.user_id == actor.user_id, ChatHistory.deleted_at.is_(None)
    if table in (ChatTag, ChatSummary):
        chat_id = ChatTag.chat_id if table is ChatTag else ChatSummary.chat_id
        return exists().where(ChatHistory.id == chat_id, *is_open)
    is_kept = exists().where(ChatHistory.id == ChatMessage.chat_id, *is_open) & ChatMessage.deleted_at.is_(None)
    if table is ChatMessage:
        return is_kept
    is_of_message = exists().where(ChatMessage.id == Attachment.message_id, is_kept)
    return (Attachment.user_id == actor.user_id) & (Attachment.message_id.is_(None) | is_of_message)


def may_in_project(
    project_id: InstrumentedAttribute[ProjectId] | InstrumentedAttribute[ProjectId | None],
    actor: Actor,
    right: ProjectRight = ProjectRight.ASK,
) -> ColumnElement[bool]:
    """Return the rule of projects: their members may do what their role allows. Nobody else may, whoever it is."""
    roles = [role for role, rights in PROJECT_RIGHTS.items() if right in rights]
    # Another name: members are read by this very rule.
    mine = aliased(ProjectMember)
    return exists().where(mine.project_id == project_id, mine.user_id == actor.user_id, mine.role.in_(roles))


def _is_of_a_project(table: type[Base], actor: Actor) -> ColumnElement[bool]:
    """Return the rule of what belongs to a project: that of the project."""
    if table is DocumentPage:
        is_mine = _is_of_a_project(Document, actor)
        return exists().where(Document.id == DocumentPage.document_id, is_mine)
    project_ids: dict[type[Base], InstrumentedAttribute[ProjectId]] = {
        Project: Project.id,
        ProjectMember: ProjectMember.project_id,
        Document: Document.project_id,
        DocumentChunk: DocumentChunk.project_id,
        DocumentFetch: DocumentFetch.project_id,
        RetrievalCase: RetrievalCase.project_id,
    }
    project_id = project_ids[table]
    return may_in_project(project_id, actor)


def readable(table: type[T], actor: Actor) -> Select[T]:
    """Return the rows of the table that the actor may see, as a query that every read starts from.

    What was deleted is left out. Raises `TypeError` for a table without a rule, so that a new table cannot be
    read before somebody has thought about it.
    """
    query = select(table)
    if table is ChatHistory:
        return query.where(ChatHistory.user_id == actor.user_id, ChatHistory.deleted_at.is_(None))
    if table in (ChatMessage, ChatTag, ChatSummary, Attachment):
        return query.where(_is_of_a_chat(table, actor))
    if table in (Project, ProjectMember, Document, DocumentPage, DocumentChunk, DocumentFetch, RetrievalCase):
        return query.where(_is_of_a_project(table, actor))
    if table in OWNERS:
        return query.where(OWNERS[table] == actor.user_id)
    if table in FOR_EVERYBODY:
        return query.where(FOR_EVERYBODY[table].is_(None))
    if table in (SavedPrompt, SystemPrompt, PromptVersion, Agent):
        return query.where(_is_offered(table, actor))
    if table in (UserSession, ApiKey):
        user_id = ApiKey.user_id if table is ApiKey else UserSession.user_id
        return query if actor.may(Permission.MANAGE_USERS) else query.where(user_id == actor.user_id)
    if table is User:
        return query if actor.may(Permission.MANAGE_USERS) else query.where(User.id == actor.user_id)
    if table in FOR_ADMINISTRATORS:
        require(actor, FOR_ADMINISTRATORS[table])
        return query
    raise TypeError(f"nobody has decided who may read {table.__name__}")
