"""Errors on the wire: every refusal has the body of the contract or of its protocol, and no traceback ever leaves."""

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from llm_ui.api.public.dialects import dialect_of
from llm_ui.contract import ErrorBody, ErrorDetail
from llm_ui.errors import InvalidInput, LLMUIError, NotFound, WrongMethod, unforeseen

UNREADABLE = "The body cannot be read as JSON. Correct it and send again."
SENTENCES = {
    400: UNREADABLE,
    404: "There is nothing at this address. Check it against the documentation.",
    405: "This address does not take this method. Check it against the documentation.",
}


def install(app: FastAPI) -> None:
    """Register the handlers."""
    app.add_exception_handler(LLMUIError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)


def request_id(request: Request) -> str:
    """Return the id of this request; it is in the response's X-Request-ID, in errors and in the log."""
    return str(request.state.request_id)


def refusal(error: LLMUIError, request_id: str) -> JSONResponse:
    """Return the response for an error of ours."""
    headers = {} if error.retry_after is None else {"Retry-After": f"{error.retry_after:.0f}"}
    return _response(error.status, detail_of(error, request_id), headers)


def detail_of(error: LLMUIError, request_id: str) -> ErrorDetail:
    """Return what whoever asked is told of an error of ours."""
    return ErrorDetail(
        code=error.code,
        message=error.message,
        retryable=error.retryable,
        retry_after=error.retry_after,
        request_id=request_id,
    )


def refusal_at(path: str, error: LLMUIError, request_id: str) -> JSONResponse:
    """Return the response for an error of ours as the protocol that is spoken at a path has it."""
    dialect = dialect_of(path)
    if dialect is None:
        return refusal(error, request_id)
    status, body = dialect.refusal(error)
    return JSONResponse(body, status)


async def _ours(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, LLMUIError)  # noqa: S101 - registered for this class only
    return refusal(error, request_id(request))


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class only
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"][1:]) or "the body"
    is_json = first["type"] != "json_invalid"
    message = f"{where}: {first['msg']}. Correct it and send again." if is_json else UNREADABLE
    return _response(400, ErrorDetail(code="invalid_input", message=message, request_id=request_id(request)))


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class only
    kind = {404: NotFound, 405: WrongMethod}.get(error.status_code, InvalidInput)
    told = kind(SENTENCES.get(error.status_code, SENTENCES[400]))
    return refusal_at(request.url.path, told, request_id(request))


async def _unexpected(request: Request, error: Exception) -> JSONResponse:
    # The edge logs it.
    del error
    return refusal(unforeseen(request_id(request)), request_id(request))


def _response(status: int, detail: ErrorDetail, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse(ErrorBody(error=detail).model_dump(mode="json"), status, headers)
