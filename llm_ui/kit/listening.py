"""What a process that serves HTTP with uvicorn needs: a listening socket, and its signals left to us."""

import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from llm_ui.errors import ConfigurationError

BACKLOG = 2_048


def bound(host: str, port: int, what: str, setting: str) -> socket.socket:
    """Return a listening socket. Raises `ConfigurationError` when the port is taken or the address is not ours."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With its protocol: asyncio switches Nagle's algorithm off only where that is named, and pieces waited 40 ms.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        raise ConfigurationError(
            f"The {what} cannot listen on {host}:{port}: {error.strerror}. Choose another port with {setting}."
        ) from None
    listening.setblocking(False)
    return listening


class Server(uvicorn.Server):
    """Uvicorn without signal handlers of its own: the process has them."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        logging.getLogger("uvicorn.error").addFilter(_is_news)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture nothing."""
        yield


def _is_news(record: logging.LogRecord) -> bool:
    """Return False for the error that no task had to be cancelled: a connection was not closed by its other end."""
    return not ("timeout graceful shutdown" in str(record.msg) and record.args == (0,))
