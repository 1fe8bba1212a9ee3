"""What a provider's refusal means: status, headers and body become one `ProviderError` with a sentence."""

import email.utils
import json
import math
import re
from collections.abc import Mapping
from datetime import UTC

from llm_ui.errors import ProviderError, ProviderFault
from llm_ui.kit.clock import now
from llm_ui.kit.i18n import later, to_tell
from llm_ui.kit.text import one_line
from llm_ui.providers.base import Endpoint

MAX_QUOTED_CHARS = 300
LONGEST_RETRY_AFTER_S = 86_400.0

TOO_LONG = re.compile(
    r"context.{0,20}(length|window|size)|maximum context|prompt is too long|too many (input )?tokens"
    r"|input token count.{0,40}exceeds|exceeds the (maximum|available) (number of tokens|context)",
    re.IGNORECASE,
)
SPENT = re.compile(
    r"insufficient_quota|billing|credit balance|spend|exceeded your current quota|payment", re.IGNORECASE
)
FILTERED = re.compile(r"content[_ ]?(filter|policy|management)|safety|prohibited", re.IGNORECASE)
BY_TIME = re.compile(r"per[ _]?(second|minute|hour|day)|rate[ _]?limit|retry in \d", re.IGNORECASE)
"""Says that an allowance comes back by itself, whatever else is said of quotas and billing."""
RETRY_IN = re.compile(r"retry in (\d+(?:\.\d+)?) ?s|\"retryDelay\": ?\"(\d+(?:\.\d+)?)s\"")
"""When, as Google says it in the body: its refusals have no Retry-After."""
MODERATED = re.compile(r"moderat|flagged", re.IGNORECASE)
NAMES_A_MODEL = re.compile(r"model|deployment|engine", re.IGNORECASE)
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
"""Control sequences of terminals (ECMA-48)."""
MAX_DEPTH = 20
NO_MODEL = re.compile(r"model.{0,80}(not found|does not exist|not exist|unknown|not supported|invalid)", re.IGNORECASE)
BAD_KEY = re.compile(r"api[_ ]?key|authenticat|unauthori[sz]ed|x-api-key", re.IGNORECASE)

SENTENCES = {
    ProviderFault.KEY_REFUSED: later("The provider refused the key. An administrator has to enter a valid one."),
    ProviderFault.MODEL_UNKNOWN: later("The provider does not know this model. Pick another one, or correct its name."),
    ProviderFault.BAD_REQUEST: later("The provider refused the request. Try other settings or another model."),
    ProviderFault.CONTEXT_TOO_LONG: later(
        "The conversation is too long for this model. Start a new chat or shorten it."
    ),
    ProviderFault.CONTENT_FILTERED: later("The provider's content filter refused this. Put it differently."),
    ProviderFault.RATE_LIMITED: later("The provider takes no more requests for the moment. Try again in a moment."),
    ProviderFault.SPEND_LIMIT: later("The provider's account has no credit left. An administrator has to top it up."),
    ProviderFault.OVERLOADED: later("The provider is overloaded or out of order. Try again in a moment."),
    ProviderFault.REDIRECTED: later(
        "The address redirects elsewhere, and the key was not sent there. Correct the address."
    ),
    ProviderFault.NOT_A_MODEL_ENDPOINT: later(
        "Nothing is at this address of the provider. Correct it; most end in /v1."
    ),
    ProviderFault.PROVIDER_ERROR: later("The provider reported an error. Try again, or pick another model."),
}
RATE_LIMITED_FOR = to_tell("The provider takes no more requests for the moment. Try again in {seconds} seconds.")

FAULT_OF_STATUS = {
    400: ProviderFault.BAD_REQUEST,
    401: ProviderFault.KEY_REFUSED,
    402: ProviderFault.SPEND_LIMIT,
    403: ProviderFault.KEY_REFUSED,
    404: ProviderFault.MODEL_UNKNOWN,
    408: ProviderFault.OVERLOADED,
    409: ProviderFault.OVERLOADED,
    413: ProviderFault.CONTEXT_TOO_LONG,
    422: ProviderFault.BAD_REQUEST,
    425: ProviderFault.OVERLOADED,
    429: ProviderFault.RATE_LIMITED,
}


def refusal(status: int, headers: Mapping[str, str], body: bytes, endpoint: Endpoint) -> ProviderError:
    """Return the error for an answer with a status of 300 or more."""
    said = said_in(body)
    whole = body.decode("utf-8", "replace")
    if 300 <= status < 400:
        fault = ProviderFault.REDIRECTED
    elif status >= 500:
        fault = ProviderFault.OVERLOADED
    else:
        fault = fault_of(FAULT_OF_STATUS.get(status, ProviderFault.BAD_REQUEST), said)
    if fault is ProviderFault.MODEL_UNKNOWN and not NAMES_A_MODEL.search(whole):
        fault = ProviderFault.NOT_A_MODEL_ENDPOINT
    if fault is ProviderFault.KEY_REFUSED and MODERATED.search(said):
        fault = ProviderFault.CONTENT_FILTERED
    retry_after = retry_after_s(headers.get("retry-after"))
    if fault is ProviderFault.RATE_LIMITED:
        comes_back = BY_TIME.search(whole) is not None
        fault = ProviderFault.SPEND_LIMIT if SPENT.search(whole) and not comes_back else fault
        if retry_after is None and (found := RETRY_IN.search(whole)):
            retry_after = retry_after_s(found.group(1) or found.group(2))
    return error(fault, said, endpoint, http_status=status, retry_after=retry_after)


def error(
    fault: ProviderFault,
    said: str,
    endpoint: Endpoint,
    *,
    http_status: int | None = None,
    retry_after: float | None = None,
) -> ProviderError:
    """Return the error of a fault, with the provider's own words where it gave any."""
    about = ProviderError(SENTENCES[fault], fault, http_status=http_status, retry_after=retry_after)
    if fault is ProviderFault.RATE_LIMITED and retry_after:
        seconds = round(retry_after)
        about = ProviderError(
            RATE_LIMITED_FOR, fault, http_status=http_status, retry_after=retry_after, seconds=seconds
        )
    # Masked before it is cut: half a key is still to be guessed from.
    quoted = one_line(masked(readable(said), endpoint), MAX_QUOTED_CHARS)
    if not quoted:
        return about
    return ProviderError(
        "{sentence} It said: “{words}”", fault, http_status=http_status, retry_after=retry_after,
        sentence=about.message, words=quoted,
    )  # fmt: skip


def reported(error_object: object, endpoint: Endpoint) -> ProviderError:
    """Return the error for an error object inside a stream that began well."""
    said = _words(error_object)
    kind = ""
    if isinstance(error_object, dict):
        kind = " ".join(str(error_object.get(name, "")) for name in ("type", "code", "status"))
    table = (
        (r"overloaded|unavailable|server_error|api_error|internal|\b5\d\d\b", ProviderFault.OVERLOADED),
        (r"rate_limit|resource_exhausted|\b429\b", ProviderFault.RATE_LIMITED),
        (r"authentication|permission|unauthenticated|\b401\b|\b403\b", ProviderFault.KEY_REFUSED),
        (r"not_found|\b404\b", ProviderFault.MODEL_UNKNOWN),
        (r"invalid|\b400\b", ProviderFault.BAD_REQUEST),
    )
    fault = ProviderFault.PROVIDER_ERROR
    for pattern, found in table:
        if re.search(pattern, kind, re.IGNORECASE):
            fault = found
            break
    return error(fault_of(fault, said), said, endpoint)


def fault_of(fault: ProviderFault, said: str) -> ProviderFault:
    """Return a more exact fault where the provider's words tell it."""
    if fault in (ProviderFault.BAD_REQUEST, ProviderFault.PROVIDER_ERROR, ProviderFault.CONTEXT_TOO_LONG):
        for pattern, exact in (
            (TOO_LONG, ProviderFault.CONTEXT_TOO_LONG),
            (SPENT, ProviderFault.SPEND_LIMIT),
            (FILTERED, ProviderFault.CONTENT_FILTERED),
            (NO_MODEL, ProviderFault.MODEL_UNKNOWN),
            (BAD_KEY, ProviderFault.KEY_REFUSED),
        ):
            if pattern.search(said):
                return exact
    return fault


def said_in(body: bytes) -> str:
    """Return the provider's own sentence in an error body, or nothing when it is a page or unreadable."""
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        text = body.decode("utf-8", "replace").strip()
        return "" if text.startswith("<") else text
    return _words(parsed)


def readable(text: str) -> str:
    """Return the text without a terminal's control sequences; nothing when it is no text at all."""
    text = ESCAPES.sub("", text)
    is_text = "\ufffd" not in text and all(char.isprintable() or char.isspace() for char in text)
    return text if is_text else ""


def retry_after_s(value: str | None) -> float | None:
    """Return the seconds of a Retry-After header (RFC 9110 §10.2.3: seconds or a date), None for junk."""
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            at = email.utils.parsedate_to_datetime(value)
        except (ValueError, TypeError):
            return None
        seconds = ((at if at.tzinfo else at.replace(tzinfo=UTC)) - now()).total_seconds()
    return None if math.isnan(seconds) else min(max(seconds, 0.0), LONGEST_RETRY_AFTER_S)


def masked(text: str, endpoint: Endpoint) -> str:
    """Return the text without the key, which some providers echo, whole or in part."""
    for secret in (endpoint.key, *(value for _, value in endpoint.headers)):
        if not secret:
            continue
        text = text.replace(secret, "•••")
        for size in (16, 12, 8):
            if len(secret) >= 2 * size:
                text = text.replace(secret[:size], "•••").replace(secret[-size:], "•••")
    return text


def _words(found: object, depth: int = 0) -> str:
    """Return the sentence inside the shapes of error bodies that providers use."""
    if depth > MAX_DEPTH:
        return ""
    if isinstance(found, list) and found:
        return _words(found[0], depth + 1)
    if not isinstance(found, dict):
        return found if isinstance(found, str) else ""
    for name in ("error", "message", "detail"):
        value = found.get(name)
        if isinstance(value, str) and value:
            code = found.get("code") or found.get("type")
            return f"{value} ({code})" if name == "message" and isinstance(code, str) else value
        if isinstance(value, dict | list):
            return _words(value, depth + 1)
    return ""
