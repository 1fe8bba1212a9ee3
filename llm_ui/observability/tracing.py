"""W3C trace context (https://www.w3.org/TR/trace-context/): taken in with requests, handed on to providers."""

import re
import secrets
from contextvars import ContextVar
from dataclasses import dataclass

HEADER = "traceparent"
GIVEN = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})")


@dataclass(frozen=True, slots=True)
class Trace:
    """Of which trace a request is a part."""

    trace_id: str
    span_id: str
    """Of the request itself: what is called meanwhile lies below it."""
    flags: str

    def header(self) -> str:
        """Return what is sent along."""
        return f"00-{self.trace_id}-{self.span_id}-{self.flags}"


_trace: ContextVar[Trace | None] = ContextVar("trace", default=None)


def take_up(header: str) -> Trace:
    """Note of which trace all is that this task does from now on: the one it came with, else a new one."""
    found = GIVEN.fullmatch(header.strip())
    span_id = secrets.token_hex(8)
    trace = Trace(secrets.token_hex(16), span_id, "00") if found is None else Trace(found[1], span_id, found[3])
    _trace.set(trace)
    return trace


def trace() -> Trace | None:
    """Return the trace of what is done now."""
    return _trace.get()
