"""The same setups through the batch loop and through the whole event engine, and their trades and fills compared.

The engine runs whole: features, strategy, risk, execution, venue, portfolio; without council, with the limits that
size an order and no breakers, because the batch loop knows no others. `random_case` makes markets, setups and models
out of one seed.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from aister.adapters.store.memory import MemoryJournal
from aister.app.build import _costs
from aister.core.audit import Audit, Breaker, BreakerChanged, TradeClosed
from aister.core.council import Setup, Target
from aister.core.events import BarClosed, FundingAssumed, FundingSettled, InstrumentListed, OrderFilled, RunStarted
from aister.core.instrument import Instrument
from aister.core.trade import Fill, FillKind, OrderType, Side
from aister.council.calibration import Calibration
from aister.council.priors import packaged_priors
from aister.engine.desk import Desk
from aister.engine.engine import Engine
from aister.engine.repeat import RepeatedJournal
from aister.engine.rules import EngineRules
from aister.engine.runner import Run, run_sync
from aister.execution.gateway import OrderGateway
from aister.features.featureset import FeatureSet
from aister.features.market import Features
from aister.features.timeframes import INTERVAL_MS, interval_name, mask
from aister.kernels.trades import REASONS, TRADE
from aister.lab.batch import Plan, Simulated, run
from aister.lab.prepare import prepare
from aister.portfolio.portfolio import Portfolio
from aister.ports.feed import MarketSlice
from aister.ports.market import Market, Series
from aister.ports.signals import Signals
from aister.risk.kernel import RiskKernel
from aister.risk.limits import free_margin, leverage, position_notional, risk_per_trade, stop_side, venue_filters
from aister.risk.profile import Limits, profile
from aister.sim.models import FillModel
from aister.sim.venue import SimVenue
from aister.strategy.strategy import Strategy

__all__ = ["Case", "Told", "by_batch", "by_event", "expect_equal", "kinds_of"]

KEY = bytes(range(32))
SIZING = (stop_side, venue_filters, risk_per_trade, position_notional, leverage, free_margin)


class Case(msgspec.Struct, frozen=True, eq=False):
    """One experiment. timeframes: those that decide; strategy: what the event engine asks, None = the signals told."""

    market: Market
    signals: dict[str, Signals]
    plan: Plan
    model: FillModel
    capital: int
    timeframes: tuple[str, ...]
    strategy: Strategy | None = None

    @property
    def decides_ms(self) -> tuple[int, ...]:
        return tuple(INTERVAL_MS[name] for name in self.timeframes)


class Told:
    """A strategy that fires the setups and exits of `signals` at their closes."""

    name = "told"

    def __init__(self, case: Case) -> None:
        self.mask = mask(*case.timeframes)
        timeframe = case.timeframes[0]
        self._setups = {
            (symbol, int(row["time_ms"])): told_setup(symbol, row, timeframe)
            for symbol, given in case.signals.items()
            for row in given.setups
        }
        self._exits: dict[tuple[str, int], tuple[Side, ...]] = {}
        for symbol, given in case.signals.items():
            for time_ms, side in given.exits.tolist():
                self._exits[symbol, time_ms] = (*self._exits.get((symbol, time_ms), ()), Side(side))
        self._adds: dict[tuple[str, int], tuple[tuple[Side, int], ...]] = {}
        for symbol, given in case.signals.items():
            for time_ms, side, stop in given.adds.tolist():
                self._adds[symbol, time_ms] = (*self._adds.get((symbol, time_ms), ()), (Side(side), stop))

    def setups(self, features: FeatureSet, instrument: Instrument, cost_e8: int) -> tuple[Setup, ...]:
        found = self._setups.get((features.symbol, features.time_ms))
        return () if found is None else (found,)

    def adds(self, features: FeatureSet, instrument: Instrument) -> tuple[tuple[Side, int], ...]:
        return self._adds.get((features.symbol, features.time_ms), ())

    def exits(self, features: FeatureSet, instrument: Instrument) -> tuple[Side, ...]:
        return self._exits.get((features.symbol, features.time_ms), ())


def told_setup(symbol: str, row: np.void, timeframe: str) -> Setup:
    """A row of SETUP as the event engine's noun."""
    targets = zip(row["target_ticks"].tolist(), row["share_e4"].tolist(), strict=True)
    return Setup(
        id=f"{symbol}-{int(row['time_ms'])}-told",
        symbol=symbol,
        rule="told",
        timeframe=timeframe,
        time_ms=int(row["time_ms"]),
        side=Side(int(row["side"])),
        entry_type=OrderType.LIMIT if row["limit"] else OrderType.MARKET,
        entry_ticks=int(row["entry_ticks"]),
        stop_ticks=int(row["stop_ticks"]),
        targets=tuple(Target(*one) for one in targets)[: int(row["targets"])],
        horizon_ms=int(row["horizon_ms"]),
        evidence=(),
        life_ms=int(row["life_ms"]),
    )


class Calm(RiskKernel):
    """Breakers never move: the batch loop has none."""

    def _moved(self, before: Breaker, reason: str) -> BreakerChanged | None:
        return None


def limits_of(plan: Plan, model: FillModel) -> Limits:
    """The sizing limits of a plan; everything else as wide as it goes."""
    wide = 99_000_000
    return msgspec.structs.replace(
        profile("balanced"), leverage=model.margin.leverage, risk_e8=plan.risk_e8, symbol_e8=plan.cap_e8,
        gross_e8=10**12, heat_e8=wide, daily_e8=wide, weekly_e8=wide, collar_major_e8=wide, collar_other_e8=wide,
    )  # fmt: skip


def slices(market: Market) -> Iterator[MarketSlice]:
    """The spans of all series as the feed would slice them: settlements ride on the first slice at or after them."""
    bars: dict[int, list[BarClosed]] = {}
    for one in market.series:
        for i in range(one.start, len(one.open_ms)):
            bars.setdefault(int(one.open_ms[i]), []).append(bar_of(one, i))
    known = (
        settled for one in market.series for settled in settlements(one) if settled.time_ms >= one.open_ms[one.start]
    )
    funding = sorted(known, key=lambda settled: (settled.time_ms, settled.symbol))
    for at in sorted(bars):
        due = tuple(settled for settled in funding if settled.time_ms <= at)
        funding = funding[len(due) :]
        yield MarketSlice(at, due, tuple(bars[at]))


def settlements(one: Series) -> list[FundingSettled]:
    assumed = np.zeros(len(one.funding_ms), np.bool_) if one.funding_assumed is None else one.funding_assumed
    rows = zip(one.funding_ms.tolist(), one.funding_e8.tolist(), assumed.tolist(), strict=True)
    covers = one.instrument.funding_interval_ms
    return [
        (FundingAssumed if guess else FundingSettled)(time_ms, one.symbol, rate, covers)
        for time_ms, rate, guess in rows
    ]


def bar_of(one: Series, i: int) -> BarClosed:
    at = int(one.open_ms[i])
    prices = (float(column[i]) for column in (one.open, one.high, one.low, one.close, one.volume))
    return BarClosed(at + one.interval_ms, one.symbol, at, *prices)


def by_event(case: Case) -> tuple[list[TradeClosed], list[Fill], SimVenue]:
    """The whole engine over the case."""
    market, interval_ms = case.market, case.market.interval_ms
    instruments = {one.symbol: one.instrument for one in market.series}
    venue = SimVenue(base_interval_ms=interval_ms, model=case.model)
    venue.deposit(case.capital)
    features = Features(interval_ms, instruments, indicators=getattr(case.strategy, "indicators", ()))
    for one in market.series:
        venue.list_instrument(one.instrument)
        history = [bar_of(one, i) for i in range(one.start)]
        venue.remember(history)
        for settled in settlements(one):
            if settled.time_ms < one.open_ms[one.start]:
                features.settle(settled)
        for bar in history:
            features.update(bar)
    delay = case.plan.delay_bars + case.model.latency.decision_ms // interval_ms
    desk = Desk.hedged if case.model.position_mode == "hedge" else Desk
    engine = Engine(
        trader_id="t",
        features=features,
        strategy=case.strategy or Told(case),
        risk=Calm(limits_of(case.plan, case.model), instruments, KEY, "owner", "t", registry=SIZING),
        portfolio=Portfolio("owner", case.capital),
        calibration=Calibration(packaged_priors()),
        desks={symbol: desk(terms) for symbol, terms in instruments.items()},
        cost_of=partial(_costs, case.model),
        rules=EngineRules(False, delay_bars=delay, management=case.plan.management, scaling=case.plan.scaling),
    )
    trades: list[TradeClosed] = []
    fills: list[Fill] = []

    def watch(audit: Audit) -> None:
        trades.extend(one for one in audit.outputs if isinstance(one, TradeClosed))
        if isinstance(audit.event, OrderFilled):
            fills.append(audit.event.fill)

    start_ms = market.span_ms[0]
    started = RunStarted(start_ms, "owner", "t", "simulated", "none", "c", "d", 1, case.capital)
    run_sync(
        Run(
            engine=engine,
            slices=slices(market),
            floor=venue,
            sender=OrderGateway(venue, KEY),
            minds=None,
            journal=RepeatedJournal(MemoryJournal("owner", "parity", "run")),
            opening=(started, *(InstrumentListed(start_ms, terms) for terms in instruments.values())),
            observers=(watch,),
        )
    )
    return trades, fills, venue


def by_batch(case: Case, *, dense: bool = False, together: bool = False) -> Simulated:
    prepared = [prepare(one, case.model, case.decides_ms) for one in case.market.series]
    return run(prepared, case.signals, case.plan, case.model, case.capital, fills=True, dense=dense, together=together)


def trade_of(symbols: tuple[str, ...], row: np.void) -> tuple[Any, ...]:
    names = ("entry_ms", "exit_ms", "side", "steps", "entry_cost", "exit_value", "fees", "funding", "pnl", "risk")
    return (symbols[int(row["symbol"])], *(int(row[name]) for name in names), REASONS[int(row["reason"])])


def fill_of(symbols: tuple[str, ...], row: np.void) -> tuple[Any, ...]:
    names = ("time_ms", "side", "steps", "ticks", "fee", "maker")
    return (symbols[int(row["symbol"])], *(int(row[name]) for name in names), int(row["reason"]) == 0)


def in_time(rows: list[tuple[Any, ...]], at: int) -> list[tuple[Any, ...]]:
    """By time and symbol, the order of each symbol kept."""
    return sorted(rows, key=lambda row: (row[at], row[0]))


def expect_equal(case: Case) -> Simulated:
    """Assert that both make the same fills and trades, to the unit, and that the loop's own variants agree; returns
    what the batch loop made. Between symbols only the order of time counts."""
    trades, fills, venue = by_event(case)
    mine = by_batch(case)
    assert mine.fills is not None
    theirs = [
        (f.symbol, f.time_ms, int(f.side), f.steps, f.price_ticks, f.fee, int(f.maker), f.kind is FillKind.LIQUIDATION)
        for f in fills
    ]
    assert in_time([fill_of(mine.symbols, row) for row in mine.fills], 1) == in_time(theirs, 1)
    closed = [
        (
            t.symbol, t.opened_ms, t.closed_ms, int(t.side), t.steps, t.entry_cost, t.exit_value,
            t.fees, t.funding, t.pnl, t.initial_risk, t.reason,
        )
        for t in trades
    ]  # fmt: skip
    assert in_time([trade_of(mine.symbols, row) for row in mine.trades], 2) == in_time(closed, 2)
    assert mine.wallet == venue.wallet
    assert mine.slippage == sum(venue.slippage_paid(symbol) for symbol in mine.symbols)
    assert mine.ambiguous == sum(venue.ambiguous_bars(symbol) for symbol in mine.symbols)
    others = [by_batch(case, dense=True)]
    if len(mine.symbols) == 1:
        others += [by_batch(case, together=True), by_batch(case, dense=True, together=True)]
    for other in others:
        assert other.trades.tobytes() == mine.trades.tobytes()
        assert other.fills is not None and other.fills.tobytes() == mine.fills.tobytes()
        assert other.equity.tolist() == mine.equity.tolist()
        assert other.wallet == mine.wallet
    return mine


def kinds_of(mine: Simulated) -> set[str]:
    """What happened in a run: reasons of fills, and makers, partial entries and several fills a trade."""
    assert mine.fills is not None
    seen = {REASONS[int(reason)] for reason in mine.fills["reason"]}
    seen |= {"maker"} if mine.fills["maker"].any() else set()
    entries = mine.fills[mine.fills["reason"] == 1]
    seen |= {"partial"} if len(entries) > len(np.unique(entries["trade"])) else set()
    assert mine.trades.dtype == TRADE
    return seen


def interval_of(case: Case) -> str:
    return interval_name(case.market.interval_ms)


def float_column(ticks: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Ticks of 0.1 as canonical prices."""
    return np.asarray(ticks / 10.0)
