"""What people, projects, models … are called now, for figures that hold their ids; what is gone has no name."""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import select

from llm_ui.db import ReadSession
from llm_ui.models import Agent, AiModel, AiProvider, Project, Team, User
from llm_ui.services.access import Actor, Permission, require
from llm_ui.services.usage.statements import By

NAMED: Mapping[By, tuple[Any, Any]] = {
    By.USER: (User.id, User.name),
    By.PROJECT: (Project.id, Project.name),
    By.TEAM: (Team.id, Team.name),
    By.MODEL: (AiModel.id, AiModel.display_name),
    By.PROVIDER: (AiProvider.id, AiProvider.name),
    By.AGENT: (Agent.id, Agent.name),
}


async def names(session: ReadSession, by: By, ids: Collection[Any]) -> dict[Any, str]:
    """Return the names of what somebody was told figures of, by id."""
    if by not in NAMED:
        return {one: str(one) for one in ids}
    key, name = NAMED[by]
    # rights: names of what figures were told of, which asked for rights
    found = await session.execute(select(key, name).where(key.in_([one for one in ids if one is not None])))
    return {row[0]: row[1] for row in found}


async def first_names(session: ReadSession, actor: Actor, by: By, most: int) -> dict[Any, str]:
    """Return the first of all people, projects, teams … by name. Raises `Forbidden`."""
    require(actor, Permission.SEE_FIGURES)
    key, name = NAMED[by]
    # rights: asked above
    return {row[0]: row[1] for row in await session.execute(select(key, name).order_by(name).limit(most))}
