"""The child's end: harden first, then hear the key, then sign until the end. Nothing it raises shows a key."""

import fcntl
import os
import signal
import socket
import struct
import sys
import time
from pathlib import Path

from aister.adapters.signer.desk import Desk, ready_to_sign
from aister.adapters.signer.fence import AccountFence
from aister.adapters.signer.hardening import Hardened, harden
from aister.adapters.signer.protocol import HEADER, LONGEST, START, Failed, Serving, Start, framed
from aister.adapters.signer.server import Server
from aister.adapters.signer.state import StateFile
from aister.core.errors import AisterError, SettingsError

__all__ = ["SignerBusy", "holder_of", "main"]

_LOCK_S = 1.5
_LOCK = struct.Struct("hhqqi4x")


class SignerBusy(SettingsError):
    """Another process signs with this key."""

    def __init__(self, reason: str = "") -> None:
        super().__init__(reason or "Another signer of this key is running; end its trader or watcher first.")


def main(line: int, outlives_parent: bool = False) -> None:
    """Serve one key. `line`: the inherited socket over which it is told."""
    parent = os.getppid()
    hardened = harden([line], outlives_parent=outlives_parent)
    sys.excepthook = _say_only_the_kind
    with socket.socket(fileno=line) as told:
        told.sendall(b"\x01")  # from here on the key may come
        start = START.decode(_heard(told))
        try:
            server, address = _opened(start, hardened)
        except AisterError as error:
            told.sendall(framed(Failed(type(error).__name__, str(error))))
            raise SystemExit(1) from None
        told.sendall(framed(Serving(address, hardened)))
    del start
    signal.signal(signal.SIGTERM, lambda number, frame: server.end())
    server.serve(lambda: outlives_parent or os.getppid() == parent)


def _opened(start: Start, hardened: Hardened) -> tuple[Server, str]:
    address = ready_to_sign(start.charter, start.key).address
    folder = Path(start.folder)
    name = address.lower() if start.charter.scheme == "v3" else start.charter.name
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _lock(folder / f"{name}.lock")
    desk = Desk(
        start.charter,
        start.key,
        StateFile(folder / f"{name}.json", start.key),
        lambda: time.time_ns() // 1_000,
        time.monotonic,
        AccountFence(folder, start.charter.net, start.charter.account),
    )
    desk.fence(start.epoch)
    return Server(desk, start.doors), address


def _lock(path: Path) -> None:
    """One signer per key: the lock dies with its process. Raises `SignerBusy`."""
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    until = time.monotonic() + _LOCK_S
    while True:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except OSError:
            if time.monotonic() > until:
                os.close(file)
                raise SignerBusy() from None
        time.sleep(0.01)


def holder_of(path: Path) -> int:
    """The process that holds the lock, 0 for none or unknown."""
    try:
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return 0
    try:
        if sys.platform != "linux":
            return 0
        asked = _LOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        kind, _, _, _, pid = _LOCK.unpack(fcntl.fcntl(file, fcntl.F_GETLK, asked))
        return int(pid) if kind != fcntl.F_UNLCK else 0
    finally:
        os.close(file)


def _heard(line: socket.socket) -> bytes:
    (size,) = HEADER.unpack(_taken(line, HEADER.size))
    return _taken(line, min(size, LONGEST))


def _taken(line: socket.socket, size: int) -> bytes:
    taken = b""
    while len(taken) < size:
        part = line.recv(size - len(taken))
        if not part:
            raise SystemExit(0)  # the parent is gone
        taken += part
    return taken


def _say_only_the_kind(kind: type[BaseException], error: BaseException, at: object) -> None:
    """A traceback may hold what no log may: only the name of what went wrong is printed."""
    print(f"The signer ended: {kind.__name__}.", file=sys.stderr)
