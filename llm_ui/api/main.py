"""The LLM API process: joins routes, engine and sweep, serves, drains."""

import asyncio
import socket
from contextlib import AsyncExitStack

import httpx2
import uvicorn
from fastapi import FastAPI

from llm_ui import __version__
from llm_ui.api import errors, scim
from llm_ui.api.edge import Edge, shared
from llm_ui.api.measured import Measured
from llm_ui.api.principal import Api
from llm_ui.api.public import addresses
from llm_ui.api.public.door import Guard
from llm_ui.api.rest import conversations, documents, projects, prompts, usage
from llm_ui.api.rest.openapi import describe, operation_id
from llm_ui.api.rest.sockets import MAX_MESSAGE_BYTES, Sockets
from llm_ui.api.routes import (
    aftermath,
    agents,
    chat,
    filters,
    health,
    limits,
    live,
    members,
    metrics,
    models,
    passages,
    preview,
    providers,
    retrieve,
    runs,
    temporary,
)
from llm_ui.bootstrap import open_database
from llm_ui.config import Config
from llm_ui.documents.vectors import Vectors
from llm_ui.kit import i18n
from llm_ui.kit.http import new_client
from llm_ui.kit.listening import Server, bound
from llm_ui.observability.logging import get_logger
from llm_ui.observability.tracing import HEADER, trace
from llm_ui.runs.alerting import Alerting
from llm_ui.runs.asking import Asker
from llm_ui.runs.breakers import Breakers
from llm_ui.runs.counts import Counts
from llm_ui.runs.embed_documents import keep_embedding
from llm_ui.runs.embeddings import Embeddings
from llm_ui.runs.engine import Engine
from llm_ui.runs.gateway.gateway import Gateway
from llm_ui.runs.limiter import Limiter
from llm_ui.runs.probing import Prober
from llm_ui.runs.sweep import keep_sweeping
from llm_ui.services.processes import Reporter
from llm_ui.services.secrets import load_secrets

log = get_logger(__name__)

ROUTERS = (
    temporary.router, models.router, preview.router, passages.router, live.router, providers.router, health.router,
    aftermath.router, metrics.router, filters.router,
)  # fmt: skip
"""For the pages alone, and for whoever watches the process."""
PUBLIC = (
    chat.router, runs.router, conversations.router, projects.router, documents.router, retrieve.router, members.router,
    limits.router, prompts.router, agents.router, usage.router,
)  # fmt: skip
"""Our own REST: for whoever has a key too."""


def build(parts: Api) -> FastAPI:
    """Return the app.

    Its pages of documentation are off, for they load scripts from elsewhere; so is what it tells OpenTelemetry by
    itself, for that quotes what people send (observability/export.py has ours).
    """
    app = FastAPI(
        version=__version__, docs_url=None, redoc_url=None, openapi_url="/v1/openapi.json",
        generate_unique_id_function=operation_id, telemetry={"tracing": False, "metrics": False, "logs": False},
    )  # fmt: skip
    app.state.api = parts
    app.state.guard = Guard(trusts_proxy=parts.config.trust_proxy)
    # First what is asked most: addresses are looked for in this order.
    of_scripts = list(addresses.routes(parts, app.state.guard))
    app.router.routes.extend(route for route in of_scripts if "POST" in (route.methods or ()))
    for router in PUBLIC:
        app.include_router(router)
    for router in ROUTERS:
        app.include_router(router, include_in_schema=False)
    for router in PUBLIC:
        app.include_router(router, prefix="/api", include_in_schema=False)
    # Last: the names of models have slashes.
    app.router.routes.extend(route for route in of_scripts if "GET" in (route.methods or ()))
    app.router.routes.extend(Sockets(parts, app.state.guard).routes())
    app.router.routes.extend(scim.routes(parts, app.state.guard))
    errors.install(app)
    describe(app)
    return app


async def run(config: Config, stop: asyncio.Event) -> None:
    """Serve until `stop` is set, then let running answers end. Raises our errors when it cannot begin."""
    async with AsyncExitStack() as stack:
        listening = stack.enter_context(bound(config.api_host, config.api_port, "LLM API", "--api-port"))
        secrets = await asyncio.to_thread(load_secrets, config)
        await asyncio.to_thread(i18n.load)
        database = await open_database(config)
        stack.push_async_callback(database.close)
        http = await stack.enter_async_context(new_client())
        http.event_hooks["request"].append(_trace_on)
        embeddings = Embeddings(database, secrets.sealer, http, vectors=Vectors(config.vectors_path))
        counts = Counts(None if config.redis_url is None else config.redis_url.get_secret_value())
        stack.push_async_callback(counts.close)
        limiter, breakers = Limiter(database, counts), await _breakers(stack, config)
        asker = Asker(database, secrets.sealer, http, config, limiter, breakers, embeddings)
        stack.push_async_callback(asker.cache.close)
        gateway = Gateway(database, http, config, asker)
        engine = Engine(database, secrets.sealer, http, config, embeddings, gateway.limits, asker)
        prober = Prober(config, database, secrets.sealer, http, breakers)
        await _serve(Api(config, database, secrets, engine, http, embeddings, gateway), prober, listening, stop)


async def _breakers(stack: AsyncExitStack, config: Config) -> Breakers:
    """Return the breakers of providers, which other processes know of where there is a Redis."""
    if config.redis_url is None:
        return Breakers()
    # Most have none, and it would take 10 MB.
    from llm_ui.kit.redis_link import open_redis  # noqa: PLC0415
    from llm_ui.runs.shared_breakers import SharedBreakers  # noqa: PLC0415

    redis = open_redis(config.redis_url.get_secret_value())
    stack.push_async_callback(redis.aclose)
    breakers = SharedBreakers(redis)
    await stack.enter_async_context(breakers.shared())
    return breakers


async def _trace_on(request: httpx2.Request) -> None:
    """Tell a provider of which trace a request is a part."""
    if (of := trace()) is not None:
        request.headers[HEADER] = of.header()


async def _serve(parts: Api, prober: Prober, listening: socket.socket, stop: asyncio.Event) -> None:
    app = shared(Edge(Measured(build(parts))), parts.config.api_origins)
    server = Server(
        uvicorn.Config(
            app, log_config=None, access_log=False, lifespan="off", server_header=False,
            proxy_headers=False, timeout_keep_alive=75, timeout_graceful_shutdown=2, ws="wsproto",
            ws_max_size=MAX_MESSAGE_BYTES,
        )
    )  # fmt: skip
    sweeping = asyncio.create_task(keep_sweeping(parts.database, parts.engine.live_runs))
    embedding = asyncio.create_task(keep_embedding(parts.database, parts.embeddings))
    reporting = asyncio.create_task(_reporter(parts).keep())
    alerting = asyncio.create_task(Alerting(parts.config, parts.database, parts.secrets.sealer).keep())
    probing = asyncio.create_task(prober.keep())
    stopping = asyncio.create_task(stop.wait())
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    log.info("api.started", host=parts.config.api_host, port=parts.config.api_port)
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    drain_s = parts.config.drain_s
    await asyncio.gather(parts.engine.drain(drain_s), parts.gateway.drain(drain_s))
    server.should_exit = True
    await serving
    # A question that was being stored when the rest was drained.
    await parts.engine.drain(0)
    tasks = sweeping, embedding, reporting, alerting, probing, stopping
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    log.info("api.stopped")


def _reporter(parts: Api) -> Reporter:
    engine, gateway = parts.engine, parts.gateway
    return Reporter(
        parts.database, "api",
        at_work=lambda: len(engine.live_runs()) + gateway.live_calls,
        left_alone=engine.left_alone,
    )  # fmt: skip
