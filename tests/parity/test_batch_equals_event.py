"""The batch loop and the event engine make the same trades of the same strategy: equal integers, equal trades hash
(Q2).

The engine runs whole: features, strategy, risk, execution, venue, portfolio; without council, and with only the limits
that size an order, because the batch loop knows no others.
"""

from functools import partial

import msgspec
import numpy as np
import pytest

from aister.adapters.store.memory import MemoryJournal
from aister.analytics.hashes import Hashes
from aister.app.build import build_run, open_data
from aister.core.audit import Audit, TradeClosed
from aister.core.events import FundingPaid
from aister.core.money import RATE_ONE, apply_rate
from aister.core.trade import Fill, FillKind, Side
from aister.engine.runner import run_sync
from aister.features.market import Features
from aister.features.timeframes import INTERVAL_MS
from aister.kernels.signals import EXIT, SETUP
from aister.kernels.trades import LIQUIDATION, REASONS
from aister.lab.batch import Plan, Simulated, simulate
from aister.ports.market import Market, Series
from aister.ports.signals import Signals
from aister.risk.kernel import RiskKernel
from aister.risk.limits import risk_per_trade, venue_filters
from aister.risk.profile import profile
from aister.strategy.ema_cross import EmaCross
from tests.parity.both import bar_of
from tests.parity.runs import DAY_MS, SAMPLE_START_MS, settings
from tests.sim.market import plain_model

HORIZON_MS = 2 * 3_600_000
RISK_E8 = 20_000
"""0.02 % a trade: small enough that margin never binds, so both size by risk alone."""
ALL = (10_000, 0, 0)


def by_batch(symbol: str, timeframe: str, days: int) -> tuple[Simulated, Hashes]:
    asked = settings(days, symbols=(symbol,), mind="none", strategy="ema_cross")
    market = open_data(asked).market()
    signals = {symbol: signals_of(market, EmaCross(timeframe, horizon_ms=HORIZON_MS))}
    plan = Plan(risk_e8=RISK_E8, cap_e8=1_000 * RATE_ONE)
    decides_ms = [INTERVAL_MS[timeframe]]
    made = simulate(market, signals, plan, plain_model(), asked.capital, decides_ms=decides_ms, fills=True)
    return made, _hashes(market.series[0], made)


def signals_of(market: Market, strategy: EmaCross) -> Signals:
    """What the strategy says over features fed bar by bar, as rows."""
    (one,) = market.series
    features = Features(one.interval_ms, [one.symbol])
    rows = []
    for bar in map(partial(bar_of, one), range(len(one.open_ms))):
        if features.update(bar) & strategy.mask:
            for setup in strategy.setups(features.snapshot(one.symbol, bar.time_ms), one.instrument, 0):
                aims = (setup.targets[0].ticks, 0, 0)
                ends = (setup.horizon_ms, setup.life_ms)
                rows.append(
                    (setup.time_ms, int(setup.side), 0, setup.entry_ticks, setup.stop_ticks, 1, aims, ALL, *ends)
                )
    return Signals(np.array(rows, SETUP), np.zeros(0, EXIT))


def _hashes(one: Series, made: Simulated) -> Hashes:
    """Fills, and settlements worked out again from what the fills left held."""
    hashes, held = Hashes(), np.zeros(len(one.funding_ms), np.int64)
    assert made.fills is not None
    for fill in made.fills:
        kind = FillKind.LIQUIDATION if fill["reason"] == LIQUIDATION else FillKind.TRADE
        figures = (int(fill["steps"]), int(fill["ticks"]), int(fill["fee"]), bool(fill["maker"]))
        hashes.fill(Fill(int(fill["time_ms"]), one.symbol, "", "", "", Side(int(fill["side"])), *figures, kind))
        held[one.funding_ms > fill["time_ms"]] += fill["side"] * fill["steps"]
    paid = 0
    for i in np.flatnonzero(held):
        at = int(one.open[np.searchsorted(one.open_ms, one.funding_ms[i])] * one.instrument.ticks_per_quote + 0.5)
        steps, rate_e8 = int(held[i]), int(one.funding_e8[i])
        amount = apply_rate(at * steps * one.instrument.unit, rate_e8)
        hashes.funding(FundingPaid(int(one.funding_ms[i]), one.symbol, amount, rate_e8, steps, at, True))
        paid += amount
    assert paid == made.funding
    return hashes


def by_event(symbol: str, timeframe: str, days: int) -> tuple[list[TradeClosed], Hashes]:
    asked = settings(days, symbols=(symbol,), mind="none", strategy="ema_cross")
    feed = open_data(asked)
    hashes, closed = Hashes(), []

    def watch(audit: Audit) -> None:
        hashes.observe(audit)
        closed.extend(o for o in audit.outputs if isinstance(o, TradeClosed))

    limits = msgspec.structs.replace(profile("balanced"), risk_e8=RISK_E8)
    built = build_run(
        asked,
        feed,
        MemoryJournal("owner", "parity", "run"),
        (watch,),
        strategy=EmaCross(timeframe, horizon_ms=HORIZON_MS),
        risk=lambda instruments, key: RiskKernel(
            limits, instruments, key, "owner", "t1", registry=(venue_filters, risk_per_trade)
        ),
        model=plain_model(),
    )
    run_sync(built.run)
    return closed, hashes


@pytest.mark.parametrize(
    ("symbol", "timeframe", "days"), [("BTCUSDT", "1m", 6), ("ETHUSDT", "5m", 29), ("SOLUSDT", "15m", 29)]
)
def test_trade_for_trade(symbol: str, timeframe: str, days: int) -> None:
    made, batch_hashes = by_batch(symbol, timeframe, days)
    event, event_hashes = by_event(symbol, timeframe, days)
    batch = made.trades
    assert len(batch) > 20
    assert {"stop", "target", "time"} <= {REASONS[int(t["reason"])] for t in batch}
    assert any(t["funding"] for t in batch) or days < 10
    fields = ("entry_ms", "exit_ms", "side", "steps", "fees", "funding", "pnl")
    assert [tuple(int(t[f]) for f in fields) for t in batch] == [
        (t.opened_ms, t.closed_ms, int(t.side), t.steps, t.fees, t.funding, t.pnl) for t in event
    ]
    assert batch_hashes.trade_lines() == event_hashes.trade_lines()
    assert batch_hashes.trades_hash == event_hashes.trades_hash


def test_the_sample_starts_where_these_tests_think() -> None:
    feed = open_data(settings(1))
    assert feed.span_ms == (SAMPLE_START_MS, SAMPLE_START_MS + DAY_MS)
