"""The LLM API process: joins routes, engine and sweep, serves, drains."""

import asyncio
import socket
from contextlib import AsyncExitStack

import uvicorn
from fastapi import FastAPI

from llm_ui.api import errors
from llm_ui.api.edge import Edge
from llm_ui.api.principal import Api
from llm_ui.api.public import addresses
from llm_ui.api.routes import (
    agents,
    chat,
    health,
    limits,
    members,
    models,
    passages,
    preview,
    providers,
    retrieve,
    runs,
)  # fmt: skip
from llm_ui.bootstrap import open_database
from llm_ui.config import Config
from llm_ui.kit import i18n
from llm_ui.kit.http import new_client
from llm_ui.kit.listening import Server, bound
from llm_ui.observability.logging import get_logger
from llm_ui.runs.embed_documents import keep_embedding
from llm_ui.runs.embeddings import Embeddings
from llm_ui.runs.engine import Engine
from llm_ui.runs.gateway.gateway import Gateway
from llm_ui.runs.sweep import keep_sweeping
from llm_ui.services.secrets import load_secrets

log = get_logger(__name__)

ROUTERS = (
    agents.router, chat.router, runs.router, models.router, preview.router, retrieve.router, passages.router,
    members.router, limits.router, providers.router, health.router,
)  # fmt: skip


def build(parts: Api) -> FastAPI:
    """Return the app; its pages of documentation are off, for they load scripts from elsewhere."""
    app = FastAPI(title="LLM UI", docs_url=None, redoc_url=None, openapi_url="/v1/openapi.json")
    app.state.api = parts
    for router in ROUTERS:
        app.include_router(router)
    app.router.routes.extend(addresses.routes(parts))
    errors.install(app)
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
        embeddings = Embeddings(database, secrets.sealer, http)
        engine = Engine(database, secrets.sealer, http, config, embeddings)
        gateway = Gateway(database, secrets.sealer, http, config)
        await _serve(Api(config, database, secrets, engine, http, embeddings, gateway), listening, stop)


async def _serve(parts: Api, listening: socket.socket, stop: asyncio.Event) -> None:
    server = Server(
        uvicorn.Config(
            Edge(build(parts)), log_config=None, access_log=False, lifespan="off", server_header=False,
            proxy_headers=False, timeout_keep_alive=75, timeout_graceful_shutdown=2,
        )
    )  # fmt: skip
    sweeping = asyncio.create_task(keep_sweeping(parts.database, parts.engine.live_runs))
    embedding = asyncio.create_task(keep_embedding(parts.database, parts.embeddings))
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
    tasks = sweeping, embedding, stopping
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    log.info("api.stopped")
