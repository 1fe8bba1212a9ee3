"""The error tree: code, HTTP status, whether trying again helps, and the sentence a person reads.

LLMUIError
├── InvalidInput                 400  what was sent cannot be used
│   ├── TooLarge                 413  a text or body over its limit
│   ├── WrongMethod              405  an address that is not asked in this way
│   ├── ContentBlocked           400  a safety filter stopped it
│   └── ContextTooLong           422  the message does not fit the model's window
├── NotSignedIn                  401  no valid session, ticket or key
│   ├── SignInRefused            401  wrong name or password
│   └── KeyRefused               401  no key of the API, or one that has ended
├── BudgetSpent                  402  a budget has too little left
├── Forbidden                    403  signed in, but not allowed
├── NotFound                     404  does not exist, or is somebody else's
│   └── ModelUnknown             404  a script asks for a model that is not there
├── Conflict                     409  changed meanwhile, or exists already
│   └── Outdated                 412  a script changes another version than the one it has read
├── TooManyRequests              429  throttled; `retry_after` says how long
├── ProviderError                502  the model provider failed; `ProviderFault` names how
├── Unavailable                  503  try again later
│   ├── DatabaseBusy             503  the database is locked or its pool exhausted
│   ├── DatabaseDown             503  the database cannot be reached
│   ├── DatabaseDamaged          503  the database file is damaged
│   ├── StorageFull              507  no room on the disk, or it is read-only
│   ├── NothingAnswers           503  no model can answer for the moment
│   └── ApiDown                  503  the LLM API does not answer
├── SchemaMismatch               500  the database is newer or older than this program
└── ConfigurationError           500  a setting or a key file is unusable
"""

from collections.abc import Mapping
from enum import StrEnum

Value = str | int
"""What an error's sentence may hold."""


def filled(sentence: str, values: Mapping[str, Value]) -> str:
    """Return a sentence with its values in their places, thousands set off."""
    shown = {name: f"{value:,}" if isinstance(value, int) else value for name, value in values.items()}
    return sentence.format(**shown) if shown else sentence


class LLMUIError(Exception):
    """Base of every error this product raises on purpose.

    `message` is one sentence for the person concerned and says what to do next; it never holds a secret. It is made of
    a sentence and the values for its {places}, so that pages can say it in other languages (`kit.i18n.told`).
    """

    code = "internal"
    status = 500
    retryable = False
    exit_code = 1
    """Of a process that this error ended."""

    def __init__(self, sentence: str, /, *, retry_after: float | None = None, **values: Value) -> None:
        self.message = filled(sentence, values)
        super().__init__(self.message)
        self.retry_after = retry_after
        """Seconds after which trying again makes sense, where that is known."""


def unforeseen(error_id: str) -> LLMUIError:
    """Return the error for what is nobody's fault but ours; the log has it under the id."""
    return LLMUIError(
        "Something went wrong here. Try again; if it stays, tell an administrator: {error_id}.", error_id=error_id
    )


class InvalidInput(LLMUIError):
    """What was sent cannot be used."""

    code = "invalid_input"
    status = 400


class TooLarge(InvalidInput):
    """A text, file or body is over its limit."""

    code = "too_large"
    status = 413


class WrongMethod(InvalidInput):
    """An address does not take the method it is asked with."""

    code = "wrong_method"
    status = 405


class ContentBlocked(InvalidInput):
    """A safety filter stopped a message or an answer."""

    code = "content_blocked"


class ContextTooLong(InvalidInput):
    """One message alone does not fit the model's context window."""

    code = "context_too_long"
    status = 422


class NotSignedIn(LLMUIError):
    """There is no valid session, ticket or key."""

    code = "not_signed_in"
    status = 401

    def __init__(self, sentence: str = "You are signed out. Sign in again to go on.", /, **values: Value) -> None:
        super().__init__(sentence, retry_after=None, **values)


class SignInRefused(NotSignedIn):
    """Name or password is wrong; which one is never said."""

    code = "sign_in_refused"

    def __init__(
        self, sentence: str = "Username or password is wrong. Check both and try again.", /, **values: Value
    ) -> None:
        super().__init__(sentence, **values)


class Forbidden(LLMUIError):
    """Signed in, but this may not be done by this account."""

    code = "forbidden"
    status = 403

    def __init__(
        self, sentence: str = "Your account may not do this. Ask an administrator.", /, **values: Value
    ) -> None:
        super().__init__(sentence, retry_after=None, **values)


class KeyRefused(NotSignedIn):
    """The key of the API is unknown, has ended, or belongs to nobody who may use it; which one is never said."""

    code = "invalid_api_key"

    def __init__(
        self, message: str = "This key is not valid, or not any more. Make a new one under API keys in LLM UI."
    ) -> None:
        super().__init__(message)


class BudgetSpent(LLMUIError):
    """A budget has less left than a call may cost."""

    code = "budget_spent"
    status = 402

    def __init__(
        self, sentence: str, /, *, leads_to: str = "stop", retry_after: float | None = None, **values: Value
    ) -> None:
        super().__init__(sentence, retry_after=retry_after, **values)
        self.leads_to = leads_to
        """What an administrator wants to happen then (`LimitAction`)."""


class NotFound(LLMUIError):
    """The thing does not exist, or belongs to somebody else (which is not told apart)."""

    code = "not_found"
    status = 404


class ModelUnknown(NotFound):
    """A script asks for a model that is not there, or not for its key."""

    code = "model_not_found"


class Conflict(LLMUIError):
    """The thing exists already, or changed since it was read."""

    code = "conflict"
    status = 409


class Outdated(Conflict):
    """A script means another version than the one that is there."""

    code = "outdated"
    status = 412


class TooManyRequests(LLMUIError):
    """Throttled; `retry_after` says for how long."""

    code = "too_many_requests"
    status = 429
    retryable = True

    def __init__(
        self, sentence: str, /, *, leads_to: str = "stop", retry_after: float | None = None, **values: Value
    ) -> None:
        super().__init__(sentence, retry_after=retry_after, **values)
        self.leads_to = leads_to
        """What an administrator wants to happen then (`LimitAction`)."""


class ProviderFault(StrEnum):
    """How a model provider failed, and hence what may be tried next."""

    KEY_MISSING = "key_missing"
    KEY_REFUSED = "key_refused"
    MODEL_UNKNOWN = "model_unknown"
    BAD_REQUEST = "bad_request"
    CONTEXT_TOO_LONG = "context_too_long"
    CONTENT_FILTERED = "content_filtered"
    RATE_LIMITED = "rate_limited"
    SPEND_LIMIT = "spend_limit"
    OVERLOADED = "overloaded"
    NAME_NOT_FOUND = "name_not_found"
    CONNECTION_REFUSED = "connection_refused"
    TLS_FAILED = "tls_failed"
    REDIRECTED = "redirected"
    TIMED_OUT = "timed_out"
    STALLED = "stalled"
    CUT_OFF = "cut_off"
    NOT_A_MODEL_ENDPOINT = "not_a_model_endpoint"
    PROTOCOL_BROKEN = "protocol_broken"
    ANSWER_TOO_LARGE = "answer_too_large"
    PROVIDER_ERROR = "provider_error"


RETRYABLE_FAULTS = frozenset(
    {
        ProviderFault.RATE_LIMITED,
        ProviderFault.OVERLOADED,
        ProviderFault.CONNECTION_REFUSED,
        ProviderFault.TIMED_OUT,
    }
)
"""Faults after which the same request may be sent again, before the first token only."""


class ProviderError(LLMUIError):
    """The model provider failed, refused, or sent something that is not its protocol."""

    status = 502

    def __init__(
        self,
        sentence: str,
        fault: ProviderFault,
        /,
        *,
        http_status: int | None = None,
        retry_after: float | None = None,
        **values: Value,
    ) -> None:
        super().__init__(sentence, retry_after=retry_after, **values)
        self.fault = fault
        self.http_status = http_status
        """The status the provider answered with, where it answered."""
        self.code = fault.value
        self.retryable = fault in RETRYABLE_FAULTS


class Unavailable(LLMUIError):
    """Something this product needs is not there for the moment."""

    code = "unavailable"
    status = 503
    retryable = True
    exit_code = 75
    """EX_TEMPFAIL of BSD's sysexits.h: the next start may be luckier."""


class NothingAnswers(Unavailable):
    """None of the workspace's models can be reached; `retry_after` says when one is tried again."""

    code = "nothing_answers"


class DatabaseBusy(Unavailable):
    """The database is locked by another writer, or all its connections are in use."""

    code = "database_busy"

    def __init__(self, message: str = "The database is busy, so nothing was saved. Try again in a moment.") -> None:
        super().__init__(message, retry_after=1)


class DatabaseDown(Unavailable):
    """The database cannot be reached."""

    code = "database_down"

    def __init__(
        self, message: str = "The database cannot be reached, so nothing was saved. Try again in a moment."
    ) -> None:
        super().__init__(message, retry_after=5)


class DatabaseDamaged(Unavailable):
    """The database file is damaged: trying again does not help."""

    code = "database_damaged"
    retryable = False
    exit_code = 1

    def __init__(
        self, message: str = "The database file is damaged. Stop LLM UI and restore a backup: llm-ui db restore FILE"
    ) -> None:
        super().__init__(message)


class StorageFull(Unavailable):
    """The disk is full or read-only."""

    code = "storage_full"
    status = 507

    def __init__(
        self,
        message: str = "The server's disk is full or read-only, so nothing was saved. "
        "Your text is kept here; tell an administrator.",
    ) -> None:
        super().__init__(message, retry_after=30)


class ApiDown(Unavailable):
    """The LLM API does not answer."""

    code = "api_down"

    def __init__(
        self, message: str = "The part of the server that runs the models does not answer. Try again in a moment."
    ) -> None:
        super().__init__(message, retry_after=2)


class SchemaMismatch(LLMUIError):
    """The database's schema is newer or older than this program."""

    code = "schema_mismatch"


class ConfigurationError(LLMUIError):
    """A setting or a key file is unusable."""

    code = "configuration"
