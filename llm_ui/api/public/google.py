"""The addresses of Google's protocol below `/v1beta` and `/v1`: https://ai.google.dev/api, read 2026-11-22."""

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp

from llm_ui.api.principal import Api
from llm_ui.api.public.answering import answer, counted, wish_of
from llm_ui.api.public.dialects import GOOGLE
from llm_ui.api.public.door import Address
from llm_ui.api.public.embeddings import texts_of, vectors_of
from llm_ui.api.public.fields import Refused, content_of, read
from llm_ui.api.public.generate_content import Content, GenerateWriter, GoogleSent, question, text_or_image, to_count
from llm_ui.api.public.writing import Told
from llm_ui.models import KeyScope
from llm_ui.providers.base import Texts
from llm_ui.services.keys import Caller
from llm_ui.services.offered import Offered, find_offered, list_offered

QUESTIONS = ("RETRIEVAL_QUERY", "QUESTION_ANSWERING", "FACT_VERIFICATION", "CODE_RETRIEVAL_QUERY")


class EmbedBody(GoogleSent):
    """The body of a question for a vector."""

    content: Content
    task_type: str | None = None
    output_dimensionality: int | None = None


class BatchBody(GoogleSent):
    """The body of a question for vectors."""

    requests: list[EmbedBody]


async def _generate(request: Request, caller: Caller, parts: Api) -> ASGIApp:
    asked = question(await request.body(), request.path_params["name"], is_stream=False)
    return await answer(parts, caller, asked, GenerateWriter(asked), GOOGLE, wish_of(request))


async def _stream(request: Request, caller: Caller, parts: Api) -> ASGIApp:
    if request.query_params.get("alt") != "sse":
        raise Refused("alt", "Streams are server-sent events here. Add ?alt=sse to the address.")
    asked = question(await request.body(), request.path_params["name"], is_stream=True)
    return await answer(parts, caller, asked, GenerateWriter(asked), GOOGLE, wish_of(request))


async def _count(request: Request, caller: Caller, parts: Api) -> ASGIApp:
    asked = to_count(await request.body(), request.path_params["name"])
    return JSONResponse({"totalTokens": await counted(parts, caller, asked)})


async def _embed(request: Request, caller: Caller, parts: Api) -> ASGIApp:
    return await _vectors(request, caller, parts, [read(EmbedBody, await request.body())], is_batch=False)


async def _embed_batch(request: Request, caller: Caller, parts: Api) -> ASGIApp:
    return await _vectors(request, caller, parts, read(BatchBody, await request.body()).requests, is_batch=True)


async def _vectors(request: Request, caller: Caller, parts: Api, bodies: list[EmbedBody], *, is_batch: bool) -> ASGIApp:
    if len({(body.task_type, body.output_dimensionality) for body in bodies}) > 1:
        raise Refused("requests", "requests: taskType and outputDimensionality have to be the same. Correct them.")
    said = [content_of("content.parts", body.content.parts, text_or_image)[0] for body in bodies]
    texts = texts_of("content", said)
    name, first = request.path_params["name"], bodies[0]
    is_question = (first.task_type or "").upper() in QUESTIONS
    wanted = Texts(name, texts, is_question=is_question, dimensions=first.output_dimensionality)
    found = await vectors_of(parts, caller, name, wanted)
    made = [{"values": vector} for vector in found.made.vectors]
    return JSONResponse({"embeddings": made} if is_batch else {"embedding": made[0]}, headers=found.headers)


async def models(_request: Request, caller: Caller, parts: Api) -> ASGIApp:
    """List what may be asked."""
    async with parts.database.reading() as session:
        found = await list_offered(session, caller.actor, caller.models)
    return JSONResponse({"models": list(map(_told, found))})


async def model(request: Request, caller: Caller, parts: Api) -> ASGIApp:
    """Tell of a model."""
    async with parts.database.reading() as session:
        found = await find_offered(session, caller.actor, request.path_params["name"], caller.models)
    return JSONResponse(_told(found))


def _told(model: Offered) -> Told:
    chat = ["generateContent", "streamGenerateContent", "countTokens"]
    return {
        "name": f"models/{model.name}",
        "version": "1",
        "displayName": model.display_name,
        "inputTokenLimit": model.context_window,
        "outputTokenLimit": model.max_output_tokens,
        "supportedGenerationMethods": ["embedContent", "batchEmbedContents"] if model.makes_embeddings else chat,
    }


ASKING = (
    Address("POST", "/models/{name:path}:generateContent", GOOGLE, KeyScope.CHAT, _generate),
    Address("POST", "/models/{name:path}:streamGenerateContent", GOOGLE, KeyScope.CHAT, _stream),
    Address("POST", "/models/{name:path}:countTokens", GOOGLE, KeyScope.CHAT, _count),
    Address("POST", "/models/{name:path}:embedContent", GOOGLE, KeyScope.EMBEDDINGS, _embed),
    Address("POST", "/models/{name:path}:batchEmbedContents", GOOGLE, KeyScope.EMBEDDINGS, _embed_batch),
)
LISTING = (
    Address("GET", "/models", GOOGLE, KeyScope.MODELS, models),
    Address("GET", "/models/{name:path}", GOOGLE, KeyScope.MODELS, model),
)
