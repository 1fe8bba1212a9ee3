"""How OpenAI and Anthropic say no.

https://platform.openai.com/docs/guides/error-codes and https://docs.anthropic.com/en/api/errors, read 2026-11-20.
"""

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
