"""How each protocol says no.

https://platform.openai.com/docs/guides/error-codes, https://docs.anthropic.com/en/api/errors, read 2026-11-20;
https://ai.google.dev/gemini-api/docs/troubleshooting and https://docs.ollama.com/api/errors, read 2026-11-22.
"""

import re
from typing import Protocol

from llm_ui.errors import LLMUIError, ProviderError, ProviderFault

STATUS_OF_FAULT = {
    ProviderFault.MODEL_UNKNOWN: 404,
    ProviderFault.BAD_REQUEST: 400,
    ProviderFault.CONTEXT_TOO_LONG: 400,
    ProviderFault.CONTENT_FILTERED: 400,
    ProviderFault.RATE_LIMITED: 429,
    ProviderFault.OVERLOADED: 503,
    ProviderFault.TIMED_OUT: 504,
    ProviderFault.STALLED: 504,
}
"""What of a provider's failures a script can do something about, or may wait for; all others are 502."""
OPENAI_CODES = {
    "context_too_long": "context_length_exceeded",
    "content_filtered": "content_filter",
    "budget_spent": "insufficient_quota",
    "too_many_requests": "rate_limit_exceeded",
    "rate_limited": "rate_limit_exceeded",
    "model_unknown": "model_not_found",
}
OPENAI_TYPES = {
    401: "authentication_error",
    402: "insufficient_quota",
    403: "permission_error",
    429: "rate_limit_error",
}
ANTHROPIC_TYPES = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
}
GOOGLE_STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    402: "RESOURCE_EXHAUSTED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "UNIMPLEMENTED",
    413: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    504: "DEADLINE_EXCEEDED",
}


class Dialect(Protocol):
    """How a protocol says no."""

    def refusal(self, error: LLMUIError) -> tuple[int, dict[str, object]]:
        """Return status and body."""
        ...


def status_of(error: LLMUIError) -> int:
    """Return the status that tells a script what it needs to know."""
    return STATUS_OF_FAULT.get(error.fault, 502) if isinstance(error, ProviderError) else error.status


class OpenAIDialect:
    """`{"error": {"message", "type", "param", "code"}}`."""

    def refusal(self, error: LLMUIError) -> tuple[int, dict[str, object]]:
        """Return status and body."""
        status = status_of(error)
        kind = OPENAI_TYPES.get(status, "invalid_request_error" if status < 500 else "server_error")
        return status, {
            "error": {
                "message": error.message,
                "type": kind,
                "param": getattr(error, "param", None) or None,
                "code": OPENAI_CODES.get(error.code, error.code),
            }
        }


class AnthropicDialect:
    """`{"type": "error", "error": {"type", "message"}}`."""

    def refusal(self, error: LLMUIError) -> tuple[int, dict[str, object]]:
        """Return status and body."""
        status = status_of(error)
        kind = ANTHROPIC_TYPES.get(status, "invalid_request_error" if status < 500 else "api_error")
        return status, {"type": "error", "error": {"type": kind, "message": error.message}}


class GoogleDialect:
    """`{"error": {"code", "message", "status"}}`."""

    def refusal(self, error: LLMUIError) -> tuple[int, dict[str, object]]:
        """Return status and body."""
        status = status_of(error)
        kind = GOOGLE_STATUSES.get(status, "FAILED_PRECONDITION" if status < 500 else "UNAVAILABLE")
        return status, {"error": {"code": status, "message": error.message, "status": kind}}


class OllamaDialect:
    """`{"error": "…"}`."""

    def refusal(self, error: LLMUIError) -> tuple[int, dict[str, object]]:
        """Return status and body."""
        return status_of(error), {"error": error.message}


OPENAI, ANTHROPIC, GOOGLE, OLLAMA = OpenAIDialect(), AnthropicDialect(), GoogleDialect(), OllamaDialect()
DIALECTS: tuple[tuple[re.Pattern[str], Dialect], ...] = (
    (re.compile(r"(/api)?/v1(beta(/|$)|/models/.*:[a-zA-Z]*(Content|Contents|Tokens)$)"), GOOGLE),
    (re.compile(r"(/api)?/v1/messages(/|$)"), ANTHROPIC),
    (re.compile(r"(/api)?/v1/(chat/completions|responses|embeddings)(/|$)"), OPENAI),
    (re.compile(r"/api/(?!v1(/|$))"), OLLAMA),
)


def dialect_of(path: str) -> Dialect | None:
    """Return whose protocol is spoken below a path; None: our own."""
    return next((dialect for pattern, dialect in DIALECTS if pattern.match(path)), None)
