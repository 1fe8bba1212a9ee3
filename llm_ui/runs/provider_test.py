"""Testing a provider: its address, its key, and what it serves."""

import time

import httpx2

from llm_ui.contract.probes import FoundModel, ProviderTest
from llm_ui.db import Database
from llm_ui.errors import LLMUIError
from llm_ui.kit.encryption import Sealer
from llm_ui.kit.ids import ProviderId
from llm_ui.kit.text import storable
from llm_ui.providers.base import ListedModel, Timeouts
from llm_ui.providers.registry import adapter
from llm_ui.runs.endpoints import endpoint_of
from llm_ui.services.access import Actor
from llm_ui.services.providers import provider_target, record_test

TIMEOUTS = Timeouts(connect_s=5, first_byte_s=15, idle_s=10, total_s=20)


async def test_provider(
    database: Database, sealer: Sealer, http: httpx2.AsyncClient, actor: Actor, provider_id: ProviderId
) -> ProviderTest:
    """Ask the provider for its models, note how it went, and say so in one sentence."""
    async with database.reading() as session:
        target = await provider_target(session, actor, provider_id)
    began = time.monotonic()
    models: tuple[ListedModel, ...] = ()
    problem = None
    try:
        models = await adapter(target.kind).list_models(http, endpoint_of(sealer, target), TIMEOUTS)
    except LLMUIError as error:
        problem = error.message
    took_ms = round((time.monotonic() - began) * 1000, 1)
    async with database.writing() as session:
        await record_test(session, actor, target.id, problem)
    if problem is not None:
        return ProviderTest(is_ok=False, message=problem, latency_ms=took_ms)
    count = f"{len(models)} models" if len(models) != 1 else "1 model"
    message = f"{target.name} answers and serves {count}."
    return ProviderTest(is_ok=True, message=message, latency_ms=took_ms, models=tuple(map(found_model, models)))


def found_model(model: ListedModel) -> FoundModel:
    """Return a listed model as the contract has it, its names made fit to be sent."""
    return FoundModel(
        name=storable(model.name),
        display_name=storable(model.display_name),
        context_window=model.context_window,
        max_output_tokens=model.max_output_tokens,
    )
