"""The watcher's way to signatures: the trader's signer by its second door, and one of its own when nobody is there.

One signer runs per key. While the trader's lives it signs for both; a watcher's own one may only reduce and read, and
gives way to the next trader's at once.
"""

import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from aister.adapters.signer.child import holder_of
from aister.adapters.signer.client import SignerClient
from aister.adapters.signer.process import SignerProcess, doors
from aister.core.errors import AisterError, SignerUnreachable
from aister.ports.signer import Call, Declined, Signed

__all__ = ["StandbySigner"]

_PATIENCE_S = 1.5


class StandbySigner:
    """Port `Signer`. `own` makes a signer that only reduces, not started; `lock` is the name its state goes by (the
    agent's address, an old key's name). Call `attend` about every half second, from a thread: starting one takes a
    moment."""

    def __init__(
        self,
        home: Path,
        name: str,
        address: str,
        own: Callable[[], SignerProcess],
        *,
        lock: str,
        patience_s: float = _PATIENCE_S,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._line = SignerClient(doors(home, name)[1], address)
        self._lock = home / "signer" / f"{lock}.lock"
        self._make = own
        self._own: SignerProcess | None = None
        self._patience_s, self._monotonic = patience_s, monotonic
        self._silent_s: float | None = None
        self._turn = threading.Lock()
        self.why = ""
        """Why none of its own could be started; "" when there was no need or it runs."""

    @property
    def address(self) -> str:
        return self._line.address

    @property
    def own_pid(self) -> int:
        """The process of its own signer, 0 for none."""
        return self._own.pid if self._own is not None else 0

    def sign(self, call: Call) -> Signed | Declined:
        try:
            signed = self._line.sign(call)
        except SignerUnreachable:
            if self._silent_s is None:
                self._silent_s = self._monotonic()
            raise
        self._silent_s = None
        return signed

    def attend(self) -> None:
        """Once nobody has signed for `patience_s` after a failure and none answers now either: end a signer that hangs,
        or start one."""
        with self._turn:
            if self._silent_s is None or self._monotonic() - self._silent_s < self._patience_s:
                return
            if self._answers():  # it lives; nobody had anything to sign meanwhile
                self._silent_s = None
                return
            hung = holder_of(self._lock)
            if hung and hung != self.own_pid:
                os.kill(hung, signal.SIGKILL)
                self._silent_s = self._monotonic()  # its trader may start it again
                return
            if not self.own_pid:
                self._start()

    def stop(self) -> None:
        with self._turn:
            self._line.close()
            if self._own is not None:
                self._own.stop()

    def _answers(self) -> bool:
        """Whether a signer answers what costs it nothing. Asked twice: one may be busy, or have just begun."""
        for _ in range(2):
            with suppress(SignerUnreachable):
                self._line.kept_head("")
                return True
        return False

    def _start(self) -> None:
        try:
            self._own = self._make()
            self._own.start().close()
            self.why, self._silent_s = "", None
        except AisterError as error:  # a trader's signer was faster, or the key is gone
            self.why = str(error)
