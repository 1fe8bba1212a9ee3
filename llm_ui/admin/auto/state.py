"""What the page of *Auto* models shows and what an administrator can do on it."""

from uuid import UUID

import param

from llm_ui.admin.state import AdminState, action, required
from llm_ui.contract.auto import MAX_TRIED_CHARS, AutoTryRequest
from llm_ui.errors import InvalidInput
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.ids import ModelId
from llm_ui.models import ProviderKind
from llm_ui.services import ai_models, autos
from llm_ui.services.access import Actor
from llm_ui.services.ai_models import ModelInfo
from llm_ui.services.auto_rules import AutoSettings, Choice, Rule, When, choice_of
from llm_ui.services.autos import MAX_RULES, AutoChange, AutoInfo

ADD, EDIT, REMOVE = "add", "edit", "remove"
PLACES = range(1, MAX_RULES + 1)
IMAGE, TOOLS, FORM = "image", "tools", "form"
"""What may come with a question that one is tried on."""
TEAM = f"{When.TEAM.value}:"
"""What a choice of a team begins with, before its id."""


class AutosState(AdminState):
    """The *Auto* models, the form of one, and what one would pick."""

    autos = param.ClassSelector(class_=tuple, default=(), doc="All Auto models.")
    models = param.ClassSelector(class_=tuple, default=(), doc="What they may pick among.")
    teams = param.ClassSelector(class_=tuple, default=(), doc="Id and name of teams that rules may name.")
    selected = param.ClassSelector(class_=AutoInfo, default=None, allow_None=True, doc="The one whose form is open.")
    display_name = param.String(default="", doc="Its name.")
    description = param.String(default="", doc="What it is there for.")
    candidates = param.List(default=[], item_type=str, doc="Ids of the models it picks among.")
    goodness = param.String(default="50", doc="0: what costs least; 100: what is rated best.")
    speed = param.String(default="0", doc="How much it counts how soon a model begins to answer.")
    when_1 = param.String(default="", doc="What the first rule asks of a question; empty: there is none.")
    value_1 = param.String(default="", doc="A number of tokens, or hours.")
    model_1 = param.String(default="", doc="Whom it asks then.")
    when_2 = param.String(default="", doc="Likewise of the second rule.")
    value_2 = param.String(default="", doc="Likewise.")
    model_2 = param.String(default="", doc="Likewise.")
    when_3 = param.String(default="", doc="Likewise of the third rule.")
    value_3 = param.String(default="", doc="Likewise.")
    model_3 = param.String(default="", doc="Likewise.")
    when_4 = param.String(default="", doc="Likewise of the fourth rule.")
    value_4 = param.String(default="", doc="Likewise.")
    model_4 = param.String(default="", doc="Likewise.")
    tried_auto = param.String(default="", doc="Id of the one that is tried.")
    text = param.String(default="", doc="The question that it is tried on.")
    comes_with = param.String(default="", doc="What would come with the question; empty: nothing.")
    tried = param.ClassSelector(class_=Choice, default=None, allow_None=True, doc="What would be picked.")

    fields = (
        "display_name", "description", "candidates", "goodness", "speed",
        *(f"{name}_{place}" for place in PLACES for name in ("when", "value", "model")),
    )  # fmt: skip

    @action
    async def load(self, actor: Actor) -> None:
        """Read what is set."""
        await self._reload(actor)

    @action
    async def open_add(self, actor: Actor) -> None:
        """Open the form of a new one."""
        await self._reload(actor)
        self._fill(None)
        self.param.update(sheet=ADD, selected=None)

    @action
    async def open_edit(self, actor: Actor, auto_id: ModelId) -> None:
        """Open the form of one."""
        await self._reload(actor)
        self._fill(self._find(auto_id))
        self.sheet = EDIT

    @action
    async def ask_remove(self, actor: Actor) -> None:
        """Ask once more."""
        required(self.selected)
        await self._reload(actor)
        self.sheet = REMOVE

    @action
    async def save(self, actor: Actor) -> None:
        """Add or change one, as the form says."""
        change = AutoChange(self.display_name, self.description, self._settings())
        async with self.context.backend.database.writing() as session:
            if self.sheet == ADD:
                await autos.add_auto(session, actor, change)
            else:
                selected: AutoInfo = required(self.selected)
                await autos.change_auto(session, actor, selected.id, change)
        await self._reload(actor)
        self.param.update(sheet="", said=_("It holds from the next question on."))

    @action
    async def remove(self, actor: Actor) -> None:
        """Take it off the lists."""
        selected: AutoInfo = required(self.selected)
        async with self.context.backend.database.writing() as session:
            await autos.delete_auto(session, actor, selected.id)
        await self._reload(actor)
        self.param.update(sheet="", said=_("{name} is removed.").format(name=selected.display_name))

    @action
    async def switch(self, actor: Actor, auto_id: ModelId, *, is_on: bool) -> None:
        """Let people ask it, or not."""
        async with self.context.backend.database.writing() as session:
            await ai_models.set_model_enabled(session, actor, auto_id, is_enabled=is_on)
        await self._reload(actor)

    @action
    async def make_default(self, actor: Actor, auto_id: ModelId) -> None:
        """Let new chats start with it."""
        async with self.context.backend.database.writing() as session:
            await ai_models.set_default(session, actor, auto_id)
        self.said = _("New chats start with {name}.").format(name=self._find(auto_id).display_name)

    @action
    async def try_it(self, actor: Actor) -> None:
        """See what one would pick for a question, without asking anybody."""
        if not self.tried_auto:
            raise InvalidInput("Add an Auto model first, then try it here.")
        if not self.text.strip():
            raise InvalidInput("Type a question to see what would be picked for it.")
        if len(self.text) > MAX_TRIED_CHARS:
            raise InvalidInput("Try a shorter question: {most} characters are the most.", most=MAX_TRIED_CHARS)
        request = AutoTryRequest(
            model_id=UUID(self.tried_auto),
            text=self.text,
            has_images=self.comes_with == IMAGE,
            needs_tools=self.comes_with == TOOLS,
            needs_form=self.comes_with == FORM,
        )
        self.tried = choice_of((await self.llm(actor).try_auto(request)).choice)

    def _find(self, auto_id: ModelId) -> AutoInfo:
        found: AutoInfo = required(next((one for one in self.autos if one.id == auto_id), None))
        return found

    def _fill(self, auto: AutoInfo | None) -> None:
        settings = AutoSettings((), (), 50, 0) if auto is None else auto.settings
        known = {str(one.id) for one in self.models}
        rules = dict(enumerate(settings.rules, start=1))
        typed: dict[str, str] = {}
        for place in PLACES:
            rule = rules.get(place)
            is_team = rule is not None and rule.when is When.TEAM
            typed[f"when_{place}"] = "" if rule is None else f"{TEAM}{rule.value}" if is_team else rule.when.value
            typed[f"value_{place}"] = "" if rule is None or is_team else rule.value
            typed[f"model_{place}"] = "" if rule is None else str(rule.model_id)
        self.param.update(
            selected=auto,
            display_name="" if auto is None else auto.display_name,
            description="" if auto is None else auto.description,
            candidates=[one for one in map(str, settings.candidates) if one in known],
            goodness=str(settings.goodness),
            speed=str(settings.speed),
            **typed,
        )

    def _settings(self) -> AutoSettings:
        """Return what the form says. A browser names what it chooses: what is not offered is refused."""
        ids: dict[str, ModelId] = {str(one.id): one.id for one in self.models}
        if not set(self.candidates) <= ids.keys() or not (self.goodness.isdecimal() and self.speed.isdecimal()):
            raise InvalidInput("Choose among what the form offers.")
        rules = [self._rule(place, ids) for place in PLACES if getattr(self, f"when_{place}")]
        return AutoSettings(
            tuple(ids[one] for one in self.candidates), tuple(rules), int(self.goodness), int(self.speed)
        )

    def _rule(self, place: int, ids: dict[str, ModelId]) -> Rule:
        when, value, model = (getattr(self, f"{name}_{place}") for name in ("when", "value", "model"))
        if when.startswith(TEAM):
            when, value = When.TEAM.value, when.removeprefix(TEAM)
            if value not in {team_id for team_id, _name in self.teams}:
                raise InvalidInput("Choose among what the form offers.")
        if when not in set(When) or model not in ids:
            raise InvalidInput("Say of each rule which model it asks.")
        return Rule(When(when), value, ids[model])

    async def _reload(self, actor: Actor) -> None:
        async with self.context.backend.database.reading() as session:
            listed = await autos.list_autos(session, actor)
            usable = await ai_models.list_models(session, actor)
            known = await autos.teams(session, actor)
        models: tuple[ModelInfo, ...] = tuple(one for one in usable if one.kind is not ProviderKind.AUTO)
        tried = self.tried_auto if self.tried_auto in {str(one.id) for one in listed} else ""
        self.param.update(
            autos=listed,
            models=models,
            teams=tuple((str(team_id), name) for team_id, name in known),
            tried_auto=tried or next((str(one.id) for one in listed), ""),
        )

    async def choose_tried(self, auto_id: str) -> None:
        """Try another one."""
        self.param.update(tried_auto=auto_id, tried=None)

    async def choose_with(self, comes_with: str) -> None:
        """Let something else come with the question."""
        self.param.update(comes_with=comes_with, tried=None)
