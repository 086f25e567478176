"""A run of the campaign in virtual time: an exchange instead of the venue, the lives of a trader one after the other, a
watcher beside it, and everything the scenario does to them.

What survives a death: the journal as it was flushed, what the signer wrote down, the lease, the exchange.
"""

import asyncio
import contextlib
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import msgspec

from aister.core.audit import TradeClosed
from aister.core.errors import StorageError
from aister.engine import runner as the_runner
from aister.exchange_sim import Agent, Credentials, Exchange, Fault, Settings
from aister.execution import courier as the_courier
from aister.execution import recovery as the_recovery
from aister.execution.watchman import Watchman
from tests.adapters.exchanges.aster.scripted import USER
from tests.fakes.virtual import World
from tests.faults.blows import Blows
from tests.faults.coverage import Coverage, Noted
from tests.faults.crash import Hooks, instrumented
from tests.faults.dying import Reaper
from tests.faults.hearing import Hearing
from tests.faults.leasing import Lease, unleased
from tests.faults.life import Life
from tests.faults.oracle import FIRST, SECOND, Oracle
from tests.faults.parts import Emergency, Home, Paper, Parts
from tests.faults.process import Process, owned_tasks
from tests.faults.scenario import CAPITAL, START_MS, Scenario, listed
from tests.faults.watching import Watcher
from tests.faults.wrong import ALL, SIGNER, TRADER, WATCHER, Death
from tests.sim.market import MINUTE_MS

__all__ = ["House"]

RESTART_MS, SIGNER_MS = 1_500, 400
LONGEST_S = 1_000
"""A run that is not over by then is broken off: its trader never came back."""
WATCHER_BAR_MS = 10_000
"""How long a position may be bare while no trader runs: within that the watcher acts."""


def signed_by(message: bytes, chain_id: int, signature: bytes) -> str:
    """Whose signature it is, taken from the message: signatures are proved elsewhere."""
    return next(part[7:] for part in message.decode().split("&") if part.startswith("signer="))


class House:
    """One run. `play` returns when it is over; `oracle`, `paper`, `visited` and `coverage` then tell of it."""

    def __init__(self, scene: Scenario, parts: Parts | None = None, *, points: bool = False) -> None:
        self.scene, self.parts = scene, parts or Parts()
        self.coverage = Coverage(lambda: self.life.courier if self.life is not None else None, lambda: self.now_ms)
        faults = Noted(scene.seed, self.coverage.bit, self._bitten, self._expired)
        self.exchange = Exchange(listed(), iter(scene.slices), MINUTE_MS, Settings(legs=6), faults=faults,
                                 verify=signed_by)  # fmt: skip
        self.world = World(self.exchange)
        signing = self.parts.signing(self.world)
        agent = signing.agent.address.lower()
        self.books = self.exchange.add_account(Credentials(USER, {agent: Agent(agent)}, "key", "secret"), CAPITAL)
        self.dark: list[tuple[int, int, int]] = []
        self.fallen: list[tuple[int, int, int]] = []
        self.struck: list[tuple[int, int]] = []
        self.oracle = Oracle(self.exchange, self.books, self.blind)
        self.hearing = Hearing(self.exchange, self.books, self.blind, self.oracle.breach)
        self.paper = Paper(self.oracle.journal)
        self.home = Home(FIRST, self.paper, signing, Emergency(self.oracle.journal))
        self.reaper = Reaper(scene.wrong.deaths, lambda: self.now_ms, self.reap)
        self.lives = 0
        self.life: Life | None = None
        self.going: set[asyncio.Task[Any]] = set()
        self.problems: list[str] = []
        self.others: list[Life] = []
        self.watcher: Watcher | None = None
        self.blows = Blows(self)
        self.exchange.observers.append(self.blows.happened)
        self._down_ms = RESTART_MS
        self.made: dict[str, Any] = {}
        self.ended = asyncio.Event()
        self.restored_ms: int | None = None
        for fault in scene.wrong.faults:
            self.blows.add(fault, START_MS)
        self._use(points or bool(scene.wrong.deaths))

    def _use(self, points: bool) -> None:
        """The modules with their points told, under every part that is built on them."""
        if not points:
            return
        hooks = Hooks(self.reaper.awaiting, self.reaper.writing)
        made = self.made = instrumented(hooks)
        self.parts = msgspec.structs.replace(
            self.parts,
            courier=_on(self.parts.courier, the_courier.Courier, made["aister.execution.courier"].Courier),
            run=_on(self.parts.run, the_runner.Run, made["aister.engine.runner"].Run),
            recovery=_on(self.parts.recovery, the_recovery.Recovery, made["aister.execution.recovery"].Recovery),
        )

    @property
    def now_ms(self) -> int:
        """Since the start."""
        return self.exchange.now_ms - START_MS

    @property
    def closed(self) -> list[TradeClosed]:
        return [one for audit in self.paper.durable for one in audit.outputs if isinstance(one, TradeClosed)]

    def blind(self, since_ms: int, until_ms: int, protecting: bool) -> int:
        """How much of this span nobody could do anything: the venue was out of reach, or the trader was not there (of
        `protecting`, only as long as the watcher needs)."""
        spans = [(begun, min(ended, begun + most) if protecting else ended) for begun, ended, most in self.dark]
        total, end = 0, since_ms
        for begun, ended in sorted(spans):
            first, last = max(begun, end), min(ended, until_ms)
            if last > first:
                total, end = total + last - first, last
        return total

    # ---- the run

    def play(self) -> "House":
        with contextlib.ExitStack() as left:
            if self.scene.kind == "lease":
                folder = Path(left.enter_context(tempfile.TemporaryDirectory()))
                self.home.lease = Lease(folder, lambda: self.world.monotonic_ms() / 1000.0)
                left.callback(self.home.lease.close)
            self.world.run(self._run())
        self.oracle.end()
        if self.home.lease is not None:
            for time_ms, client_id in unleased(self.home.lease, self.exchange.log, self.world.start_us):
                self.oracle.breach("fenced", time_ms, f"{client_id} entered without a lease")
        return self

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._problem)
        loop.set_task_factory(owned_tasks)
        for at_ms, ahead_ms in self.scene.wrong.walls:
            loop.call_later(at_ms / 1000.0, self.step_wall, ahead_ms)
        for blow in self.scene.wrong.blows:
            loop.call_later(blow.at_ms / 1000.0, self.blows.strike, blow)
        if self.scene.watched:
            self._start_watcher()
        loop.call_later(LONGEST_S, self.ended.set)
        while not await self._live() and loop.time() < LONGEST_S:
            pass
        for one in (*self.others, self.life):
            if one is not None:
                await one.kill()
                self.oracle.overtaken(one.process.acted)
        if self.watcher is not None:
            await self.watcher.process.kill()

    async def _live(self) -> bool:
        """One life of the trader; whether the run is over."""
        self.lives += 1
        self.ended.clear()
        self.reaper.dying = False
        life = self.life = Life(self, self.home)
        life.begin()
        over = asyncio.ensure_future(life.over.wait())
        ended = asyncio.ensure_future(self.ended.wait())
        await asyncio.wait((over, ended), return_when=asyncio.FIRST_COMPLETED)
        over.cancel()
        ended.cancel()
        if life.why == "done":
            return True
        if life in self.others:
            return False  # overtaken: it goes on for itself
        fell_ms = self.exchange.now_ms
        await life.kill()
        if self.restored_ms is not None:
            self.home.forgotten = len(self.paper.durable)
            self.paper.restore(fell_ms - self.restored_ms)
            self.home.forgotten *= len(self.paper.durable) < self.home.forgotten
            self.home.emergency.clear()
            self.oracle.restored(self.paper.durable)
            self.restored_ms = None
        down_ms, self._down_ms = self._down_ms, RESTART_MS
        await self.world.sleep(down_ms)
        while self.paper.broken:
            await self.world.sleep(RESTART_MS)
        self.world.catch_up()
        self.darken(fell_ms, self.exchange.now_ms)
        self.fallen.append(self.dark[-1])
        return False

    def _problem(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """A task of the trader ended by a fault of the program."""
        error = context.get("exception")
        if isinstance(error, Exception | None) and not isinstance(error, StorageError):
            self.problems.append(repr(error or context.get("message")))

    def darken(self, since_ms: int, until_ms: int, *, venue: bool = False) -> None:
        """Nobody can act, or (with a watcher) only the watcher can."""
        most = WATCHER_BAR_MS if self.scene.watched and not venue else until_ms - since_ms
        self.dark.append((since_ms, until_ms, most))

    def _expired(self, number: int) -> None:
        self.hearing.expired(number)

    def _bitten(self, fault: Fault) -> None:
        """The venue is out of reach for as long as its refusal says."""
        if fault.kind == "request" and fault.status in (418, 429) and not fault.until_ms:
            now_ms = self.exchange.now_ms
            self.darken(now_ms, now_ms + max(fault.ms, 1_000), venue=True)

    def _start_watcher(self) -> None:
        watchman = self.made["aister.execution.watchman"].Watchman if self.made else Watchman
        self.watcher = Watcher(Process(self.world), self.home.signing, FIRST, watchman)
        self.watcher.begin()

    # ---- what befalls it

    def reap(self, death: Death) -> None:
        who, self._down_ms = death.who, death.down_ms
        self.coverage.bit(f"death of {who}")
        loop = asyncio.get_running_loop()
        if who in (SIGNER, ALL):
            self.home.signing.kill(SIGNER_MS)
        if who in (WATCHER, ALL) and self.watcher is not None:
            self.watcher.process.dead = True
            self.aside(self._revive_watcher(self.watcher.process))
        if who in (TRADER, ALL):
            assert self.life is not None
            self.life.process.dead = self.life.pen.dead = True
            self.reaper.dying = True
            loop.call_soon(self.ended.set)

    async def _revive_watcher(self, old: Process) -> None:
        await old.kill()
        await self.world.sleep(RESTART_MS)
        self._start_watcher()

    def aside(self, work: Coroutine[Any, Any, None]) -> None:
        """Something that happens beside everything else, in no process."""
        task = asyncio.get_running_loop().create_task(work)
        self.going.add(task)
        task.add_done_callback(self.going.discard)
        if self.life is not None:
            self.life.process.tasks.discard(task)

    def step_wall(self, ahead_ms: int) -> None:
        self.coverage.bit("wall clock set")
        self.world.wall_ahead_ms = ahead_ms

    def overtake(self, life: Life) -> None:
        """Another process of this installation takes over from one that stands still."""
        if life is self.life and not life.process.dead:
            life.pen.lost = True
            self.home.emergency = self.home.emergency.handed_over()
            self.others.append(life)
            self.ended.set()

    def taken(self, home: Home) -> None:
        """A new process holds the lease: one that stood still has lost it now, and not before."""
        for one in self.others:
            one.process.overtaken = one.process.overtaken or one.home is home

    async def twin(self) -> None:
        """A copy of the installation, with a lease file of its own."""
        paper = Paper(self.oracle.twin)
        twin = Life(self, Home(SECOND, paper, self.home.signing, Emergency(self.oracle.twin), fed=self.home.fed))
        self.others.append(twin)
        twin.begin()


def _on(part: Any, plain: type, used: type) -> Any:
    """The part on top of the class that is used in this run: a defect stays what it is where points are told."""
    if part is plain:
        return used
    part.__bases__ = (used,)
    return part
