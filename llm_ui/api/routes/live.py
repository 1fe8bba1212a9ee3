"""What administrators do to what runs now, and to those who are told of it."""

from uuid import UUID

from fastapi import APIRouter, Response

from llm_ui.api.principal import Parts, Principal
from llm_ui.contract.probes import AlertTest
from llm_ui.kit.ids import RunId
from llm_ui.runs.alerting import Alerting
from llm_ui.services import alerts, live

router = APIRouter(prefix="/v1/live")


@router.post("/{live_id}/stop", status_code=202)
async def stop(live_id: UUID, parts: Parts, actor: Principal) -> Response:
    """End somebody's run and keep what was said; it is in the audit log."""
    async with parts.database.writing() as session:
        await live.note_stop(session, actor, RunId(live_id))
    await parts.engine.stop(RunId(live_id))
    return Response(status_code=202)


@router.post("/alerts/{live_id}/test")
async def test_alert(live_id: UUID, parts: Parts, actor: Principal) -> AlertTest:
    """Have an alert rule tell something as a test."""
    async with parts.database.writing() as session:
        told = await alerts.test(session, actor, live_id)
    problem = await Alerting(parts.config, parts.database, parts.secrets.sealer).tell(told)
    return AlertTest(problem=problem or "")
