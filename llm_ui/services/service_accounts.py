"""Service accounts of teams: what their scripts act as, so that none of these hangs on one person's account.

One is an account without a password that nobody signs in to, and a member of its team: it may what members may, the
team's models, projects, filters and limits hold for it, and what it uses is booked to the team, under its own name.
Owners of the team and administrators decide on it, whoever made it; other members see that it is there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, select
from sqlalchemy.exc import IntegrityError

from llm_ui.db import ReadSession, Session
from llm_ui.errors import Conflict, InvalidInput, NotFound
from llm_ui.kit.clock import now
from llm_ui.kit.ids import TeamId, UserId, uuid7
from llm_ui.kit.text import name_key, one_line
from llm_ui.models import ApiKey, Role, ServiceAccount, Team, TeamMember, TeamRole, User
from llm_ui.services import audit
from llm_ui.services.access import Actor, Permission, readable, require
from llm_ui.services.team_accounts import end, full_name, own_name
from llm_ui.services.teams import forget_limits, team_row
from llm_ui.services.users import NAME

MAX_PURPOSE_CHARS = 200
MOST = 50
"""Service accounts of one team: more than anybody looks after."""
NO_ADDRESS = "service.invalid"
"""Behind the id, in place of an e-mail address: nothing is ever sent there (RFC 2606, 2)."""
GONE = "There is no such service account any more. Reload the page."


@dataclass(frozen=True, slots=True)
class AccountInfo:
    """A service account as members of its team see it."""

    id: UserId
    team_id: TeamId
    team_name: str
    name: str
    """Within its team."""
    purpose: str
    is_active: bool
    keys: int
    """That may be used."""
    last_used_at: datetime | None

    @property
    def full_name(self) -> str:
        """Return what it is called outside of its team's page."""
        return full_name(self.team_name, self.name)


async def list_accounts(session: ReadSession, actor: Actor, team_id: TeamId) -> tuple[AccountInfo, ...]:
    """Return the service accounts of a team by name. Raises `NotFound`."""
    require(actor, Permission.CHAT)
    await team_row(session, actor, team_id)
    return await _infos(session, _accounts(actor).where(ServiceAccount.team_id == team_id))


async def read(session: ReadSession, actor: Actor, account_id: UserId) -> AccountInfo:
    """Return a service account that the actor decides on. Raises `NotFound` and `Forbidden`."""
    require(actor, Permission.CHAT)
    await _row(session, actor, account_id)
    (found,) = await _infos(session, _accounts(actor).where(User.id == account_id))
    return found


async def find(session: ReadSession, actor: Actor, name: str) -> AccountInfo:
    """Return the service account that is called TEAM/NAME. Raises `NotFound`."""
    found = await _infos(session, _accounts(actor).where(User.name_key == name_key(name)))
    if not found:
        raise NotFound(
            "There is no service account named {name}. Name it as its team's page does: TEAM/NAME.",
            name=one_line(name, 2 * MAX_PURPOSE_CHARS),
        )
    return await read(session, actor, found[0].id)


async def create(session: Session, actor: Actor, team_id: TeamId, name: str, purpose: str) -> UserId:
    """Give a team a service account. Raises `NotFound`, `Forbidden`, `InvalidInput` and `Conflict`."""
    require(actor, Permission.CHAT)
    team = await team_row(session, actor, team_id, is_managed=True, is_locked=True)
    name = name.strip()
    if not NAME.fullmatch(name):
        raise InvalidInput("A service account needs a name of letters, digits, dots, dashes or spaces.")
    there = readable(ServiceAccount, actor).where(ServiceAccount.team_id == team_id)
    if (await session.scalar(select(func.count()).select_from(there.subquery())) or 0) >= MOST:
        raise Conflict("{most} service accounts of a team are the most. Delete one that is not needed.", most=MOST)
    called = full_name(team.name, name)
    user_id = UserId(uuid7())
    address = f"{user_id}@{NO_ADDRESS}"
    user = User(
        id=user_id, name=called, name_key=name_key(called), email=address, email_key=address, password_hash="",
        role=Role.USER, is_service=True, wants_follow_ups=False, uses_memory=False,
    )  # fmt: skip
    session.add(user)
    try:
        await session.flush()
    except IntegrityError:
        raise Conflict("The team has a service account of this name already. Choose another name.") from None
    purpose = one_line(purpose, MAX_PURPOSE_CHARS)
    session.add(ServiceAccount(user_id=user_id, team_id=team_id, purpose=purpose))
    session.add(TeamMember(team_id=team_id, user_id=user_id, role=TeamRole.MEMBER))
    await session.flush()
    await audit.record(session, actor, "service_account.created", called, target_id=user_id, purpose=purpose)
    return user_id


async def set_active(session: Session, actor: Actor, account_id: UserId, *, is_active: bool) -> None:
    """Switch one off, which ends what is done with its keys, or on again. Raises `NotFound` and `Forbidden`."""
    require(actor, Permission.CHAT)
    user = await _row(session, actor, account_id)
    if changes := audit.difference({"is_active": user.is_active}, {"is_active": is_active}):
        user.is_active = is_active
        action = "service_account.enabled" if is_active else "service_account.disabled"
        await audit.record(session, actor, action, user.name, target_id=user.id, changes=changes)


async def remove(session: Session, actor: Actor, account_id: UserId) -> None:
    """Delete one for good, with its keys and what it wrote. Raises `NotFound`, `Forbidden` and `Conflict`."""
    require(actor, Permission.CHAT)
    user = await _row(session, actor, account_id)
    await end(session, user)
    await forget_limits(session, account_id)
    await audit.record(session, actor, "service_account.deleted", user.name, target_id=account_id)


async def holder(session: ReadSession, actor: Actor, account_id: UserId) -> Actor:
    """Return whom keys of a service account act as, for whoever decides on it. Raises `NotFound` and `Forbidden`."""
    require(actor, Permission.CHAT)
    user = await _row(session, actor, account_id)
    return Actor(user.id, user.name, user.role)


def _accounts(actor: Actor) -> Select[ServiceAccount]:
    return readable(ServiceAccount, actor).join(User, User.id == ServiceAccount.user_id)


async def _row(session: ReadSession, actor: Actor, account_id: UserId) -> User:
    """Return the row of one that the actor decides on. Raises `NotFound` and `Forbidden`."""
    found = _accounts(actor).where(User.id == account_id).with_only_columns(User, ServiceAccount.team_id)
    row = (await session.execute(found)).one_or_none()
    if row is None:
        raise NotFound(GONE)
    user, team_id = row
    await team_row(session, actor, team_id, is_managed=True)
    return user


async def _infos(session: ReadSession, found: Select[ServiceAccount]) -> tuple[AccountInfo, ...]:
    # rights: how many keys there are, of service accounts that the actor sees
    is_live = ApiKey.revoked_at.is_(None) & (ApiKey.expires_at.is_(None) | (ApiKey.expires_at > now()))
    of_account = ApiKey.user_id == User.id
    keys = select(func.count()).where(of_account, is_live).correlate(User).scalar_subquery()
    used = select(func.max(ApiKey.last_used_at)).where(of_account).correlate(User).scalar_subquery()
    told = found.join(Team, Team.id == ServiceAccount.team_id).order_by(User.name_key)
    rows: Sequence[tuple[User, Team, str, int, datetime | None]] = [
        (one[0], one[1], one[2], one[3], one[4])
        for one in await session.execute(told.with_only_columns(User, Team, ServiceAccount.purpose, keys, used))
    ]
    return tuple(
        AccountInfo(user.id, team.id, team.name, own_name(user), purpose, user.is_active, count, at)
        for user, team, purpose, count, at in rows
    )
