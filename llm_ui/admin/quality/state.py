"""What the quality page shows: what people think of answers, and what was measured."""

import param

from llm_ui.admin.listing.state import ListState
from llm_ui.admin.quality.listing import EVALUATIONS, RATINGS
from llm_ui.services import listing as service
from llm_ui.services import ratings
from llm_ui.services.access import Actor
from llm_ui.services.listing import Asked, Found


class QualityState(ListState):
    """Ratings as a list; by model and by week as its filters leave them; what was measured, newest first."""

    models = param.ClassSelector(class_=tuple, default=(), doc="What people think of each model, best first.")
    weeks = param.ClassSelector(class_=tuple, default=(), doc="What people thought in the last weeks, oldest first.")
    measured = param.ClassSelector(class_=Found, default=Found(), doc="What was measured last.")

    listing = RATINGS

    async def reload(self, actor: Actor) -> None:
        """Read all of it again."""
        asked = self.asked
        newest = Asked(asked.search, asked.filters, "at", is_descending=True)
        async with self.context.backend.database.reading() as session:
            models = await ratings.by_model(session, actor, asked)
            weeks = await ratings.by_week(session, actor, asked)
            measured = await service.find(session, EVALUATIONS.rows(actor, newest), newest)
        self.param.update(models=models, weeks=weeks, measured=measured)
        await super().reload(actor)
