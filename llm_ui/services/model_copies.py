"""The models that help to find passages, to be asked from another database than the workspace's."""

from dataclasses import dataclass
from typing import Any

from llm_ui.db import ReadSession, Session
from llm_ui.models import AiModel, AiProvider
from llm_ui.services import settings
from llm_ui.services.embedding import find_embedder
from llm_ui.services.reranking import find_reranker
from llm_ui.services.settings import EMBEDDING_MODEL, RERANKING_MODEL
from llm_ui.services.targets import ModelTarget


@dataclass(frozen=True, slots=True)
class ModelCopies:
    """Models of a workspace, and whose they are."""

    providers: tuple[dict[str, Any], ...]
    models: tuple[dict[str, Any], ...]
    embedder: ModelTarget | None
    reranker: ModelTarget | None


async def copy_models(session: ReadSession) -> ModelCopies:
    """Return the models that make vectors and that put passages in order. Raises `NotFound` or `InvalidInput`."""
    embedder, reranker = await find_embedder(session), await find_reranker(session)
    targets = [one for one in (embedder, reranker) if one is not None]
    providers = [await session.get_one(AiProvider, one) for one in {one.provider_id for one in targets}]
    models = [await session.get_one(AiModel, one) for one in {one.model_id for one in targets}]
    return ModelCopies(tuple(map(_values, providers)), tuple(map(_values, models)), embedder, reranker)


async def paste_models(session: Session, copies: ModelCopies) -> None:
    """Let the models of another workspace do the same for this one."""
    session.add_all(AiProvider(**values) for values in copies.providers)
    await session.flush()
    session.add_all(AiModel(**values) for values in copies.models)
    for name, target in ((EMBEDDING_MODEL, copies.embedder), (RERANKING_MODEL, copies.reranker)):
        if target is not None:
            await settings.store(session, name, str(target.model_id))


def _values(row: AiProvider | AiModel) -> dict[str, Any]:
    return {column.key: getattr(row, column.key) for column in row.__mapper__.column_attrs}
