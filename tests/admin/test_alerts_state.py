"""The page of alerts: a rule is made, tried, silenced and deleted; it is told on the overview while it fires."""

from sqlalchemy import update

from llm_ui.admin.alerts import rows
from llm_ui.admin.alerts.listing import ALERTS
from llm_ui.admin.alerts.state import AlertsState
from llm_ui.admin.overview.rows import attention
from llm_ui.admin.overview.state import OverviewState
from llm_ui.models import AlertRule
from llm_ui.services.access import Actor
from tests.admin.conftest import ContextOf


async def test_a_rule_is_made_tried_silenced_and_deleted(context_of: ContextOf, an_admin: Actor) -> None:
    context = context_of(an_admin)
    state = AlertsState(context)
    await state.look("")
    state.open_new()
    state.fill({"kind": "disk_free", "threshold": "ten", "channel": "webhook", "address": "http://127.0.0.1:9/x"})
    await state.save_rule()
    assert (state.error, state.sheet) == ("Write a number, such as 10 or 0.5.", "rule")
    state.fill({"threshold": "10,5"})
    await state.save_rule()

    (line,) = rows.rules(state.rules, state.may_act)
    assert (line["cells"]["limit"], line["cells"]["state"]["text"]) == ("10.5 %", "Fine")
    rule_id = state.rules[0].id
    await state.test(rule_id)
    assert "127.0.0.1 is not on the public internet" in state.error
    assert ALERTS.drawn_rows(state.found.items)[0]["cells"]["sent"]["text"] == "Not told"
    await state.silence(rule_id, is_silenced=True)
    assert rows.rules(state.rules, state.may_act)[0]["cells"]["state"]["text"] == "Silenced"

    async with context.backend.database.writing() as session:
        await session.execute(update(AlertRule).values(is_firing=True))
    overview = OverviewState(context)
    await overview.look("UTC")
    assert "/admin/alerts" in [one["id"] for one in attention(overview.shown, 1.0, overview.firing)]
    await state.open_rule(rule_id)
    assert (state.threshold, state.sheet) == ("10.5", "rule")
    state.ask_delete()
    await state.delete()
    assert (state.rules, state.found.total) == ((), 0)


async def test_the_server_for_e_mails_and_the_secret_are_shown_and_not_kept(
    context_of: ContextOf, an_admin: Actor
) -> None:
    state = AlertsState(context_of(an_admin))
    await state.open_mail()
    state.fill({"host": "smtp.example.org", "port": "465", "tls": "tls", "user": "x", "password": "y", "sender": ""})
    await state.save_mail()
    assert state.error.startswith("Write whom the e-mails come from")
    state.fill({"sender": "llm-ui@example.org"})
    await state.save_mail()
    await state.open_mail()
    assert (state.host, state.port, state.tls, state.password, state.sheet) == (
        "smtp.example.org", "465", "tls", "", "mail",
    )  # fmt: skip
    await state.show_secret()
    assert len(state.secret) > 30
    state.close()
    assert state.secret == ""
