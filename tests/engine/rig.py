"""One trader made of the real parts, fed by hand: bars one at a time, setups at the minutes a test names.

Only two seats are filled by fakes: the strategy fires what it is told, the minds agree. Risk keeps the kill switch, the
venue's filters, the drawdown and the risk of a trade; the other limits need hours of history and have tests of their
own.
"""

from collections import deque
from collections.abc import Iterator

import msgspec

from aister.adapters.store.memory import MemoryJournal
from aister.core.audit import Audit, CancelOrder, PlaceOrder, PlanVoided, TradeClosed
from aister.core.commands import Command
from aister.core.council import Setup, Target
from aister.core.events import BarClosed, FundingSettled, InstrumentListed, RunStarted
from aister.core.instrument import Instrument
from aister.core.trade import Order, OrderType, Side
from aister.council.calibration import Calibration
from aister.council.priors import packaged_priors
from aister.engine.account import Costs
from aister.engine.desk import Desk
from aister.engine.engine import Engine
from aister.engine.repeat import RepeatedJournal
from aister.engine.rules import EngineRules
from aister.engine.runner import Run
from aister.execution.gateway import OrderGateway
from aister.execution.traits import VenueTraits
from aister.features.featureset import FeatureSet
from aister.features.market import Features
from aister.features.timeframes import bit
from aister.portfolio.portfolio import Portfolio
from aister.ports.feed import MarketSlice
from aister.risk.kernel import RiskKernel
from aister.risk.limits import drawdown, kill_switch, risk_per_trade, venue_filters
from aister.risk.profile import profile
from aister.sim.venue import SimVenue
from tests.fakes.minds import Willing
from tests.sim.market import MINUTE_MS, MONEY, bracketed, plain_model

__all__ = ["BTC", "CAPITAL", "START_MS", "Rig", "setup"]

BTC = "BTCUSDT"
START_MS = 1_746_403_200_000
CAPITAL = 10_000 * MONEY
KEY = bytes(range(32))


class Told:
    """A strategy that fires what it was told to at a minute."""

    name = "told"
    mask = bit("1m")

    def __init__(self) -> None:
        self.at: dict[int, Setup] = {}

    def setups(self, features: FeatureSet, instrument: Instrument, cost_e8: int) -> tuple[Setup, ...]:
        found = self.at.get(features.time_ms)
        return () if found is None else (found,)


class Queue(Iterator[MarketSlice]):
    """Slices as they are put in; unlike a generator it goes on after it was empty."""

    def __init__(self) -> None:
        self.waiting: deque[MarketSlice] = deque()

    def __next__(self) -> MarketSlice:
        if not self.waiting:
            raise StopIteration
        return self.waiting.popleft()


def setup(
    minute: int,
    side: Side = Side.BUY,
    *,
    entry: float = 0.0,
    near: float = 100_000.0,
    stop: float,
    targets: tuple[tuple[float, int], ...],
    horizon: int = 600,
) -> Setup:
    """Fires at the close of bar `minute`; prices in quote, shares in 1e-4, horizon in minutes; a limit at
    `entry`, else a market order asked about `near` its price."""
    time_ms = START_MS + (minute + 1) * MINUTE_MS
    grid = bracketed()
    return Setup(
        id=f"{BTC}-{time_ms}-told-{side.word}",
        symbol=BTC,
        rule="told",
        timeframe="15m",
        time_ms=time_ms,
        side=side,
        entry_type=OrderType.LIMIT if entry else OrderType.MARKET,
        entry_ticks=grid.to_ticks(entry or near),
        stop_ticks=grid.to_ticks(stop),
        targets=tuple(Target(grid.to_ticks(price), share) for price, share in targets),
        horizon_ms=horizon * MINUTE_MS,
        evidence=(),
    )


class Rig:
    """`bar` takes one slice; what the engine said since is in `new`, all of it in `audits`."""

    def __init__(
        self,
        *setups: Setup,
        minds: Willing | None = None,
        at_venue: int = CAPITAL,
        leverage: int = 3,
        traits: VenueTraits | None = None,
    ) -> None:
        self.minds = minds or Willing()
        self.instrument = bracketed()
        self.venue = SimVenue(base_interval_ms=MINUTE_MS, model=plain_model(leverage))
        self.venue.deposit(at_venue)
        self.strategy = Told()
        self.strategy.at = {one.time_ms: one for one in setups}
        limits = msgspec.structs.replace(profile("balanced"), leverage=leverage).check()
        registry = (kill_switch, drawdown, venue_filters, risk_per_trade)
        terms = {BTC: self.instrument}
        self.risk = RiskKernel(limits, terms, KEY, "owner", "rig", registry=registry)
        self.portfolio = Portfolio("owner", CAPITAL)
        self.engine = Engine(
            trader_id="rig",
            features=Features(MINUTE_MS, [BTC]),
            strategy=self.strategy,
            risk=self.risk,
            portfolio=self.portfolio,
            calibration=Calibration(packaged_priors()),
            desks={BTC: Desk(self.instrument)},
            cost_of=lambda terms: Costs(2 * terms.taker_e8, 5_000),
            rules=EngineRules(),
            traits=traits,
        )
        self.audits: list[Audit] = []
        self._seen = 0
        self._minute = 0
        self.queue = Queue()
        self.run = Run(
            engine=self.engine,
            slices=self.queue,
            floor=self.venue,
            sender=OrderGateway(self.venue, KEY),
            minds=self.minds,
            journal=RepeatedJournal(MemoryJournal("owner", "rig", "run")),
            opening=(
                RunStarted(START_MS, "owner", "rig", "simulated", "willing", "c", "d", 1, CAPITAL),
                InstrumentListed(START_MS, self.instrument),
            ),
            observers=(self.audits.append,),
        )
        self.run.start()

    # what happens

    def bar(
        self,
        close: float = 100_000.0,
        *,
        open: float = 0.0,
        low: float = 0.0,
        high: float = 0.0,
        skip: int = 0,
        funding: tuple[tuple[int, int], ...] = (),
        instruments: tuple[Instrument, ...] = (),
    ) -> "Rig":
        """The next bar (after `skip` missing ones), by default from its close to its close. `funding` = (minute,
        rate in 1e-8)."""
        self._minute += skip
        at = START_MS + self._minute * MINUTE_MS
        self._minute += 1
        first = open or close
        lowest, highest = low or min(first, close), high or max(first, close)
        bar = BarClosed(at + MINUTE_MS, BTC, at, first, highest, lowest, close, 1.0)
        settled = tuple(FundingSettled(START_MS + m * MINUTE_MS, BTC, rate, 28_800_000) for m, rate in funding)
        self._seen = len(self.audits)
        self.queue.waiting.append(MarketSlice(at, settled, (bar,), instruments))
        self.run.step()
        return self

    def bars(self, count: int, close: float = 100_000.0) -> "Rig":
        for _ in range(count):
            self.bar(close)
        return self

    def command(self, command: Command) -> "Rig":
        self.run.command(command)
        return self

    # what was said

    @property
    def new(self) -> list[Audit]:
        """The passes of the newest bar."""
        return self.audits[self._seen :]

    def said(self, kind: type) -> list:  # type: ignore[type-arg]
        """Outputs of one kind, from the beginning."""
        return [output for audit in self.audits for output in audit.outputs if isinstance(output, kind)]

    def said_now(self, kind: type) -> list:  # type: ignore[type-arg]
        """Outputs of one kind in the newest bar."""
        return [output for audit in self.new for output in audit.outputs if isinstance(output, kind)]

    @property
    def placed(self) -> list[Order]:
        """Orders sent in the newest bar."""
        return [one.order for one in self.said_now(PlaceOrder)]

    @property
    def closed(self) -> list[TradeClosed]:
        return self.said(TradeClosed)

    @property
    def voided(self) -> list[str]:
        """Reasons of every plan that was given up."""
        return [one.reason for one in self.said(PlanVoided)]

    @property
    def steps(self) -> int:
        return self.portfolio.holding(BTC).steps

    @property
    def resting(self) -> list[Order]:
        return self.venue.open_orders(BTC)

    @property
    def free(self) -> bool:
        return self.engine.desks[BTC].free

    def cancels(self) -> list[tuple[str, str]]:
        """(client id, reason) of cancels in the newest bar."""
        return [(one.client_id, one.reason) for one in self.said_now(CancelOrder)]
