"""A signer process for a test, and a caller that speaks to its socket without the client."""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from aister.adapters.signer.charter import Charter, Limits
from aister.adapters.signer.client import SignerClient
from aister.adapters.signer.process import SignerProcess, doors
from aister.adapters.signer.protocol import ANSWER, HEADER, Answer, Ask, framed
from aister.core.errors import SignerUnreachable
from aister.ports.signer import Call, Declined, Signed
from tests.adapters.signer.given import CHARTER, KEY, LIMITS

FAST = msgspec.structs.replace(CHARTER, limits=Limits(LIMITS.order_notional, 10**6, 10**9, 10, LIMITS.marks))
"""Without a pace that tests would run into."""


@contextmanager
def home() -> Iterator[Path]:
    """A home whose path is short enough for a socket."""
    with TemporaryDirectory(prefix="aister-") as folder:
        yield Path(folder)


@contextmanager
def running(
    folder: Path, charter: Charter = FAST, *, epoch: int = 1, outlives_parent: bool = False
) -> Iterator[tuple[SignerProcess, SignerClient]]:
    process = SignerProcess(charter, lambda: KEY, folder, epoch=epoch, outlives_parent=outlives_parent)
    line = None
    try:
        line = process.start()
        yield process, line
    finally:
        if line is not None:
            line.close()
        process.stop()


class Caller:
    """Bytes to a door and back; the answers of the signer decoded. One that hangs up is connected to anew."""

    def __init__(self, folder: Path, door: int = 0) -> None:
        self._path = doors(folder, CHARTER.name)[door]
        self._socket: socket.socket | None = None

    def say(self, content: bytes) -> Answer | None:
        """None: it hung up or said nothing."""
        if self._socket is None:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self._socket.settimeout(5)
            self._socket.connect(self._path)
        heard = b""
        with suppress(ConnectionResetError, BrokenPipeError):
            self._socket.sendall(content)
            heard = self._socket.recv(HEADER.size, socket.MSG_WAITALL)
        if len(heard) < HEADER.size:
            self.close()
            return None
        (size,) = HEADER.unpack(heard)
        return ANSWER.decode(self._socket.recv(size, socket.MSG_WAITALL))

    def ask(self, ask: Ask) -> Answer | None:
        return self.say(framed(ask))

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return not Path(f"/proc/{pid}/stat").exists() or Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"


def soon(line: SignerClient, call: Call, within_s: float = 15) -> Signed | Declined:
    """The answer, as soon as there is one again."""
    until = time.monotonic() + within_s
    while True:
        try:
            return line.sign(call)
        except SignerUnreachable:
            if time.monotonic() > until:
                raise
            time.sleep(0.01)


def gone(process: SignerProcess, pid: int) -> None:
    """Until that child is reaped."""
    until = time.monotonic() + 10
    while process.pid == pid and time.monotonic() < until:
        time.sleep(0.005)
