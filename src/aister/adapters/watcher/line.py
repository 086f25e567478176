"""The line between a trader and its watcher: one JSON object per line over a unix socket only its owner may open.

The trader says once a second that it lives, the watcher after every look what it sees. Neither ever waits for the
other: what cannot be said at once is not said.
"""

import asyncio
import contextlib
import socket
from collections.abc import Callable
from pathlib import Path

import msgspec

__all__ = ["Beat", "Door", "Leave", "Retire", "Said", "WatcherLine", "Watching", "beat_door"]

_LONGEST = 65_536
_MOST_UNSENT = 65_536


class Beat(msgspec.Struct, frozen=True, tag="beat"):
    """The trader lives."""


class Leave(msgspec.Struct, frozen=True, tag="leave"):
    """The trader ends in good order; watch on while something is held."""


class Retire(msgspec.Struct, frozen=True, tag="retire"):
    """End now: another watcher takes over, or nobody shall watch."""


Said = Beat | Leave | Retire


class Watching(msgspec.Struct, frozen=True):
    """What the watcher says of itself. `why`: what keeps it from watching, "" for nothing; `held`, `bare`: symbols
    with a position, and with one no stop covers; `unusable`: symbols of which the venue takes no stops; `acts`: how
    often it has done something, `last` the newest of it in one sentence."""

    pid: int
    why: str
    held: tuple[str, ...] = ()
    bare: tuple[str, ...] = ()
    unusable: tuple[str, ...] = ()
    acts: int = 0
    last: str = ""


_SAID: msgspec.json.Decoder[Said] = msgspec.json.Decoder(Said)
_WATCHING = msgspec.json.Decoder(Watching)


def beat_door(home: Path, name: str) -> str:
    """Where the watcher of a key listens."""
    return str(home / "run" / f"{name}.watcher.sock")


class Door:
    """The watcher's end. `heard` gets what a trader says; `tell` goes to every trader that is connected."""

    def __init__(self, path: str, heard: Callable[[Said], None]) -> None:
        self._path, self._heard = path, heard
        self._callers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.AbstractServer | None = None

    async def open(self) -> None:
        """Listen, in the place of whoever did before. The process's umask decides who may connect: make it 077."""
        Path(self._path).unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._serve, self._path, limit=_LONGEST)

    def tell(self, watching: Watching) -> None:
        line = msgspec.json.encode(watching) + b"\n"
        for caller in list(self._callers):
            if caller.transport.get_write_buffer_size() < _MOST_UNSENT:
                caller.write(line)

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
            Path(self._path).unlink(missing_ok=True)
        for caller in list(self._callers):
            caller.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._callers.add(writer)
        with contextlib.suppress(OSError, ValueError, msgspec.MsgspecError):  # a caller that talks nonsense is left
            while line := await reader.readline():
                self._heard(_SAID.decode(line))
        self._callers.discard(writer)
        writer.close()


class WatcherLine:
    """The trader's end. Nothing here waits or raises for what the other end does."""

    def __init__(self, door: str) -> None:
        self._door = door
        self._socket: socket.socket | None = None
        self._rest = b""

    def say(self, said: Said) -> bool:
        """Whether it was said: a watcher that is not there, or stopped long ago, does not hear."""
        line = msgspec.json.encode(said) + b"\n"
        try:
            connection = self._socket or self._connect()
            return connection.send(line) == len(line)
        except BlockingIOError:
            return False
        except OSError:
            self.close()
            return False

    def listen(self) -> bool:
        """Connect without a word; whether there is somebody to listen to."""
        try:
            self._socket = self._socket or self._connect()
        except OSError:
            return False
        return True

    def hear(self) -> Watching | None:
        """The newest word of the watcher since the last call."""
        if self._socket is None:
            return None
        try:
            while part := self._socket.recv(_LONGEST):
                self._rest = (self._rest + part)[-2 * _LONGEST :]
            self.close()
        except BlockingIOError:
            pass
        except OSError:
            self.close()
        lines = self._rest.split(b"\n")
        self._rest = lines.pop()
        for line in reversed(lines):
            with contextlib.suppress(msgspec.MsgspecError):
                return _WATCHING.decode(line)
        return None

    def close(self) -> None:
        connection, self._socket, self._rest = self._socket, None, b""
        if connection is not None:
            connection.close()

    def _connect(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.setblocking(False)
        try:
            connection.connect(self._door)
        except OSError:
            connection.close()
            raise
        self._socket = connection
        return connection
