"""The description of our own REST for scripts: only what they may ask, with examples and with how it says no."""

import re
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from llm_ui.api.rest.examples import EXAMPLES
from llm_ui.contract import ErrorBody

TITLE = "LLM UI"
DESCRIPTION = """Conversations, projects, documents, prompts, agents and usage, for scripts.

Send a key of the page *API keys* as `Authorization: Bearer` or as `x-api-key`. Every address is there below `/api/v1`
too. Every answer has an `X-Request-ID`; errors have one shape. Lists are read page by page: send `next` as `after`.
What has an `ETag` is changed only as it was read when that is sent as `If-Match`. Creating with an `Idempotency-Key`
makes one thing, however often it is sent. What a key may ask in a minute is told in `X-RateLimit-*`.

`/v1/ws/chat` is a WebSocket: send `{"type": "auth", "key": …}` unless the key is in the headers, then `chat` with a
`request` as for `POST /v1/chat`, `stop` with a `run_id`, or `ping`. It is closed with 4401 when the key is refused or
ends, 4403 when it is not for this, 4429 after too many messages, 4400 when the first message is none.

The models are asked in the protocols of others too: `/v1/chat/completions`, `/v1/embeddings`, `/v1/messages`.
"""
REFUSALS = {
    400: "What was sent cannot be used.",
    401: "There is no key, or it is not valid.",
    402: "A budget has too little left.",
    403: "The key or its owner may not do this.",
    404: "It does not exist, or is somebody else's.",
    409: "It changed meanwhile, or exists already.",
    412: "It is another version than the one in `If-Match`.",
    413: "It is too large.",
    429: "Too many requests; `Retry-After` says how long to wait.",
    503: "Something is not there for the moment; try again.",
}
TAGS = re.compile(r"^/v1/(\w+)")


def describe(app: FastAPI) -> None:
    """Have an app tell this description under the address that it has for it."""
    made: dict[str, Any] = {}
    usual = app.openapi

    def described() -> dict[str, Any]:
        if not made:
            made.update(_described(usual()))
        return made

    app.openapi = described  # type: ignore[method-assign]  # as FastAPI's documentation has it


def operation_id(route: APIRoute) -> str:
    """Return the name of an operation: what it does, and with what."""
    words = re.findall(r"[a-z]+", route.path.removeprefix("/v1"))
    return "_".join([*sorted(route.methods or ()), *words]).lower()


def _described(document: dict[str, Any]) -> dict[str, Any]:
    schemas = document["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    error = ErrorBody.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= {**error.pop("$defs"), "ErrorBody": error}
    for name, example in EXAMPLES.items():
        schemas[name]["examples"] = [example]
    for path, methods in document["paths"].items():
        for operation in methods.values():
            _complete(path, operation)
    document["components"]["securitySchemes"]["x-api-key"] = {"type": "apiKey", "in": "header", "name": "x-api-key"}
    document["info"] |= {"title": TITLE, "description": DESCRIPTION}
    return document


def _complete(path: str, operation: dict[str, Any]) -> None:
    said = operation["description"].split("\n\n", 1)[0].replace("\n", " ")
    operation["summary"] = re.split(r"(?<=\w)[.:;] ?", said, maxsplit=1)[0]
    found = TAGS.match(path)
    operation["tags"] = [found[1] if found is not None else "other"]
    operation["security"] = [{"key": []}, {"x-api-key": []}]
    responses = operation["responses"]
    responses.pop("422", None)
    for status, words in REFUSALS.items():
        body = {"schema": {"$ref": "#/components/schemas/ErrorBody"}}
        title = HTTPStatus(status).phrase
        responses[str(status)] = {"description": f"{title}: {words}", "content": {"application/json": body}}
