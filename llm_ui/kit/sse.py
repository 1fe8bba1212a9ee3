"""Writing server-sent events (HTML Living Standard, §9.2)."""

import json

PING = b": ping\n\n"
"""A comment that keeps the connection open and tells the reader nothing."""


def frame(number: int, event: str, data: dict[str, object]) -> bytes:
    """Return one event as it goes over the wire. `data` must hold no lone surrogate."""
    body = json.dumps(data, separators=(",", ":"), ensure_ascii=False)
    return f"id: {number}\nevent: {event}\ndata: {body}\n\n".encode()
