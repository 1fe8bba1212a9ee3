"""Model servers on this very host: looked for on their usual ports, and nowhere else."""

import asyncio
from dataclasses import dataclass

import httpx2

from llm_ui.errors import ProviderError
from llm_ui.models import ProviderKind
from llm_ui.providers.base import Endpoint, ListedModel, Timeouts
from llm_ui.providers.registry import adapter

TIMEOUTS = Timeouts(connect_s=0.5, first_byte_s=1.5, idle_s=1.0, total_s=3.0)

USUAL = (
    ("Ollama", ProviderKind.OLLAMA, 11434, ""),
    ("LM Studio", ProviderKind.OPENAI, 1234, "/v1"),
    ("llama.cpp server", ProviderKind.OPENAI, 8080, "/v1"),
    ("vLLM", ProviderKind.OPENAI, 8000, "/v1"),
    ("Jan", ProviderKind.OPENAI, 1337, "/v1"),
    ("GPT4All", ProviderKind.OPENAI, 4891, "/v1"),
    ("KoboldCpp", ProviderKind.OPENAI, 5001, "/v1"),
    ("text-generation-webui", ProviderKind.OPENAI, 5000, "/v1"),
)
"""Name, kind, port and path of servers people run at home, each with its documented default port."""


@dataclass(frozen=True, slots=True)
class LocalServer:
    """A model server that answered."""

    name: str
    kind: ProviderKind
    base_url: str
    models: tuple[ListedModel, ...]


async def find_local(http: httpx2.AsyncClient, *, skip_ports: set[int]) -> tuple[LocalServer, ...]:
    """Return the servers that answer on 127.0.0.1 as a model service does; our own ports are left out."""
    tried = (_ask(http, *entry) for entry in USUAL if entry[2] not in skip_ports)
    return tuple(server for server in await asyncio.gather(*tried) if server is not None)


async def _ask(http: httpx2.AsyncClient, name: str, kind: ProviderKind, port: int, path: str) -> LocalServer | None:
    base_url = f"http://127.0.0.1:{port}{path}"
    try:
        models = await adapter(kind).list_models(http, Endpoint(base_url, None), TIMEOUTS)
    except ProviderError:
        return None
    return LocalServer(name, kind, base_url, models) if models else None
