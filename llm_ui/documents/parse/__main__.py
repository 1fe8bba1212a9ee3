"""`python -m llm_ui.documents.parse IDLE_S`: makes a process for each file to read, in which the readers are imported.

Starting Python and importing them takes longer than most files. It is asked through the socket that it gets as its
input: a byte with two sockets. On the first the new process is told its file and answers; nothing of that comes here,
so that no process knows of the file of another. When the second is closed, or has nothing more to say, the process is
killed with all that it started, and how it ended is said there. It ends after some idle seconds, and with whoever
started it.
"""

import contextlib
import gc
import os
import select
import signal
import socket
import sys

from llm_ui.documents.parse import CODE, MADE, reading

Readers = dict[int, tuple[socket.socket, int]]
"""The process for each socket on which it is told to end."""


def main() -> None:
    """Make processes until nobody wants any."""
    idle_ms = float(sys.argv[1]) * 1000
    asked = socket.socket(fileno=0)
    reading.prepare()
    # What is here stays, also in the processes, which need not go through it.
    gc.freeze()
    poll = select.poll()
    poll.register(asked, select.POLLIN)
    readers: Readers = {}
    is_asked = True
    while is_asked or readers:
        events = poll.poll(None if readers else idle_ms)
        if not events:
            # What was asked for in this moment is still done, and whoever asks later is told that nobody hears.
            asked.shutdown(socket.SHUT_RD)
        for handle, _ in events:
            if handle in readers:
                poll.unregister(handle)
                _end(*readers.pop(handle))
                continue
            said, handles, *_ = socket.recv_fds(asked, 1, 2)
            if not said:
                poll.unregister(asked)
                is_asked = False
            elif made := _made(handles, asked, readers):
                readers[made[0].fileno()] = made
                poll.register(made[0], select.POLLIN)


def _made(handles: list[int], asked: socket.socket, readers: Readers) -> tuple[socket.socket, int] | None:
    """Return the socket on which a new process is told to end, and the process; None where there can be none."""
    parent = os.getpid()
    try:
        channel, ending = handles
        process = os.fork()
    except (OSError, ValueError):
        # Too many processes or open files: whoever asked sees both sockets closed.
        for handle in handles:
            os.close(handle)
        return None
    if process:
        os.close(channel)
        # Both do it, for either may be the first.
        with contextlib.suppress(OSError):
            os.setpgid(process, process)
        told = socket.socket(fileno=ending)
        with contextlib.suppress(OSError):
            told.sendall(MADE)
        return told, process
    code = 1
    try:
        os.setpgid(0, 0)
        # It can neither ask for processes nor end another one's.
        asked.close()
        os.close(ending)
        for other, _ in readers.values():
            other.close()
        reading.main(channel, parent)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    finally:
        # Not back into the loop of the process that it was made from.
        os._exit(code)


def _end(ending: socket.socket, process: int) -> None:
    """Kill a process and what it started, and say how it ended: what it did before that counts."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process, signal.SIGKILL)
    _, status = os.waitpid(process, 0)
    with ending, contextlib.suppress(OSError):
        ending.sendall(CODE.pack(os.waitstatus_to_exitcode(status)))


if __name__ == "__main__":
    main()
