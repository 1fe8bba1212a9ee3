"""How a provider is reached: what its forms say of further keys, headers, time-outs and questions at once."""

import param

from llm_ui.admin.numbers import seconds, shown, whole
from llm_ui.admin.state import AdminState, action, required
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.i18n import later
from llm_ui.kit.ids import ProviderId
from llm_ui.services import providers, reach
from llm_ui.services.access import Actor
from llm_ui.services.providers import ProviderInfo
from llm_ui.services.reach import TIMEOUTS, Limits

KEYS = "keys"
REACH_FIELDS = ("chosen_key", "new_key", "weight", "headers", "most_at_once", *TIMEOUTS)
"""Fields of the forms for it."""
REFUSED = later("A time-out is a number of seconds, such as 30, or empty.")
AT_ONCE_REFUSED = later("Questions at once are a whole number, such as 20, or empty.")
WEIGHT_REFUSED = later("A weight is a whole number, such as 2.")


class ReachState(AdminState):
    """How one provider is reached."""

    selected = param.Parameter(doc="The provider whose form is open, or None.")
    keys = param.ClassSelector(class_=tuple, default=(), doc="The keys of the selected provider.")
    chosen_key = param.String(default="", doc="Which of them is changed.")
    new_key = param.String(default="", doc="A further key; kept only until it is added.")
    weight = param.String(default="1", doc="How often the key is used, beside the others.")
    headers = param.String(default="", doc="Extra headers; kept only until they are saved.")
    most_at_once = param.String(default="", doc="Questions that the provider gets at the same time.")
    connect_s = param.String(default="", doc="Seconds until it takes the connection.")
    first_byte_s = param.String(default="", doc="Seconds until its answer begins.")
    idle_s = param.String(default="", doc="Seconds between two pieces.")
    total_s = param.String(default="", doc="Seconds for a whole answer.")
    hedge_s = param.String(default="", doc="Seconds of silence until another model is asked too.")

    @action
    async def open_keys(self, actor: Actor, provider_id: ProviderId) -> None:
        """Show a provider's keys."""
        async with self.context.backend.database.reading() as session:
            self.selected = await providers.get_provider(session, actor, provider_id)
        await self._show_keys(actor, provider_id)
        self.sheet = KEYS

    @action
    async def change_keys(self, actor: Actor, verb: str) -> None:
        """Add the typed key, give the chosen one the typed weight, or use the chosen one no more."""
        provider: ProviderInfo = required(self.selected)
        backend, provider_id = self.context.backend, provider.id
        weight = whole(self.weight, WEIGHT_REFUSED) or 1
        async with backend.database.writing() as session:
            if verb == "add_key":
                await reach.add_key(session, actor, backend.secrets.sealer, provider_id, self.new_key, weight)
                said = _("The key is in use from now on.")
            elif verb == "weigh_key":
                await reach.weigh_key(session, actor, provider_id, self.chosen_key, weight)
                said = _("The weight is set.")
            else:
                await reach.retire_key(session, actor, provider_id, self.chosen_key)
                said = _("The key is retired and wiped. Answers that go on end with it.")
        self.said = said
        await self._show_keys(actor, provider_id)
        await self.reload(actor)

    async def reload(self, actor: Actor) -> None:
        """Read the list of providers anew."""
        raise NotImplementedError

    def fill_reach(self, provider: ProviderInfo) -> None:
        """Show how a provider is reached; values of headers are never shown again."""
        most = "" if provider.most_at_once is None else str(provider.most_at_once)
        timeouts = {name: shown(provider.timeouts.get(name)) for name in TIMEOUTS}
        self.param.update(headers="", most_at_once=most, **timeouts)

    def limits(self) -> Limits:
        """Return what the form says. Raises `InvalidInput`."""
        timeouts = {name: seconds(getattr(self, name), REFUSED) for name in TIMEOUTS}
        return Limits(self.headers, timeouts, whole(self.most_at_once, AT_ONCE_REFUSED))

    async def _show_keys(self, actor: Actor, provider_id: ProviderId) -> None:
        async with self.context.backend.database.reading() as session:
            found = await reach.list_keys(session, actor, provider_id)
        self.param.update(keys=found, chosen_key=found[0].id if found else "", new_key="", weight="1")
