"""The sockets of the signer: two doors, frames in, frames out, one at a time, nothing believed.

The trader's door lets through what the charter allows, the watcher's only reductions and reads. Both are 0600, and the
kernel is asked whose process calls. A caller that says what is no message, or does not read, is hung up on.
"""

import contextlib
import os
import selectors
import socket
import stat
import struct
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from aister.adapters.signer.charter import REDUCE, TRADE
from aister.adapters.signer.desk import Desk
from aister.adapters.signer.protocol import ASK, HEADER, LONGEST, Answer, Ask, Keep, Kept, Mark, Retire, Sign, framed
from aister.core.errors import SettingsError, StorageError
from aister.ports.signer import Declined

__all__ = ["Server"]

_MOST_CALLERS = 32
_IDLE_S = 0.25
_CREDENTIALS = struct.Struct("3i")
_CHUNK = 65_536


class _Caller:
    """One connection: who may do how much, and what it has said so far."""

    __slots__ = ("ceiling", "heard", "socket")

    def __init__(self, connection: socket.socket, ceiling: str) -> None:
        self.socket, self.ceiling = connection, ceiling
        self.heard = bytearray()


class Server:
    """`doors`: paths of the trader's socket and the watcher's. Raises `SettingsError` when they cannot be made."""

    def __init__(self, desk: Desk, doors: tuple[str, str]) -> None:
        self._desk = desk
        self._watch = selectors.DefaultSelector()
        self._doors = [(path, _door(path), ceiling) for path, ceiling in zip(doors, (TRADE, REDUCE), strict=True)]
        for _, door, ceiling in self._doors:
            self._watch.register(door, selectors.EVENT_READ, ceiling)
        self._callers = 0
        self._ends = False

    def serve(self, alive: Callable[[], bool] = lambda: True) -> None:
        """Until somebody may and does retire it, or `alive` says no. Everything is on disk when it returns."""
        threading.Thread(target=self._keep_ahead, name="nonces", daemon=True).start()
        while not self._ends and alive():
            for key, _ in self._watch.select(_IDLE_S):
                if isinstance(key.data, _Caller):
                    self._hear(key.data)
                else:
                    self._open(key.fileobj, key.data)
        for path, door, _ in self._doors:
            door.close()
            Path(path).unlink(missing_ok=True)
        with contextlib.suppress(StorageError):
            self._desk.flush()

    def end(self) -> None:
        """Let `serve` return, within its next wait."""
        self._ends = True

    def _keep_ahead(self) -> None:
        """The disk is waited for here, a block of nonces ahead of their use, while anybody is connected."""
        while not self._ends:
            time.sleep(_IDLE_S)
            if self._callers:
                self._desk.keep_ahead()

    def _open(self, door: object, ceiling: str) -> None:
        assert isinstance(door, socket.socket)
        try:
            connection, _ = door.accept()
        except OSError:
            return
        if self._callers >= _MOST_CALLERS or not _ours(connection):
            connection.close()
            return
        connection.setblocking(False)
        self._watch.register(connection, selectors.EVENT_READ, _Caller(connection, ceiling))
        self._callers += 1

    def _hear(self, caller: _Caller) -> None:
        try:
            said = caller.socket.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError:
            said = b""
        if not said:
            self._hang_up(caller)
            return
        heard = caller.heard
        heard += said
        try:
            while len(heard) >= HEADER.size:
                (size,) = HEADER.unpack_from(heard)
                if size > LONGEST:
                    raise ValueError
                if len(heard) < HEADER.size + size:
                    return
                ask = ASK.decode(memoryview(heard)[HEADER.size : HEADER.size + size])
                answer = framed(self._answer(ask, caller.ceiling))
                heard = caller.heard = heard[HEADER.size + size :]
                if caller.socket.send(answer) != len(answer):
                    raise ValueError
        except Exception:  # whatever a caller brings about is its own end and nobody else's
            self._hang_up(caller)

    def _hang_up(self, caller: _Caller) -> None:
        self._watch.unregister(caller.socket)
        caller.socket.close()
        self._callers -= 1

    def _answer(self, ask: Ask, ceiling: str) -> Answer:
        match ask:
            case Sign(call):
                signed = self._desk.sign(call, ceiling)
                return Answer(declined=signed) if isinstance(signed, Declined) else Answer(signed)
            case Kept(chain):
                return Answer(head=self._desk.kept_head(chain))
            case _ if ceiling != TRADE:
                return Answer(declined=Declined("parameter", "Only the trader tells that; ask at its own socket."))
            case Mark(symbol, mark_e8):
                return Answer(declined=self._desk.tell_mark(symbol, mark_e8))
            case Keep(chain, sequence, head, accepted):
                return Answer(declined=self._desk.keep_head(chain, sequence, head, accepted=accepted))
            case Retire(epoch):
                self._ends = self._desk.gives_way_to(epoch)
                return Answer() if self._ends else Answer(declined=Declined("epoch", "No newer lease; take one first."))


def _door(path: str) -> socket.socket:
    """A listening socket only its owner may connect to. What lay there before is replaced."""
    try:
        folder = Path(path).parent
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.stat().st_uid != os.getuid() or stat.S_IMODE(folder.stat().st_mode) & 0o077:
            raise SettingsError(f"{folder} is open to other users; make it yours and chmod 700 it.")
        Path(path).unlink(missing_ok=True)
        door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        before = os.umask(0o177)
        try:
            door.bind(path)
        finally:
            os.umask(before)
        door.listen(_MOST_CALLERS)
        door.setblocking(False)
    except OSError as error:
        raise SettingsError(
            f"The signer cannot listen at {path} ({error}); set AISTER_HOME to a short path on a local disk."
        ) from None
    return door


def _ours(connection: socket.socket) -> bool:
    """Whether the process that called runs as this user (Linux says so; elsewhere the socket's mode must do)."""
    if sys.platform != "linux":
        return True
    told = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return bool(_CREDENTIALS.unpack(told)[1] == os.getuid())
