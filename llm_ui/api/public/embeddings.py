"""`POST /v1/embeddings`, as https://platform.openai.com/docs/api-reference/embeddings has it, read 2026-11-20."""

import asyncio
import base64
import struct
from typing import Annotated, Any, Literal

from pydantic import Field
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp

from llm_ui.api.principal import Api
from llm_ui.api.public.answering import headers_of
from llm_ui.api.public.fields import Refused, Sent, read
from llm_ui.kit.text import storable
from llm_ui.kit.token_count import estimate
from llm_ui.providers.base import Embedded, Prompt, PromptMessage, Texts
from llm_ui.services.keys import Caller
from llm_ui.services.offered import named

MAX_TEXTS = 2_048


class EmbeddingsBody(Sent):
    """The body of a question for vectors."""

    model: Annotated[str, Field(min_length=1, max_length=300)]
    input: Any
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: Annotated[int, Field(ge=1, le=100_000)] | None = None


async def embeddings(request: Request, caller: Caller, parts: Api) -> ASGIApp:
    """Return a vector for each text."""
    body = read(EmbeddingsBody, await request.body())
    texts = _texts(body.input)
    async with parts.database.reading() as session:
        target = await named(session, caller.actor, body.model, caller.models, is_embedder=True)
    asked = parts.gateway.asked(caller, target, Prompt(target.name, "", (PromptMessage("user", ""),)))
    with parts.gateway.limits.admitted(caller, sum(map(estimate, texts))) as allowance:
        made = await parts.gateway.embed(asked, Texts(target.name, texts, dimensions=body.dimensions))
    as_text = body.encoding_format == "base64"
    # Some thousands of numbers for each text.
    vectors = await asyncio.to_thread(_written, made, as_text=as_text)
    used = asked.usage().input_tokens
    data = [{"object": "embedding", "index": index, "embedding": vector} for index, vector in enumerate(vectors)]
    told = {"object": "list", "data": data, "model": body.model, "usage": {"prompt_tokens": used, "total_tokens": used}}
    return JSONResponse(told, headers=headers_of(allowance))


def _texts(given: object) -> tuple[str, ...]:
    found = [given] if isinstance(given, str) else given
    if isinstance(found, list) and found and all(isinstance(one, int | list) for one in found):
        raise Refused("input", "input: send texts; tokens mean something else to each model.")
    if (
        not isinstance(found, list)
        or not 1 <= len(found) <= MAX_TEXTS
        or not all(isinstance(one, str) for one in found)
    ):
        raise Refused("input", "input has to be a text, or a list of up to {most}.", most=MAX_TEXTS)
    if not all(one.strip() for one in found):
        raise Refused("input", "input: an empty text has no vector. Leave it out.")
    return tuple(map(storable, found))


def _written(made: Embedded, *, as_text: bool) -> list[object]:
    if not as_text:
        return list(made.vectors)
    # Little-endian float32, as OpenAI's own client reads them.
    return [base64.b64encode(struct.pack(f"<{len(one)}f", *one)).decode() for one in made.vectors]
