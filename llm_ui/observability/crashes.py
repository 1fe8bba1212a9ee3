"""What is told of an unexpected error to whoever watches for them: where it was, in which request; never what was said.

It hears the log, where each edge of the product writes what nobody foresaw, libraries included. The words of an
exception may quote what somebody wrote, and the variables of its frames hold it: neither is taken along, nor are
bodies, headers, cookies, addresses or the arguments of a command.
"""

import logging
import secrets
import traceback
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import TracebackType

from llm_ui import __version__
from llm_ui.errors import LLMUIError
from llm_ui.observability.logging import OURS
from llm_ui.observability.origin import origin
from llm_ui.observability.sentry import Event, Sender, address_of
from llm_ui.observability.tracing import trace

MOST_FRAMES = 100
MOST_CAUSES = 8
FORESEEN = (LLMUIError, KeyboardInterrupt, SystemExit)
TAGS = (
    "error_id", "request_id", "run_id", "call_id", "job", "job_id", "key_id", "model_id", "document_id", "fetch_id",
    "task", "purpose", "module",
)  # fmt: skip
"""Fields of the log that say which thing failed, and hold nothing that people wrote."""


class Crashes(logging.Handler):
    """Sends what is logged of unexpected errors."""

    def __init__(self, process: str, environment: str, sender: Sender) -> None:
        super().__init__(logging.ERROR)
        self._process, self._environment, self._sender = process, environment, sender

    def emit(self, record: logging.LogRecord) -> None:
        """Send what a line of the log tells of an exception, if nobody foresaw it."""
        error = record.exc_info[1] if record.exc_info else None
        if error is None:
            return
        try:
            is_ours = record.name.partition(".")[0] == OURS
            event = record.getMessage() if is_ours else record.name
            self.tell(error, event, getattr(record, "fields", {}))
        except Exception:  # noqa: BLE001 - a request must not fail for what tells of its failure
            self.handleError(record)

    def tell(self, error: BaseException, event: str, fields: Mapping[str, object]) -> None:
        """Send an error, if nobody foresaw it."""
        if isinstance(error, FORESEEN):
            return
        tags = {name: str(fields[name]) for name in TAGS if fields.get(name)}
        tags |= {"process": self._process, "event": event}
        if request_id := origin().request_id:
            tags.setdefault("request_id", request_id)
        told: dict[str, object] = {
            "event_id": secrets.token_hex(16),
            "timestamp": datetime.now(UTC).isoformat(),
            "platform": "python",
            "level": "error",
            "release": f"llm-ui@{__version__}",
            "environment": self._environment,
            "transaction": event,
            "tags": tags,
            "exception": {"values": [_told(one) for one in _chain(error)]},
        }
        if user_id := fields.get("user_id"):
            told["user"] = {"id": str(user_id)}
        if (now := trace()) is not None:
            told["contexts"] = {"trace": {"trace_id": now.trace_id, "span_id": now.span_id}}
        self._sender.put(told)

    def close(self) -> None:
        """Let what waits be sent; the log calls it when the process ends."""
        self._sender.close()
        super().close()


def watch(process: str, dsn: str, environment: str) -> None:
    """Send this process's unexpected errors to a DSN from now on; call it once its log is configured."""
    logging.getLogger().addHandler(Crashes(process, environment, Sender(address_of(dsn))))


def report(error: BaseException, event: str, **fields: object) -> None:
    """Tell of an unexpected error that is not logged with its exception, if anybody watches for them."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, Crashes):
            handler.tell(error, event, fields)


def _chain(error: BaseException) -> list[BaseException]:
    """Return an exception after those that it came from, as Sentry wants them: the cause first."""
    found: list[BaseException] = []
    waiting = [error]
    while waiting and len(found) < MOST_CAUSES:
        one = waiting.pop(0)
        if any(one is known for known in found):
            continue
        found.append(one)
        if isinstance(one, BaseExceptionGroup):
            waiting.extend(one.exceptions)
        cause = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
        if cause is not None:
            waiting.append(cause)
    return found[::-1]


def _told(error: BaseException) -> Event:
    kind = type(error)
    return {
        "type": kind.__qualname__,
        "module": kind.__module__,
        "value": "",
        "stacktrace": {"frames": _frames(error.__traceback__)},
    }


def _frames(tb: TracebackType | None) -> Sequence[Event]:
    """Return the frames, outermost first; a file by its name alone, for its folder may be somebody's home."""
    frames = [
        {
            "module": (module := str(frame.f_globals.get("__name__", ""))),
            "filename": frame.f_code.co_filename.rpartition("/")[2],
            "function": frame.f_code.co_qualname,
            "lineno": line,
            "in_app": module.partition(".")[0] == OURS,
        }
        for frame, line in traceback.walk_tb(tb)
    ]
    return frames[-MOST_FRAMES:]
