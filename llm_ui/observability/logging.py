"""Logging: one line per thing that happened, an event name and fields, never prose, content or secrets."""

import json
import logging
import sys
import traceback
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime

from llm_ui.observability.origin import origin
from llm_ui.observability.tracing import trace

OURS = "llm_ui"
MOST_RECENT = 2_000
"""Lines that wait to be taken; of more the oldest are lost here, and stand on standard error alone."""


class Log:
    """A named logger whose methods take an event (`noun.verb_past`) and its fields."""

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(name)

    def debug(self, event: str, **fields: object) -> None:
        """Log a detail."""
        self._log(logging.DEBUG, event, fields)

    def info(self, event: str, **fields: object) -> None:
        """Log something that happened as it should."""
        self._log(logging.INFO, event, fields)

    def warning(self, event: str, **fields: object) -> None:
        """Log something that somebody should look at."""
        self._log(logging.WARNING, event, fields)

    def error(self, event: str, **fields: object) -> None:
        """Log that a person was failed."""
        self._log(logging.ERROR, event, fields)

    def exception(self, event: str, **fields: object) -> None:
        """Log that a person was failed, with the traceback of the exception being handled."""
        self._logger.error(event, exc_info=True, extra={"fields": fields})

    def crashed(self, event: str, error: BaseException, **fields: object) -> None:
        """Log that a person was failed, with the traceback of an exception that a task ended with."""
        self._logger.error(event, exc_info=error, extra={"fields": fields})

    def _log(self, level: int, event: str, fields: dict[str, object]) -> None:
        if self._logger.isEnabledFor(level):
            self._logger.log(level, event, extra={"fields": fields})


class LineFormatter(logging.Formatter):
    """Formats a record as `time level process event field=value …`."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line; line breaks in values are escaped, so that no value can forge a line."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        parts = [at, record.levelname.lower(), self._process, _escaped(record.getMessage())]
        fields: dict[str, object] = getattr(record, "fields", {})
        parts += [f"{name}={_quoted(value)}" for name, value in fields.items()]
        line = " ".join(parts)
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the log, as it is written down to be looked for."""

    at: datetime
    level: int
    event: str
    fields: dict[str, str]
    request_id: str


class Recent(logging.Handler):
    """Keeps the last lines until they are taken.

    Of libraries it keeps their name alone: nobody knows what they put into their sentences. Of an exception it keeps
    its kind and where it came from, for its words may quote what somebody wrote.
    """

    def __init__(self) -> None:
        super().__init__()
        self._lines: deque[Line] = deque(maxlen=MOST_RECENT)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line."""
        fields = {name: str(value) for name, value in getattr(record, "fields", {}).items()}
        if record.exc_info and record.exc_info[0] is not None:
            place = traceback.extract_tb(record.exc_info[2])[-1:]
            fields["exception"] = record.exc_info[0].__name__
            fields["where"] = ", ".join(f"{one.filename.rpartition('/')[2]}:{one.lineno}" for one in place)
        event = record.getMessage() if record.name.partition(".")[0] == OURS else record.name
        request_id = fields.pop("request_id", "") or origin().request_id
        at = datetime.fromtimestamp(record.created, UTC)
        self._lines.append(Line(at, record.levelno, event, fields, request_id))

    def take(self) -> list[Line]:
        """Return the lines that were kept, and begin anew."""
        return [self._lines.popleft() for _ in range(len(self._lines))]


def take_recent() -> list[Line]:
    """Return what this process has logged since the last time; nothing where nothing is kept."""
    handlers = logging.getLogger().handlers
    return [line for handler in handlers if isinstance(handler, Recent) for line in handler.take()]


class JsonFormatter(logging.Formatter):
    """Formats a record as one JSON object, with the request and the trace that it is a part of."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line: dict[str, object] = {
            "at": at, "level": record.levelname.lower(), "process": self._process, "event": record.getMessage()
        }  # fmt: skip
        if request_id := origin().request_id:
            line["request_id"] = request_id
        if (now := trace()) is not None:
            line["trace_id"] = now.trace_id
        line |= getattr(record, "fields", {})
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def get_logger(name: str) -> Log:
    """Return the logger of a module."""
    return Log(name)


def configure(process: str, level: str = "info", style: str = "text") -> None:
    """Send this process's log to standard error, as text or as JSON, and keep its last lines.

    Libraries are heard from `warning` on.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(process) if style == "json" else LineFormatter(process))
    logging.basicConfig(handlers=[handler, Recent()], level=logging.WARNING, force=True)
    logging.getLogger(OURS).setLevel(level.upper())
    logging.captureWarnings(capture=True)


def _quoted(value: object) -> str:
    text = _escaped(str(value))
    return f'"{text}"' if " " in text or not text else text


def _escaped(text: str) -> str:
    return text.encode("unicode_escape").decode("ascii") if not text.isprintable() else text
