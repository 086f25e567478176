"""The watcher's own process: its own way to the venue, its own line to the signer, no word of the trader believed but
that it lives (safety C19).

It outlives its trader. It ends when nothing is held and no trader has been heard of for a minute, when the next
trader's watcher takes over, or when it is told to.
"""

import asyncio
import contextlib
import fcntl
import os
import socket
import struct
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from aister.adapters.exchanges.aster.account import AsterAccount
from aister.adapters.exchanges.aster.hosts import Net
from aister.adapters.exchanges.aster.rest import Rest
from aister.adapters.exchanges.aster.sign import address_of
from aister.adapters.exchanges.aster.sockets import FastClock, SocketWire, WallClock
from aister.adapters.exchanges.aster.userstream import UserStream
from aister.adapters.signer.charter import REDUCE
from aister.adapters.signer.hardening import harden
from aister.adapters.signer.opening import signer_of
from aister.adapters.signer.process import SignerProcess
from aister.adapters.signer.standby import StandbySigner
from aister.adapters.vault.file import FileVault
from aister.adapters.watcher.acts import ActLog, acts_path
from aister.adapters.watcher.line import Beat, Door, Leave, Retire, Said, Watching, beat_door
from aister.core.errors import AisterError, SettingsError
from aister.execution.watch import Watch, WatchRules
from aister.execution.watchman import Act, Watchman, WatchmanRules
from aister.ports.vault import Credential, Vault

__all__ = ["Ready", "WatcherStart", "lock_path", "main", "said_of"]

_LOCK_S = 3.0
_ATTEND_S = _TELL_S = 0.5
_AGAIN_MS = 1_000.0
_ASKS = 10
_STUCK_MS = 25_000


class WatcherStart(msgspec.Struct, frozen=True):
    """What the trader says once, over the inherited socket. `credential` is given only where no file holds the key.
    `lost_s`: the watcher ends when for so long, by this machine's clock, neither trader nor venue was heard of (0: it
    waits)."""

    home: str
    name: str
    where: Net
    symbols: tuple[str, ...]
    instance: str
    credential: Credential | None = None
    watch: WatchRules = WatchRules()
    rules: WatchmanRules = WatchmanRules()
    speed: float = 1.0
    lost_s: float = 0.0

    def __repr__(self) -> str:
        return f"WatcherStart({self.name}, ...)"


class Ready(msgspec.Struct, frozen=True):
    """It watches, or why not."""

    pid: int
    error: str = ""


class _Given:
    """Port `Vault` over the one credential that was handed over."""

    def __init__(self, credential: Credential) -> None:
        self._credential = credential

    def credential(self, name: str) -> Credential:
        return self._credential


def lock_path(home: Path, name: str) -> Path:
    """Held by the one watcher of a key as long as it lives."""
    return home / "run" / f"{name}.watcher.lock"


def said_of(line: socket.socket) -> bytes:
    """One message: four bytes of length, then as many."""
    (size,) = struct.unpack(">I", line.recv(4, socket.MSG_WAITALL) or b"\0\0\0\0")
    return line.recv(size, socket.MSG_WAITALL) if size else b""


def main(line: int) -> None:
    """Watch until there is nothing left to watch. `line`: the inherited socket over which it is told what."""
    harden([line], outlives_parent=True)
    sys.excepthook = lambda kind, error, at: None  # a traceback may hold what no log may
    with socket.socket(fileno=line) as told:
        start = msgspec.msgpack.decode(said_of(told), type=WatcherStart)
        try:
            held = _lock(lock_path(Path(start.home), start.name))
            vault = _Given(start.credential) if start.credential is not None else FileVault(Path(start.home))
            signer, scheme = _signer(start, vault)
        except AisterError as error:
            told.sendall(msgspec.msgpack.encode(Ready(os.getpid(), str(error))))
            raise SystemExit(1) from None
        try:
            asyncio.run(_watch(start, signer, scheme, told))
        finally:
            signer.stop()
            os.close(held)


def _lock(path: Path) -> int:
    """One watcher per key: the lock dies with its process. Raises `SettingsError`."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    until = time.monotonic() + _LOCK_S
    while True:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return file
        except OSError:
            if time.monotonic() > until:
                os.close(file)
                raise SettingsError("Another watcher of this key is running; end it first.") from None
        time.sleep(0.01)


def _signer(start: WatcherStart, vault: Vault) -> tuple[StandbySigner, str]:
    home = Path(start.home)
    credential = vault.credential(start.name)
    address = address_of(credential.key) if credential.scheme == "v3" else credential.account
    lock = address.lower() if credential.scheme == "v3" else credential.name

    def own() -> SignerProcess:
        return signer_of(vault, start.name, start.where, home, epoch=-1, right=REDUCE)

    return StandbySigner(home, start.name, address, own, lock=lock), credential.scheme


async def _watch(start: WatcherStart, signer: StandbySigner, scheme: str, told: socket.socket) -> None:
    post = _Post(start, signer, scheme)
    await post.door.open()
    told.sendall(msgspec.msgpack.encode(Ready(os.getpid())))
    told.close()
    await post.stand()


class _Post:
    """Everything the watcher is made of."""

    def __init__(self, start: WatcherStart, signer: StandbySigner, scheme: str) -> None:
        self._clock, self._signer = (WallClock() if start.speed == 1 else FastClock(start.speed)), signer
        self._speed = start.speed
        self._wire = SocketWire(start.where)
        rest = Rest(self._wire, self._clock, signer, scheme=scheme, tells_time=start.speed == 1)
        self._rest, self._account = rest, AsterAccount(rest, start.symbols, source=f"AsterDex {start.where.name}")
        self._watch = Watch(start.instance, start.symbols, start.watch)
        self._log = ActLog(acts_path(Path(start.home), start.name))
        self._acts, self._last = 0, ""
        self.man = Watchman(
            self._account, self._watch, start.symbols, sleep=self._clock.sleep, log=self._did, rules=start.rules
        )
        self._user = UserStream(rest, self._wire, self._clock, self._account.contracts, self.man.hear)
        self.door = Door(beat_door(Path(start.home), start.name), self._heard)
        self._end = asyncio.Event()
        self._looked_ms, self._looks = self._clock.monotonic_ms(), 0
        self._lost_s, self._heard_s = start.lost_s, time.monotonic()

    async def stand(self) -> None:
        """Until nothing is left to watch, or it is told to end."""
        beside = (self._user.run, self._attend, self._tell, self._give_up)
        jobs = [asyncio.ensure_future(self._kept(one)) for one in beside]
        work = asyncio.ensure_future(self._kept(self._work))
        end = asyncio.ensure_future(self._end.wait())
        await asyncio.wait((work, end), return_when=asyncio.FIRST_COMPLETED)
        for job in (work, end, *jobs):
            job.cancel()
        await asyncio.gather(work, end, *jobs, return_exceptions=True)
        await self.door.close()
        await self._wire.close()
        self._log.close()

    async def _kept(self, work: Callable[[], Awaitable[None]]) -> None:
        """Nobody else would begin it again: whatever goes wrong in it is told, and it is."""
        while True:
            try:
                await work()
                return
            except Exception as error:
                fault = f"A fault of the program in the watcher, please report it: {type(error).__name__}."
                self._did(Act(self._account.now_ms(), "fault", "", "", fault))
                await self._clock.sleep(_AGAIN_MS)

    async def _work(self) -> None:
        for _ in range(_ASKS):  # nonces are made of the venue's time; one of a clock ahead of it voids those to come
            told = await self._rest.server_time()
            if isinstance(told, int):
                if isinstance(self._clock, FastClock):
                    self._clock.meet(told)
                break
            self._unread(told)
            await asyncio.sleep(_ATTEND_S)
        while not isinstance(read := await self._account.instruments(), dict):
            self._unread(read)
            await asyncio.sleep(_ATTEND_S)
        await self.man.run()

    def _unread(self, answer: object) -> None:
        self.man.sight = msgspec.structs.replace(self.man.sight, why=getattr(answer, "why", str(answer)))

    def _heard(self, said: Said) -> None:
        match said:
            case Beat():
                self._heard_s = time.monotonic()
                self.man.beat()
            case Leave():
                self.man.leave()
            case Retire():
                self._end.set()

    def _did(self, act: Act) -> None:
        self._acts, self._last = self._acts + 1, act.sentence
        self._log.write(act)

    async def _attend(self) -> None:
        """The venue's clock and contracts, and somebody who signs."""
        while True:
            with contextlib.suppress(OSError):
                await asyncio.to_thread(self._signer.attend)
            await self._account.attend()
            await asyncio.sleep(_ATTEND_S)

    async def _tell(self) -> None:
        while True:
            self.door.tell(self._state())
            await asyncio.sleep(_TELL_S)

    async def _give_up(self) -> None:
        """Whatever the work waits for: when nobody has been heard of for too long, there is nothing to watch."""
        looks = self.man.looks
        while not self._lost_s or time.monotonic() - self._heard_s <= self._lost_s:
            await asyncio.sleep(_TELL_S)
            if self.man.looks != looks and not self.man.sight.why:
                self._heard_s = time.monotonic()
            looks = self.man.looks
        self._end.set()

    def _state(self) -> Watching:
        sight, now_ms = self.man.sight, self._clock.monotonic_ms()
        if self.man.looks != self._looks:
            self._looks, self._looked_ms = self.man.looks, now_ms
        why = sight.why or self._signer.why
        if not why and now_ms - self._looked_ms > _STUCK_MS * self._speed:
            why = "It has been waiting for the venue too long."
        return Watching(
            os.getpid(), why, sight.held, sight.bare, tuple(sorted(self._watch.unusable)), self._acts, self._last
        )
