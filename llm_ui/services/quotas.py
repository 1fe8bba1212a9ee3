"""How much room documents may take: all of a person, and all of a project."""

from dataclasses import dataclass

from sqlalchemy import func, select

from llm_ui.db import ReadSession
from llm_ui.errors import TooLarge
from llm_ui.kit.ids import ProjectId
from llm_ui.models import Document
from llm_ui.services import settings
from llm_ui.services.access import Actor
from llm_ui.services.settings import PERSON_DOCUMENTS_MB, PROJECT_DOCUMENTS_MB

MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Room:
    """What documents take and may take, in bytes; a limit of 0 is none."""

    of_person: int
    most_of_person: int
    of_project: int
    most_of_project: int


async def room(session: ReadSession, actor: Actor, project_id: ProjectId) -> Room:
    """Return how much room there is for the documents that the actor brings, and for those of a project."""
    # rights: sums only, of what the actor has brought and of a project that the caller has checked
    size = select(func.coalesce(func.sum(Document.size_bytes), 0))
    return Room(
        int((await session.execute(size.where(Document.user_id == actor.user_id))).scalar_one()),
        MB * await settings.get(session, PERSON_DOCUMENTS_MB),
        int((await session.execute(size.where(Document.project_id == project_id))).scalar_one()),
        MB * await settings.get(session, PROJECT_DOCUMENTS_MB),
    )


async def require_room(
    session: ReadSession,
    actor: Actor,
    project_id: ProjectId,
    name: str,
    size_bytes: int,
    replaced: Document | None = None,
) -> None:
    """Raise `TooLarge` unless there is room for so many bytes in the place of those of a document, if there is one."""
    more = size_bytes - (0 if replaced is None else replaced.size_bytes)
    # What somebody else brought gives the actor no room.
    more_of_actor = more if replaced is None or replaced.user_id == actor.user_id else size_bytes
    there_is = await room(session, actor, project_id)
    if more > 0 and there_is.most_of_project and there_is.of_project + more > there_is.most_of_project:
        raise TooLarge(
            "{name} does not fit: the documents of this project take {used} MB and may take {most} MB. Delete some of "
            "them, or ask an administrator for more room.",
            name=name,
            used=there_is.of_project // MB,
            most=there_is.most_of_project // MB,
        )
    most = there_is.most_of_person
    if more_of_actor > 0 and most and there_is.of_person + more_of_actor > most:
        raise TooLarge(
            "{name} does not fit: your documents in all projects take {used} MB and may take {most} MB. Delete some of "
            "them, or ask an administrator for more room.",
            name=name,
            used=there_is.of_person // MB,
            most=there_is.most_of_person // MB,
        )
