"""Who may do what and who may see what: the only place that knows."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Select, exists, false, select, true
from sqlalchemy.orm import InstrumentedAttribute, aliased

from llm_ui.errors import Forbidden
from llm_ui.kit.ids import ChatId, KeyId, ModelId, ProjectId, SessionId, UserId
from llm_ui.models import (
    AccountLink,
    Agent,
    AiModel,
    AiProvider,
    ApiKey,
    Attachment,
    AuditLog,
    AutoModel,
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
    ProjectTeam,
    PromptVersion,
    ProviderKind,
    RetrievalCase,
    Role,
    Run,
    SavedPrompt,
    ServiceAccount,
    ShareLink,
    SystemPrompt,
    Team,
    TeamMember,
    TeamModel,
    TeamRole,
    UsageLog,
    User,
    UserMemory,
    UserSession,
)
from llm_ui.models.base import Base

T = TypeVar("T", bound=Base)
KEPT = 1_000
"""Queries that are kept, for tables and people: most have 3 KB each."""


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
class KeyRights:
    """What is left of its owner's rights to whoever has a key of the API."""

    key_id: KeyId
    series_id: UUID
    """What its budget is of."""
    project_id: ProjectId | None
    """Nothing outside of this project is there for it; None: it is of no project."""
    models: frozenset[ModelId] | None
    """Those that may be asked; None: all that its owner may ask."""
    keeps_answers: bool = False
    """Whether answers to it are kept and given again."""
    keeps_similar: bool = False
    """Whether they are given to questions that mean the same, too."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Whoever acts. Made from a live session, a ticket, a key or the command line; never from what a browser says."""

    user_id: UserId
    name: str
    role: Role
    session_id: SessionId | None = None
    key: KeyRights | None = None
    """With which a script asks; None: no script does."""

    @property
    def wall(self) -> ProjectId | None:
        """The project that all has to be in; None: there is no such wall."""
        return None if self.key is None else self.key.project_id

    def may(self, permission: Permission) -> bool:
        """Return whether the actor may do this. With a key nothing is administered, whoever has made it."""
        return permission in ROLE_PERMISSIONS[self.role] and (self.key is None or permission is Permission.CHAT)


OWNERS: dict[type[Base], InstrumentedAttribute[UserId]] = {
    Run: Run.user_id,
    MessageFeedback: MessageFeedback.user_id,
    ShareLink: ShareLink.user_id,
    BackgroundJob: BackgroundJob.user_id,
    UserMemory: UserMemory.user_id,
    UsageLog: UsageLog.user_id,
}
"""Tables whose rows are their owner's alone, and the column that names the owner."""

OF_A_PROJECT: dict[type[Base], InstrumentedAttribute[ProjectId]] = {
    Project: Project.id,
    ProjectMember: ProjectMember.project_id,
    ProjectTeam: ProjectTeam.project_id,
    Document: Document.project_id,
    DocumentChunk: DocumentChunk.project_id,
    DocumentFetch: DocumentFetch.project_id,
    RetrievalCase: RetrievalCase.project_id,
}
"""Tables whose rows all members of a project see, and the column that names the project."""

FOR_EVERYBODY: dict[type[Base], InstrumentedAttribute[datetime | None]] = {
    AiProvider: AiProvider.deleted_at,
    AiModel: AiModel.deleted_at,
}
"""Tables that everybody reads, and the column that says that a row is deleted."""

FOR_ADMINISTRATORS: dict[type[Base], Permission] = {
    AuditLog: Permission.MANAGE_SETTINGS,
    AccountLink: Permission.MANAGE_USERS,
    AutoModel: Permission.MANAGE_PROVIDERS,
    Evaluation: Permission.MANAGE_SETTINGS,
}
"""Tables that administrators read, and the permission that it takes."""

SYSTEM = Actor(user_id=UserId(UUID(int=0)), name="system", role=Role.ADMIN)
"""The command line and the product's own jobs."""


def require(actor: Actor, permission: Permission) -> None:
    """Raise `Forbidden` unless the actor may do this."""
    if not actor.may(permission):
        raise Forbidden


def require_within(actor: Actor, project_id: ProjectId | None) -> None:
    """Raise `Forbidden` when the actor's key is of a project, and this is outside of it."""
    if actor.wall not in (None, project_id):
        raise Forbidden("This key is of one project, and this would be outside of it. Use another key.")


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
    """Return the rule of projects: their members may do what their role allows. Nobody else may, whoever it is.

    Members are people, and teams with all who are in them at that moment.
    """
    roles = [role for role, rights in PROJECT_RIGHTS.items() if right in rights]
    # Other names: members are read by this very rule.
    mine, team, of_team = aliased(ProjectMember), aliased(ProjectTeam), aliased(TeamMember)
    own = select(mine.project_id).where(mine.user_id == actor.user_id, mine.role.in_(roles))
    by_team = select(team.project_id).join(of_team, of_team.team_id == team.team_id)
    by_team = by_team.where(of_team.user_id == actor.user_id, team.role.in_(roles))
    return project_id.in_(own.union_all(by_team))


def is_in_project(
    project_id: InstrumentedAttribute[ProjectId] | InstrumentedAttribute[ProjectId | None],
    user_id: InstrumentedAttribute[UserId] | ColumnElement[UserId],
) -> ColumnElement[bool]:
    """Return the same rule for rows that name a project and a person: whether they are a member of it, in any role."""
    member, team, of_team = aliased(ProjectMember), aliased(ProjectTeam), aliased(TeamMember)
    own = exists().where(member.project_id == project_id, member.user_id == user_id)
    by_team = exists().where(team.project_id == project_id, of_team.team_id == team.team_id, of_team.user_id == user_id)
    return own | by_team


def may_ask(actor: Actor) -> ColumnElement[bool]:
    """Return the rule of who may ask a model: of those that are kept for teams only their members, and administrators.

    The product itself asks as an administrator where it chooses the model.
    """
    if actor.may(Permission.MANAGE_PROVIDERS):
        return true()
    of_team = TeamMember.team_id == TeamModel.team_id
    is_mine = exists().where(TeamModel.model_id == AiModel.id, of_team, TeamMember.user_id == actor.user_id)
    return ~exists().where(TeamModel.model_id == AiModel.id) | is_mine


def _is_of_a_project(table: type[Base], actor: Actor) -> ColumnElement[bool]:
    """Return the rule of what belongs to a project: that of the project."""
    if table is DocumentPage:
        is_mine = _is_of_a_project(Document, actor)
        return exists().where(Document.id == DocumentPage.document_id, is_mine)
    return may_in_project(OF_A_PROJECT[table], actor)


def _is_of_a_person(table: type[Base], actor: Actor) -> ColumnElement[bool]:
    """Return the rule of what people see of accounts: their own, and of their teams who and what else is in them.

    Of keys their own, and those of the service accounts of teams that they own.
    """
    own = {User: User.id, UserSession: UserSession.user_id}
    if table in own:
        return own[table] == actor.user_id
    # Another name: members are read by this very rule.
    mine = aliased(TeamMember)
    if table is ApiKey:
        of_team = exists().where(ServiceAccount.user_id == ApiKey.user_id, ServiceAccount.team_id == mine.team_id)
        is_owner = mine.user_id == actor.user_id, mine.role == TeamRole.OWNER
        return (ApiKey.user_id == actor.user_id) | of_team.where(*is_owner)
    team_ids = {Team: Team.id, TeamMember: TeamMember.team_id, ServiceAccount: ServiceAccount.team_id}
    team_id = team_ids[table]
    return exists().where(mine.team_id == team_id, mine.user_id == actor.user_id)


def readable(table: type[T], actor: Actor) -> Select[T]:
    """Return the rows of the table that the actor may see, as a query that every read starts from.

    What was deleted is left out, and for a key of a project what is outside of it. Raises `TypeError` for a table
    without a rule, so that a new table cannot be read before somebody has thought about it.
    """
    return _readable(table, actor)


@lru_cache(KEPT)
def _readable(table: type[Any], actor: Actor) -> Select[Any]:
    """Return the same, put together once: that takes longer than to read the rows."""
    query = _of_person(table, actor)
    return query if actor.wall is None else query.where(_is_within(table, actor.wall))


WITHIN: dict[type[Base], InstrumentedAttribute[ProjectId] | InstrumentedAttribute[ProjectId | None]] = {
    Project: Project.id,
    ProjectMember: ProjectMember.project_id,
    ProjectTeam: ProjectTeam.project_id,
    ChatHistory: ChatHistory.project_id,
    Document: Document.project_id,
    DocumentChunk: DocumentChunk.project_id,
    DocumentFetch: DocumentFetch.project_id,
    RetrievalCase: RetrievalCase.project_id,
    UserMemory: UserMemory.project_id,
    UsageLog: UsageLog.project_id,
    Agent: Agent.project_id,
}
"""Tables that say in which project a row is."""
OF_CHATS: dict[type[Base], InstrumentedAttribute[ChatId]] = {
    ChatMessage: ChatMessage.chat_id,
    ChatTag: ChatTag.chat_id,
    ChatSummary: ChatSummary.chat_id,
    Run: Run.chat_id,
}
"""Tables whose rows are where their chat is."""


def _is_within(table: type[Base], wall: ProjectId) -> ColumnElement[bool]:
    """Return the rule of keys of a project: what is in it, and what is for everybody or tells who has made the key."""
    if table in WITHIN:
        return WITHIN[table] == wall
    if table in OF_CHATS:
        return exists().where(ChatHistory.id == OF_CHATS[table], ChatHistory.project_id == wall)
    if table is Attachment:
        return exists().where(ChatMessage.id == Attachment.message_id, _is_within(ChatMessage, wall))
    if table is DocumentPage:
        return exists().where(Document.id == DocumentPage.document_id, Document.project_id == wall)
    if table is SystemPrompt:
        return SystemPrompt.owner_id.is_(None)
    if table is SavedPrompt:
        return SavedPrompt.is_shared.is_(True)
    return true() if table in FOR_EVERYBODY or table is User else false()


def _of_person(table: type[T], actor: Actor) -> Select[T]:
    query = select(table)
    if table is ChatHistory:
        return query.where(ChatHistory.user_id == actor.user_id, ChatHistory.deleted_at.is_(None))
    if table in (ChatMessage, ChatTag, ChatSummary, Attachment):
        return query.where(_is_of_a_chat(table, actor))
    if table in OF_A_PROJECT or table is DocumentPage:
        return query.where(_is_of_a_project(table, actor))
    if table in OWNERS:
        return query.where(OWNERS[table] == actor.user_id)
    if table in FOR_EVERYBODY:
        there = query.where(FOR_EVERYBODY[table].is_(None))
        # What holds the *Auto* models is no provider: nobody is asked there.
        return there.where(AiProvider.kind != ProviderKind.AUTO) if table is AiProvider else there
    if table in (SavedPrompt, SystemPrompt, PromptVersion, Agent):
        return query.where(_is_offered(table, actor))
    if table in (User, UserSession, ApiKey, Team, TeamMember, ServiceAccount):
        return query if actor.may(Permission.MANAGE_USERS) else query.where(_is_of_a_person(table, actor))
    if table in FOR_ADMINISTRATORS:
        require(actor, FOR_ADMINISTRATORS[table])
        return query
    raise TypeError(f"nobody has decided who may read {table.__name__}")
