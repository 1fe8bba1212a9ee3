"""How long chats are kept: rules of roles, teams and projects, and which chats are due under them.

Of the rules that apply to a chat the one that keeps it the shortest decides. Legal holds win over all of them, pinned
chats and those that are being answered stay. What is due goes to the bin with the next clean-up of the worker, which
asks `is_due` just as the preview of a rule does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Case, ColumnElement, and_, case, delete, exists, func, literal, or_, select, true, union
from sqlalchemy.orm import InstrumentedAttribute

from llm_ui.db import ReadSession, Session
from llm_ui.errors import InvalidInput, NotFound
from llm_ui.kit.clock import now
from llm_ui.kit.ids import ProjectId, TeamId
from llm_ui.kit.text import name_key
from llm_ui.models import (
    LIVE_STATUSES,
    Attachment,
    AuditLog,
    ChatHistory,
    ChatMessage,
    KeepRule,
    Project,
    Role,
    Run,
    Team,
    TeamMember,
    User,
)
from llm_ui.services import audit, holds
from llm_ui.services.access import Actor, Permission, require

LOCK = "keeping"
"""One change of a rule after the other: two first rules of a team would meet."""
MAX_KEEP_DAYS = 3_650
SHOWN = 200
"""Of the rules of teams, and of projects."""
OF_PROJECT = "project.retention_changed"


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose chats a rule is for: one of these is set."""

    role: Role | None = None
    team_id: TeamId | None = None
    project_id: ProjectId | None = None


@dataclass(frozen=True, slots=True)
class RuleInfo:
    """A rule, as it is listed."""

    subject: Subject
    name: str
    """Of the team or project; empty for a role."""
    days: int | None
    """None: this role has no rule."""
    set_by: str
    """Empty where that is not known."""
    set_at: datetime | None


@dataclass(frozen=True, slots=True)
class Preview:
    """What would go to the bin with the next clean-up under a rule, and the others that there are."""

    chats: int
    messages: int
    files: int
    people: int
    first_at: datetime | None
    """From when on the first chat is due that is not yet; None: there is no such chat."""


async def is_due(session: ReadSession, subject: Subject | None = None, days: int | None = None) -> ColumnElement[bool]:
    """Return the rule of chats that go to the bin now.

    With a subject as if its rule were so many days, None: as if it had none.
    """
    # rights: how long is said by whom, for the product's own clean-up and for counts
    in_use = union(
        select(Project.keep_days.label("days")).where(Project.keep_days.is_not(None)), select(KeepRule.days)
    ).subquery()
    rules = _written((await session.scalars(select(in_use.c.days))).all(), subject or Subject())
    if subject is not None and days is not None:
        rules.append(and_(_is_of(subject), ChatHistory.updated_at < now() - timedelta(days=days)))
    return and_(*_is_loose(), or_(*rules)) if rules else ChatHistory.id.is_(None)


def _written(in_use: Sequence[int | None], left_out: Subject) -> list[ColumnElement[bool]]:
    """Return the conditions of the rules there are, but for one."""
    # rights: the caller has said them
    if not in_use:
        return []
    at = now()

    def latest(days: InstrumentedAttribute[int] | InstrumentedAttribute[int | None]) -> Case[datetime]:
        # Neither database knows the other's arithmetic of days.
        kind = ChatHistory.updated_at.type
        return case({each: literal(at - timedelta(days=each or 0), kind) for each in in_use}, value=days)

    others = (
        Project.id != left_out.project_id if left_out.project_id else true(),
        KeepRule.team_id != left_out.team_id if left_out.team_id else true(),
        KeepRule.role != left_out.role if left_out.role else true(),
    )
    is_in_it = Project.id == ChatHistory.project_id
    is_member = TeamMember.user_id == ChatHistory.user_id, TeamMember.team_id == KeepRule.team_id
    has_role = User.id == ChatHistory.user_id, User.role == KeepRule.role
    return [
        exists().where(is_in_it, ChatHistory.updated_at < latest(Project.keep_days), others[0]),
        exists().where(*is_member, ChatHistory.updated_at < latest(KeepRule.days), others[1]),
        exists().where(*has_role, ChatHistory.updated_at < latest(KeepRule.days), others[2]),
    ]


def _is_of(subject: Subject) -> ColumnElement[bool]:
    """Return the rule of chats that a subject's rule applies to."""
    # rights: the caller has asked for them
    if subject.role is not None:
        return ChatHistory.user_id.in_(select(User.id).where(User.role == subject.role))
    if subject.team_id is not None:
        return ChatHistory.user_id.in_(select(TeamMember.user_id).where(TeamMember.team_id == subject.team_id))
    return ChatHistory.project_id == subject.project_id


def _is_loose() -> tuple[ColumnElement[bool], ...]:
    """Return the rule of chats that nothing keeps where they are, however old they are."""
    # rights: the callers have asked for them
    is_answering = exists().where(Run.chat_id == ChatHistory.id, Run.status.in_(LIVE_STATUSES))
    return holds.is_free_chat(), ChatHistory.pinned_at.is_(None), ChatHistory.deleted_at.is_(None), ~is_answering


async def preview(session: ReadSession, actor: Actor, subject: Subject, days: int | None) -> Preview:
    """Return what would go of the subject's chats under such a rule of a role or a team. Raises `InvalidInput`."""
    require(actor, Permission.MANAGE_USERS)
    wanted = None if days is None else checked(days)
    # rights: counts only, for an administrator who decides on the rule
    due = and_(await is_due(session, subject, wanted), _is_of(subject))
    chats = func.count(), func.count(ChatHistory.user_id.distinct())
    number, people = (await session.execute(select(*chats).where(due))).one()
    texts = select(func.count()).select_from(ChatMessage).join(ChatHistory).where(due)
    files = select(func.count()).select_from(Attachment).join(ChatMessage).join(ChatHistory).where(due)
    first_at = None
    if wanted is not None:
        span = timedelta(days=wanted)
        later = *_is_loose(), _is_of(subject), ChatHistory.updated_at >= now() - span
        oldest = await session.scalar(select(func.min(ChatHistory.updated_at)).where(*later))
        first_at = None if oldest is None else oldest + span
    return Preview(number, await session.scalar(texts) or 0, await session.scalar(files) or 0, people, first_at)


async def set_rule(session: Session, actor: Actor, subject: Subject, days: int | None) -> None:
    """Keep the chats of a role or team for so many days; None: the rule goes. To be called under `LOCK`.

    Raises `InvalidInput` and `NotFound`.
    """
    require(actor, Permission.MANAGE_USERS)
    wanted = None if days is None else checked(days)
    name = await _name(session, subject)
    row = await session.scalar(select(KeepRule).where(_rule_of(subject)))
    before = None if row is None else row.days
    if wanted == before:
        return
    if wanted is None:
        await session.execute(delete(KeepRule).where(_rule_of(subject)))
    elif row is None:
        made = KeepRule(role=subject.role, team_id=subject.team_id, days=wanted, set_by=actor.name, set_at=now())
        session.add(made)
    else:
        row.days, row.set_by, row.set_at = wanted, actor.name, now()
    changes = audit.difference({"keep_days": before}, {"keep_days": wanted})
    target = subject.team_id or ""
    await audit.record(session, actor, "retention.rule_changed", name, target_id=target, changes=changes)


async def _name(session: ReadSession, subject: Subject) -> str:
    if subject.role is not None:
        return subject.role.value
    # rights: the callers have asked for them
    name = await session.scalar(select(Team.name).where(Team.id == subject.team_id))
    if name is None:
        raise NotFound("There is no such team any more. Reload the page.")
    return name


def _rule_of(subject: Subject) -> ColumnElement[bool]:
    return KeepRule.role == subject.role if subject.role is not None else KeepRule.team_id == subject.team_id


def checked(days: int) -> int:
    """Return the days. Raises `InvalidInput` where chats cannot be kept for so many."""
    if not 1 <= days <= MAX_KEEP_DAYS:
        raise InvalidInput("Chats can be kept for 1 to {most} days. Choose such a number.", most=MAX_KEEP_DAYS)
    return days


async def find_team(session: ReadSession, actor: Actor, name: str) -> TeamId:
    """Return the team of that name. Raises `NotFound`."""
    require(actor, Permission.MANAGE_USERS)
    # rights: asked above
    found = await session.scalar(select(Team.id).where(Team.name_key == name_key(name.strip())))
    if found is None:
        raise NotFound("There is no team of this name. Write it exactly as it is.")
    return found


async def list_rules(session: ReadSession, actor: Actor) -> tuple[RuleInfo, ...]:
    """Return all roles, then the teams and projects that have a rule, each with the shortest first."""
    require(actor, Permission.MANAGE_USERS)
    # rights: asked above; no content
    by_role = {row.role: row for row in await session.scalars(select(KeepRule).where(KeepRule.role.is_not(None)))}
    listed = [_of_role(role, by_role.get(role)) for role in Role]
    teams = select(KeepRule, Team.name).join(Team, Team.id == KeepRule.team_id)
    for row, name in await session.execute(teams.order_by(KeepRule.days, Team.name).limit(SHOWN)):
        listed.append(RuleInfo(Subject(team_id=row.team_id), name, row.days, row.set_by, row.set_at))
    return (*listed, *await _of_projects(session))


def _of_role(role: Role, row: KeepRule | None) -> RuleInfo:
    if row is None:
        return RuleInfo(Subject(role=role), "", None, "", None)
    return RuleInfo(Subject(role=role), "", row.days, row.set_by, row.set_at)


async def _of_projects(session: ReadSession) -> list[RuleInfo]:
    # rights: the caller has asked for them; no content
    kept = select(Project.id, Project.name, Project.keep_days).where(Project.keep_days.is_not(None))
    found = (await session.execute(kept.order_by(Project.keep_days, Project.name).limit(SHOWN))).all()
    of_these = AuditLog.action == OF_PROJECT, AuditLog.target_id.in_([str(each.id) for each in found])
    told = select(AuditLog.target_id, AuditLog.actor_name, AuditLog.created_at).where(*of_these)
    last = {target: (who, at) for target, who, at in await session.execute(told.order_by(AuditLog.number))}
    rules = []
    for project_id, name, days in found:
        who, at = last.get(str(project_id), ("", None))
        rules.append(RuleInfo(Subject(project_id=project_id), name, days, who, at))
    return rules


async def rules_of(session: ReadSession, actor: Actor) -> tuple[RuleInfo, ...]:
    """Return the rules that the actor's own chats are kept by, the shortest first."""
    # rights: what applies to the actor, and names of teams and projects that they are in
    user_id = actor.user_id
    has_role = select(User.id).where(User.id == user_id, User.role == KeepRule.role).exists()
    listed = [_of_role(actor.role, row) for row in await session.scalars(select(KeepRule).where(has_role))]
    teams = (
        select(KeepRule, Team.name)
        .join(Team, Team.id == KeepRule.team_id)
        .join(TeamMember, TeamMember.team_id == Team.id)
        .where(TeamMember.user_id == user_id)
    )
    for row, name in await session.execute(teams):
        listed.append(RuleInfo(Subject(team_id=row.team_id), name, row.days, row.set_by, row.set_at))
    mine = select(ChatHistory.project_id).where(ChatHistory.user_id == user_id, ChatHistory.deleted_at.is_(None))
    kept = select(Project.id, Project.name, Project.keep_days).where(
        Project.keep_days.is_not(None), Project.id.in_(mine)
    )
    for project_id, name, days in await session.execute(kept):
        listed.append(RuleInfo(Subject(project_id=project_id), name, days, "", None))
    return tuple(sorted(listed, key=lambda rule: (rule.days or 0, rule.name)))
