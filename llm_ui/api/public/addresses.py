"""The addresses for scripts. OpenAI's, Anthropic's and Google's are together below `/v1`."""

from collections.abc import Iterator

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from llm_ui.api.principal import Api
from llm_ui.api.public import google, messages, ollama, responses
from llm_ui.api.public.answering import asks, counted
from llm_ui.api.public.chat_completions import ChatWriter
from llm_ui.api.public.chat_completions import question as chat_question
from llm_ui.api.public.dialects import ANTHROPIC, OPENAI
from llm_ui.api.public.door import GOOGLE_KEY, Address, Door, Guard
from llm_ui.api.public.embeddings import embeddings
from llm_ui.api.public.messages import MessageWriter
from llm_ui.api.public.response_events import ResponseWriter
from llm_ui.models import KeyScope
from llm_ui.services.keys import Caller
from llm_ui.services.offered import Offered, find_offered, list_offered


def routes(parts: Api, guard: Guard) -> Iterator[Route]:
    """Yield the routes. What is below `/v1` and `/v1beta` is below `/api` too, where pages and API share a host."""
    ours, theirs = (*google.ASKING, *ADDRESSES), (*google.ASKING, *google.LISTING)
    table = {"/v1": ours, "/v1beta": theirs, "/api/v1": ours, "/api/v1beta": theirs, "/api": ollama.ADDRESSES}
    for prefix, addresses in table.items():
        for address in addresses:
            yield Route(prefix + address.path, Door(parts, guard, address), methods=[address.method])


async def _count(request: Request, caller: Caller, parts: Api) -> ASGIApp:
    question = messages.to_count(await request.body())
    return JSONResponse({"input_tokens": await counted(parts, caller, question)})


async def _models(request: Request, caller: Caller, parts: Api) -> ASGIApp:
    if GOOGLE_KEY in request.headers:
        return await google.models(request, caller, parts)
    async with parts.database.reading() as session:
        found = await list_offered(session, caller.actor, caller.models)
    data = list(map(_told, found))
    # The last three are Anthropic's, whose clients ask the same address.
    ends = {"first_id": data[0]["id"] if data else None, "last_id": data[-1]["id"] if data else None}
    return JSONResponse({"object": "list", "data": data, "has_more": False, **ends})


async def _model(request: Request, caller: Caller, parts: Api) -> ASGIApp:
    if GOOGLE_KEY in request.headers:
        return await google.model(request, caller, parts)
    async with parts.database.reading() as session:
        found = await find_offered(session, caller.actor, request.path_params["name"], caller.models)
    return JSONResponse(_told(found))


def _told(model: Offered) -> dict[str, object]:
    return {
        "id": model.name,
        "object": "model",
        "type": "model",
        "created": model.created,
        "created_at": model.created_at,
        "owned_by": model.provider_name,
        "display_name": model.display_name,
        "context_window": model.context_window,
        "max_output_tokens": model.max_output_tokens,
        "makes_embeddings": model.makes_embeddings,
    }


ADDRESSES = (
    Address("POST", "/chat/completions", OPENAI, KeyScope.CHAT, asks(chat_question, ChatWriter, OPENAI)),
    Address("POST", "/responses", OPENAI, KeyScope.CHAT, asks(responses.question, ResponseWriter, OPENAI)),
    Address("POST", "/embeddings", OPENAI, KeyScope.EMBEDDINGS, embeddings),
    Address("POST", "/messages", ANTHROPIC, KeyScope.CHAT, asks(messages.question, MessageWriter, ANTHROPIC)),
    Address("POST", "/messages/count_tokens", ANTHROPIC, KeyScope.CHAT, _count),
    Address("GET", "/models", OPENAI, KeyScope.MODELS, _models),
    Address("GET", "/models/{name:path}", OPENAI, KeyScope.MODELS, _model),
)
