"""An embedding model on this computer, under OpenAI's protocol (its API reference, *Embeddings*) and on loopback only.

A process of its own, so that neither pages nor answers wait while a thousand passages are read.
"""

import asyncio
import base64
import os
from typing import Annotated, Any, Literal

import numpy as np
import uvicorn
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field, StringConstraints

from llm_ui.config import Config
from llm_ui.embedder.bert import Bert
from llm_ui.embedder.files import HOST
from llm_ui.errors import ConfigurationError
from llm_ui.kit.listening import Server, bound
from llm_ui.observability.logging import get_logger

log = get_logger(__name__)

NICENESS = 5
"""It gets the time that pages and answers leave."""
MAX_TEXTS = 256
Text = Annotated[str, StringConstraints(min_length=1, max_length=100_000)]


class Asked(BaseModel):
    """Texts that are to become vectors."""

    input: Text | Annotated[list[Text], Field(min_length=1, max_length=MAX_TEXTS)]
    encoding_format: Literal["float", "base64"] = "float"


class Embedding:
    """The model, asked by one at a time."""

    def __init__(self, model: Bert) -> None:
        self.model = model
        self._turn = asyncio.Lock()

    async def vectors(self, texts: list[str]) -> tuple[list[Any], int]:
        """Return the vectors of the texts in their order, and how many tokens they have."""
        tokens = await asyncio.to_thread(lambda: list(map(self.model.tokens, texts)))
        found = []
        for each in tokens:
            # A question that comes meanwhile waits for one passage.
            async with self._turn:
                found.append(await asyncio.to_thread(self.model.vector, each))
        return found, sum(map(len, tokens))


def build(model: Bert) -> FastAPI:
    """Return the app."""
    app = FastAPI(title="Embeddings", docs_url=None, redoc_url=None, openapi_url=None)
    embedding = Embedding(model)

    @app.get("/v1/models")
    async def models() -> dict[str, Any]:
        """List the one model there is."""
        entry = {"id": model.name, "object": "model", "created": 0, "owned_by": "this computer"}
        return {"object": "list", "data": [entry]}

    @app.post("/v1/embeddings")
    async def embeddings(asked: Asked) -> dict[str, Any]:
        """Answer with a vector for each text."""
        texts = [asked.input] if isinstance(asked.input, str) else asked.input
        vectors, tokens = await embedding.vectors(texts)
        form = _base64 if asked.encoding_format == "base64" else _numbers
        data = [
            {"object": "embedding", "index": index, "embedding": form(vector)} for index, vector in enumerate(vectors)
        ]
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        return {"object": "list", "model": model.name, "data": data, "usage": usage}

    @app.exception_handler(RequestValidationError)
    async def refuse(_: Request, error: RequestValidationError) -> JSONResponse:
        """Say in the protocol's own shape what is wrong."""
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"] if part != "body")
        message = f"{where or 'The body'}: {first['msg']}."
        return JSONResponse({"error": {"message": message, "type": "invalid_request_error"}}, 400)

    return app


def _numbers(vector: Any) -> list[float]:
    numbers: list[float] = vector.tolist()
    return numbers


def _base64(vector: Any) -> str:
    return base64.b64encode(np.asarray(vector, "<f4").tobytes()).decode()


async def run(config: Config, stop: asyncio.Event) -> None:
    """Serve the configured folder's model until `stop` is set. Raises `ConfigurationError` when it cannot."""
    if config.embedding_folder is None:
        raise ConfigurationError("Set LLM_UI_EMBEDDING_FOLDER to the folder of an embedding model.")
    os.nice(NICENESS)
    with bound(HOST, config.embedding_port, "embedding model", "LLM_UI_EMBEDDING_PORT") as listening:
        model = await asyncio.to_thread(Bert, config.embedding_folder.expanduser())
        app = build(model)
        server = Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", server_header=False))
        stopping = asyncio.create_task(stop.wait())
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        log.info("embedder.started", model=model.name, port=config.embedding_port)
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        server.should_exit = True
        await serving
        stopping.cancel()
