"""The addresses of Ollama's protocol below `/api`: https://docs.ollama.com/api, read 2026-11-22."""

from typing import Annotated, Any

from pydantic import Field
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp

from llm_ui.api.principal import Api
from llm_ui.api.public import asking
from llm_ui.api.public.answering import asks
from llm_ui.api.public.dialects import OLLAMA
from llm_ui.api.public.door import Address
from llm_ui.api.public.embeddings import texts_of, vectors_of
from llm_ui.api.public.fields import Sent, read
from llm_ui.api.public.ollama_chat import GenerateWriter, LineWriter, chat_question, generate_question
from llm_ui.api.public.writing import Told
from llm_ui.models import KeyScope
from llm_ui.providers.base import Texts
from llm_ui.services.keys import Caller
from llm_ui.services.offered import Offered, find_offered, list_offered

VERSION = "0.13.0"
"""Whose protocol is spoken; clients ask, and leave out what an older one would not understand."""


class ShowBody(Sent):
    """Which model is told of."""

    model: asking.Name


class EmbedBody(Sent):
    """The body of a question for vectors."""

    model: asking.Name
    input: Any
    dimensions: Annotated[int, Field(ge=1, le=100_000)] | None = None


async def _tags(_request: Request, caller: Caller, parts: Api) -> ASGIApp:
    async with parts.database.reading() as session:
        found = await list_offered(session, caller.actor, caller.models)
    names = ({"name": one.name, "model": one.name} for one in found)
    return JSONResponse({"models": [{**name, **_told(one)} for name, one in zip(names, found, strict=True)]})


async def _show(request: Request, caller: Caller, parts: Api) -> ASGIApp:
    body = read(ShowBody, await request.body())
    async with parts.database.reading() as session:
        found = await find_offered(session, caller.actor, body.model, caller.models)
    wanted = (
        ("completion", not found.makes_embeddings),
        ("embedding", found.makes_embeddings),
        ("vision", found.can_see_images),
        ("tools", found.can_use_tools),
    )
    known = {} if found.context_window is None else {"general.context_length": found.context_window}
    return JSONResponse({**_told(found), "model_info": known, "capabilities": [name for name, has in wanted if has]})


async def _embed(request: Request, caller: Caller, parts: Api) -> ASGIApp:
    body = read(EmbedBody, await request.body())
    texts = Texts(body.model, texts_of("input", body.input), dimensions=body.dimensions)
    found = await vectors_of(parts, caller, body.model, texts)
    told = {"model": body.model, "embeddings": found.made.vectors, "prompt_eval_count": found.input_tokens}
    return JSONResponse(told, headers=found.headers)


async def _version(_request: Request, _caller: Caller, _parts: Api) -> ASGIApp:
    return JSONResponse({"version": VERSION})


def _told(model: Offered) -> Told:
    """Return what is known of a model; it is nobody's file here, so most is not."""
    details = {"family": model.provider_name, "format": "", "parameter_size": "", "quantization_level": ""}
    return {"modified_at": model.created_at, "size": 0, "digest": "", "details": details}


ADDRESSES = (
    Address("POST", "/chat", OLLAMA, KeyScope.CHAT, asks(chat_question, LineWriter, OLLAMA)),
    Address("POST", "/generate", OLLAMA, KeyScope.CHAT, asks(generate_question, GenerateWriter, OLLAMA)),
    Address("POST", "/embed", OLLAMA, KeyScope.EMBEDDINGS, _embed),
    Address("GET", "/tags", OLLAMA, KeyScope.MODELS, _tags),
    Address("POST", "/show", OLLAMA, KeyScope.MODELS, _show),
    Address("GET", "/version", OLLAMA, KeyScope.MODELS, _version),
)
