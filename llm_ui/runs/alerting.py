"""Looking at alert rules and telling what they found: worker and LLM API both do, so that neither's end is unnoticed.

What a webhook is sent is JSON: `id`, `rule`, `kind`, `change` (`firing`, `resolved` or `test`), `value`, `threshold`
and `at` (ISO 8601). The header `X-LLM-UI-Signature` is `sha256=` and the hexadecimal HMAC-SHA-256 of the body.
"""

import asyncio
import hashlib
import hmac
import json
import shutil

from llm_ui.config import Config
from llm_ui.db import Database
from llm_ui.errors import LLMUIError
from llm_ui.kit import mail
from llm_ui.kit.addresses import Guard
from llm_ui.kit.clock import now
from llm_ui.kit.encryption import Sealer
from llm_ui.kit.fetching import Asked, Bounds, post
from llm_ui.models import AlertChange, AlertChannel
from llm_ui.observability.logging import get_logger
from llm_ui.services import alert_mail, alerts
from llm_ui.services.alert_values import Moment
from llm_ui.services.alerts import Told
from llm_ui.services.appearance import appearance

log = get_logger(__name__)

EVERY_S = 60.0
BOUNDS = Bounds(max_mb=1, total_s=15.0)


class Alerting:
    """Looks at the rules, and tells."""

    def __init__(self, config: Config, database: Database, sealer: Sealer) -> None:
        self._folder = config.folder
        self._guard = Guard.of(config.fetch_allow)
        self._database, self._sealer = database, sealer

    async def keep(self) -> None:
        """Check once a minute until cancelled."""
        while True:
            await asyncio.sleep(EVERY_S)
            try:
                await self.check()
            except LLMUIError as error:
                # The database is away for a moment.
                log.warning("alerts.check_failed", code=error.code)

    async def check(self) -> None:
        """Look at the rules whose turn it is, and tell what is to be told."""
        disk = await asyncio.to_thread(shutil.disk_usage, self._folder)
        moment = Moment(now(), disk.free / disk.total)
        while await self._look(moment):
            pass
        while (told := await self._next()) is not None:
            await self.tell(told)

    async def _look(self, moment: Moment) -> bool:
        async with self._database.writing() as session:
            rule = await alerts.claim(session)
            if rule is not None:
                await alerts.look(session, rule, moment)
        return rule is not None

    async def _next(self) -> Told | None:
        async with self._database.writing() as session:
            return await alerts.next_unsent(session)

    async def tell(self, told: Told) -> str | None:
        """Tell it and note how that ended; return why it could not be told, None when it was."""
        error = None
        try:
            await (self._post(told) if told.channel is AlertChannel.WEBHOOK else self._mail(told))
        except LLMUIError as refusal:
            error = refusal.message
            # Whoever tests is told themselves.
            tell = log.info if told.change is AlertChange.TEST else log.warning
            tell("alert.not_told", rule_id=told.rule_id, channel=told.channel)
        async with self._database.writing() as session:
            await alerts.note_sent(session, told.id, error)
        return error

    async def _post(self, told: Told) -> None:
        async with self._database.writing() as session:
            secret = await alert_mail.signing_secret(session, self._sealer)
        body = json.dumps(body_of(told)).encode()
        signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        headers = {"Content-Type": "application/json", "X-LLM-UI-Signature": f"sha256={signature}"}
        await post(told.address, self._guard, BOUNDS, Asked(headers, body=body))

    async def _mail(self, told: Told) -> None:
        async with self._database.reading() as session:
            server = await alert_mail.server(session, self._sealer)
            name = (await appearance(session)).name
        subject = f"{name}: {told.kind} {told.change}"
        text = "\n".join(f"{name}: {value}" for name, value in body_of(told).items())
        await asyncio.to_thread(mail.send, server, told.address, subject, text)


def body_of(told: Told) -> dict[str, object]:
    """Return what is told of it."""
    return {
        "id": str(told.id),
        "rule": str(told.rule_id),
        "kind": told.kind.value,
        "change": told.change.value,
        "value": told.value,
        "threshold": told.threshold,
        "at": told.at.isoformat(),
    }
