"""People and groups as SCIM tells them, and what it says of them as `services` take it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from scim2_models import Meta, Reference, Resource

from llm_ui.api.scim.kept import OF_GROUPS, OF_USERS, Email, Group, Membership, Messages, User
from llm_ui.db import ReadSession, Session
from llm_ui.errors import NotFound
from llm_ui.kit.ids import DirectoryGroupId, UserId
from llm_ui.services import directory_groups, directory_people
from llm_ui.services.directories import Directory
from llm_ui.services.directory_groups import Members, ToldGroup
from llm_ui.services.directory_people import Person, Told
from llm_ui.services.directory_search import Condition


@dataclass(frozen=True, slots=True)
class Shown:
    """A resource as it is told, but for who is in it."""

    resource: Resource[Any]
    members: frozenset[UserId] = frozenset()


class Kind(Protocol):
    """A kind of resource: where it is kept, and how."""

    endpoint: str
    messages: Messages

    async def find(self, session: ReadSession, page: "Page") -> tuple[int, list[Shown]]:
        """Return how many there are, and those of a page. Raises `NotAsked`."""

    async def read(self, session: ReadSession, asked: "One", *, with_members: bool) -> Shown:
        """Return one. Raises `NotFound`."""

    async def create(self, session: Session, directory: Directory, resource: Any, members: Members) -> str:
        """Keep one that comes; return its id."""

    async def change(self, session: Session, asked: "One", resource: Any, members: Members) -> None:
        """Have one be what is told."""

    async def delete(self, session: Session, asked: "One") -> None:
        """Keep one no longer."""


@dataclass(frozen=True, slots=True)
class One:
    """Which resource is asked for."""

    directory: Directory
    base: str
    """The address of the service, for those of its resources."""
    told_id: str

    @property
    def id(self) -> UUID:
        """Its id. Raises `NotFound` for what is none."""
        try:
            return UUID(self.told_id)
        except ValueError:
            raise NotFound("There is nothing of this id.") from None


@dataclass(frozen=True, slots=True)
class Page:
    """What is asked for of a list."""

    directory: Directory
    base: str
    """The address of the service, for those of its resources."""
    start: int
    """How many come before."""
    count: int
    condition: Condition | None
    with_members: bool


class People:
    """`/Users`."""

    endpoint = "Users"
    messages = OF_USERS

    async def find(self, session: ReadSession, page: Page) -> tuple[int, list[Shown]]:
        """Return how many there are, and those of a page."""
        total, people = await directory_people.find(session, page.directory, page.condition, page.start, page.count)
        return total, await asyncio.to_thread(lambda: [Shown(_shown_person(person, page.base)) for person in people])

    async def read(self, session: ReadSession, asked: One, *, with_members: bool) -> Shown:
        """Return somebody, who has no members. Raises `NotFound`."""
        del with_members
        return Shown(_shown_person(await directory_people.read(session, asked.directory, UserId(asked.id)), asked.base))

    async def create(self, session: Session, directory: Directory, resource: User, members: Members) -> str:
        """Keep an account for somebody."""
        del members
        return str((await directory_people.create(session, directory, _told_person(resource))).id)

    async def change(self, session: Session, asked: One, resource: User, members: Members) -> None:
        """Have somebody be what is told; whether they may sign in stays as it is where that is not said."""
        del members
        user_id = UserId(asked.id)
        if resource.active is None:
            resource.active = (await directory_people.read(session, asked.directory, user_id)).told.is_active
        await directory_people.change(session, asked.directory, user_id, _told_person(resource))

    async def delete(self, session: Session, asked: One) -> None:
        """Let somebody go."""
        await directory_people.delete(session, asked.directory, UserId(asked.id))


class Groups:
    """`/Groups`."""

    endpoint = "Groups"
    messages = OF_GROUPS

    async def find(self, session: ReadSession, page: Page) -> tuple[int, list[Shown]]:
        """Return how many there are, and those of a page."""
        total, groups = await directory_groups.find(
            session, page.directory, page.condition, page.start, page.count, with_members=page.with_members
        )
        return total, [Shown(_shown_group(group, page.base), group.members) for group in groups]

    async def read(self, session: ReadSession, asked: One, *, with_members: bool) -> Shown:
        """Return a group. Raises `NotFound`."""
        group_id = DirectoryGroupId(asked.id)
        group = await directory_groups.read(session, asked.directory, group_id, with_members=with_members)
        return Shown(_shown_group(group, asked.base), group.members)

    async def create(self, session: Session, directory: Directory, resource: Group, members: Members) -> str:
        """Have a group be a team."""
        return str(await directory_groups.create(session, directory, _told_group(resource), members))

    async def change(self, session: Session, asked: One, resource: Group, members: Members) -> None:
        """Have a group be what is told."""
        group_id = DirectoryGroupId(asked.id)
        await directory_groups.change(session, asked.directory, group_id, _told_group(resource), members)

    async def delete(self, session: Session, asked: One) -> None:
        """Keep a group no longer."""
        await directory_groups.delete(session, asked.directory, DirectoryGroupId(asked.id))


KINDS: dict[str, Kind] = {kind.endpoint: kind for kind in (People(), Groups())}


def _meta(name: str, location: str, created_at: datetime, updated_at: datetime) -> Meta:
    return Meta(resource_type=name, location=location, created=created_at, last_modified=updated_at)


def _shown_person(person: Person, base: str) -> User:
    told = person.told
    return User(
        id=str(person.id),
        external_id=told.external_id,
        user_name=told.name,
        display_name=told.display_name or None,
        active=told.is_active,
        emails=[Email(value=told.email, type=Email.Type.work, primary=True)],
        groups=[
            Membership(value=str(group_id), ref=Reference[Any](f"{base}/Groups/{group_id}"), display=name)
            for group_id, name in person.groups
        ]
        or None,
        meta=_meta("User", f"{base}/Users/{person.id}", person.created_at, person.updated_at),
    )


def _shown_group(group: directory_groups.Group, base: str) -> Group:
    return Group(
        id=str(group.id),
        external_id=group.told.external_id,
        display_name=group.told.name,
        meta=_meta("Group", f"{base}/Groups/{group.id}", group.created_at, group.updated_at),
    )


def _told_person(resource: User) -> Told:
    return Told(
        name=resource.user_name or "",
        email=_address(resource.emails or []),
        external_id=resource.external_id,
        display_name=resource.display_name or "",
        is_active=resource.active is not False,
    )


def _address(emails: Sequence[Email]) -> str:
    """Return the address that an account gets: that for work, or else the first."""
    work = next((each for each in emails if each.type is Email.Type.work), None)
    found = work or next(iter(emails), None)
    return (found.value or "") if found is not None else ""


def _told_group(resource: Group) -> ToldGroup:
    return ToldGroup(resource.display_name or "", resource.external_id)
