"""Models as people pick them."""

from llm_ui.services.ai_models import ModelInfo, list_models
from llm_ui.ui.names import shown_name
from llm_ui.ui.page import PageContext


async def model_labels(context: PageContext) -> dict[str, ModelInfo]:
    """Return each model that may be asked, by a name of its own; the default one first."""
    async with context.backend.database.reading() as session:
        found = await list_models(session, await context.actor())
    names = [shown_name(model.display_name) for model in found]
    return {
        name if names.count(name) == 1 else f"{name} · {model.provider_name}": model
        for name, model in zip(names, found, strict=True)
    }


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
