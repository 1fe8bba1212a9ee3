"""Models as people pick them."""

from collections.abc import Mapping

from llm_ui.kit.clock import now
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.ids import ModelId
from llm_ui.services import service_level
from llm_ui.services.ai_models import ModelInfo, list_models
from llm_ui.services.service_level import Standing
from llm_ui.ui.names import shown_name
from llm_ui.ui.page import PageContext


async def model_labels(context: PageContext) -> dict[str, ModelInfo]:
    """Return each model that may be asked, by a name of its own; the default one first.

    One that does not answer at the moment says so, and what answers in its place.
    """
    actor = await context.actor()
    async with context.backend.database.reading() as session:
        found = await list_models(session, actor)
        fallen = (await service_level.read(session, now())).fallen
    shown = [shown_name(model.display_name) for model in found]
    names = {
        model.id: name if shown.count(name) == 1 else f"{name} · {model.provider_name}"
        for name, model in zip(shown, found, strict=True)
    }
    return {_marked(names, model.id, fallen.get(model.id)): model for model in found}


def _marked(names: Mapping[ModelId, str], model_id: ModelId, standing: Standing | None) -> str:
    name = names[model_id]
    if standing is None:
        return name
    helper = next((names[one] for one in standing.stand_ins if one in names), None)
    if helper is not None:
        return _("{name} (down, {other} answers)").format(name=name, other=helper)
    if standing.is_kept:
        return _("{name} (down, kept answers only)").format(name=name)
    return _("{name} (down)").format(name=name)


def shown_models(labels: dict[str, ModelInfo]) -> list[dict[str, object]]:
    """Return the models as the page is told of them."""
    return [
        {
            "id": str(model.id),
            "label": label,
            "can_see_images": model.can_see_images,
            "can_use_tools": model.can_use_tools,
        }
        for label, model in labels.items()
    ]
