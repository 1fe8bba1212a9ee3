"""What becomes of service accounts with their team: they bear its name, and end with it."""

from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from llm_ui.db import Session
from llm_ui.errors import Conflict, InvalidInput
from llm_ui.kit.ids import TeamId, UserId
from llm_ui.kit.text import name_key
from llm_ui.models import ServiceAccount, Team, User
from llm_ui.services import holds
from llm_ui.services.access import Actor
from llm_ui.services.project_members import leave_all

BETWEEN = "/"
"""Between the names of the team and of the account. No person's name has one, so none is taken by the other."""
MAX_CHARS = 64
"""Of both together: what the column of names holds."""


def full_name(team_name: str, name: str) -> str:
    """Return what a service account is called in figures, runs and the audit log. Raises `InvalidInput`."""
    found = f"{team_name}{BETWEEN}{name}"
    # Folding makes two letters of some.
    if max(len(found), len(name_key(found))) > MAX_CHARS:
        raise InvalidInput(
            "{name} is too long: the team and its service account have {most} characters together. Shorten one.",
            name=found,
            most=MAX_CHARS,
        )
    return found


def own_name(user: User) -> str:
    """Return what a service account is called in its team."""
    return user.name.rpartition(BETWEEN)[2]


async def follow_name(session: Session, team: Team) -> None:
    """Call the service accounts of a team after its new name. The caller has asked for rights, and notes it.

    Raises `InvalidInput` and `Conflict`.
    """
    for user in await _users(session, team.id):
        user.name = full_name(team.name, own_name(user))
        user.name_key = name_key(user.name)
    try:
        await session.flush()
    except IntegrityError:
        raise Conflict("Service accounts of another team are called like this. Choose another name.") from None


async def end_all(session: Session, team_id: TeamId) -> tuple[UserId, ...]:
    """End the service accounts of a team; return which there were. The caller has asked for rights, and notes it."""
    users = await _users(session, team_id)
    for user in users:
        await end(session, user)
    return tuple(user.id for user in users)


async def end(session: Session, user: User) -> None:
    """End one with its keys, its chats and the projects that are its alone. What it used stays booked to its team.

    The caller has asked for rights, and notes it. Raises `Conflict` while a project that it wrote in is on hold.
    """
    await holds.require_free_account(session, user.id)
    await leave_all(session, Actor(user.id, user.name, user.role), user.id)
    await session.execute(delete(User).where(User.id == user.id))


async def _users(session: Session, team_id: TeamId) -> Sequence[User]:
    # rights: the callers have asked for them
    of_team = select(User).join(ServiceAccount, ServiceAccount.user_id == User.id)
    return (await session.scalars(of_team.where(ServiceAccount.team_id == team_id).order_by(User.id))).all()
