"""Alert rules over a real webhook and a real mail server on loopback: told once, told when it is over, signed."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy import select, update

from llm_ui.config import Config
from llm_ui.db import Database
from llm_ui.errors import Forbidden, InvalidInput
from llm_ui.kit.clock import now
from llm_ui.models import AlertEvent, AlertKind, AlertRule, AuditLog, ProcessReport, Role, Setting
from llm_ui.runs.alerting import Alerting
from llm_ui.services import alert_mail, alert_values, alerts, settings
from llm_ui.services.access import Actor
from llm_ui.services.alert_mail import NewMail
from llm_ui.services.alert_values import Moment, is_passed
from llm_ui.services.alerts import NewRule
from llm_ui.services.listing import Asked, find
from llm_ui.services.processes import Reporter
from llm_ui.services.secrets import Secrets
from llm_ui.services.settings import WORKSPACE_NAME
from tests.services.test_project_settings import a_booking

Got = list[tuple[dict[str, str], bytes]]


@asynccontextmanager
async def a_hook(status: int = 204) -> AsyncIterator[tuple[str, Got]]:
    """A webhook: its address, and what it got."""
    got: Got = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[1:-2]
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head)}
        got.append((headers, await reader.readexactly(int(headers["content-length"]))))
        writer.write(f"HTTP/1.1 {status} So\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook", got


@asynccontextmanager
async def a_mail_server() -> AsyncIterator[tuple[int, list[str]]]:
    """A server that takes e-mails (RFC 5321): its port, and what it got."""
    got: list[str] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        while (line := await reader.readline()) and not line.upper().startswith(b"QUIT"):
            if line.upper().startswith(b"DATA"):
                writer.write(b"354 go on\r\n")
                got.append((await reader.readuntil(b"\r\n.\r\n")).decode())
            writer.write(b"250 yes\r\n")
        writer.write(b"221 bye\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1], got


@pytest.fixture
def alerting(database_config: Config, database: Database, secrets: Secrets) -> Alerting:
    opened = database_config.model_copy(update={"fetch_allow": ("127.0.0.1",)})
    return Alerting(opened, database, secrets.sealer)


async def saved(database: Database, actor: Actor, address: str, kind: str = "spend_day", limit: float = 5) -> UUID:
    async with database.writing() as session:
        channel = "email" if "@" in address else "webhook"
        return await alerts.save(session, actor, None, NewRule(kind, limit, channel, address))


async def a_minute_later(database: Database) -> None:
    async with database.writing() as session:
        await session.execute(update(AlertRule).values(checked_at=now() - alerts.EVERY - timedelta(seconds=1)))
        await session.execute(update(AlertEvent).values(tried_at=now() - alerts.EVERY - timedelta(seconds=1)))


async def test_a_rule_tells_once_that_it_fires_and_once_that_it_is_over(
    alerting: Alerting, database: Database, an_admin: Actor, secrets: Secrets
) -> None:
    async with a_hook() as (address, got):
        rule_id = await saved(database, an_admin, address)
        await alerting.check()
        assert got == [], "nothing was spent yet"
        async with database.writing() as session:
            session.add(a_booking(an_admin, None, Decimal(6), now()))
            shown = await alert_mail.shown_secret(session, an_admin, secrets.sealer)
        await alerting.check()
        assert got == [], "it was looked at a moment ago"
        for _ in range(2):
            await a_minute_later(database)
            await alerting.check()
        async with database.reading() as session:
            assert [rule.id for rule in await alerts.firing(session, an_admin)] == [rule_id]
        async with database.writing() as session:
            await session.execute(update(AlertRule).values(threshold=7))
        await a_minute_later(database)
        await alerting.check()

    bodies = [json.loads(body) for _, body in got]
    assert [(body["change"], body["value"], body["kind"]) for body in bodies] == [
        ("firing", 6.0, "spend_day"), ("resolved", 6.0, "spend_day"),
    ]  # fmt: skip
    headers, body = got[0]
    signature = hmac.new(shown.encode(), body, hashlib.sha256).hexdigest()
    assert headers["x-llm-ui-signature"] == f"sha256={signature}"


async def test_who_cannot_be_reached_is_told_again_and_at_last_given_up(
    alerting: Alerting, database: Database, an_admin: Actor
) -> None:
    async with a_hook(status=500) as (address, got):
        await saved(database, an_admin, address, "disk_free", 101)
        for _ in range(alerts.TRIES + 2):
            await alerting.check()
            await a_minute_later(database)

    assert len(got) == alerts.TRIES
    async with database.reading() as session:
        (told,) = (await find(session, alerts.rows(an_admin, Asked()), Asked())).items
    assert (told.sent_at, told.error) == (None, "127.0.0.1 does not take it: it answers 500.")


async def test_nobody_inside_is_reached_and_a_silenced_rule_tells_nobody(
    database_config: Config, database: Database, an_admin: Actor, secrets: Secrets, alerting: Alerting
) -> None:
    async with a_hook() as (address, got):
        rule_id = await saved(database, an_admin, address, "disk_free", 101)
        async with database.writing() as session:
            told = await alerts.test(session, an_admin, rule_id)
            await alerts.silence(session, an_admin, rule_id, 24)
        problem = await Alerting(database_config, database, secrets.sealer).tell(told)
        await alerting.check()
        assert (problem or "").startswith("127.0.0.1 is not on the public internet")
        assert got == []
        assert await alerting.tell(told) is None
    assert json.loads(got[0][1])["change"] == "test"


async def test_an_alert_comes_as_an_e_mail_and_the_password_is_sealed(
    alerting: Alerting, database: Database, an_admin: Actor, secrets: Secrets
) -> None:
    rule_id = await saved(database, an_admin, "ops@example.org", "disk_free", 1)
    async with database.writing() as session:
        told = await alerts.test(session, an_admin, rule_id)
    assert (await alerting.tell(told) or "").startswith("No server for e-mails is set.")
    async with a_mail_server() as (port, got):
        new = NewMail("127.0.0.1", port, "none", "", "llm-ui@example.org", "a very secret word")
        async with database.writing() as session:
            await alert_mail.save(session, an_admin, secrets.sealer, new)
            await settings.change(session, an_admin, WORKSPACE_NAME, "Heron Lab")
        assert await alerting.tell(told) is None

    assert "To: ops@example.org" in got[0]
    assert "Subject: Heron Lab: disk_free test" in got[0]
    assert "change: test" in got[0]
    assert "cannot be reached" in (await alerting.tell(told) or "")
    async with database.reading() as session:
        kept = [*await session.scalars(select(Setting)), *await session.scalars(select(AuditLog))]
        assert "a very secret word" not in str([vars(row) for row in kept])
        assert (await alert_mail.server(session, secrets.sealer)).password == "a very secret word"
        assert (await alert_mail.current(session, an_admin)).password == ""


@pytest.mark.parametrize(
    "new",
    [
        NewRule("moon_phase", 5, "webhook", "https://example.org"),
        NewRule("disk_free", -1, "webhook", "https://example.org"),
        NewRule("disk_free", float("nan"), "webhook", "https://example.org"),
        NewRule("disk_free", 5, "webhook", "file:///etc/passwd"),
        NewRule("disk_free", 5, "email", "a@b\nBcc: all@example.org"),
        NewRule("disk_free", 5, "pigeon", "a@b"),
    ],
)
async def test_what_is_no_rule_is_refused(database: Database, an_admin: Actor, new: NewRule) -> None:
    async with database.writing() as session:
        with pytest.raises(InvalidInput):
            await alerts.save(session, an_admin, None, new)


async def test_rules_are_seen_by_who_sees_figures_and_changed_by_administrators(
    database: Database, an_admin: Actor, a_user: Actor
) -> None:
    operator = Actor(a_user.user_id, a_user.name, Role.OPERATOR)
    rule_id = await saved(database, an_admin, "ops@example.org")
    async with database.writing() as session:
        assert [rule.address for rule in await alerts.list_rules(session, operator)] == [""]
        for forbidden in (
            alerts.list_rules(session, a_user), alerts.remove(session, operator, rule_id),
            alerts.silence(session, operator, rule_id, 1), alerts.test(session, operator, rule_id),
        ):  # fmt: skip
            with pytest.raises(Forbidden):
                await forbidden
        await alerts.remove(session, an_admin, rule_id)
        assert await alerts.list_rules(session, an_admin) == ()


async def test_everything_that_can_be_watched_is_read(database: Database, an_admin: Actor) -> None:
    await Reporter(database, "worker").report()
    async with database.writing() as session:
        await session.execute(update(ProcessReport).values(reported_at=now() - timedelta(minutes=9)))
        session.add_all(a_booking(an_admin, None, Decimal(1), now()) for _ in range(alert_values.FEW_CALLS))
    async with database.reading() as session:
        moment = Moment(now(), 0.25)
        found = {kind: await read(session, moment) for kind, read in alert_values.READ.items()}

    assert set(found) == set(AlertKind)
    assert found[AlertKind.DISK_FREE] == 25
    assert round(found[AlertKind.WORKER_SILENT] or 0) == 9
    assert (found[AlertKind.ERROR_RATE], found[AlertKind.SPEND_MONTH]) == (0, 5)
    assert (found[AlertKind.QUEUE_DEPTH], found[AlertKind.PROVIDER_DOWN]) == (0, 0)
    assert is_passed(AlertKind.DISK_FREE, 4, 5)
    assert not is_passed(AlertKind.DISK_FREE, 6, 5)
    assert is_passed(AlertKind.SPEND_DAY, 6, 5)
