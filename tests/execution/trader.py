"""The whole order path: a real engine and gateway, the courier, recovery, the real client with its user stream, and the
simulated exchange playing the same bars, in virtual time."""

import asyncio
from collections.abc import Iterator, Sequence

import msgspec

from aister.adapters.exchanges.aster.account import AsterAccount
from aister.adapters.exchanges.aster.attached import AttachingAccount
from aister.adapters.exchanges.aster.rest import Rest
from aister.adapters.exchanges.aster.userstream import UserStream
from aister.adapters.exchanges.aster.wire import Lost, Reply
from aister.adapters.store.chain import decode, encode
from aister.adapters.store.memory import MemoryJournal
from aister.core.audit import Audit
from aister.core.council import Setup
from aister.core.events import BarClosed, FundingSettled, VenueReport
from aister.core.instrument import Instrument
from aister.engine.arrival import ArrivalClock
from aister.engine.repeat import RepeatedJournal
from aister.engine.runner import Run
from aister.exchange_sim import Agent, Credentials, Exchange, Fault, Faults, Settings
from aister.execution.courier import Courier, CourierRules
from aister.execution.gateway import OrderGateway
from aister.execution.recovery import Recovery, RecoveryRules
from aister.execution.traits import VenueTraits
from aister.ports.feed import MarketSlice
from tests.adapters.exchanges.aster.scripted import USER, LocalSigner
from tests.engine.rig import BTC, CAPITAL, KEY, START_MS, Rig
from tests.execution.scene import fast
from tests.fakes.virtual import World
from tests.sim.market import MINUTE_MS, bracketed

INSTANCE = "ai00000000"


class LiveFloor:
    """A venue that needs no telling of the market."""

    def __init__(self, courier: Courier) -> None:
        self._courier = courier

    def list_instrument(self, instrument: Instrument) -> None:
        return None

    def deposit(self, amount: int) -> None:
        return None

    def settle(self, event: FundingSettled, price: float) -> None:
        return None

    def open(self, bars: Sequence[BarClosed]) -> None:
        return None

    def rest(self, bars: Sequence[BarClosed], *, again: bool = False) -> None:
        return None

    def take_reports(self) -> list[VenueReport]:
        return self._courier.take_reports()

    def assumptions(self) -> dict[str, str]:
        return {}


class Sending:
    """The way to the exchange of a process that may die: what has left arrives without it."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.connect = world.connect

    async def request(
        self, method: str, path: str, query: bytes, body: bytes, headers: tuple[tuple[str, str], ...], timeout_ms: int
    ) -> Reply | Lost:
        left = asyncio.ensure_future(self._world.request(method, path, query, body, headers, timeout_ms))
        return await asyncio.shield(left)


class KeptJournal(MemoryJournal):
    """One that outlives a crash, record by record as it was appended."""

    def __init__(self) -> None:
        super().__init__("owner", "rig", "live")
        self.kept: list[bytes] = []

    def append(self, audit: Audit) -> None:
        super().append(audit)
        self.kept.append(encode(audit))

    def until(self, time_ms: int) -> "KeptJournal":
        """What a copy of that time holds."""
        copy = KeptJournal()
        for audit in self.records():
            if audit.event.time_ms <= time_ms:
                copy.append(audit)
        return copy

    def records(self) -> Iterator[Audit]:
        return iter([decode(raw, number) for number, raw in enumerate(self.kept)])


class Trader(Rig):
    """`forgets_ms`: what a crash leaves of the journal is as old as that (from START_MS; 0: nothing is lost).

    `prices`: (open, high, low, close) by minute, at the exchange from the first minute on. Times of faults count
    from START_MS. A crash takes everything but the journal and what the signer keeps."""

    def __init__(
        self,
        *setups: Setup,
        prices: Sequence[tuple[float, float, float, float]],
        faults: tuple[Fault, ...] = (),
        traits: VenueTraits | None = None,
        settings: Settings | None = None,
        rules: CourierRules | None = None,
        recovering: RecoveryRules | None = None,
        forgets_ms: int = 0,
        attaching: bool = False,
    ) -> None:
        self.setups, self.traits, self.prices = setups, traits, list(prices)
        self.rules, self.recovering, self.forgets_ms = rules, recovering, forgets_ms
        self.attaching = attaching
        plan = tuple(
            msgspec.structs.replace(one, at_ms=one.at_ms + START_MS, until_ms=one.until_ms and one.until_ms + START_MS)
            for one in faults
        )
        self.exchange = Exchange(
            {BTC: bracketed()}, self._market(), MINUTE_MS, settings, faults=Faults(plan), verify=fast
        )
        self.world = World(self.exchange)
        self.signer = LocalSigner(self.world)  # type: ignore[arg-type]
        agent = self.signer.address.lower()
        self.books = self.exchange.add_account(Credentials(USER, {agent: Agent(agent)}, "key", "secret"), CAPITAL)
        self.kept = KeptJournal()
        self.naked_ms = self.longest_naked_ms = 0
        self._boot()

    def _boot(self) -> None:
        """Everything that lives in the process."""
        super().__init__(*self.setups, traits=self.traits)
        rest = Rest(Sending(self.world), self.world, self.signer)
        self.account: AsterAccount = AsterAccount(rest, (BTC,), source="simulator")
        if self.attaching:
            attaching = self.account = AttachingAccount(rest, (BTC,), source="simulator")
            attaching.sleep = self.world.sleep
        self.clock = ArrivalClock(self.account.now_ms, MINUTE_MS)
        self.woken = asyncio.Event()
        self.courier = Courier(
            self.account, sleep=self.world.sleep, stamp=self.clock, wake=self.woken.set, rules=self.rules
        )
        self.recovery = Recovery(
            self.account,
            self.courier,
            lambda: self.courier.ours(INSTANCE, (BTC,)),
            sleep=self.world.sleep,
            rules=self.recovering,
        )
        contracts = self.account.contracts
        self.user = UserStream(rest, self.world, self.world, contracts, self.recovery.hear)
        self.engine._trading.out._trader_id = INSTANCE
        self.engine.sequence = 0
        self.audits.clear()
        self.run = Run(
            engine=self.engine,
            slices=self.queue,
            floor=LiveFloor(self.courier),
            sender=OrderGateway(self.courier, KEY),
            minds=self.minds,
            journal=RepeatedJournal(self.kept),
            opening=(),
            observers=(self.audits.append, self.recovery.observe),
        )

    def _market(self) -> Iterator[MarketSlice]:
        for minute, (o, h, l, c) in enumerate(self.prices):
            at = START_MS + minute * MINUTE_MS
            yield MarketSlice(at, (), (BarClosed(at + MINUTE_MS, BTC, at, o, h, l, c, 60.0),))

    def trade(self, minutes: int, *crashes_ms: int) -> "Trader":
        """Trade for so long; the process is killed at these times (from START_MS) and started again 2 s later."""
        self.world.run(self._lives(minutes, list(crashes_ms)))
        return self

    def die(self, minutes: int, at_ms: float, left_ms: int = 600_000) -> "Trader":
        """Trade until `at_ms` (from START_MS), then nothing of this machine lives any more and the exchange goes on."""
        self.world.run(self._die(minutes, at_ms, left_ms))
        return self

    async def _die(self, minutes: int, at_ms: float, left_ms: int) -> None:
        watch = asyncio.ensure_future(self._watch())
        life = asyncio.ensure_future(self._trade(minutes))
        await self.world.sleep(START_MS + at_ms - self.world.now_ms())
        life.cancel()
        await asyncio.gather(life, return_exceptions=True)
        self.longest_naked_ms = self.naked_ms = 0
        await self.world.sleep(left_ms)
        self.world.catch_up()
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)

    async def _lives(self, minutes: int, crashes_ms: list[int]) -> None:
        watch = asyncio.ensure_future(self._watch())
        life = asyncio.ensure_future(self._trade(minutes))
        for at_ms in crashes_ms:
            await self.world.sleep(START_MS + at_ms - self.world.now_ms())
            life.cancel()
            await asyncio.gather(life, return_exceptions=True)
            await self.world.sleep(2_000)
            if self.forgets_ms:
                until_ms = START_MS + self.forgets_ms
                self.kept = self.kept.until(until_ms)
            self._boot()
            self.run.repeat(self._learn)
            life = asyncio.ensure_future(self._trade(minutes))
        await life
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)

    def _learn(self, audit: Audit) -> None:
        self.audits.append(audit)
        self.courier.recall(audit)

    async def _trade(self, minutes: int) -> None:
        tasks: list[asyncio.Future[None]] = []
        try:
            await self.account.server_time()
            assert isinstance(await self.account.instruments(), dict)
            last_ms = self.engine.desks[BTC].bar_ms
            self.clock.expects(max(last_ms, START_MS) + MINUTE_MS)
            self.courier.start()
            self.courier.resume()
            tasks += [asyncio.ensure_future(self.user.run()), asyncio.ensure_future(self._hear())]
            await self.world.sleep(100)
            await self.recovery.start()
            tasks.append(asyncio.ensure_future(self.recovery.run()))
            for market in list(self._market())[:minutes]:
                close_ms = market.open_time_ms + MINUTE_MS
                if close_ms <= self.engine.desks[BTC].bar_ms:
                    continue
                await self.world.sleep(max(0, close_ms + 150 - self.world.now_ms()))
                self.clock.passed(market)
                self.before(market)
                self.queue.waiting.append(market)
                self.run.step()
                for task in tasks:
                    if task.done():
                        task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.courier.stop()

    def before(self, market: MarketSlice) -> None:
        """What a test does just before a slice is taken."""

    async def _hear(self) -> None:
        """Whatever comes between bars."""
        while True:
            await self.woken.wait()
            self.woken.clear()
            self.run.hear()

    async def _watch(self) -> None:
        """How long a position was held without any stop, by the exchange's own books."""
        while True:
            await self.world.sleep(100)
            self.world.catch_up()
            held = self.books.venue.position(BTC).steps
            stops = [one for one in self.books.venue.open_orders(BTC) if one.close_position or one.reduce_only]
            bare = held and not any(one.type.name == "STOP_MARKET" for one in stops)
            self.naked_ms = self.naked_ms + 100 if bare else 0
            self.longest_naked_ms = max(self.longest_naked_ms, self.naked_ms)

    @property
    def there(self) -> int:
        """Steps by the exchange's own books."""
        return self.books.venue.position(BTC).steps


__all__ = ["INSTANCE", "Trader"]
