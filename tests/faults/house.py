"""The trader in virtual time: engine, runner, gateway, courier, client and user stream as they are, an exchange instead
of the venue, and a process that can die at any moment and is started again from what the journal holds.

A death is a SIGKILL: the tasks of the process are dropped where they stand, what was not flushed is gone, requests
whose bytes have left still arrive. What survives: the journal, the signer's nonces, the exchange.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from typing import Any

import msgspec

from aister.adapters.exchanges.aster.account import AsterAccount
from aister.adapters.exchanges.aster.rest import Rest
from aister.adapters.exchanges.aster.userstream import UserStream
from aister.adapters.exchanges.aster.wire import Frames, Lost, Reply
from aister.core.audit import Audit, TradeClosed
from aister.core.commands import ClosePosition
from aister.core.council import Setup
from aister.core.events import BarClosed, FundingSettled, InstrumentListed, RunStarted, VenueReport
from aister.core.instrument import Instrument
from aister.council.calibration import Calibration
from aister.council.priors import packaged_priors
from aister.engine import runner as the_runner
from aister.engine.account import Costs
from aister.engine.desk import Desk
from aister.engine.engine import Engine, EngineRules
from aister.engine.repeat import RepeatedJournal
from aister.exchange_sim import Agent, Credentials, Exchange, Faults, Settings
from aister.execution import courier as the_courier
from aister.execution import recovery as the_recovery
from aister.execution.gateway import OrderGateway
from aister.execution.reconcile import Armed
from aister.features.featureset import FeatureSet
from aister.features.market import Features
from aister.features.timeframes import bit
from aister.portfolio.portfolio import Portfolio
from aister.ports.exchange import AccountTerms
from aister.ports.feed import MarketSlice
from aister.risk.kernel import RiskKernel
from aister.risk.limits import drawdown, kill_switch, risk_per_trade, venue_filters
from aister.risk.profile import profile
from tests.adapters.exchanges.aster.scripted import USER, LocalSigner
from tests.fakes.virtual import World
from tests.faults.crash import JOURNALED, ORDER_PATH, Crash, Hooks, Moment, Point, every_point, instrumented
from tests.faults.oracle import Oracle
from tests.faults.scenario import START_MS, SYMBOLS, Death, Scenario, listed
from tests.sim.market import MINUTE_MS, MONEY

__all__ = ["House", "Parts"]

INSTANCE = "ai00000000"
CAPITAL = 10_000 * MONEY
KEY = bytes(range(32))
LIMITS = profile("balanced")
REGISTRY = (kill_switch, drawdown, venue_filters, risk_per_trade)
ARMED = Armed(AccountTerms(hedged=False, multi_assets=False), dict.fromkeys(SYMBOLS, 20))
FEED_LATE_MS, RESTART_MS, TEND_MS = 5, 1_500, 1_000


def signed_by(message: bytes, chain_id: int, signature: bytes) -> str:
    """Whose signature it is, taken from the message: signatures are proved elsewhere."""
    return next(part[7:] for part in message.decode().split("&") if part.startswith("signer="))


class Parts(msgspec.Struct):
    """What a trader is made of; a defect is seeded by exchanging one part."""

    courier: Callable[..., Any] = the_courier.Courier
    run: Callable[..., Any] = the_runner.Run
    account: Callable[..., Any] = AsterAccount
    signer: Callable[..., Any] = LocalSigner
    engine: Callable[..., Any] = Engine
    recovery: Callable[..., Any] = the_recovery.Recovery


class Told:
    """A strategy that fires what it was told to."""

    name = "told"
    mask = bit("1m")

    def __init__(self, setups: tuple[Setup, ...]) -> None:
        self._at = {(one.symbol, one.time_ms): one for one in setups}

    def setups(self, features: FeatureSet, instrument: Instrument, cost_e8: int) -> tuple[Setup, ...]:
        found = self._at.get((instrument.symbol, features.time_ms))
        return () if found is None else (found,)


class Paper:
    """The journal on disk: what was flushed survives. `told` hears each record when it is durable."""

    def __init__(self, told: Callable[[Audit], None]) -> None:
        self.durable: list[Audit] = []
        self._told = told

    @property
    def sequence(self) -> int:
        return len(self.durable)

    def records(self) -> Iterator[Audit]:
        return iter(self.durable)

    def add(self, audits: list[Audit]) -> None:
        for audit in audits:
            assert audit.sequence == len(self.durable), "the chain has a hole"
            self.durable.append(audit)
            self._told(audit)


class Pen:
    """One process's hold on the journal: `ports.Journal` from where the durable records end."""

    head = ""

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._waiting: list[Audit] = []
        self.dead = False

    @property
    def sequence(self) -> int:
        return self._paper.sequence

    def append(self, audit: Audit) -> None:
        self._waiting.append(audit)

    def flush(self) -> None:
        if not self.dead:
            waiting, self._waiting = self._waiting, []
            self._paper.add(waiting)

    def close(self) -> None:
        self.flush()

    def records(self) -> Iterator[Audit]:
        return self._paper.records()


class Line:
    """One process's way to the exchange. Its requests go on without it; a dead one sends nothing."""

    def __init__(self, world: World, going: set[asyncio.Task[Any]]) -> None:
        self._world, self._going = world, going
        self.dead = False
        self.frames: list[Frames] = []

    async def request(
        self, method: str, path: str, query: bytes, body: bytes, headers: tuple[tuple[str, str], ...], timeout_ms: int
    ) -> Reply | Lost:
        if self.dead:
            await asyncio.Event().wait()
        work = asyncio.ensure_future(self._world.request(method, path, query, body, headers, timeout_ms))
        self._going.add(work)
        work.add_done_callback(self._going.discard)
        return await asyncio.shield(work)

    async def connect(self, path: str, timeout_ms: int) -> Frames | Lost:
        frames = await self._world.connect(path, timeout_ms)
        if not isinstance(frames, Lost):
            self.frames.append(frames)
        return frames


class Standing:
    """The venue's face towards the runner: it has a market of its own, so there is nothing to move."""

    def __init__(self, courier: Any) -> None:
        self.take_reports: Callable[[], list[VenueReport]] = courier.take_reports

    def list_instrument(self, instrument: Instrument) -> None: ...
    def deposit(self, amount: int) -> None: ...
    def settle(self, event: FundingSettled, price: float) -> None: ...
    def open(self, bars: Any) -> None: ...
    def rest(self, bars: Any, *, again: bool = False) -> None: ...
    def assumptions(self) -> dict[str, str]:
        return {}


class Queue(Iterator[MarketSlice]):
    def __init__(self) -> None:
        self.waiting: deque[MarketSlice] = deque()

    def __next__(self) -> MarketSlice:
        if not self.waiting:
            raise StopIteration
        return self.waiting.popleft()


class House:
    """One run. `play` returns when it is over; `oracle`, `audits` and `visited` then tell of it."""

    def __init__(self, scene: Scenario, parts: Parts | None = None, *, points: bool = False) -> None:
        self.scene, self.parts = scene, parts or Parts()
        self.exchange = Exchange(
            listed(), iter(scene.slices), MINUTE_MS, Settings(legs=6), faults=Faults(seed=scene.seed), verify=signed_by
        )
        for fault in scene.faults:
            until = fault.until_ms and fault.until_ms + START_MS
            self.exchange.faults.add(msgspec.structs.replace(fault, at_ms=fault.at_ms + START_MS, until_ms=until))
        self.world = World(self.exchange)
        self.signer = self.parts.signer(self.world)
        agent = self.signer.address.lower()
        self.books = self.exchange.add_account(Credentials(USER, {agent: Agent(agent)}, "key", "secret"), CAPITAL)
        self.dead: list[tuple[int, int]] = []
        self.oracle = Oracle(self.exchange, self.books, self.blind)
        self.paper = Paper(self.oracle.journal)
        self.visited: dict[Moment, int] = {}
        self.deaths = list(scene.deaths)
        self.died: list[Moment] = []
        self.lives = 0
        self._moments = 0
        self._going: set[asyncio.Task[Any]] = set()
        self._crashed = asyncio.Event()
        self._dying = False
        self.fed = 0
        self.problems: list[str] = []
        self._tasks: list[asyncio.Task[None]] = []
        self.engine: Engine
        self.courier: Any
        courier, run, recovery = the_courier.Courier, the_runner.Run, the_recovery.Recovery
        if points or self.deaths:
            hooks = Hooks(self._awaiting, self._writing)
            made = {module: instrumented(module, hooks) for module in (*ORDER_PATH, *JOURNALED)}
            courier = made["aister.execution.courier"].Courier
            run = made["aister.engine.runner"].Run
            recovery = made["aister.execution.recovery"].Recovery
        self.parts = msgspec.structs.replace(
            self.parts,
            courier=_on(self.parts.courier, the_courier.Courier, courier),
            run=_on(self.parts.run, the_runner.Run, run),
            recovery=_on(self.parts.recovery, the_recovery.Recovery, recovery),
        )

    @property
    def now_ms(self) -> int:
        """Since the start."""
        return self.exchange.now_ms - START_MS

    def blind(self, since_ms: int, until_ms: int) -> int:
        """How much of this span the venue was out of reach or the trader dead."""
        spans = sorted([*((a + START_MS, b + START_MS) for a, b in self.scene.blind), *self.dead])
        total, end = 0, since_ms
        for begun, ended in spans:
            first, last = max(begun, end), min(ended, until_ms)
            if last > first:
                total, end = total + last - first, last
        return total

    @property
    def closed(self) -> list[TradeClosed]:
        return [one for audit in self.paper.durable for one in audit.outputs if isinstance(one, TradeClosed)]

    # ---- the run

    def play(self) -> "House":
        self.world.run(self._lives())
        self.oracle.end()
        return self

    async def _lives(self) -> None:
        outside = asyncio.current_task()
        asyncio.get_running_loop().set_exception_handler(self._problem)
        for at_ms, ahead_ms in self.scene.steps_of_wall:
            asyncio.get_running_loop().call_later(at_ms / 1000.0, self._step_wall, ahead_ms)
        while True:
            self.lives += 1
            self._crashed.clear()
            self._dying = False
            self.line, self.pen = Line(self.world, self._going), Pen(self.paper)
            life = asyncio.ensure_future(self._live())
            death = asyncio.ensure_future(self._crashed.wait())
            await asyncio.wait((life, death), return_when=asyncio.FIRST_COMPLETED)
            crashed = self._dying
            if not crashed or (life.done() and not isinstance(life.exception(), Crash)):
                life.result()
            await self._drop({outside, *self._going})
            if not crashed:
                return
            fell_ms = self.exchange.now_ms
            await self.world.sleep(RESTART_MS)
            self.world.catch_up()
            self.dead.append((fell_ms, self.exchange.now_ms))

    def _problem(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """A task of the trader ended by a fault of the program."""
        error = context.get("exception")
        if not isinstance(error, Crash):
            self.problems.append(repr(error or context.get("message")))

    def _beside(self, work: Coroutine[Any, Any, None]) -> None:
        """Something the process does beside everything else."""
        self._tasks.append(asyncio.ensure_future(work))

    async def _drop(self, spared: set[Any]) -> None:
        """Nothing of the process is left; its sockets break."""
        self.line.dead = self.pen.dead = True
        left = [task for task in asyncio.all_tasks() if task not in spared]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        for frames in self.line.frames:
            await frames.close()

    async def _live(self) -> None:
        """One process, from its start to the end of the run."""
        world, scene = self.world, self.scene
        rest = Rest(self.line, world, self.signer)
        account = self.account = self.parts.account(rest, SYMBOLS, source="simulator")
        while not isinstance(await account.server_time(), int):
            await world.sleep(500)
        while not isinstance(await account.instruments(), dict):
            await world.sleep(500)
        told = asyncio.Event()
        courier = self.courier = self.parts.courier(account, sleep=world.sleep, stamp=self._stamp, wake=told.set)
        engine = self.engine = self._engine()
        known = {audit.event for audit in self.paper.durable if isinstance(audit.event, BarClosed)}
        queue = Queue()
        run = self.parts.run(
            engine=engine,
            slices=queue,
            floor=Standing(courier),
            sender=OrderGateway(courier, KEY),
            minds=None,
            journal=RepeatedJournal(self.pen),  # type: ignore[arg-type]
            opening=self._opening(),
        )
        courier.start()
        if self.paper.durable:
            run.repeat(courier.recall)
        else:
            run.start()
        courier.resume()
        recovery = self.parts.recovery(
            account, courier, lambda: courier.ours(INSTANCE, SYMBOLS), sleep=world.sleep, armed=ARMED
        )
        self._beside(UserStream(rest, self.line, world, account.contracts, recovery.hear).run())
        self._beside(_keep(recovery))
        self._beside(self._tend(account, run))
        while self.fed < len(scene.slices):
            await self._until(self._close_ms + FEED_LATE_MS, told, run)
            if self.fed in scene.commands:
                run.command(ClosePosition("owner", scene.commands[self.fed]))
            market = scene.slices[self.fed]
            bars = tuple(bar for bar in market.bars if bar not in known)
            if bars:
                queue.waiting.append(MarketSlice(market.open_time_ms, (), bars))
                run.step()
            self.fed += 1
            self._beside(courier.idle())
        await self._until(self._close_ms + 60_000, told, run)
        run.step()
        try:
            await asyncio.wait_for(courier.idle(), 120)
        except TimeoutError:
            self.problems.append("the courier never came to rest")
        run.close()
        await courier.stop()

    async def _until(self, until_ms: int, told: asyncio.Event, run: Any) -> None:
        """Take what the venue reports until then."""
        while (left := until_ms - self.world.now_ms() + self.world.wall_ahead_ms) > 0:
            try:
                async with asyncio.timeout(left / 1000.0):
                    await told.wait()
            except TimeoutError:
                pass
            told.clear()
            self.world.catch_up()
            run.hear()

    async def _tend(self, account: Any, run: Any) -> None:
        """Once a second: the clock, the contracts, the journal."""
        while True:
            await self.world.sleep(TEND_MS)
            await account.attend()
            try:
                run.close()
            except Crash:
                return

    @property
    def _close_ms(self) -> int:
        return START_MS + (self.fed + (self.fed < len(self.scene.slices))) * MINUTE_MS

    def _stamp(self) -> int:
        """The engine's clock: never past a bar that was not given yet."""
        true_ms = self.world.now_ms() - self.world.wall_ahead_ms
        return max(self.engine.time_ms, min(true_ms, self._close_ms) if self.fed < len(self.scene.slices) else true_ms)

    def _step_wall(self, ahead_ms: int) -> None:
        self.world.wall_ahead_ms = ahead_ms

    def _engine(self) -> Engine:
        limits = msgspec.structs.replace(LIMITS, leverage=3).check()
        portfolio = Portfolio("owner", CAPITAL)
        built: Engine = self.parts.engine(
            trader_id=INSTANCE,
            features=Features(MINUTE_MS, list(SYMBOLS)),
            strategy=Told(self.scene.setups),
            risk=RiskKernel(limits, listed(), KEY, "owner", "house", registry=REGISTRY),
            portfolio=portfolio,
            calibration=Calibration(packaged_priors()),
            desks={symbol: Desk(terms) for symbol, terms in listed().items()},
            cost_of=lambda terms: Costs(2 * terms.taker_e8, 5_000),
            rules=EngineRules(deliberate=False),
        )
        return built

    def _opening(self) -> tuple[RunStarted | InstrumentListed, ...]:
        listings = tuple(InstrumentListed(START_MS, terms) for terms in listed().values())
        return (
            RunStarted(START_MS, "owner", "house", "simulator", "told", "c", "d", self.scene.seed, CAPITAL),
            *listings,
        )

    # ---- dying

    async def _awaiting(self, point: Point, work: Awaitable[Any]) -> Any:
        if self._visit(Moment(point, False)):
            if asyncio.iscoroutine(work):
                work.close()
            await asyncio.Event().wait()
        result = await work
        if self._visit(Moment(point, True)):
            await asyncio.Event().wait()
        return result

    def _writing(self, point: Point, work: Callable[[], Any]) -> Any:
        if self._visit(Moment(point, False)):
            raise Crash
        result = work()
        if self._visit(Moment(point, True)):
            raise Crash
        return result

    def _visit(self, moment: Moment) -> bool:
        """Count it; whether the process dies here."""
        if self._dying:
            return True
        self.visited[moment] = self.visited.get(moment, 0) + 1
        if not self.deaths or not self._due(self.deaths[0], moment):
            return False
        death = self.deaths.pop(0)
        if death.again:
            self.deaths.insert(0, Death(-1, visit=death.again))
        self._moments = 0
        self.died.append(moment)
        self._dying = self.line.dead = self.pen.dead = True
        self._crashed.set()
        return True

    def _due(self, death: Death, moment: Moment) -> bool:
        if death.moment >= 0 and (self.now_ms < death.at_ms or MOMENTS[moment] != death.moment % len(MOMENTS)):
            return False
        self._moments += 1
        return self._moments >= death.visit


async def _keep(recovery: Any) -> None:
    await recovery.start()
    await recovery.run()


def _on(part: Any, plain: type, used: type) -> Any:
    """The part on top of the class that is used in this run: a defect stays what it is where points are told."""
    if part is plain:
        return used
    part.__bases__ = (used,)
    return part


def _moments() -> dict[Moment, int]:
    both = [Moment(point, after) for point in every_point() for after in (False, True)]
    return {moment: number for number, moment in enumerate(both)}


MOMENTS = _moments()
