"""`POST /v1/embeddings`, as https://platform.openai.com/docs/api-reference/embeddings has it, read 2026-11-20."""

import asyncio
import base64
import struct
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from pydantic import Field
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp

from llm_ui.api.principal import Api
from llm_ui.api.public.answering import headers_of, limits_of
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


@dataclass(frozen=True, slots=True)
class Vectors:
    """Vectors on their way to a script."""

    made: Embedded
    input_tokens: int
    headers: dict[str, str]
    """What is left of the limits."""


async def vectors_of(parts: Api, caller: Caller, model: str, texts: Texts) -> Vectors:
    """Return a vector for each text, booked. Raises our errors."""
    async with parts.database.reading() as session:
        target = await named(session, caller.actor, model, caller.models, is_embedder=True)
    asked = parts.gateway.asked(caller, target, Prompt(target.name, "", (PromptMessage("user", ""),)))
    with parts.gateway.limits.admitted(caller, sum(map(estimate, texts.texts))) as allowance:
        made = await parts.gateway.embed(asked, replace(texts, model=target.name))
    return Vectors(made, asked.usage().input_tokens, {**headers_of(allowance), **limits_of(asked)})


async def embeddings(request: Request, caller: Caller, parts: Api) -> ASGIApp:
    """Return a vector for each text."""
    body = read(EmbeddingsBody, await request.body())
    texts = Texts(body.model, texts_of("input", body.input), dimensions=body.dimensions)
    found = await vectors_of(parts, caller, body.model, texts)
    as_text = body.encoding_format == "base64"
    # Some thousands of numbers for each text.
    vectors = await asyncio.to_thread(_written, found.made, as_text=as_text)
    data = [{"object": "embedding", "index": index, "embedding": vector} for index, vector in enumerate(vectors)]
    usage = {"prompt_tokens": found.input_tokens, "total_tokens": found.input_tokens}
    told = {"object": "list", "data": data, "model": body.model, "usage": usage}
    return JSONResponse(told, headers=found.headers)


def texts_of(param: str, given: object) -> tuple[str, ...]:
    """Return the texts that are to become vectors. Raises `Refused`."""
    found = [given] if isinstance(given, str) else given
    if isinstance(found, list) and found and all(isinstance(one, int | list) for one in found):
        raise Refused(param, "{param}: send texts; tokens mean something else to each model.", param=param)
    if (
        not isinstance(found, list)
        or not 1 <= len(found) <= MAX_TEXTS
        or not all(isinstance(one, str) for one in found)
    ):
        raise Refused(param, "{param} has to be a text, or a list of up to {most}.", param=param, most=MAX_TEXTS)
    if not all(one.strip() for one in found):
        raise Refused(param, "{param}: an empty text has no vector. Leave it out.", param=param)
    return tuple(map(storable, found))


def _written(made: Embedded, *, as_text: bool) -> list[object]:
    if not as_text:
        return list(made.vectors)
    # Little-endian float32, as OpenAI's own client reads them.
    return [base64.b64encode(struct.pack(f"<{len(one)}f", *one)).decode() for one in made.vectors]
