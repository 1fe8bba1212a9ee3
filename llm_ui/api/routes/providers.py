"""Providers: test one, and look for those that run on this host."""

from uuid import UUID

from fastapi import APIRouter

from llm_ui.api.principal import Parts, Principal
from llm_ui.contract.probes import FoundServer, ProviderTest
from llm_ui.kit.ids import ProviderId
from llm_ui.models import ProviderKind
from llm_ui.providers.local import USUAL_PORTS, UsualPort, find_local
from llm_ui.runs.provider_test import found_model, test_provider
from llm_ui.services.access import Permission, require

router = APIRouter(prefix="/v1/providers")


@router.post("/{provider_id}/test")
async def test(provider_id: UUID, parts: Parts, actor: Principal) -> ProviderTest:
    """Test the provider's address and key; say in one sentence how it went."""
    return await test_provider(parts.database, parts.secrets.sealer, parts.http, actor, ProviderId(provider_id))


@router.post("/local")
async def local(parts: Parts, actor: Principal) -> list[FoundServer]:
    """Look for model servers on this host's usual ports; nothing else is contacted."""
    require(actor, Permission.MANAGE_PROVIDERS)
    own = {parts.config.port, parts.config.api_port}
    ports = (*USUAL_PORTS, UsualPort("LLM UI embeddings", ProviderKind.OPENAI, parts.config.embedding_port))
    return [
        FoundServer(
            name=server.name,
            kind=server.kind,
            base_url=server.base_url,
            models=tuple(map(found_model, server.models)),
        )
        for server in await find_local(parts.http, skip_ports=own, ports=ports)
    ]
