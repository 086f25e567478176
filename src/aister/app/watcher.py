"""The trader's end of the watcher: starts it, says that the trader lives, hears that it watches, starts it again.

    watcher = WatcherProcess(home, vault, "main", where, symbols=("BTCUSDT",), instance="ai...")
    watcher.start()            the one of an earlier trader makes room
    watcher.beat()             every second, from the trader's loop; never waits, never raises
    watcher.why                "" while it watches; else entries freeze for this reason (cause "watcher")
    watcher.leave()            at a clean end: it watches on while something is held

It outlives its trader; to end it by hand: `aister keys watcher NAME --end`.
"""

import os
import signal
import struct
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from aister.adapters.bare import start_bare
from aister.adapters.exchanges.aster.hosts import Net
from aister.adapters.signer.child import holder_of
from aister.adapters.vault.file import FileVault
from aister.adapters.vault.keyring import Keyring
from aister.adapters.watcher.line import Beat, Leave, Retire, WatcherLine, Watching, beat_door
from aister.app.watching import Ready, WatcherStart, lock_path
from aister.core.errors import AisterError, SettingsError
from aister.execution.watch import WatchRules
from aister.execution.watchman import WatchmanRules
from aister.ports.vault import Vault

__all__ = ["WatcherProcess", "end_watcher", "watching"]

_START_S = 20.0
_LEAVE_S = 2.0
_GONE_S = 1.0
_SILENT_S = 2.5
_HANGS_S = 6.0
_LOST_S = 60.0
"""A simulator that is gone does not come back."""
_BLIND_S = 10.0
_PAUSES_S = (0.0, 1.0, 5.0, 30.0)


class WatcherProcess:
    """The watcher of one key, for one trader. `instance` is the installation's id; the vault is asked once more by the
    watcher itself when a file holds the key, and else its credential is handed over as a signer's is. `speed` is that
    of a simulator's clock."""

    def __init__(
        self,
        home: Path,
        vault: Vault,
        name: str,
        where: Net,
        *,
        symbols: tuple[str, ...],
        instance: str,
        watch: WatchRules | None = None,
        rules: WatchmanRules | None = None,
        speed: float = 1.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._home, self._vault, self._name, self._where = home, vault, name, where
        self._start_of = WatcherStart(
            str(home),
            name,
            where,
            symbols,
            instance,
            watch=watch or WatchRules(),
            rules=(rules or WatchmanRules()).at_speed(speed),
            speed=speed,
            lost_s=_LOST_S if where.name == "simulator" else 0.0,
        )
        self._monotonic = monotonic
        self._line = WatcherLine(beat_door(home, name))
        self._child: subprocess.Popen[bytes] | None = None
        self._starting: threading.Thread | None = None
        self._failures = 0
        self._due_s = self._heard_s = self._seen_s = monotonic()
        self._wrong = ""
        self._acts = 0
        self.state: Watching | None = None
        """What it said last."""
        self.starts = 0

    def start(self) -> None:
        """Start it and wait until it listens. Raises `SettingsError` in its own words when it cannot."""
        self._launch()
        if self._wrong:
            raise SettingsError(self._wrong)
        self.beat()

    def beat(self) -> None:
        """Say that the trader lives, hear what the watcher says; one that is gone or hangs is started again, in a
        thread of its own."""
        now = self._monotonic()
        if self._starting is not None:
            if self._starting.is_alive():
                return
            self._starting = None
        said = self._line.say(Beat())
        told = self._line.hear()
        if told is not None:
            self.state, self._heard_s, self._failures = told, now, 0
            if not told.why:
                self._seen_s = now
        silent_s = now - self._heard_s
        if silent_s > (_HANGS_S if said else _GONE_S) and now >= self._due_s:
            self._due_s = now + _PAUSES_S[min(self._failures, len(_PAUSES_S) - 1)]
            self._failures += 1
            self._starting = threading.Thread(target=self._launch, args=(said,), name="watcher", daemon=True)
            self._starting.start()

    @property
    def alive(self) -> bool:
        return self._monotonic() - self._heard_s <= _SILENT_S

    @property
    def why(self) -> str:
        """Why nobody is to enter: the watcher is gone or hangs, does not see the venue, or the venue takes no stops of
        a symbol. "" while all is well."""
        now, state = self._monotonic(), self.state
        if self._wrong:
            return self._wrong
        if not self.alive:
            return "The watcher is not heard of; it is started again unless it is soon."
        if state is None:
            return "The watcher has not said yet what it sees."
        if state.why and now - self._seen_s > _BLIND_S:
            return f"The watcher does not see the account: {state.why}"
        if state.unusable:
            return f"The venue takes no stops of {', '.join(state.unusable)}; what is held of them is closed."
        return ""

    def news(self) -> str:
        """What the watcher did last, once; "" for nothing new."""
        state = self.state
        if state is None or state.acts == self._acts:
            return ""
        self._acts = state.acts
        return state.last

    @property
    def pid(self) -> int:
        """0 while none is known."""
        return self.state.pid if self.state is not None and self.alive else 0

    def leave(self) -> bool:
        """At a clean end of the trader. Whether it watches on, because something is held or nobody knows."""
        self._line.hear()
        said = self._line.say(Leave())
        self._line.close()
        return said and (self.state is None or bool(self.state.held) or bool(self.state.why))

    def stop(self) -> None:
        """End it for good."""
        self._line.close()
        end_watcher(self._home, self._name)
        if self._child is not None:
            self._child.wait(_LEAVE_S)

    # ---- inside -----------------------------------------------------------------------------------------------------

    def _launch(self, hangs: bool = False) -> None:
        self._line.close()
        self.state = None
        try:
            end_watcher(self._home, self._name, patience_s=0.0 if hangs else _LEAVE_S)
            self._wrong = self._begin()
        except AisterError as error:
            self._wrong = str(error)
        except (OSError, subprocess.SubprocessError, msgspec.MsgspecError) as error:
            self._wrong = f"The watcher cannot be started ({type(error).__name__}); start again."
        self._heard_s = self._seen_s = self._monotonic()

    def _begin(self) -> str:
        """Start the process; "" when it watches, or why not."""
        if self._child is not None and self._child.poll() is None:
            self._child.kill()
            self._child.wait(_LEAVE_S)
        vault = self._vault
        filed = vault.filed(self._name) if isinstance(vault, Keyring) else isinstance(vault, FileVault)
        credential = None if filed else vault.credential(self._name)
        start = msgspec.msgpack.encode(msgspec.structs.replace(self._start_of, credential=credential))
        self._child, ours = start_bare("aister.app.watching:main", heard=False)
        with ours:
            self.starts += 1
            ours.settimeout(_START_S)
            ours.sendall(struct.pack(">I", len(start)) + start)
            said = ours.recv(65_536)
        wrong = "The watcher ended before it began; start again."
        if said:
            wrong = msgspec.msgpack.decode(said, type=Ready).error
        if wrong:
            self._child.wait(_LEAVE_S)
        return wrong


def end_watcher(home: Path, name: str, *, patience_s: float = _LEAVE_S) -> bool:
    """End the watcher of a key, whoever started it: it is asked, and ended when it does not go within `patience_s`.
    Whether there was one."""
    lock = lock_path(home, name)
    if not holder_of(lock):
        return False
    line = WatcherLine(beat_door(home, name))
    line.say(Retire())
    until = time.monotonic() + patience_s
    while (holder := holder_of(lock)) and time.monotonic() < until:
        time.sleep(0.01)
    line.close()
    if holder:
        os.kill(holder, signal.SIGKILL)
        while holder_of(lock) == holder and time.monotonic() < until + _LEAVE_S:
            time.sleep(0.01)
    return True


def watching(home: Path, name: str) -> Watching | None:
    """What the watcher of a key says of itself; None when there is none, or it does not answer within 2 s."""
    line = WatcherLine(beat_door(home, name))
    until = time.monotonic() + _LEAVE_S
    try:
        while line.listen() and time.monotonic() < until:
            if (told := line.hear()) is not None:
                return told
            time.sleep(0.02)
    finally:
        line.close()
    return None
