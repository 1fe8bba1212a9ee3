"""What *Auto* models are known to be able to do: what one of their candidates can."""

from collections.abc import Sequence

from sqlalchemy import select

from llm_ui.db import Session
from llm_ui.models import AiModel, AutoModel
from llm_ui.services.auto_rules import settings_of


async def refresh(session: Session) -> None:
    """Let *Auto* models be known to do what one of their candidates can, after a model has changed."""
    # rights: the product's own writing, of what an administrator has just changed
    pairs = (await session.execute(select(AiModel, AutoModel).join(AutoModel, AutoModel.model_id == AiModel.id))).all()
    if not pairs:
        return
    ids = {one for _, auto in pairs for one in settings_of(auto).candidates}
    usable = select(AiModel).where(AiModel.id.in_(ids), AiModel.is_enabled, AiModel.deleted_at.is_(None))  # rights: so
    by_id = {row.id: row for row in await session.scalars(usable)}
    for row, auto in pairs:
        can(row, [by_id[one] for one in settings_of(auto).candidates if one in by_id])


def can(row: AiModel, able: Sequence[AiModel]) -> None:
    """Let an *Auto* model be known to do what one of these can: those that cannot are passed over then."""
    windows = [one.context_window for one in able if one.context_window is not None]
    answers = [one.max_output_tokens for one in able if one.max_output_tokens is not None]
    row.context_window, row.max_output_tokens = max(windows, default=None), max(answers, default=None)
    row.can_see_images = any(one.can_see_images for one in able)
    row.can_use_tools = any(one.can_use_tools for one in able)
