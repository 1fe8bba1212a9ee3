"""What the providers page shows and what an administrator can do on it."""

from urllib.parse import urlsplit

import param

from llm_ui.admin.dependants import sentences
from llm_ui.admin.numbers import PLACE_REFUSED, whole
from llm_ui.admin.providers.reach import REACH_FIELDS, ReachState
from llm_ui.admin.state import action, required
from llm_ui.contract.probes import FoundModel, FoundServer, ProviderTest
from llm_ui.errors import InvalidInput, LLMUIError
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.i18n import ngettext, number, told
from llm_ui.kit.ids import ProviderId
from llm_ui.models import ProviderKind
from llm_ui.services import ai_models, dependants, places, provider_health, providers, reach
from llm_ui.services.access import Actor
from llm_ui.services.ai_models import ModelInfo, NewModel
from llm_ui.services.dependants import Dependants
from llm_ui.services.presets import PRESETS
from llm_ui.services.providers import NewProvider, ProviderInfo
from llm_ui.ui.names import shown_name

ADD, EDIT, MODELS, OFF, DELETE = "add", "edit", "models", "off", "delete"


class ProvidersState(ReachState):
    """The providers, the form for one of them, and what a provider says it serves."""

    providers = param.ClassSelector(class_=tuple, default=(), doc="All providers, oldest first.")
    health = param.Dict(default={}, doc="How each does, by its id.")
    type_names = param.Dict(default={}, doc="What each kind is called.")
    offers = param.ClassSelector(
        class_=tuple, default=(), doc="Model servers found on this computer and not added yet."
    )
    suggestion = param.Parameter(doc="A model that could take the default from the demo, or None.")
    consequences = param.String(default="", doc="What would break, before it does; a sentence a line.")

    preset = param.String(default="", doc="Name of a known service; empty for none.")
    hint = param.String(default="", doc="Where the key of the chosen service comes from.")
    provider_name = param.String(default="", doc="Name of the provider, as people will see it.")
    place = param.String(default="", doc="Where it stands in lists; empty: the oldest first.")
    kind = param.String(default=ProviderKind.OPENAI.value, doc="Which protocol it speaks.")
    base_url = param.String(default="", doc="Address of the provider.")
    key = param.String(default="", doc="Its key; kept only until it is saved.")

    served = param.ClassSelector(class_=tuple, default=(), doc="The models the selected provider says it serves.")
    already = param.List(default=[], item_type=str, doc="Names of served models that were added before.")
    chosen = param.List(default=[], item_type=str, doc="Names of the models to add.")
    model_name = param.String(default="", doc="Name of a model to add by hand, as its provider writes it.")

    fields = (
        "provider_name", "place", "kind", "base_url", "key", "chosen", "model_name", *REACH_FIELDS,
    )  # fmt: skip

    @action
    async def load(self, actor: Actor) -> None:
        """Read the list."""
        await self.reload(actor)

    async def look_around(self) -> None:
        """Ask the LLM API which model servers run on this computer; those added already are left out.

        Nobody waits for it, and it may take seconds: the page is not busy meanwhile.
        """
        try:
            found = await self.llm(await self.context.actor()).find_local()
        except LLMUIError as refusal:
            self.error = told(refusal.message)
            return
        known = {_port(provider.base_url) for provider in self.providers if _is_here(provider.base_url)}
        self.offers = tuple(server for server in found if _port(server.base_url) not in known)

    def open_add(self) -> None:
        """Open an empty form."""
        self.param.update(preset="", provider_name="", kind=ProviderKind.OPENAI.value, base_url="", key="", hint="")
        self.param.update(selected=None, sheet=ADD, error="", said="")

    @action
    async def open_edit(self, actor: Actor, provider_id: ProviderId) -> None:
        """Open the form of a provider; its key stays where it is."""
        provider = await self._select(actor, provider_id)
        self.param.update(
            provider_name=provider.name,
            place="" if provider.place is None else str(provider.place),
            kind=provider.kind.value,
            base_url=provider.base_url,
            key="",
            hint="",
            sheet=EDIT,
        )
        self.fill_reach(provider)

    @action
    async def save(self, actor: Actor) -> None:
        """Store what the form says and close it."""
        provider = await self._store(actor)
        said = (
            _("{name} is saved.")
            if provider.model_count
            else _("{name} is saved. Find its models next, so that people can ask them.")
        )
        self.param.update(sheet="", said=said.format(name=provider.name))

    @action
    async def save_and_test(self, actor: Actor) -> None:
        """Store what the form says, then try it: the models it serves follow, or the form stays with what failed."""
        provider = await self._store(actor)
        self.sheet = EDIT
        result = await self._test(actor, provider)
        if result.is_ok:
            await self._open_models(actor, provider, result)
        else:
            self.error = told(result.message)

    @action
    async def test(self, actor: Actor, provider_id: ProviderId) -> None:
        """Try a provider's address and key; the sentence that comes back is shown."""
        provider = await self._select(actor, provider_id)
        result = await self._test(actor, provider)
        self.param.update(**_outcome(provider, result))

    @action
    async def discover(self, actor: Actor, provider_id: ProviderId) -> None:
        """Ask a provider what it serves and offer the models; without an answer they can be added by name."""
        provider = await self._select(actor, provider_id)
        await self._open_models(actor, provider, await self._test(actor, provider))

    @action
    async def add_chosen(self, actor: Actor) -> None:
        """Add the chosen models, and the one typed in by hand, and close the form."""
        provider: ProviderInfo = required(self.selected)
        chosen = set(self.chosen)
        models = [_new_model(model) for model in self.served if model.name in chosen]
        if self.model_name.strip():
            models.append(NewModel(self.model_name))
        if not models:
            raise InvalidInput("Choose at least one model, or type the name of one.")
        async with self.context.backend.database.writing() as session:
            added = await ai_models.add_models(session, actor, provider.id, models)
        self.close()
        said = ngettext("{n} model of {name} can now be asked.", "{n} models of {name} can now be asked.", len(added))
        self.said = said.format(n=number(len(added)), name=provider.name)
        await self.reload(actor)

    @action
    async def add_offer(self, actor: Actor, base_url: str) -> None:
        """Add a server found on this computer with all its models."""
        found = (offer for offer in self.offers if offer.base_url == base_url)
        server: FoundServer = required(next(found, None))
        taken = {provider.name.casefold() for provider in self.providers}
        name = server.name if server.name.casefold() not in taken else f"{server.name} ({_port(base_url)})"
        new = NewProvider(name, server.kind, server.base_url)
        async with self.context.backend.database.writing() as session:
            provider = await providers.add(session, actor, self.context.backend.secrets.sealer, new)
            await ai_models.add_models(session, actor, provider.id, [_new_model(m) for m in server.models])
        self.offers = tuple(offer for offer in self.offers if offer.base_url != base_url)
        count = len(server.models)
        said = ngettext("{name} is added with {n} model.", "{name} is added with {n} models.", count)
        self.said = said.format(name=name, n=number(count))
        await self.reload(actor)

    @action
    async def make_suggested_default(self, actor: Actor) -> None:
        """Let new chats start with the suggested model."""
        model: ModelInfo = required(self.suggestion)
        async with self.context.backend.database.writing() as session:
            await ai_models.set_default(session, actor, model.id)
        self.said = _("New chats now start with {name}.").format(name=shown_name(model.display_name))
        await self.reload(actor)

    @action
    async def ask_off(self, actor: Actor, provider_id: ProviderId) -> None:
        """Switch a provider off, or first say what would break."""
        provider = await self._select(actor, provider_id)
        found = await self._dependants(actor, provider)
        if not found:
            await self._set_enabled(actor, provider, is_enabled=False)
            return
        self.param.update(consequences="\n".join([*_models_of(provider), *sentences(found)]), sheet=OFF)

    @action
    async def switch_off(self, actor: Actor) -> None:
        """Let nobody use the models of the selected provider."""
        await self._set_enabled(actor, required(self.selected), is_enabled=False)
        self.sheet = ""

    @action
    async def switch_on(self, actor: Actor, provider_id: ProviderId) -> None:
        """Let people use the provider's models."""
        await self._set_enabled(actor, await self._select(actor, provider_id), is_enabled=True)

    async def _set_enabled(self, actor: Actor, provider: ProviderInfo, *, is_enabled: bool) -> None:
        async with self.context.backend.database.writing() as session:
            await providers.set_enabled(session, actor, provider.id, is_enabled=is_enabled)
        said = (
            _("The models of {name} can be asked again.")
            if is_enabled
            else _("The models of {name} cannot be asked any more.")
        )
        self.said = said.format(name=provider.name)
        await self.reload(actor)

    @action
    async def ask_delete(self, actor: Actor) -> None:
        """Say what deleting the provider of the form would break."""
        provider: ProviderInfo = required(self.selected)
        found = await self._dependants(actor, provider)
        wiped = _("Deleting {name} cannot be undone; its key is wiped.").format(name=provider.name)
        said = [wiped, *_models_of(provider), *sentences(found)]
        self.param.update(consequences="\n".join(said), sheet=DELETE)

    async def _dependants(self, actor: Actor, provider: ProviderInfo) -> Dependants:
        async with self.context.backend.database.reading() as session:
            return await dependants.of_provider(session, actor, provider.id)

    @action
    async def delete(self, actor: Actor) -> None:
        """Delete the selected provider."""
        provider: ProviderInfo = required(self.selected)
        async with self.context.backend.database.writing() as session:
            await providers.delete(session, actor, provider.id)
        said = _("{name} is deleted.").format(name=provider.name)
        self.param.update(sheet="", said=said, selected=None)
        await self.reload(actor)

    def close(self) -> None:
        """Close the form and forget what was typed, the key above all."""
        super().close()
        self.param.update(key="", new_key="", headers="", served=(), chosen=[], model_name="")

    async def reload(self, actor: Actor) -> None:
        """Read the list anew."""
        async with self.context.backend.database.reading() as session:
            types = await providers.list_types(session)
            listed = await providers.list_providers(session, actor)
            models = await ai_models.list_models(session, actor)
            health = await provider_health.list_health(session, actor)
        default = next((model for model in models if model.is_default), None)
        real = next((model for model in models if model.kind not in (ProviderKind.DEMO, ProviderKind.AUTO)), None)
        is_demo_default = default is None or default.kind is ProviderKind.DEMO
        self.param.update(
            providers=listed,
            health=dict(health),
            type_names={ai_type.kind.value: ai_type.name for ai_type in types},
            suggestion=real if is_demo_default else None,
        )

    async def _select(self, actor: Actor, provider_id: ProviderId) -> ProviderInfo:
        async with self.context.backend.database.reading() as session:
            provider = await providers.get_provider(session, actor, provider_id)
        self.selected = provider
        return provider

    async def _store(self, actor: Actor) -> ProviderInfo:
        """Add or change the provider of the form; afterwards it is the selected one and the key is forgotten."""
        new = NewProvider(self.provider_name, self.kind, self.base_url, self.key)
        sealer = self.context.backend.secrets.sealer
        async with self.context.backend.database.writing() as session:
            if self.selected is None:
                provider_id = (await providers.add(session, actor, sealer, new)).id
            else:
                provider_id = self.selected.id
                await providers.change(session, actor, sealer, provider_id, new, seen=self.selected.updated_at)
                await places.set_provider_place(session, actor, provider_id, whole(self.place, PLACE_REFUSED))
                await reach.set_limits(session, actor, sealer, provider_id, self.limits())
        self.param.update(key="", headers="")
        await self.reload(actor)
        return await self._select(actor, provider_id)

    async def _test(self, actor: Actor, provider: ProviderInfo) -> ProviderTest:
        result = await self.llm(actor).test_provider(provider.id)
        await self.reload(actor)
        return result

    async def _open_models(self, actor: Actor, provider: ProviderInfo, result: ProviderTest) -> None:
        async with self.context.backend.database.reading() as session:
            already = await ai_models.added_names(session, actor, provider.id)
        self.param.update(served=result.models, already=sorted(already), chosen=[], model_name="", sheet=MODELS)
        self.param.update(**_outcome(provider, result))

    def pick_preset(self, name: str) -> None:
        """Fill the form with what is known of a service."""
        preset = next((preset for preset in PRESETS if preset.name == name), None)
        if preset is not None and self.sheet == ADD:
            self.param.update(
                preset=name,
                provider_name=_(preset.name),
                kind=preset.kind.value,
                base_url=preset.base_url,
                hint=_(preset.hint),
            )


def _new_model(model: FoundModel) -> NewModel:
    return NewModel(model.name, model.display_name, model.context_window, model.max_output_tokens)


def _is_here(address: str) -> bool:
    """Return whether an address is on this computer."""
    return urlsplit(address).hostname in ("localhost", "127.0.0.1", "::1")


def _port(address: str) -> int | None:
    return urlsplit(address).port


def _outcome(provider: ProviderInfo, result: ProviderTest) -> dict[str, str]:
    """Return what a test says, as what was done or as what was refused."""
    if not result.is_ok:
        return {"error": told(result.message)}
    count = len(result.models)
    said = ngettext("{name} answers and serves {n} model.", "{name} answers and serves {n} models.", count)
    return {"said": said.format(name=provider.name, n=number(count))}


def _models_of(provider: ProviderInfo) -> list[str]:
    """Return what an administrator should know of its models before they cannot be asked any more."""
    if not (count := provider.model_count):
        return []
    many = ngettext(
        "{n} model of it cannot be asked any more; past chats stay readable.",
        "{n} models of it cannot be asked any more; past chats stay readable.",
        count,
    )
    return [many.format(n=number(count))]
