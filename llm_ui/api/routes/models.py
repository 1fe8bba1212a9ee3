"""The models a person may ask."""

from dataclasses import replace
from decimal import Decimal
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from llm_ui.api.errors import request_id
from llm_ui.api.principal import Parts, Principal
from llm_ui.api.routes.runs import HEADERS, following
from llm_ui.contract import ModelView
from llm_ui.contract.auto import AutoTry, AutoTryRequest
from llm_ui.contract.probes import EmbeddingTest
from llm_ui.contract.trials import EmbeddingTrial, TrialRequest
from llm_ui.errors import InvalidInput
from llm_ui.kit.ids import ModelId
from llm_ui.kit.money import plain
from llm_ui.runs.embeddings import SAMPLE, test_embedding
from llm_ui.runs.reranking import test_reranking
from llm_ui.runs.router import facts_of_text
from llm_ui.services.access import Permission, require
from llm_ui.services.ai_models import list_models
from llm_ui.services.targets import target

router = APIRouter(prefix="/v1/models")


@router.get("/offered")
async def models(parts: Parts, actor: Principal) -> list[ModelView]:
    """Return the models that may be asked, the default one first."""
    async with parts.database.reading() as session:
        found = await list_models(session, actor)
    return [
        ModelView(
            model_id=model.id,
            name=model.name,
            display_name=model.display_name,
            provider_name=model.provider_name,
            kind=model.kind,
            context_window=model.context_window,
            max_output_tokens=model.max_output_tokens,
            can_see_images=model.can_see_images,
            can_use_tools=model.can_use_tools,
            input_usd_per_mtok=_price(model.prices.input_usd_per_mtok),
            output_usd_per_mtok=_price(model.prices.output_usd_per_mtok),
            is_default=model.is_default,
        )
        for model in found
    ]


@router.post("/trial/stream")
async def trial(body: TrialRequest, request: Request, parts: Parts, actor: Principal) -> StreamingResponse:
    """Try a model out, whose answer is stored nowhere, and stream the run's events."""
    require(actor, Permission.MANAGE_PROVIDERS)
    run_id = await parts.engine.start(actor, body, request_id(request))
    return StreamingResponse(following(parts, actor, run_id, 0), media_type="text/event-stream", headers=HEADERS)


@router.post("/auto/try")
async def try_auto(request: AutoTryRequest, parts: Parts, actor: Principal) -> AutoTry:
    """Return what an Auto model would pick for a question, without asking anybody; administrators only."""
    require(actor, Permission.MANAGE_PROVIDERS)
    facts = replace(
        facts_of_text(request.text), has_images=request.has_images, needs_tools=request.needs_tools,
        needs_form=request.needs_form, wants_tools=False,
    )  # fmt: skip
    async with parts.database.reading() as session:
        auto = await target(session, actor, ModelId(request.model_id), may_choose=True)
        picked = await parts.engine.router.picked(session, actor, auto, facts)
    if picked.choice is None:
        raise InvalidInput("{name} is no Auto model: it answers itself.", name=picked.display_name)
    return AutoTry(choice=picked.choice.listed())


@router.post("/{model_id}/embedding")
async def embedding(
    model_id: UUID, parts: Parts, actor: Principal, body: EmbeddingTrial | None = None
) -> EmbeddingTest:
    """Have an embedding model make a vector, of a text or a sample; say in one sentence how it went."""
    require(actor, Permission.MANAGE_SETTINGS)
    text = SAMPLE if body is None else body.text
    return await test_embedding(parts.database, parts.embeddings, actor, ModelId(model_id), text)


@router.post("/{model_id}/reranking")
async def reranking(model_id: UUID, parts: Parts, actor: Principal) -> EmbeddingTest:
    """Have a model put two sentences in order; administrators only."""
    require(actor, Permission.MANAGE_SETTINGS)
    return await test_reranking(parts.database, parts.engine.reranker, actor, ModelId(model_id))


def _price(price: Decimal | None) -> str | None:
    return None if price is None else plain(price)
