"""What the page of experiments shows and what an administrator can do on it."""

from datetime import UTC, datetime
from uuid import UUID

import param

from llm_ui.admin.state import AdminState, action, required
from llm_ui.errors import InvalidInput
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.ids import ExperimentId, ModelId, PromptId
from llm_ui.models import ProviderKind, Sticky
from llm_ui.services import ai_models, experiment_results, experiments, prompts
from llm_ui.services.access import Actor
from llm_ui.services.ai_models import ModelInfo
from llm_ui.services.experiment_results import VariantResult
from llm_ui.services.experiment_rules import MOST_VARIANTS
from llm_ui.services.experiments import ExperimentChange, ExperimentInfo, Way

MODEL, PROMPT, REMOVE, PROMOTE = "model", "prompt", "remove", "promote"
"""Which form is open: of an experiment with a model, with instructions, or a question before what is not undone."""
OTHERS = range(2, MOST_VARIANTS + 1)
FORM_OF_INSTANTS = "%Y-%m-%d %H:%M"


class ExperimentsState(AdminState):
    """The experiments, the form of one, and what one has shown."""

    experiments = param.ClassSelector(class_=tuple, default=(), doc="All experiments.")
    models = param.ClassSelector(class_=tuple, default=(), doc="What may be split, and asked in its place.")
    prompts = param.ClassSelector(class_=tuple, default=(), doc="Instructions of the platform.")
    selected = param.ClassSelector(class_=ExperimentInfo, default=None, allow_None=True, doc="Whose form is open.")
    key = param.String(default="", doc="The variant that is about to be promoted.")
    title = param.String(default="", doc="What it is called.")
    split = param.String(default="", doc="Id of what is split.")
    weight_1 = param.String(default="50", doc="How many get it as it is, beside the others.")
    model_2 = param.String(default="", doc="Id of the second variant's model.")
    text_2 = param.String(default="", doc="The second variant's instructions.")
    weight_2 = param.String(default="50", doc="How many get it.")
    model_3 = param.String(default="", doc="Likewise of the third; empty: there is none.")
    text_3 = param.String(default="", doc="Likewise.")
    weight_3 = param.String(default="50", doc="Likewise.")
    model_4 = param.String(default="", doc="Likewise of the fourth.")
    text_4 = param.String(default="", doc="Likewise.")
    weight_4 = param.String(default="50", doc="Likewise.")
    sticky = param.String(default=Sticky.PERSON.value, doc="What keeps its variant.")
    starts = param.String(default="", doc="From when on, in UTC; empty: from its start on.")
    ends = param.String(default="", doc="Until when, in UTC; empty: until it is stopped.")
    shown = param.String(default="", doc="Id of the one whose results are shown.")
    results = param.ClassSelector(class_=tuple, default=(), doc="How its variants do.")

    fields = (
        "title", "split", "sticky", "starts", "ends", "weight_1",
        *(f"{what}_{place}" for place in OTHERS for what in ("model", "text", "weight")),
    )  # fmt: skip

    @action
    async def load(self, actor: Actor) -> None:
        """Read what the page shows."""
        await self._reload(actor)

    @action
    async def open_model(self, actor: Actor) -> None:
        """Open an empty form for a model."""
        await self._reload(actor)
        self._fill(None)
        self.sheet = MODEL

    @action
    async def open_prompt(self, actor: Actor) -> None:
        """Open an empty form for instructions."""
        await self._reload(actor)
        self._fill(None)
        self.split = next((str(one.id) for one in self.prompts if one.is_default), "")
        self.sheet = PROMPT

    @action
    async def open_edit(self, actor: Actor, experiment_id: ExperimentId) -> None:
        """Open the form of one."""
        await self._reload(actor)
        found = self._find(experiment_id)
        self._fill(found)
        self.sheet = MODEL if found.plan.model_id is not None else PROMPT

    @action
    async def ask_remove(self, actor: Actor) -> None:
        """Ask whether it is to be deleted with what it has shown."""
        required(self.selected)
        await self._reload(actor)
        self.sheet = REMOVE

    @action
    async def ask_promote(self, actor: Actor, key: str) -> None:
        """Ask whether all are to get a variant of the one whose results are shown."""
        await self._reload(actor)
        if not self.shown:
            return
        self.param.update(selected=self._find(ExperimentId(UUID(self.shown))), key=key, sheet=PROMOTE)

    @action
    async def save(self, actor: Actor) -> None:
        """Add or change one, as the form says."""
        change = self._change()
        async with self.context.backend.database.writing() as session:
            if self.selected is None:
                made = await experiments.add_experiment(session, actor, change)
                said = _("{name} is added. Nobody takes part before you start it.")
            else:
                made = self.selected.plan.id
                await experiments.change_experiment(session, actor, made, change)
                said = _("It holds from the next question on.")
        self.shown = str(made)
        await self._reload(actor)
        self.param.update(sheet="", said=said.format(name=self._find(made).plan.name))

    @action
    async def start(self, actor: Actor, experiment_id: ExperimentId) -> None:
        """Let answers go by it."""
        async with self.context.backend.database.writing() as session:
            await experiments.start(session, actor, experiment_id)
        self.shown = str(experiment_id)
        await self._reload(actor)
        self.said = _("{name} goes on from the next question on.").format(name=self._find(experiment_id).plan.name)

    @action
    async def stop(self, actor: Actor, experiment_id: ExperimentId) -> None:
        """Let all get what they ask for."""
        async with self.context.backend.database.writing() as session:
            await experiments.stop(session, actor, experiment_id)
        await self._reload(actor)
        self.said = _("{name} is stopped: all get what they ask for.").format(name=self._find(experiment_id).plan.name)

    @action
    async def promote(self, actor: Actor) -> None:
        """Let all get the variant that was asked about."""
        selected: ExperimentInfo = required(self.selected)
        async with self.context.backend.database.writing() as session:
            await experiments.promote(session, actor, selected.plan.id, self.key)
        await self._reload(actor)
        self.param.update(sheet="", said=_("It holds from the next question on."))

    @action
    async def remove(self, actor: Actor) -> None:
        """Delete it with what it has shown."""
        selected: ExperimentInfo = required(self.selected)
        async with self.context.backend.database.writing() as session:
            await experiments.delete_experiment(session, actor, selected.plan.id)
        await self._reload(actor)
        self.param.update(sheet="", said=_("{name} is removed.").format(name=selected.plan.name))

    @action
    async def show(self, actor: Actor, experiment_id: str) -> None:
        """Show what one has shown by now."""
        self.shown = experiment_id
        await self._reload(actor)

    def _find(self, experiment_id: ExperimentId) -> ExperimentInfo:
        found: ExperimentInfo = required(next((one for one in self.experiments if one.plan.id == experiment_id), None))
        return found

    def _fill(self, found: ExperimentInfo | None) -> None:
        typed = {name: "" for name in self.fields}
        typed |= {f"weight_{place}": "50" for place in (1, *OTHERS)}
        typed["sticky"] = Sticky.PERSON.value
        if found is not None:
            plan = found.plan
            typed |= {"title": plan.name, "split": str(plan.model_id or plan.prompt_id), "sticky": plan.sticky.value}
            typed |= {"starts": _written(plan.starts_at), "ends": _written(plan.ends_at)}
            for place, one in enumerate(plan.variants, start=1):
                typed |= {f"weight_{place}": str(one.weight), f"text_{place}": one.text}
                typed[f"model_{place}"] = "" if one.model_id is None else str(one.model_id)
        self.param.update(selected=found, **{name: typed[name] for name in self.fields})

    def _change(self) -> ExperimentChange:
        """Return what the form says. A browser names what it chooses: what is not offered is refused."""
        models: dict[str, ModelId] = {str(one.id): one.id for one in self.models}
        known: dict[str, PromptId] = {str(one.id): one.id for one in self.prompts}
        is_model = self.sheet == MODEL
        if self.sticky not in set(Sticky):
            raise InvalidInput("Choose among what the form offers.")
        ways = []
        for place in OTHERS:
            model, text = getattr(self, f"model_{place}"), getattr(self, f"text_{place}").strip()
            weight = _weight(getattr(self, f"weight_{place}")) if (model if is_model else text) else 0
            if is_model and model:
                if model not in models:
                    raise InvalidInput("One of these models is gone, or makes no answers itself. Reload the page.")
                ways.append(Way(weight, model_id=models[model]))
            elif not is_model and text:
                ways.append(Way(weight, text=text))
        return ExperimentChange(
            self.title, _weight(self.weight_1), tuple(ways),
            model_id=models.get(self.split) if is_model else None,
            prompt_id=None if is_model else known.get(self.split),
            sticky=Sticky(self.sticky), starts_at=_read(self.starts), ends_at=_read(self.ends),
        )  # fmt: skip

    async def _reload(self, actor: Actor) -> None:
        async with self.context.backend.database.reading() as session:
            listed = await experiments.list_experiments(session, actor)
            usable = await ai_models.list_models(session, actor)
            known = await prompts.list_shared(session, actor)
            ids = [str(one.plan.id) for one in listed]
            shown = self.shown if self.shown in ids else next(iter(ids), "")
            found: tuple[VariantResult, ...] = ()
            if shown:
                found = await experiment_results.results(session, actor, ExperimentId(UUID(shown)))
        models: tuple[ModelInfo, ...] = tuple(one for one in usable if one.kind is not ProviderKind.AUTO)
        self.param.update(experiments=listed, models=models, prompts=known, shown=shown, results=found)


def _weight(typed: str) -> int:
    if not typed.strip().isdecimal():
        raise InvalidInput("A weight is a whole number from 1 to {most}.", most=experiments.MAX_WEIGHT)
    return int(typed.strip()[:6])


def _written(at: datetime | None) -> str:
    return "" if at is None else at.astimezone(UTC).strftime(FORM_OF_INSTANTS)


def _read(typed: str) -> datetime | None:
    """Return an instant that was typed, in UTC; None: none was. Raises `InvalidInput`."""
    if not typed.strip():
        return None
    try:
        at = datetime.fromisoformat(typed.strip())
    except ValueError:
        raise InvalidInput("Write an instant as 2030-12-31 18:00, in UTC.") from None
    return at.astimezone(UTC) if at.tzinfo is not None else at.replace(tzinfo=UTC)
