"""The parent's end: starts the signer, hands it the key, starts it again when it dies.

A thread of its own waits on the child, because the kernel ends the child when the thread that started it ends. Between
a death and the next start (a fraction of a second) nothing is signed: entries freeze, reductions are tried again.
"""

import os
import signal
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from aister.adapters.bare import start_bare
from aister.adapters.exchanges.aster.sign import address_of
from aister.adapters.signer.charter import TRADE, Charter
from aister.adapters.signer.child import SignerBusy, holder_of
from aister.adapters.signer.client import SignerClient
from aister.adapters.signer.protocol import HEADER, LONGEST, Failed, Serving, Start, framed
from aister.core.errors import AisterError, CredentialError, SettingsError, SignerUnreachable, StorageError

__all__ = ["SignerProcess", "doors"]

_START_S = 20.0
_LEAVE_S = 1.0
_PAUSES_S = (0.0, 0.05, 0.5, 1.0, 2.0, 5.0)
_STEADY_S = 30.0
_TAKE_OVERS = 4
_ERRORS = {one.__name__: one for one in (CredentialError, SettingsError, SignerBusy, StorageError)}
_SAID: msgspec.msgpack.Decoder[Serving | Failed] = msgspec.msgpack.Decoder(Serving | Failed)


def doors(home: Path, name: str) -> tuple[str, str]:
    """Where the signer of a key listens: to the trader, to the watcher."""
    return str(home / "run" / f"{name}.sock"), str(home / "run" / f"{name}.watch.sock")


class SignerProcess:
    """A signer kept running until `stop`, or until another took over in good order. `key` is asked at every start and
    not kept; `epoch` is the lease's, -1 for a watcher's own signer."""

    def __init__(
        self,
        charter: Charter,
        key: Callable[[], bytes],
        home: Path,
        *,
        epoch: int = -1,
        outlives_parent: bool = False,
    ) -> None:
        self._charter, self._key, self._home = charter, key, home
        self._epoch = epoch
        self._outlives_parent = outlives_parent
        self._doors = doors(home, charter.name)
        self._up = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="signer", daemon=True)
        self._child: subprocess.Popen[bytes] | None = None
        self._wrong: AisterError | None = None
        self.serving: Serving | None = None
        self.starts = 0
        """How often it was started."""

    def start(self) -> SignerClient:
        """Start it and return the line to it: the trader's, or the watcher's when it only reduces. Raises
        `CredentialError`, `SettingsError` or `StorageError` in the signer's own words, `SignerUnreachable` when it does
        not come up."""
        self._thread.start()
        self._up.wait(_START_S)
        if self._wrong is not None:
            raise self._wrong
        if self.serving is None:
            self.stop()
            raise SignerUnreachable("The signer did not start in time; look at what it printed and start again.")
        door = self._doors[0 if self._charter.right == TRADE else 1]
        return SignerClient(door, self.serving.address, hung=self.kill)

    @property
    def pid(self) -> int:
        """0 while there is none."""
        child = self._child
        return child.pid if child is not None and child.returncode is None else 0

    @property
    def why(self) -> str:
        """Why it is not started again; "" while it runs or will."""
        return str(self._wrong) if self._wrong is not None else ""

    def kill(self) -> None:
        """End a child that hangs; it is started again."""
        child = self._child
        if child is not None:
            child.kill()

    def stop(self) -> None:
        """End it for good: what it knows is on disk. May be called twice."""
        self._stopping.set()
        child = self._child
        if child is not None:
            child.terminate()
            try:
                child.wait(_LEAVE_S)
            except subprocess.TimeoutExpired:
                child.kill()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(_START_S)

    def _keep(self) -> None:
        failures = 0
        while not self._stopping.wait(_PAUSES_S[min(failures, len(_PAUSES_S) - 1)]):
            began = time.monotonic()
            try:
                self._launch()
            except (CredentialError, SettingsError, StorageError) as error:
                self.kill()
                if not isinstance(error, SignerBusy) or self._epoch < 0 or failures >= _TAKE_OVERS:
                    self._wrong = error
                    if self._child is not None:
                        self._child.wait()
                    self._up.set()
                    return
            except (SignerUnreachable, OSError, struct.error, msgspec.MsgspecError):
                self.kill()
            else:
                self._up.set()
            child = self._child
            if child is not None and child.wait() == 0 and not self._stopping.is_set():
                self._wrong = SettingsError(
                    "A trader with a newer lease, or its signer, took over; start anew to go on."
                )
                return
            failures = 1 if time.monotonic() - began > _STEADY_S else failures + 1

    def _launch(self) -> None:
        if self._epoch >= 0 and self._charter.right == TRADE:
            self._take_over()
        self._child, ours = start_bare("aister.adapters.signer.child:main", self._outlives_parent, heard=True)
        with ours:
            self.starts += 1
            ours.settimeout(_START_S)
            if ours.recv(1) != b"\x01":
                raise SignerUnreachable("The signer ended before it began; look at what it printed.")
            ours.sendall(
                framed(Start(self._charter, self._key(), str(self._home / "signer"), self._doors, self._epoch))
            )
            (size,) = HEADER.unpack(ours.recv(HEADER.size, socket.MSG_WAITALL))
            said = _SAID.decode(ours.recv(min(size, LONGEST), socket.MSG_WAITALL))
        if isinstance(said, Failed):
            raise _ERRORS.get(said.error, SettingsError)(said.reason)
        self.serving = said

    def _take_over(self) -> None:
        """Ask the signer of an older lease to end; end it when it hangs. One that says no stays."""
        lock = self._home / "signer" / f"{self._state_name()}.lock"
        other = holder_of(lock)
        if not other:
            return
        line = SignerClient(self._doors[0], "", timeout_s=_LEAVE_S)
        try:
            if not line.retire(self._epoch):
                raise SettingsError(
                    "Another signer of this key is running under the newest lease; end its trader first."
                )
        except SignerUnreachable:
            if holder_of(lock) == other:
                os.kill(other, signal.SIGKILL)
        finally:
            line.close()
        until = time.monotonic() + _LEAVE_S
        while holder_of(lock) and time.monotonic() < until:
            time.sleep(0.005)

    def _state_name(self) -> str:
        if self._charter.scheme != "v3":
            return self._charter.name
        try:
            return address_of(self._key()).lower()
        except CredentialError:
            return ""  # the signer will say what is wrong with it
