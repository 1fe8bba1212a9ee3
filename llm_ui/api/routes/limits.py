"""How long projects keep chats, and how much may be spent in them."""

from decimal import Decimal
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from llm_ui.api.principal import Api, Parts
from llm_ui.api.rest.door import Told, asks
from llm_ui.contract.base import Wire
from llm_ui.kit.ids import ProjectId
from llm_ui.kit.money import plain
from llm_ui.models import KeyScope
from llm_ui.services import budgets, keeping, projects, retention
from llm_ui.services.access import Actor

router = APIRouter(prefix="/v1/projects/{project_id}/limits", route_class=Told)

Reader = Annotated[Actor, asks(KeyScope.PROJECTS_READ)]
Writer = Annotated[Actor, asks(KeyScope.PROJECTS_WRITE)]


class NewLimits(Wire):
    """The limits of a project from now on; null: none."""

    keep_days: Annotated[int, Field(ge=1, le=keeping.MAX_KEEP_DAYS)] | None
    budget_usd: Annotated[Decimal, Field(gt=0, le=budgets.MAX_AMOUNT_USD, decimal_places=2)] | None
    """For each month."""


class Limits(BaseModel):
    """The limits of a project, and what is spent and set aside this month."""

    model_config = ConfigDict(frozen=True)

    keep_days: int | None
    budget_usd: str | None = None
    spent_usd: str | None = None
    reserved_usd: str | None = None
    left_usd: str | None = None
    returns_at: str | None = None


@router.get("")
async def limits(project_id: UUID, parts: Parts, actor: Reader) -> Limits:
    """Return the limits of a project; for who is no member of it there is none."""
    return await _limits(parts, actor, ProjectId(project_id))


@router.put("")
async def change(project_id: UUID, body: NewLimits, parts: Parts, actor: Writer) -> Limits:
    """Set the limits, as an owner may."""
    async with parts.database.writing() as session:
        await retention.keep_for(session, actor, ProjectId(project_id), body.keep_days)
        await budgets.set_amount(session, actor, ProjectId(project_id), body.budget_usd)
    return await _limits(parts, actor, ProjectId(project_id))


async def _limits(parts: Api, actor: Actor, project_id: ProjectId) -> Limits:
    async with parts.database.reading() as session:
        project = await projects.read(session, actor, project_id)
        state = await budgets.read(session, actor, project_id)
    if state is None:
        return Limits(keep_days=project.keep_days)
    return Limits(
        keep_days=project.keep_days,
        budget_usd=plain(state.amount_usd),
        spent_usd=plain(state.spent_usd),
        reserved_usd=plain(state.reserved_usd),
        left_usd=plain(state.left_usd),
        returns_at=state.returns_at.isoformat(),
    )
