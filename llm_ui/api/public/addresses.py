"""The addresses for scripts, each below `/v1` and below `/api/v1`."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from llm_ui.api.principal import Api
from llm_ui.api.public import chat_completions, messages
from llm_ui.api.public.answering import Answering, Dialect, Writer
from llm_ui.api.public.chat_completions import ChatWriter, Question
from llm_ui.api.public.dialects import AnthropicDialect, OpenAIDialect
from llm_ui.api.public.door import Door, Guard, Handler
from llm_ui.api.public.embeddings import embeddings
from llm_ui.api.public.messages import MessageWriter
from llm_ui.errors import InvalidInput, ModelUnknown
from llm_ui.models import KeyScope
from llm_ui.services.keys import Caller
from llm_ui.services.offered import Offered, list_offered, named

PREFIXES = ("/v1", "/api/v1")


def routes(parts: Api) -> Iterator[Route]:
    """Yield the routes."""
    guard = Guard(trusts_proxy=parts.config.trust_proxy)
    openai, anthropic = OpenAIDialect(), AnthropicDialect()
    table: tuple[tuple[str, str, Dialect, KeyScope, Handler], ...] = (
        ("POST", "/chat/completions", openai, KeyScope.CHAT, _asking(chat_completions.question, ChatWriter, openai)),
        ("POST", "/embeddings", openai, KeyScope.EMBEDDINGS, embeddings),
        ("POST", "/messages", anthropic, KeyScope.CHAT, _asking(messages.question, MessageWriter, anthropic)),
        ("POST", "/messages/count_tokens", anthropic, KeyScope.CHAT, _count),
        ("GET", "/models", openai, KeyScope.MODELS, _models),
        ("GET", "/models/{name:path}", openai, KeyScope.MODELS, _model),
    )
    for prefix in PREFIXES:
        for method, path, dialect, scope, handler in table:
            yield Route(prefix + path, Door(parts, guard, dialect, scope, handler), methods=[method])


def _asking(read: Callable[[bytes], Question], write: Callable[[Question], Writer], dialect: Dialect) -> Handler:
    """Return the handler of questions in a protocol."""

    async def handle(request: Request, caller: Caller, parts: Api) -> ASGIApp:
        question = read(await request.body())
        async with parts.database.reading() as session:
            target = await named(session, caller.actor, question.model, caller.models, is_embedder=False)
        if not target.can_see_images and any(message.images for message in question.prompt.messages):
            raise InvalidInput("{model} cannot see images. Pick a model that can.", model=target.display_name)
        gateway = parts.gateway
        asked = gateway.asked(caller, target, question.prompt)
        place = gateway.limits.admitted(caller, asked.input_tokens)
        return Answering(gateway, asked, write(question), dialect, place=place, is_stream=question.is_stream)

    return handle


async def _count(request: Request, caller: Caller, parts: Api) -> ASGIApp:
    question = messages.to_count(await request.body())
    async with parts.database.reading() as session:
        target = await named(session, caller.actor, question.model, caller.models, is_embedder=False)
    return JSONResponse({"input_tokens": parts.gateway.asked(caller, target, question.prompt).input_tokens})


async def _models(_request: Request, caller: Caller, parts: Api) -> ASGIApp:
    async with parts.database.reading() as session:
        found = await list_offered(session, caller.actor, caller.models)
    data = list(map(_told, found))
    # The last three are Anthropic's, whose clients ask the same address.
    ends = {"first_id": data[0]["id"] if data else None, "last_id": data[-1]["id"] if data else None}
    return JSONResponse({"object": "list", "data": data, "has_more": False, **ends})


async def _model(request: Request, caller: Caller, parts: Api) -> ASGIApp:
    name = request.path_params["name"]
    async with parts.database.reading() as session:
        target = await named(session, caller.actor, name, caller.models)
        found = await list_offered(session, caller.actor, frozenset([target.model_id]))
    if not found:
        raise ModelUnknown("There is no model {name}.", name=name)
    return JSONResponse(_told(replace(found[0], name=name)))


def _told(model: Offered) -> dict[str, object]:
    return {
        "id": model.name,
        "object": "model",
        "type": "model",
        "created": model.created,
        "created_at": datetime.fromtimestamp(model.created, UTC).isoformat(),
        "owned_by": model.provider_name,
        "display_name": model.display_name,
        "context_window": model.context_window,
        "max_output_tokens": model.max_output_tokens,
        "makes_embeddings": model.makes_embeddings,
    }
