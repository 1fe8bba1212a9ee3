"""How long a project keeps chats, and how much may be spent in it, for a member's page."""

from decimal import ROUND_DOWN, Decimal

from llm_ui.chat import place_ops
from llm_ui.chat.follow import Op
from llm_ui.chat.places import places
from llm_ui.kit.ids import ProjectId
from llm_ui.services import budgets, retention
from llm_ui.services.budgets import BudgetState
from llm_ui.ui.amounts import money
from llm_ui.ui.page import PageContext


async def weigh(context: PageContext, asked: place_ops.WeighKeeping) -> Op:
    """Return the operation that tells what would go to the bin. Raises our errors."""
    actor = await context.actor()
    async with context.backend.database.reading() as session:
        found = await retention.weigh_keeping(session, actor, ProjectId(asked.project), asked.days)
    counts = {"chats": found.chats, "people": found.people, "own": list(found.own_titles)}
    return {"op": "keeping_weight", "project": str(asked.project), "number": asked.number, **counts}


async def save_limits(context: PageContext, asked: place_ops.SaveLimits) -> Op:
    """Set the limits and return the operation that tells projects. Raises our errors."""
    actor = await context.actor()
    project_id = ProjectId(asked.project)
    async with context.backend.database.writing() as session:
        await retention.keep_for(session, actor, project_id, asked.keep_days)
        await budgets.set_amount(session, actor, project_id, asked.budget)
    told = await places(context, place_ops.ListPlaces(op="list_places"))
    return {**told, "limited": str(asked.project)}


def budget(state: BudgetState | None) -> Op | None:
    """Return a budget as the page is told of it."""
    if state is None:
        return None
    return {
        "value": float(state.amount_usd),
        "amount": at_most(state.amount_usd),
        "left": at_most(state.left_usd),
        "spent": at_most(state.spent_usd),
        "share": float(min(Decimal(1), (state.spent_usd + state.reserved_usd) / state.amount_usd)),
        "is_low": state.is_low,
        "returns": f"{state.returns_at:%Y-%m-%d}",
    }


def at_most(usd: Decimal) -> str:
    """Return an amount of a budget as people read it: never more than there is."""
    return money(usd, ROUND_DOWN)
