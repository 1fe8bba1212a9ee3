"""Model servers on this very host: looked for on their usual ports, and nowhere else."""

import asyncio
from collections.abc import Collection, Iterable
from dataclasses import dataclass

import httpx2

from llm_ui.errors import ProviderError
from llm_ui.models import ProviderKind
from llm_ui.providers.base import Endpoint, ListedModel, Timeouts
from llm_ui.providers.registry import adapter

HOST = "127.0.0.1"
TIMEOUTS = Timeouts(connect_s=0.5, first_byte_s=1.5, idle_s=1.0, total_s=3.0)
"""A port of this computer answers or refuses within milliseconds; a second and a half forgives a busy one."""


@dataclass(frozen=True, slots=True)
class UsualPort:
    """Where a kind of server listens unless it was told otherwise."""

    name: str
    kind: ProviderKind
    port: int

    @property
    def base_url(self) -> str:
        """Its address as a provider has it."""
        root = f"http://{HOST}:{self.port}"
        return root if self.kind is ProviderKind.OLLAMA else f"{root}/v1"


USUAL_PORTS = (
    UsualPort("Ollama", ProviderKind.OLLAMA, 11434),
    UsualPort("LM Studio", ProviderKind.OPENAI, 1234),
    UsualPort("llama.cpp server", ProviderKind.OPENAI, 8080),
    UsualPort("vLLM", ProviderKind.OPENAI, 8000),
    UsualPort("Jan", ProviderKind.OPENAI, 1337),
    UsualPort("GPT4All", ProviderKind.OPENAI, 4891),
    UsualPort("KoboldCpp", ProviderKind.OPENAI, 5001),
    UsualPort("Text generation web UI", ProviderKind.OPENAI, 5000),
)
"""Servers people run at home, each with its documented port."""


@dataclass(frozen=True, slots=True)
class LocalServer:
    """A model server that answered."""

    name: str
    kind: ProviderKind
    base_url: str
    models: tuple[ListedModel, ...]


async def find_local(
    http: httpx2.AsyncClient, *, skip_ports: Collection[int] = (), ports: Iterable[UsualPort] = USUAL_PORTS
) -> tuple[LocalServer, ...]:
    """Return the servers that answer as a model service does, in the order of `ports`; `skip_ports` are our own."""
    found = await asyncio.gather(*(_ask(http, usual) for usual in ports if usual.port not in skip_ports))
    return tuple(server for server in found if server is not None)


async def _ask(http: httpx2.AsyncClient, usual: UsualPort) -> LocalServer | None:
    """Return what is there, or None where nothing listens or something else answers."""
    try:
        models = await adapter(usual.kind).list_models(http, Endpoint(usual.base_url, None), TIMEOUTS)
    except ProviderError:
        return None
    # Any JSON service may answer with an empty list, and only a list of models tells a model server; but who has just
    # installed Ollama has no model yet, and its port is nobody else's.
    is_one = bool(models) or usual.kind is ProviderKind.OLLAMA
    return LocalServer(usual.name, usual.kind, usual.base_url, models) if is_one else None
