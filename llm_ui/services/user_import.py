"""Inviting many people at once: a CSV file with the columns name, email and role."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import or_

from llm_ui.db import ReadSession, Session
from llm_ui.errors import InvalidInput
from llm_ui.kit.i18n import later
from llm_ui.kit.text import name_key, storable
from llm_ui.models import Role, User
from llm_ui.services.access import Actor, Permission, readable, require
from llm_ui.services.account_links import NewLink, invite
from llm_ui.services.users import address_problems

MOST_LINES = 1_000
COLUMNS = ("name", "email", "role")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the file, and why it cannot be used, if so."""

    number: int
    """As an editor counts it."""
    name: str
    email: str
    role: str
    problem: str = ""


async def plan(session: ReadSession, actor: Actor, text: str) -> tuple[Line, ...]:
    """Return what would become of each line; nothing is changed. Raises `InvalidInput` for what is no such file."""
    require(actor, Permission.MANAGE_USERS)
    lines = list(_read(text))
    names = {name_key(line.name) for line in lines}
    emails = {name_key(line.email) for line in lines}
    known = readable(User, actor).where(or_(User.name_key.in_(names), User.email_key.in_(emails)))
    taken: set[str] = set()
    for user in await session.scalars(known):
        taken |= {user.name_key, user.email_key}
    checked = []
    for line in lines:
        keys = {name_key(line.name), name_key(line.email)}
        problem = _problem(line) or (
            later("There is an account with this name or address already.") if keys & taken else ""
        )
        checked.append(Line(line.number, line.name, line.email, line.role, problem))
        taken |= keys
    return tuple(checked)


async def carry_out(session: Session, actor: Actor, text: str) -> tuple[NewLink, ...]:
    """Invite everybody whose line can be used; return their links."""
    usable = [line for line in await plan(session, actor, text) if not line.problem]
    return tuple([await invite(session, actor, line.name, line.email, Role(line.role)) for line in usable])


def _read(text: str) -> Iterator[Line]:
    content = storable(text).lstrip("\ufeff")
    first = content.partition("\n")[0]
    reader = csv.reader(io.StringIO(content), delimiter=max(",;\t", key=first.count))
    header = [cell.strip().lower() for cell in next(reader, [])]
    if "email" not in header or not set(header) <= set(COLUMNS):
        raise InvalidInput("The first line must name the columns: name, email, role. Only email is needed.")
    for count, cells in enumerate((cells for cells in reader if any(cell.strip() for cell in cells)), 1):
        if count > MOST_LINES:
            raise InvalidInput("The file has more than {most} people, which is the most. Split it.", most=MOST_LINES)
        values = dict(zip(header, (cell.strip() for cell in cells), strict=False))
        email = values.get("email", "")
        name = values.get("name") or email.partition("@")[0]
        yield Line(reader.line_num, name, email, (values.get("role") or Role.USER.value).lower())


def _problem(line: Line) -> str:
    if line.role not in set(Role):
        return later("The role must be user, operator or admin.")
    return next(iter(address_problems(line.name, line.email).values()), "")
