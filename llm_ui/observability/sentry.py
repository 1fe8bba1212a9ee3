"""Events on their way to a Sentry-compatible address (https://develop.sentry.dev/sdk/foundations/envelopes/).

The protocol is one POST of three lines, so it is spoken here. `sentry-sdk` 2.75 by default patches threads, HTTP, SQL,
Redis, the queue, the servers and the clients of models, importing each: 1.8 s and 98 MB in the LLM API with all of them
installed, 50 ms and 3.4 MB with none; ours takes 8 ms and 0.1 MB. It would also have to be kept from taking along the
texts of exceptions, local variables and lines of the log, and whatever its next version takes.
"""

import json
import queue
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from llm_ui import __version__
from llm_ui.observability.logging import get_logger
from llm_ui.observability.metrics import ERROR_REPORTS

log = get_logger(__name__)

CLIENT = f"llm-ui/{__version__}"
MOST_WAITING = 100
"""Events that wait to be sent; further ones are dropped and counted."""
TIMEOUT_S = 5.0
"""For connecting, for sending and for the beginning of the answer, each."""
FAREWELL_S = 2.0
"""How long a process that ends waits for what is still to be sent."""
LONGEST_REST_S = 3_600.0
SENT, FAILED, DROPPED = OUTCOMES = ("sent", "failed", "dropped")
TOO_MANY = 429

Event = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Address:
    """Where events go, and the public key that lets them in."""

    url: str
    key: str


def address_of(dsn: str) -> Address:
    """Return the address of a DSN, `https://key@host/path/project`."""
    parts = urlsplit(dsn)
    path, _, project = parts.path.rstrip("/").rpartition("/")
    host = parts.netloc.rpartition("@")[2]
    return Address(f"{parts.scheme}://{host}{path}/api/{project}/envelope/", parts.username or "")


def envelope(event: Event) -> bytes:
    """Return an envelope with one event."""
    body = json.dumps(event, default=str).encode()
    header = {"event_id": event["event_id"], "sent_at": datetime.now(UTC).isoformat()}
    item = {"type": "event", "length": len(body), "content_type": "application/json"}
    return b"\n".join([json.dumps(header).encode(), json.dumps(item).encode(), body, b""])


class Sender:
    """Sends events from a thread of its own, so that nobody waits for it; the thread begins with the first one."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._waiting: queue.Queue[Event | None] = queue.Queue(MOST_WAITING)
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._is_closed = False
        self._rests_until = 0.0
        self._has_failed = False
        for outcome in OUTCOMES:
            # From the beginning, so that no thread adds a series while the figures are read.
            ERROR_REPORTS.add(outcome, amount=0)

    def put(self, event: Event) -> None:
        """Have an event sent; drop it where too many wait, or where the other side wants none for now."""
        if self._rests():
            self._count(DROPPED)
            return
        try:
            self._waiting.put_nowait(event)
        except queue.Full:
            self._count(DROPPED)
            return
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="error reports", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """Let what waits be sent, for a moment; what is not by then is lost."""
        if self._thread is None:
            return
        deadline = time.monotonic() + FAREWELL_S
        with suppress(queue.Full):
            self._waiting.put(None, timeout=FAREWELL_S)
        self._thread.join(max(0.0, deadline - time.monotonic()))
        self._is_closed = True

    def _work(self) -> None:
        # Only where somebody wants it, and only once there is something to send: its certificates take a while.
        import httpx2  # noqa: PLC0415

        headers = {
            "Content-Type": "application/x-sentry-envelope",
            "User-Agent": CLIENT,
            "X-Sentry-Auth": f"Sentry sentry_version=7, sentry_client={CLIENT}, sentry_key={self._address.key}",
        }
        with httpx2.Client(trust_env=False, follow_redirects=False, timeout=TIMEOUT_S, headers=headers) as http:
            while (event := self._waiting.get()) is not None and not self._is_closed:
                if self._rests():
                    self._count(DROPPED)
                    continue
                try:
                    # Nothing of the answer's body is of use.
                    with http.stream("POST", self._address.url, content=envelope(event)) as response:
                        self._note(response.status_code, response.headers.get("retry-after", ""))
                except Exception as error:  # noqa: BLE001 - the root of a thread: what tells of errors goes on
                    self._failed(type(error).__name__)

    def _note(self, status: int, retry_after: str) -> None:
        if status < 300:
            self._count(SENT)
            self._has_failed = False
            return
        if status == TOO_MANY:
            rest_s = float(retry_after) if retry_after.isdecimal() else 60.0
            self._rests_until = time.monotonic() + min(rest_s, LONGEST_REST_S)
        self._failed(str(status))

    def _failed(self, why: str) -> None:
        """Count one that did not arrive; say so once, until something arrives again."""
        self._count(FAILED)
        if not self._has_failed:
            self._has_failed = True
            log.warning("error_report.failed", reason=why)

    def _rests(self) -> bool:
        return time.monotonic() < self._rests_until

    def _count(self, outcome: str) -> None:
        # From several threads.
        with self._lock:
            ERROR_REPORTS.add(outcome)
