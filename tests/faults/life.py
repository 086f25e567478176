"""One process of a trader, from its start to its end: engine, runner, gateway, courier, keeper of the books, client and
user stream as they are, under the house's time."""

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, cast

import msgspec

from aister.adapters.exchanges.aster.rest import Rest
from aister.adapters.store.emergency import EmergencyLog, GuardedJournal
from aister.adapters.store.journal import SqliteJournal
from aister.adapters.store.lease import LeaseKeeper
from aister.app.trader_upkeep import CAUSES
from aister.core.audit import Audit
from aister.core.commands import AcceptRollback, ClosePosition, Command
from aister.core.errors import JournalImpaired, StorageError
from aister.core.events import BarClosed, CommandGiven, InstrumentListed, RunStarted
from aister.core.instrument import Instrument
from aister.council.calibration import Calibration
from aister.council.priors import packaged_priors
from aister.engine.account import Costs
from aister.engine.desk import Desk
from aister.engine.engine import Engine
from aister.engine.repeat import RepeatedJournal
from aister.engine.rules import EngineRules
from aister.execution.courier import CourierRules
from aister.execution.gateway import OrderGateway
from aister.execution.reconcile import Armed
from aister.execution.recovery import RecoveryRules
from aister.execution.traits import VenueTraits
from aister.features.market import Features
from aister.portfolio.portfolio import Portfolio
from aister.ports.exchange import AccountTerms
from aister.ports.feed import MarketSlice
from aister.ports.lease import Held
from aister.risk.kernel import RiskKernel
from aister.risk.limits import drawdown, kill_switch, risk_per_trade, venue_filters
from aister.risk.profile import profile
from tests.faults.crash import Crash
from tests.faults.parts import Home, Pen, Queue, Standing, Told
from tests.faults.process import Process
from tests.faults.scenario import CAPITAL, START_MS, listed
from tests.faults.signing import Door
from tests.faults.wrong import SYMBOLS
from tests.sim.market import MINUTE_MS

if TYPE_CHECKING:
    from tests.faults.house import House

__all__ = ["Life"]

KEY = bytes(range(32))
LIMITS = msgspec.structs.replace(profile("balanced"), leverage=3).check()
REGISTRY = (kill_switch, drawdown, venue_filters, risk_per_trade)
ARMED = Armed(AccountTerms(hedged=False, multi_assets=False), dict.fromkeys(SYMBOLS, 20))
FEED_LATE_MS, TEND_MS = 5, 1_000


class Life:
    """`over` is set when it has ended by itself, `why` says how: "done", or what it fell by."""

    engine: Engine
    recovery: Any
    journal: GuardedJournal
    run: Any

    def __init__(self, house: "House", home: Home) -> None:
        self.house, self.home, self.world = house, home, house.world
        self.fed = home.fed
        self.process = Process(house.world, house.blows.noticed)
        self.pen = Pen(home.paper)
        self.over = asyncio.Event()
        self.why = ""
        self.courier: Any = None
        self.keeper: LeaseKeeper | None = None
        self._told = asyncio.Event()
        self._asked: list[Command] = []
        self._changed: set[str] = set()

    def begin(self) -> None:
        self.process.begin(self._guarded())

    def ask(self, command: Command) -> None:
        """An operator wants this now."""
        self._asked.append(command)
        self._told.set()

    async def kill(self) -> None:
        self.pen.dead = True
        await self.process.kill()

    async def _guarded(self) -> None:
        try:
            await self._live()
            self.why = "done"
        except StorageError as error:
            self.why = str(error)
        except Crash:
            return
        except asyncio.CancelledError:
            raise
        except Exception as error:
            self.why = repr(error)
            self.house.problems.append(self.why)
        self.over.set()

    async def _live(self) -> None:
        house, process, home = self.house, self.process, self.home
        epoch = await self._take_lease()
        home.signing.start(epoch)
        pen = cast(SqliteJournal, self.pen)
        journal = self.journal = GuardedJournal(pen, cast(EmergencyLog, home.emergency), monotonic=self._monotonic)
        rest = Rest(process, process, self._signer())
        account = house.parts.account(rest, SYMBOLS, source="simulator")
        account.epoch = epoch
        while not isinstance(await account.server_time(), int):
            await process.sleep(500)
        while not isinstance(await account.instruments(), dict):
            await process.sleep(500)
        courier = self.courier = house.parts.courier(
            account,
            sleep=process.sleep,
            stamp=self._stamp,
            wake=self._told.set,
            rules=CourierRules(unguarded="at_once"),
        )
        self.engine = self._engine()
        self._contracts = account.contracts
        queue = Queue()
        run = self.run = house.parts.run(
            engine=self.engine,
            slices=queue,
            floor=Standing(courier),
            sender=OrderGateway(courier, KEY),
            minds=None,
            journal=RepeatedJournal(journal),
            opening=self._opening(account.contracts.instruments.values()),
            observers=(self._observe,),
        )
        self.recovery = recovery = house.parts.recovery(
            account,
            courier,
            lambda: courier.ours(home.instance, SYMBOLS, self.engine.portfolio.wallet),
            sleep=process.sleep,
            armed=ARMED,
            rules=RecoveryRules(found="adopt"),
        )
        courier.start()
        if home.paper.durable:
            run.repeat(courier.recall)
            if home.forgotten:
                left = len(home.paper.durable)
                run.hear(CommandGiven(self.engine.time_ms, AcceptRollback("owner", "a backup", left, home.forgotten)))
                home.forgotten = 0
        else:
            run.start()
        self.terms = house.parts.terms(run, courier, account.contracts.count_by, lambda sentence: None)
        self.terms.begin()
        desks = self.engine.desks.values()
        self._changed = {
            one.instrument.symbol for one in desks if account.contracts.terms(one.instrument) != one.instrument
        }
        courier.resume()
        loop = asyncio.get_running_loop()
        stream = house.parts.stream(rest, process, process, account.contracts, recovery.hear)
        beside = [loop.create_task(one) for one in (stream.run(), _keep(recovery, courier), self._tend(account))]
        trading = loop.create_task(self._trade(queue))
        await asyncio.wait({trading, beside[2]}, return_when=asyncio.FIRST_COMPLETED)
        for one in (beside[2], trading):
            if one.done():
                one.result()
        self._keep_journal()
        await courier.stop()

    async def _trade(self, queue: Queue) -> None:
        """Every bar as it closes, and what the venue reports between."""
        home, run, scene = self.home, self.run, self.house.scene
        known = {audit.event for audit in home.paper.durable if isinstance(audit.event, BarClosed)}
        while self.fed < len(scene.slices):
            await self._until(self._close_ms + FEED_LATE_MS)
            if self.fed in scene.commands and home is self.house.home:
                run.command(ClosePosition("owner", scene.commands[self.fed]))
            market = scene.slices[self.fed]
            self._take_terms(market.open_time_ms)
            bars = tuple(bar for bar in market.bars if bar not in known)
            if bars:
                queue.waiting.append(MarketSlice(market.open_time_ms, (), bars))
                run.step()
            self.fed += 1
            home.fed = max(home.fed, self.fed)
            asyncio.get_running_loop().create_task(self.courier.idle())
        await self._until(self._close_ms + 60_000)
        run.step()
        try:
            await asyncio.wait_for(self.courier.idle(), 120)
        except TimeoutError:
            now_ms = self.house.exchange.now_ms
            if not self.house.blind(now_ms, now_ms + 1, True):
                self.house.problems.append("the courier never came to rest")

    def _observe(self, audit: Audit) -> None:
        self.recovery.observe(audit)

    def _take_terms(self, time_ms: int) -> None:
        """What was read of the contracts since the last bar, in force where it may be (C15)."""
        changed, self._changed = self._changed, set()
        self.terms.told(self._contracts.terms(self.engine.desks[symbol].instrument) for symbol in sorted(changed))
        self.terms.take(time_ms)

    async def _until(self, until_ms: int) -> None:
        """Take what the venue reports until then."""
        world = self.world
        while (left := until_ms - world.now_ms() + world.wall_ahead_ms) > 0:
            try:
                async with asyncio.timeout(left / 1000.0):
                    await self._told.wait()
            except TimeoutError:
                pass
            await self.process.awake()
            self._told.clear()
            world.catch_up()
            asked, self._asked = self._asked, []
            for command in asked:
                self.run.hear(CommandGiven(self._stamp(), command))
            self.run.hear()

    async def _tend(self, account: Any) -> None:
        """Once a second: the lease, the clock, the contracts, the journal. Ends when the journal cannot be kept."""
        while True:
            await self.process.sleep(TEND_MS)
            if self.house.watcher is not None and self.house.life is self:
                self.house.watcher.beat()
            if self.keeper is not None:
                self.keeper.attend()
            read = await account.attend()
            self._changed |= {one.symbol for one in read} if isinstance(read, tuple) else set()
            self._keep_journal()

    def _keep_journal(self) -> None:
        """Make it durable; while it is not in the chain itself, nothing enters."""
        try:
            self.journal.flush()
        except JournalImpaired as impaired:
            self.courier.teller.freeze("storage", f"{impaired} Until then only what reduces leaves.")
        else:
            self.courier.teller.thaw("storage")

    # ---- what it begins with

    async def _take_lease(self) -> int:
        """The lease's epoch; waits for one that another process holds."""
        lease = self.home.lease
        if lease is None:
            return self.house.lives
        while True:
            try:
                held = lease.take("account", f"life {self.house.lives}")
            except StorageError:
                held = ""
            if isinstance(held, Held):
                break
            await self.process.sleep(500)
        self.keeper = LeaseKeeper(lease, held, monotonic=self._monotonic)
        self.house.taken(self.home)
        return held.epoch

    def _signer(self) -> Any:
        door = Door(self.home.signing)
        keeper = self.keeper
        if keeper is None:
            return door
        return self.house.parts.leased(door, lambda: keeper.entries_until_s, monotonic=self._monotonic)

    def _monotonic(self) -> float:
        return self.world.monotonic_ms() / 1000.0

    def _engine(self) -> Engine:
        built: Engine = self.house.parts.engine(
            trader_id=self.home.instance,
            features=Features(MINUTE_MS, list(SYMBOLS)),
            strategy=Told(self.house.scene.setups),
            risk=RiskKernel(LIMITS, listed(), KEY, "owner", "house", registry=REGISTRY),
            portfolio=Portfolio("owner", CAPITAL),
            calibration=Calibration(packaged_priors()),
            desks={symbol: Desk(terms) for symbol, terms in listed().items()},
            cost_of=lambda terms: Costs(2 * terms.taker_e8, 5_000),
            rules=EngineRules(deliberate=False),
            traits=VenueTraits(self.house.scene.protection, "limit"),  # type: ignore[arg-type]
        )
        return built

    def _opening(self, contracts: Iterable[Instrument]) -> tuple[RunStarted | InstrumentListed, ...]:
        listings = tuple(InstrumentListed(START_MS, terms) for terms in contracts)
        seed = self.house.scene.seed
        return (RunStarted(START_MS, "owner", "house", "simulator", "told", "c", "d", seed, CAPITAL), *listings)

    @property
    def _close_ms(self) -> int:
        more = self.fed < len(self.house.scene.slices)
        return START_MS + (self.fed + more) * MINUTE_MS

    def _stamp(self) -> int:
        """The engine's clock: never past a bar that was not given yet."""
        true_ms = self.world.now_ms() - self.world.wall_ahead_ms
        more = self.fed < len(self.house.scene.slices)
        return max(self.engine.time_ms, min(true_ms, self._close_ms) if more else true_ms)


async def _keep(recovery: Any, courier: Any) -> None:
    await recovery.start()
    courier.teller.thaw_recalled("stop", "courier", "end", *CAUSES)
    await recovery.run()
