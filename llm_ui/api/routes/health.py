"""Whether the LLM API is alive, and whether it can work."""

from fastapi import APIRouter, Response

from llm_ui.api.principal import Parts
from llm_ui.contract.probes import Health
from llm_ui.errors import LLMUIError

router = APIRouter()


@router.get("/healthz")
async def alive() -> Health:
    """Answer while the process runs."""
    return Health(status="ok")


@router.get("/readyz")
async def ready(parts: Parts, response: Response) -> Health:
    """Answer 200 when the database answers and new runs are taken, else 503 with the reason."""
    if parts.engine.is_draining:
        response.status_code = 503
        return Health(status="draining", message="The LLM API is stopping.")
    try:
        await parts.database.ping()
    except LLMUIError as error:
        response.status_code = 503
        return Health(status="unavailable", message=error.message)
    return Health(status="ok")
