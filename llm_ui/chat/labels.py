"""Models as people pick them."""

from llm_ui.services.ai_models import list_models
from llm_ui.ui.page import PageContext


async def model_labels(context: PageContext) -> dict[str, str]:
    """Return the id of each model that may be asked, by a name of its own; the default one first."""
    async with context.backend.database.reading() as session:
        found = await list_models(session, await context.actor())
    names = [model.display_name for model in found]
    return {
        model.display_name
        if names.count(model.display_name) == 1
        else f"{model.display_name} · {model.provider_name}": str(model.id)
        for model in found
    }
