"""The audit log: who changed what."""

from collections.abc import Mapping

from llm_ui.db import Session
from llm_ui.models import AuditLog
from llm_ui.services.access import Actor


async def record(session: Session, actor: Actor, action: str, target: str, **detail: str | int | bool | None) -> None:
    """Write one entry in the caller's transaction, so that the change and its entry happen together or not at all.

    `action` is `noun.verb` in the past tense, `target` what it was done to; `detail` never holds a secret.
    """
    fields: Mapping[str, str | int | bool | None] = detail
    session.add(
        AuditLog(actor_id=actor.user_id, actor_name=actor.name, action=action, target=target, detail=dict(fields))
    )
