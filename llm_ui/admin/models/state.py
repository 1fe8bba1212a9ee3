"""What the models page shows and what an administrator can do on it."""

from dataclasses import replace
from decimal import Decimal, InvalidOperation
from itertools import zip_longest

import param

from llm_ui.admin.dependants import sentences
from llm_ui.admin.models.trial import TrialState
from llm_ui.admin.numbers import PLACE_REFUSED, seconds, shown, whole
from llm_ui.admin.state import AdminState, action, required
from llm_ui.errors import InvalidInput
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.i18n import later, ngettext, number, typed
from llm_ui.kit.ids import ModelId
from llm_ui.models import Balancing, CacheMode
from llm_ui.services import ai_models, cached_answers, dependants, deployments, places, price_history, stand_ins
from llm_ui.services.access import Actor
from llm_ui.services.ai_models import ModelChange, ModelInfo
from llm_ui.services.cached_answers import Gained, Kept
from llm_ui.services.deployments import Deployment
from llm_ui.services.prices import Prices
from llm_ui.services.stand_ins import MOST
from llm_ui.ui.names import shown_name
from llm_ui.ui.page import PageContext

PAGE_SIZE = 50
STAND_INS = tuple(f"stand_in_{place}" for place in range(1, MOST + 1))
EDIT, OFF, REMOVE = "edit", "off", "remove"
SHARE = ("serves", "weight", "balancing")
OWN_TIMEOUTS = ("first_byte_s", "total_s", "hedge_s")
"""Those that models differ in: some think for minutes."""
WINDOW_REFUSED = later("The context window must be a whole number of tokens, such as 128000, or empty.")
ANSWER_REFUSED = later("The longest answer must be a whole number of tokens, such as 128000, or empty.")
INPUT_REFUSED = later("The price for input must be a number of dollars, such as 0.15, or empty.")
CACHED_REFUSED = later("The price for cached input must be a number of dollars, such as 0.15, or empty.")
REASONING_REFUSED = later("The price for reasoning must be a number of dollars, such as 0.15, or empty.")
OUTPUT_REFUSED = later("The price for output must be a number of dollars, such as 0.15, or empty.")
WEIGHT_REFUSED = later("A weight is a whole number, such as 1.")
SECONDS_REFUSED = later("A time-out is a number of seconds, such as 30, or empty.")


class ModelsState(AdminState):
    """A stretch of the models and the form for one of them."""

    models = param.ClassSelector(class_=tuple, default=(), doc="The models of this stretch.")
    total = param.Integer(default=0, bounds=(0, None), doc="How many models match the search.")
    offset = param.Integer(default=0, bounds=(0, None), doc="How many models come before this stretch.")
    search = param.String(default="", doc="Text that a model's name or provider must hold.")
    selected = param.Parameter(doc="The model whose form is open, or None.")

    consequences = param.String(default="", doc="What would break, before it does; a sentence a line.")

    display_name = param.String(default="", doc="Name that people see.")
    place = param.String(default="", doc="Where it stands in lists; empty: by name.")
    context_window = param.String(default="", doc="Tokens the model can be sent and answer together.")
    max_output_tokens = param.String(default="", doc="Longest answer in tokens.")
    can_see_images = param.String(default="no", doc="Whether the model takes images: yes or no.")
    can_use_tools = param.String(default="no", doc="Whether the model calls tools: yes or no.")
    makes_embeddings = param.String(default="no", doc="Whether the model makes vectors and no answers: yes or no.")
    input_price = param.String(default="", doc="Dollars per million tokens that are sent.")
    cached_price = param.String(default="", doc="Dollars per million tokens that the provider had in its cache.")
    output_price = param.String(default="", doc="Dollars per million tokens that are answered.")

    reasoning_price = param.String(default="", doc="Dollars per million tokens of reasoning.")
    history = param.ClassSelector(class_=tuple, default=(), doc="What the model of the form costs and has cost.")

    first_byte_s = param.String(default="", doc="Seconds until an answer begins; empty: as the provider's.")
    total_s = param.String(default="", doc="Seconds for a whole answer; empty: as the provider's.")
    hedge_s = param.String(
        default="", doc="Seconds of silence until another one is asked too; empty: as the provider's."
    )
    cache_mode = param.String(default="off", doc="Whether answers are kept: off, own or shared.")
    cache_similar = param.String(default="no", doc="Whether they are given to what means the same, too: yes or no.")
    gained = param.Parameter(default=Gained(), doc="What kept answers of that model have been good for.")
    kept = param.Parameter(default=Kept(0, 0), doc="How many answers of that model are kept.")
    others = param.ClassSelector(class_=tuple, default=(), doc="The models that could stand in for that one.")
    stand_in_1 = param.String(default="", doc="Who is asked where the model does not answer; empty: nobody.")
    stand_in_2 = param.String(default="", doc="Who is asked after that.")
    stand_in_3 = param.String(default="", doc="Who is asked last.")

    serves = param.String(default="", doc="The model under whose name it serves; empty: its own.")
    weight = param.String(default="1", doc="How often it is asked, beside others of its name.")
    balancing = param.String(default="weight", doc="How those of its name share the questions.")

    fields = (
        "display_name", "place", "context_window", "max_output_tokens", "can_see_images", "can_use_tools",
        "makes_embeddings", "input_price", "cached_price", "output_price", "reasoning_price", *OWN_TIMEOUTS,
        "cache_mode", "cache_similar", *STAND_INS, *SHARE,
    )  # fmt: skip

    def __init__(self, context: PageContext) -> None:
        super().__init__(context)
        self.trial = TrialState(context)
        """The panel on which one of them is tried out."""

    @action
    async def load(self, actor: Actor) -> None:
        """Read the stretch."""
        await self._reload(actor)

    @action
    async def find(self, actor: Actor, search: str) -> None:
        """Show the models that hold the text, from the first."""
        self.param.update(search=search, offset=0)
        await self._reload(actor)

    @action
    async def turn(self, actor: Actor, pages: int) -> None:
        """Go this many stretches on, or back."""
        self.offset = max(0, self.offset + pages * PAGE_SIZE)
        await self._reload(actor)

    @action
    async def open_edit(self, actor: Actor, model_id: ModelId) -> None:
        """Open the form of a model."""
        async with self.context.backend.database.reading() as session:
            model = await ai_models.get_model(session, actor, model_id)
            usable = await ai_models.list_models(session, actor)
            history = await price_history.history(session, actor, model_id)
            chosen = await stand_ins.list_stand_ins(session, actor, model_id)
            kept = await cached_answers.kept(session, actor, model_id)
            gained = await cached_answers.gained(session, actor, model_id)
            share = await deployments.get_deployment(session, actor, model_id)
            named = [*chosen, *filter(None, [share.serves_id])]
            lost = [one for one in dict.fromkeys(named) if one not in {other.id for other in usable}]
            # Whoever is switched off for now must not be lost when the form is saved.
            others = [*usable, *[await ai_models.get_model(session, actor, one) for one in lost]]
        self.param.update(others=tuple(others), history=history, kept=kept, gained=gained)
        self._fill(model)
        self.param.update({name: str(next_id) for name, next_id in zip_longest(STAND_INS, chosen, fillvalue="")})
        serves = "" if share.serves_id is None else str(share.serves_id)
        self.param.update(serves=serves, weight=str(share.weight), balancing=share.balancing.value)
        self.sheet = EDIT

    @action
    async def save(self, actor: Actor) -> None:
        """Store what the form says and close it."""
        model: ModelInfo = required(self.selected)
        change = ModelChange(
            self.display_name,
            whole(self.context_window, WINDOW_REFUSED),
            whole(self.max_output_tokens, ANSWER_REFUSED),
            self._typed_prices(model.prices),
            can_see_images=self.can_see_images == "yes",
            can_use_tools=self.can_use_tools == "yes",
            makes_embeddings=self.makes_embeddings == "yes",
            timeouts={name: seconds(getattr(self, name), SECONDS_REFUSED) for name in OWN_TIMEOUTS},
        )
        place = whole(self.place, PLACE_REFUSED)
        async with self.context.backend.database.writing() as session:
            await ai_models.change_model(session, actor, model.id, change, seen=model.updated_at)
            await places.set_model_place(session, actor, model.id, place)
            await stand_ins.set_stand_ins(session, actor, model.id, self._chosen())
            is_similar = self.cache_similar == "yes"
            await cached_answers.set_mode(session, actor, model.id, _mode(self.cache_mode), is_similar=is_similar)
            await deployments.set_deployment(session, actor, model.id, self._share())
        said = _("{name} is saved.").format(name=shown_name(self.display_name) or model.name)
        self.param.update(sheet="", said=said)
        await self._reload(actor)

    @action
    async def use_list_prices(self, actor: Actor) -> None:
        """Store the public list's prices for the model of the form, and show them there."""
        model: ModelInfo = required(self.selected)
        async with self.context.backend.database.writing() as session:
            prices = await ai_models.use_list_prices(session, actor, model.id)
        async with self.context.backend.database.reading() as session:
            self.selected = await ai_models.get_model(session, actor, model.id)
            self.history = await price_history.history(session, actor, model.id)
        self._fill_prices(prices)
        self.said = _("The public list's prices are set.")
        await self._reload(actor)

    @action
    async def ask_off(self, actor: Actor, model_id: ModelId) -> None:
        """Switch a model off, or first say what would break."""
        async with self.context.backend.database.reading() as session:
            model = await ai_models.get_model(session, actor, model_id)
        if not await self._warns(actor, model, OFF):
            await self._set_enabled(actor, model_id, is_enabled=False)

    @action
    async def ask_remove(self, actor: Actor) -> None:
        """Take the model of the form off the list, or first say what would break."""
        if not await self._warns(actor, required(self.selected), REMOVE):
            await self._remove(actor)

    async def _warns(self, actor: Actor, model: ModelInfo, sheet: str) -> bool:
        """Open the form that says what depends on a model; return whether anything does. The default one stays."""
        async with self.context.backend.database.reading() as session:
            found = await dependants.of_model(session, actor, model.id)
        if found.is_default or not found:
            return False
        self.param.update(selected=model, consequences="\n".join(sentences(found)), sheet=sheet)
        return True

    @action
    async def switch_off(self, actor: Actor) -> None:
        """Switch the model off whose consequences were read."""
        model: ModelInfo = required(self.selected)
        await self._set_enabled(actor, model.id, is_enabled=False)
        self.sheet = ""

    @action
    async def switch_on(self, actor: Actor, model_id: ModelId) -> None:
        """Let people ask the model."""
        await self._set_enabled(actor, model_id, is_enabled=True)

    async def _set_enabled(self, actor: Actor, model_id: ModelId, *, is_enabled: bool) -> None:
        async with self.context.backend.database.writing() as session:
            await ai_models.set_model_enabled(session, actor, model_id, is_enabled=is_enabled)
        said = _("{name} is switched on.") if is_enabled else _("{name} is switched off.")
        self.said = said.format(name=self._name_of(model_id))
        await self._reload(actor)

    @action
    async def make_default(self, actor: Actor, model_id: ModelId) -> None:
        """Let new chats start with the model."""
        async with self.context.backend.database.writing() as session:
            await ai_models.set_default(session, actor, model_id)
        self.said = _("New chats now start with {name}.").format(name=self._name_of(model_id))
        await self._reload(actor)

    @action
    async def clear_cache(self, actor: Actor) -> None:
        """Throw away what is kept of the model of the form."""
        model: ModelInfo = required(self.selected)
        async with self.context.backend.database.writing() as session:
            count = await cached_answers.clear(session, actor, model.id)
        self.kept = Kept(0, 0)
        said = ngettext("{count} kept answer is forgotten.", "{count} kept answers are forgotten.", count)
        self.said = said.format(count=number(count))

    @action
    async def remove(self, actor: Actor) -> None:
        """Take the model of the form off the list; it can be added again from its provider."""
        await self._remove(actor)

    async def _remove(self, actor: Actor) -> None:
        model: ModelInfo = required(self.selected)
        async with self.context.backend.database.writing() as session:
            await ai_models.delete_model(session, actor, model.id)
        self.sheet = ""
        said = _("{name} is removed. Add it again on the providers page whenever you like.")
        self.said = said.format(name=shown_name(model.display_name))
        await self._reload(actor)

    def _typed_prices(self, before: Prices) -> Prices:
        """Return what the form says. Prices that were changed hold for prompts of any length."""
        typed_prices = Prices(
            _usd(self.input_price, INPUT_REFUSED),
            _usd(self.cached_price, CACHED_REFUSED),
            _usd(self.output_price, OUTPUT_REFUSED),
            _usd(self.reasoning_price, REASONING_REFUSED),
        )
        return before if replace(before, tiers=()) == typed_prices else typed_prices

    def _chosen(self) -> list[ModelId]:
        """Return who stands in, as the form says. A browser names them: what is no id is nobody."""
        ids = {str(one.id): one.id for one in self.others}
        return [ids[getattr(self, name)] for name in STAND_INS if getattr(self, name) in ids]

    def _share(self) -> Deployment:
        """Return how it shares questions, as the form says. Raises `InvalidInput`."""
        ids = {str(one.id): one.id for one in self.others}
        kinds = {one.value: one for one in Balancing}
        weight = whole(self.weight, WEIGHT_REFUSED)
        balancing = kinds.get(self.balancing, Balancing.WEIGHT)
        return Deployment(ids.get(self.serves), 1 if weight is None else weight, balancing)

    async def _reload(self, actor: Actor) -> None:
        search, offset = self.search, self.offset
        async with self.context.backend.database.reading() as session:
            page = await ai_models.find_models(session, actor, search=search, offset=offset, limit=PAGE_SIZE)
        # Whoever types fast is answered out of order: only what is still asked for is shown.
        if (search, offset) == (self.search, self.offset):
            self.param.update(models=page.items, total=page.total)

    def _name_of(self, model_id: ModelId) -> str:
        return next((shown_name(model.display_name) for model in self.models if model.id == model_id), _("The model"))

    def _fill(self, model: ModelInfo) -> None:
        self.param.update(
            selected=model,
            display_name=model.display_name,
            place=_text(model.place),
            context_window=_text(model.context_window),
            max_output_tokens=_text(model.max_output_tokens),
            can_see_images="yes" if model.can_see_images else "no",
            can_use_tools="yes" if model.can_use_tools else "no",
            makes_embeddings="yes" if model.makes_embeddings else "no",
            cache_mode=model.cache_mode.value,
            cache_similar="yes" if model.cache_similar else "no",
            **{name: shown(model.timeouts.get(name)) for name in OWN_TIMEOUTS},
        )
        self._fill_prices(model.prices)

    def _fill_prices(self, prices: Prices) -> None:
        self.param.update(
            input_price=_text(prices.input_usd_per_mtok),
            cached_price=_text(prices.cached_input_usd_per_mtok),
            output_price=_text(prices.output_usd_per_mtok),
            reasoning_price=_text(prices.reasoning_usd_per_mtok),
        )


def _text(value: int | Decimal | None) -> str:
    """Return a number as a form shows it; empty where unknown."""
    if value is None:
        return ""
    return number(value, "f") if isinstance(value, Decimal) else str(value)


def _usd(value: str, refusal: str) -> Decimal | None:
    """Return a typed price; a leading dollar sign is forgiven. Raises `InvalidInput`."""
    digits = typed(value).strip().strip("$").strip()
    if not digits:
        return None
    try:
        return Decimal(digits)
    except InvalidOperation:
        raise InvalidInput(refusal) from None


def _mode(chosen: str) -> CacheMode:
    """Return whether answers are kept, as the form says; a browser names it."""
    return CacheMode(chosen) if chosen in set(CacheMode) else CacheMode.OFF
