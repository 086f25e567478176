"""The venues the suite runs on: `SimVenue` and the simulator behind barriers (one class: both are a `Floor` and a
`Venue`), and an account at an exchange that runs by itself: the simulator's here, testnet's by hand."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Literal, Protocol

from msgspec.structs import replace

from aister.adapters.exchanges.aster.account import AsterAccount
from aister.adapters.exchanges.aster.barriers import LockstepClock
from aister.adapters.exchanges.aster.lockstep import LockstepFloor
from aister.adapters.exchanges.aster.rest import Rest
from aister.core.events import BarClosed, FundingSettled, OrderAccepted, OrderCanceled, OrderFilled, OrderRejected
from aister.core.instrument import Instrument
from aister.core.trade import Order
from aister.exchange_sim import FREE_MODEL, Agent, Credentials, Exchange, Settings
from aister.exchange_sim.lockstep import Lockstep
from aister.ports.exchange import Cancelled, Execution, Money, Placed, Refused, VenuePosition
from aister.ports.feed import MarketSlice
from aister.ports.floor import Floor
from aister.ports.venue import Venue
from aister.sim.models import FillModel, Latency, Slippage
from aister.sim.venue import SimVenue
from tests.adapters.exchanges.aster.scripted import USER, LocalSigner
from tests.conformance.venue import Done
from tests.fakes.wire import ExchangeClock, IndoorWire
from tests.sim.market import MINUTE_MS, MONEY, instrument

__all__ = ["ExchangeSubject", "FloorSubject", "in_lockstep", "in_process", "running"]

START_MS = 1_700_000_040_000
CAPITAL = 10_000 * MONEY
SIZE = 40


class Place(Floor, Venue, Protocol):
    """Both at once."""


class Queue(Iterator[MarketSlice]):
    """Bars put in by hand; it goes on after it was empty."""

    def __init__(self) -> None:
        self.waiting: deque[MarketSlice] = deque()
        self.minute, self.at = 0, 1_000_000

    def __next__(self) -> MarketSlice:
        if not self.waiting:
            raise StopIteration
        return self.waiting.popleft()

    def put(self, low: int, high: int, close: int, opens: int, funding_e8: int) -> MarketSlice:
        """The next minute; 0 = where the market stands, or as little as the others ask for."""
        start = START_MS + self.minute * MINUTE_MS
        self.minute += 1
        opens = opens or self.at
        close = close or opens
        prices = [one for one in (low, high, close, opens) if one]
        due = (FundingSettled(start, "BTCUSDT", funding_e8, 8 * 3_600_000),) if funding_e8 else ()
        o, h, l, c = (ticks / 10 for ticks in (opens, max(prices), min(prices), close))
        made = MarketSlice(start, due, (BarClosed(start + MINUTE_MS, "BTCUSDT", start, o, h, l, c, 1000.0),))
        self.at = close
        self.waiting.append(made)
        return made


class FloorSubject:
    """A floor moved by its bars. What is due acts at the next open: settling down takes a flat minute."""

    def __init__(self, floor: Place, queue: Queue, wallet: Callable[[], int], held: Callable[[int], int]) -> None:
        self.instrument, self.size = instrument(), SIZE
        self.taker_e8 = self.instrument.taker_e8
        self._floor, self._queue, self._wallet, self._held = floor, queue, wallet, held
        self._working: dict[str, None] = {}
        self._fills: list[Done] = []
        self._ids = 0
        self._now = START_MS
        self.move()

    def last(self) -> int:
        return self._queue.at

    def place(self, order: Order) -> str:
        self._floor.send(order, self._now)
        report = self._take()[-1]
        return report.reason if isinstance(report, OrderRejected) else ""

    def cancel(self, client_id: str) -> bool:
        self._floor.cancel("BTCUSDT", client_id, self._now)
        return bool(self._take())

    def settle_down(self) -> None:
        self.move()

    def move(self, *, low: int = 0, high: int = 0, close: int = 0, opens: int = 0, funding_e8: int = 0) -> None:
        market = self._queue.put(low, high, close, opens, funding_e8)
        for due in market.funding:
            self._floor.settle(due, market.bars[0].open)
        self._floor.open(market.bars)
        self._take()
        self._floor.rest(market.bars)
        while self._take():
            self._floor.rest(market.bars, again=True)
        self._now = market.bars[0].time_ms

    def working(self) -> list[str]:
        return list(self._working)

    def held(self, leg: int = 0) -> int:
        return self._held(leg)

    def fills(self) -> list[Done]:
        return list(self._fills)

    def wallet(self) -> int:
        return self._wallet()

    def fresh_id(self) -> str:
        self._ids += 1
        return f"vc-{self._ids:x}"

    def _take(self) -> list[Any]:
        reports = list(self._floor.take_reports())
        for one in reports:
            if isinstance(one, OrderAccepted):
                self._working[one.client_id] = None
            elif isinstance(one, OrderCanceled):
                self._working.pop(one.client_id, None)
            elif isinstance(one, OrderFilled):
                fill = one.fill
                self._fills.append(
                    Done(fill.client_id, int(fill.side), fill.steps, fill.price_ticks, fill.fee, fill.maker)
                )
                if one.done:
                    self._working.pop(fill.client_id, None)
        return reports


class ExchangeSubject:
    """An account at an exchange whose market runs by itself, asked over REST. `wait`: a moment in its time; `last`:
    where its market stands; `push`: play such a minute (None: its market cannot be moved)."""

    def __init__(
        self,
        account: AsterAccount,
        terms: Instrument,
        size: int,
        loop: asyncio.AbstractEventLoop,
        *,
        wait: Callable[[float], Awaitable[None]],
        last: Callable[[], int],
        push: Callable[[int, int, int, int, int], None] | None,
        prefix: str = "vc",
    ) -> None:
        self.instrument, self.size, self.taker_e8 = terms, size, terms.taker_e8
        self._account, self._loop, self._wait = account, loop, wait
        self._last, self._push, self._prefix = last, push, prefix
        self._ids = 0
        self._since_ms = account.now_ms()
        self._before = {one.trade_id for one in self._executions()}

    def last(self) -> int:
        return self._last()

    def place(self, order: Order) -> str:
        answer = self._run(self._account.place(order))
        assert isinstance(answer, Placed | Refused), answer
        return "" if isinstance(answer, Placed) else f"{answer.code} {answer.reason}"

    def cancel(self, client_id: str) -> bool:
        answer = self._run(self._account.cancel(self.instrument.symbol, client_id))
        assert isinstance(answer, Cancelled | Refused), answer
        return isinstance(answer, Cancelled)

    def settle_down(self) -> None:
        self._run(self._wait(1_500))

    def move(self, *, low: int = 0, high: int = 0, close: int = 0, opens: int = 0, funding_e8: int = 0) -> None:
        assert self._push is not None
        self._push(low, high, close, opens, funding_e8)

    def working(self) -> list[str]:
        orders = self._run(self._account.open_orders(self.instrument.symbol))
        assert isinstance(orders, tuple), orders
        return [one.client_id for one in sorted(orders, key=lambda one: one.venue_id)]

    def held(self, leg: int = 0) -> int:
        return next((one.steps for one in self._positions() if one.leg == leg), 0)

    def cost(self) -> int:
        """Signed steps x mean entry price of all that is held."""
        return sum(one.cost for one in self._positions())

    def fills(self) -> list[Done]:
        return [
            Done(one.client_id, int(one.side), one.steps, one.price_ticks, one.fee, one.maker)
            for one in self._executions()
            if one.trade_id not in self._before
        ]

    def wallet(self) -> int:
        money = self._run(self._account.money())
        assert isinstance(money, Money), money
        return money.wallet

    def fresh_id(self) -> str:
        self._ids += 1
        return f"{self._prefix}-{self._ids:x}"

    def _positions(self) -> tuple[VenuePosition, ...]:
        found = self._run(self._account.positions(self.instrument.symbol))
        assert isinstance(found, tuple), found
        return found

    def _executions(self) -> tuple[Execution, ...]:
        found = self._run(self._account.executions(self.instrument.symbol, self._since_ms))
        assert isinstance(found, tuple), found
        return found

    def _run(self, what: Any) -> Any:
        return self._loop.run_until_complete(what)


def in_process(hedged: bool, loop: asyncio.AbstractEventLoop) -> FloorSubject:
    venue = SimVenue(base_interval_ms=MINUTE_MS, model=_model(hedged))
    venue.list_instrument(instrument())
    venue.deposit(CAPITAL)
    return FloorSubject(venue, Queue(), lambda: venue.wallet, lambda leg: venue.position("BTCUSDT", leg).steps)


def in_lockstep(hedged: bool, loop: asyncio.AbstractEventLoop) -> FloorSubject:
    """The simulator over the wire, behind barriers; what is held and owned is asked of the account."""
    queue = Queue()
    first = queue.put(0, 0, 0, 0, 0)
    exchange, signer, time = _exchange(queue, Settings(model=_model(hedged), lockstep=True))
    Lockstep(exchange)
    clock, wire = LockstepClock(), IndoorWire(exchange, time, delay_ms=0.0)
    account = AsterAccount(Rest(wire, clock, signer), ("BTCUSDT",), source="simulator")
    floor = LockstepFloor(account, wire, clock, loop)
    floor.list_instrument(instrument())
    floor.open(first.bars)
    floor.rest(first.bars)
    asked = ExchangeSubject(account, instrument(), SIZE, loop, wait=time.sleep, last=lambda: queue.at, push=None)
    return FloorSubject(floor, queue, asked.wallet, asked.held)


def running(hedged: bool, loop: asyncio.AbstractEventLoop, *, slips: bool = True) -> ExchangeSubject:
    """The simulator over the wire, running by itself, its clock moved by who waits. Without `slips` takers fill at the
    market's price and stops at their trigger."""
    queue = Queue()
    queue.put(0, 0, 0, 0, 0)
    model = replace(FREE_MODEL, position_mode="hedge" if hedged else "one_way")
    if not slips:
        model = replace(model, slippage=Slippage((), 0, 0, 0))
    exchange, signer, time = _exchange(queue, Settings(model=model))
    wire = IndoorWire(exchange, time)
    account = AsterAccount(Rest(wire, time, signer), ("BTCUSDT",), source="simulator")
    assert isinstance(loop.run_until_complete(account.instruments()), dict)

    def push(low: int, high: int, close: int, opens: int, funding_e8: int) -> None:
        """The next whole minute: until then the market stands still."""
        queue.minute = -(-(exchange.now_ms - START_MS) // MINUTE_MS)
        made = queue.put(low, high, close, opens, funding_e8)
        exchange.advance(made.bars[0].time_ms)
        account.told_mark("BTCUSDT", queue.at * 10_000_000)

    return ExchangeSubject(account, instrument(), SIZE, loop, wait=time.sleep, last=lambda: queue.at, push=push)


def _model(hedged: bool) -> FillModel:
    """No impact, no cap, no latency: what is due acts at the next open."""
    mode: Literal["hedge", "one_way"] = "hedge" if hedged else "one_way"
    return FillModel(impact=None, volume_share_e4=0, latency=Latency(0, 0, 0), position_mode=mode)


def _exchange(queue: Queue, settings: Settings) -> tuple[Exchange, LocalSigner, ExchangeClock]:
    exchange = Exchange({"BTCUSDT": instrument()}, queue, MINUTE_MS, settings)
    time = ExchangeClock(exchange)
    signer = LocalSigner(time)  # type: ignore[arg-type]
    agent = signer.address.lower()
    exchange.add_account(Credentials(USER, {agent: Agent(agent)}), CAPITAL)
    return exchange, signer, time
