"""Providers: test one, and look for those that run on this host."""

import time
from uuid import UUID

from fastapi import APIRouter

from llm_ui.api.principal import Parts, Principal
from llm_ui.contract import FoundModel, FoundServer, ProviderTest
from llm_ui.errors import LLMUIError
from llm_ui.kit.ids import ProviderId
from llm_ui.providers.base import Endpoint, ListedModel, Timeouts
from llm_ui.providers.local import find_local
from llm_ui.providers.registry import adapter
from llm_ui.services.access import Permission, require
from llm_ui.services.providers import provider_target, record_test

router = APIRouter(prefix="/v1/providers")

TEST_TIMEOUTS = Timeouts(connect_s=5, first_byte_s=15, idle_s=10, total_s=20)


@router.post("/{provider_id}/test")
async def test(provider_id: UUID, parts: Parts, actor: Principal) -> ProviderTest:
    """Ask the provider for its models, which tests address and key; say in one sentence how it went."""
    async with parts.database.reading() as session:
        target = await provider_target(session, actor, ProviderId(provider_id))
    began = time.monotonic()
    models: tuple[ListedModel, ...] = ()
    problem = None
    try:
        key = None if target.sealed_key is None else parts.secrets.sealer.open(target.sealed_key, str(target.id))
        endpoint = Endpoint(target.base_url, key)
        models = await adapter(target.kind).list_models(parts.http, endpoint, TEST_TIMEOUTS)
    except LLMUIError as error:
        problem = error.message
    took_ms = round((time.monotonic() - began) * 1000, 1)
    async with parts.database.writing() as session:
        await record_test(session, actor, target.id, problem)
    if problem is not None:
        return ProviderTest(is_ok=False, message=problem, latency_ms=took_ms)
    count = f"{len(models)} models" if len(models) != 1 else "1 model"
    message = f"{target.name} answers and serves {count}."
    return ProviderTest(is_ok=True, message=message, latency_ms=took_ms, models=tuple(map(_found, models)))


@router.post("/local")
async def local(parts: Parts, actor: Principal) -> list[FoundServer]:
    """Look for model servers on this host's usual ports; nothing else is contacted."""
    require(actor, Permission.MANAGE_PROVIDERS)
    own = {parts.config.port, parts.config.api_port}
    return [
        FoundServer(
            name=server.name, kind=server.kind, base_url=server.base_url, models=tuple(map(_found, server.models))
        )
        for server in await find_local(parts.http, skip_ports=own)
    ]


def _found(model: ListedModel) -> FoundModel:
    return FoundModel(
        name=model.name,
        display_name=model.display_name,
        context_window=model.context_window,
        max_output_tokens=model.max_output_tokens,
    )
