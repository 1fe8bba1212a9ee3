"""What the page of alerts shows, and what an administrator can do on it."""

from uuid import UUID

import param

from llm_ui.admin.alerts.listing import ALERTS
from llm_ui.admin.alerts.rows import DELETE, MAIL, RULE, SECRET
from llm_ui.admin.listing.state import ListState
from llm_ui.admin.state import action, required
from llm_ui.errors import InvalidInput
from llm_ui.kit.i18n import gettext as _
from llm_ui.services import alert_mail, alerts
from llm_ui.services.access import Actor, Permission
from llm_ui.services.alert_mail import NewMail
from llm_ui.services.alerts import NewRule

DAY_HOURS = 24


class AlertsState(ListState):
    """The rules, the form of one, the server for e-mails, and what was told."""

    rules = param.ClassSelector(class_=tuple, default=(), doc="All rules.")
    may_act = param.Boolean(default=False, doc="Whether the person may change them.")
    chosen = param.ClassSelector(class_=UUID, default=None, allow_None=True, doc="The rule that the form is about.")
    kind = param.String(default="error_rate", doc="What is watched.")
    threshold = param.String(default="", doc="The limit, as it was typed.")
    channel = param.String(default="webhook", doc="How somebody is told.")
    address = param.String(default="", doc="Who is told.")
    host = param.String(default="", doc="The server for e-mails.")
    port = param.String(default="", doc="Its port, as it was typed.")
    tls = param.String(default="starttls", doc="How the connection to it is sealed.")
    user = param.String(default="", doc="Whom to sign in as there.")
    password = param.String(default="", doc="The password, as it was typed.")
    sender = param.String(default="", doc="Whom e-mails come from.")
    secret = param.String(default="", doc="What alerts to webhooks are signed with, while it is shown.")

    fields = ("kind", "threshold", "channel", "address", "host", "port", "tls", "user", "password", "sender")
    listing = ALERTS

    async def follow(self) -> None:
        """Look again, without a sign of work."""
        if self.is_read:
            await self.quietly(self.reload)

    async def reload(self, actor: Actor) -> None:
        """Read rules and history again."""
        async with self.context.backend.database.reading() as session:
            found = await alerts.list_rules(session, actor)
        self.param.update(rules=found, may_act=actor.may(Permission.MANAGE_SETTINGS))
        await super().reload(actor)

    def open_new(self) -> None:
        """Open an empty form."""
        self.param.update(
            chosen=None, kind="error_rate", threshold="", channel="webhook", address="", error="", said="", sheet=RULE
        )

    @action
    async def open_rule(self, _actor: Actor, rule_id: UUID) -> None:
        """Open the form of a rule."""
        rule = required(next((one for one in self.rules if one.id == rule_id), None))
        self.param.update(
            chosen=rule.id, kind=rule.kind.value, threshold=f"{rule.threshold:g}", channel=rule.channel.value,
            address=rule.address, sheet=RULE,
        )  # fmt: skip

    @action
    async def save_rule(self, actor: Actor) -> None:
        """Keep what the form holds."""
        new = NewRule(self.kind, _number(self.threshold), self.channel, self.address)
        async with self.context.backend.database.writing() as session:
            await alerts.save(session, actor, self.chosen, new)
        self.param.update(sheet="", said=_("It is looked at within a minute."))
        await self.reload(actor)

    def ask_delete(self) -> None:
        """Ask whether the rule is really to go."""
        self.param.update(sheet=DELETE, error="")

    @action
    async def delete(self, actor: Actor) -> None:
        """Delete the rule of the form."""
        async with self.context.backend.database.writing() as session:
            await alerts.remove(session, actor, required(self.chosen))
        self.param.update(sheet="", said=_("The rule is deleted."))
        await self.reload(actor)

    @action
    async def silence(self, actor: Actor, rule_id: UUID, *, is_silenced: bool) -> None:
        """Let a rule tell nobody for a day, or let it tell again."""
        async with self.context.backend.database.writing() as session:
            await alerts.silence(session, actor, rule_id, DAY_HOURS if is_silenced else 0)
        self.said = _("It tells nobody for a day.") if is_silenced else _("It tells again.")
        await self.reload(actor)

    @action
    async def test(self, actor: Actor, rule_id: UUID) -> None:
        """Have a rule tell something."""
        problem = await self.llm(actor).test_alert(rule_id)
        await self.reload(actor)
        if problem:
            raise InvalidInput(problem)
        self.said = _("It was told. Look whether it has come.")

    @action
    async def open_mail(self, actor: Actor) -> None:
        """Open the form of the server for e-mails."""
        async with self.context.backend.database.reading() as session:
            held = await alert_mail.current(session, actor)
        self.param.update(
            host=held.host, port=str(held.port), tls=held.tls, user=held.user, sender=held.sender, password="",
            sheet=MAIL,
        )  # fmt: skip

    @action
    async def save_mail(self, actor: Actor) -> None:
        """Keep the server for e-mails."""
        new = NewMail(self.host, int(_number(self.port)), self.tls, self.user, self.sender, self.password)
        backend = self.context.backend
        async with backend.database.writing() as session:
            await alert_mail.save(session, actor, backend.secrets.sealer, new)
        self.param.update(sheet="", password="", said=_("It is used from now on. Test a rule with an e-mail."))

    @action
    async def show_secret(self, actor: Actor) -> None:
        """Show what alerts to webhooks are signed with."""
        backend = self.context.backend
        async with backend.database.writing() as session:
            secret = await alert_mail.shown_secret(session, actor, backend.secrets.sealer)
        self.param.update(secret=secret, sheet=SECRET)

    def close(self) -> None:
        """Close the form; what is secret is not kept in the page."""
        self.param.update(secret="", password="")
        super().close()


def _number(text: str) -> float:
    try:
        found = float(text.strip().replace(",", "."))
    except ValueError:
        raise InvalidInput("Write a number, such as 10 or 0.5.") from None
    if found != found or abs(found) > alerts.GREATEST:
        raise InvalidInput("Write a number, such as 10 or 0.5.")
    return found
