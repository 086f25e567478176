"""The trader's and the watcher's line to the signer: one blocking round trip over a unix socket, no thread between."""

import contextlib
import socket
import struct
import threading
from collections.abc import Callable

import msgspec

from aister.adapters.signer.protocol import (
    ANSWER,
    HEADER,
    LONGEST,
    Answer,
    Ask,
    Keep,
    Kept,
    Mark,
    Retire,
    Sign,
    framed,
)
from aister.core.errors import SignerUnreachable
from aister.ports.signer import Call, Declined, Signed

__all__ = ["SignerClient"]

_TIMEVAL = struct.Struct("ll")
_HUNG_AFTER = 3
_CHUNK = 65_536


class SignerClient:
    """Port `Signer`. Whoever asks waits at most about `timeout_s`, then hears `SignerUnreachable`; the next call
    connects anew, so that no answer is ever taken for another's. `hung` is called when it was late three times in a
    row. Threads may share one."""

    def __init__(
        self, door: str, address: str, *, timeout_s: float = 0.25, hung: Callable[[], None] | None = None
    ) -> None:
        self._door, self._address = door, address
        self._timeout = _TIMEVAL.pack(int(timeout_s), int(timeout_s % 1 * 1_000_000))
        self._hung, self._late = hung, 0
        self._socket: socket.socket | None = None
        self._turn = threading.Lock()

    @property
    def address(self) -> str:
        return self._address

    def sign(self, call: Call) -> Signed | Declined:
        answer = self._ask(Sign(call))
        answered = answer.signed or answer.declined
        if answered is None:
            self.close()
            raise SignerUnreachable("The signer's answer is none; restart the trader.")
        return answered

    def tell_mark(self, symbol: str, mark_e8: int) -> Declined | None:
        """The mark price of a symbol now, 1e-8: what market orders and shorts are reckoned with for a minute."""
        return self._ask(Mark(symbol, mark_e8)).declined

    def keep_head(self, chain: str, sequence: int, head: str, *, accepted: bool = False) -> Declined | None:
        """Remember the newest record of a journal chain; declined when that would be a rollback nobody `accepted`."""
        return self._ask(Keep(chain, sequence, head, accepted)).declined

    def kept_head(self, chain: str) -> tuple[int, str] | None:
        """The newest record of a chain the signer was told of."""
        return self._ask(Kept(chain)).head

    def retire(self, epoch: int) -> bool:
        """Ask the signer to end for one under a newer lease; whether it does."""
        return self._ask(Retire(epoch)).declined is None

    def close(self) -> None:
        connection, self._socket = self._socket, None
        if connection is not None:
            with contextlib.suppress(OSError):
                connection.close()

    def _ask(self, ask: Ask) -> Answer:
        frame = framed(ask)
        with self._turn:
            try:
                connection = self._socket or self._connect()
                connection.sendall(frame)
                heard = connection.recv(_CHUNK)
                while (missing := _missing(heard)) > 0:
                    more = connection.recv(missing)
                    if not more:
                        raise ConnectionResetError("hung up")
                    heard += more
                answer = ANSWER.decode(memoryview(heard)[HEADER.size :])
                self._late = 0
                return answer
            except BlockingIOError:
                self.close()
                self._late += 1
                if self._late >= _HUNG_AFTER and self._hung is not None:
                    self._late = 0
                    self._hung()
                raise SignerUnreachable("The signer does not answer in time; nothing was signed.") from None
            except (OSError, msgspec.MsgspecError) as error:
                self.close()
                raise SignerUnreachable(
                    f"The signer does not answer ({type(error).__name__}); nothing was signed, it is started again."
                ) from None

    def _connect(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            for limit in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
                connection.setsockopt(socket.SOL_SOCKET, limit, self._timeout)
            connection.connect(self._door)
        except OSError:
            connection.close()
            raise
        self._socket = connection
        return connection


def _missing(heard: bytes) -> int:
    if not heard:
        raise ConnectionResetError("hung up")
    if len(heard) < HEADER.size:
        return HEADER.size - len(heard)
    (size,) = HEADER.unpack_from(heard)
    if size > LONGEST:
        raise ConnectionResetError("no answer")
    return int(HEADER.size + size - len(heard))
