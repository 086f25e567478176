"""The whole order path: a real engine and gateway, the courier, recovery, the real client with its user stream, and the
simulated exchange playing the same bars, in virtual time."""

import asyncio
from collections.abc import Iterator, Sequence

import msgspec

from aister.adapters.exchanges.aster.account import AsterAccount
from aister.adapters.exchanges.aster.rest import Rest
from aister.adapters.exchanges.aster.userstream import UserStream
from aister.adapters.store.memory import MemoryJournal
from aister.core.council import Setup
from aister.core.events import BarClosed, FundingSettled, InstrumentListed, RunStarted, VenueReport
from aister.core.instrument import Instrument
from aister.engine.arrival import ArrivalClock
from aister.engine.repeat import RepeatedJournal
from aister.engine.runner import Run
from aister.exchange_sim import Agent, Credentials, Exchange, Fault, Faults, Settings
from aister.execution.courier import Courier
from aister.execution.gateway import OrderGateway
from aister.execution.recovery import Recovery
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


class Trader(Rig):
    """`bars`: (open, high, low, close) by minute, at the exchange from the first minute on. Times of faults count from
    START_MS."""

    def __init__(
        self,
        *setups: Setup,
        prices: Sequence[tuple[float, float, float, float]],
        faults: tuple[Fault, ...] = (),
        traits: VenueTraits | None = None,
        settings: Settings | None = None,
    ) -> None:
        super().__init__(*setups, traits=traits)
        self.prices = list(prices)
        plan = tuple(
            msgspec.structs.replace(one, at_ms=one.at_ms + START_MS, until_ms=one.until_ms and one.until_ms + START_MS)
            for one in faults
        )
        self.exchange = Exchange(
            {BTC: bracketed()}, self._market(), MINUTE_MS, settings, faults=Faults(plan), verify=fast
        )
        self.world = World(self.exchange)
        signer = LocalSigner(self.world)  # type: ignore[arg-type]
        agent = signer.address.lower()
        self.books = self.exchange.add_account(Credentials(USER, {agent: Agent(agent)}, "key", "secret"), CAPITAL)
        rest = Rest(self.world, self.world, signer)
        self.account = AsterAccount(rest, (BTC,), source="simulator")
        self.clock = ArrivalClock(self.account.now_ms, MINUTE_MS)
        self.woken = asyncio.Event()
        self.courier = Courier(self.account, sleep=self.world.sleep, stamp=self.clock, wake=self.woken.set)
        self.recovery = Recovery(
            self.account, self.courier, lambda: self.courier.ours(INSTANCE, (BTC,)), sleep=self.world.sleep
        )
        contracts = self.account.contracts
        self.user = UserStream(rest, self.world, self.world, contracts, self.recovery.hear)
        self.engine._trading._trader_id = INSTANCE
        self.audits.clear()
        self.engine.sequence = 0
        self.run = Run(
            engine=self.engine,
            slices=self.queue,
            floor=LiveFloor(self.courier),
            sender=OrderGateway(self.courier, KEY),
            minds=self.minds,
            journal=RepeatedJournal(MemoryJournal("owner", "rig", "live")),
            opening=(),
            observers=(self.audits.append,),
        )
        self.naked_ms = 0
        self.longest_naked_ms = 0

    def _market(self) -> Iterator[MarketSlice]:
        for minute, (o, h, l, c) in enumerate(self.prices):
            at = START_MS + minute * MINUTE_MS
            yield MarketSlice(at, (), (BarClosed(at + MINUTE_MS, BTC, at, o, h, l, c, 60.0),))

    def trade(self, minutes: int) -> "Trader":
        self.world.run(self._trade(minutes))
        return self

    async def _trade(self, minutes: int) -> None:
        await self.account.server_time()
        assert isinstance(await self.account.instruments(), dict)
        self.courier.start()
        tasks = [asyncio.ensure_future(self.user.run())]
        await self.world.sleep(100)
        await self.recovery.start()
        tasks += [asyncio.ensure_future(one) for one in (self.recovery.run(), self._hear(), self._watch())]
        for market in list(self._market())[:minutes]:
            await self.world.sleep(market.open_time_ms + MINUTE_MS + 150 - self.world.now_ms())
            self.clock.passed(market)
            self.queue.waiting.append(market)
            self.run.step()
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        await self.courier.stop()
        for one in ended:
            if isinstance(one, Exception):
                raise one

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


__all__ = ["INSTANCE", "InstrumentListed", "RunStarted", "Trader"]
