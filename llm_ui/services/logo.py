"""The logo of the workspace, in the sizes that pages, browsers and installed apps show."""

import hashlib
from collections.abc import Mapping

from sqlalchemy import delete

from llm_ui.db import ReadSession, Session
from llm_ui.models import LogoPicture
from llm_ui.services import audit, settings
from llm_ui.services.access import Actor, Permission, require
from llm_ui.services.settings import LOGO


async def read(session: ReadSession, version: str, name: str) -> bytes | None:
    """Return one picture of the logo as PNG; None when the logo is another one by now."""
    # rights: anybody, the sign-in page shows it
    if not version or await settings.get(session, LOGO) != version:
        return None
    row = await session.get(LogoPicture, name)
    return None if row is None else row.data


async def put(session: Session, actor: Actor, pictures: Mapping[str, bytes]) -> None:
    """Give the workspace this logo, drawn anew in all of `kit.picture.LOGO_SIZES`."""
    require(actor, Permission.MANAGE_SETTINGS)
    version = hashlib.sha256(b"".join(pictures.values())).hexdigest()
    before = await settings.get(session, LOGO)
    await _forget(session)
    session.add_all(LogoPicture(name=name, data=data) for name, data in pictures.items())
    await settings.store(session, LOGO, version, actor.name)
    changes = audit.difference({"value": before}, {"value": version})
    await audit.record(session, actor, "setting.changed", LOGO.name, changes=changes)


async def remove(session: Session, actor: Actor) -> None:
    """Go back to our logo. Nothing happens where it is ours already."""
    require(actor, Permission.MANAGE_SETTINGS)
    await _forget(session)
    await settings.reset(session, actor, LOGO)


async def _forget(session: Session) -> None:
    await session.execute(delete(LogoPicture))
    await session.flush()
