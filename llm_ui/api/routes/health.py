"""Whether the LLM API is alive, and whether it can work."""

from fastapi import APIRouter, Response

from llm_ui.api.principal import Parts
from llm_ui.contract.probes import Health
from llm_ui.errors import LLMUIError
from llm_ui.kit.clock import now
from llm_ui.services import service_level

router = APIRouter()


@router.get("/healthz")
async def alive() -> Health:
    """Answer while the process runs."""
    return Health(status="ok")


@router.get("/readyz")
async def ready(parts: Parts, response: Response) -> Health:
    """Answer 200 when the database answers and new runs are taken, else 503 with the reason.

    Providers that are down make it no less ready, for it can do nothing about them: `level` tells.
    """
    if parts.engine.is_draining:
        response.status_code = 503
        return Health(status="draining", message="The LLM API is stopping.")
    try:
        await parts.database.ping()
        async with parts.database.reading() as session:
            service = await service_level.read(session, now())
    except LLMUIError as error:
        response.status_code = 503
        return Health(status="unavailable", message=error.message)
    return Health(status="ok", level=service.level.value)
