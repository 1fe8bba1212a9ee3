"""A Redis server of our own, on a loopback port, which keeps nothing."""

import shutil
import signal
import socket
import subprocess
import time

from tests.fakes.postgresql import free_port


class RedisServer:
    """A throw-away server, which can be stopped and started again."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start; returns once it accepts connections."""
        program = shutil.which("redis-server")
        if program is None:
            raise RuntimeError("Redis is not installed. Run: apt-get install -y redis-server")
        keeps_nothing = "--save", "", "--appendonly", "no"
        self._process = subprocess.Popen(
            [program, "--bind", "127.0.0.1", "--port", str(self.port), *keeps_nothing], stdout=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                assert self._process.poll() is None, "Redis did not start"
                assert time.monotonic() < deadline, "Redis accepts no connections"
                time.sleep(0.02)
            else:
                return

    def freeze(self) -> None:
        """Let it accept connections and say nothing more."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def stop(self) -> None:
        """End it at once."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
