"""Safety filters: what they would make of a text."""

from fastapi import APIRouter

from llm_ui.api.principal import Parts, Principal
from llm_ui.contract.filters import FilterTry, FilterTryRequest

router = APIRouter(prefix="/v1/filters")


@router.post("/try")
async def tried(request: FilterTryRequest, parts: Parts, actor: Principal) -> FilterTry:
    """Return what each filter of the workspace finds in a text; for administrators."""
    return await parts.engine.filters.tried(actor, request.text)
