"""The batch loop and the event engine make the same trades of the same strategy: equal integers, equal trades hash
(Q2).

The engine runs whole: features, strategy, risk, execution, venue, portfolio; without council, and with only the limits
that size an order, because the batch loop knows no others.
"""

import msgspec
import numpy as np
import pytest

from aister.adapters.store.memory import MemoryJournal
from aister.analytics.hashes import Hashes
from aister.app.build import build_run, open_data
from aister.core.audit import Audit, TradeClosed
from aister.core.events import FundingPaid
from aister.core.trade import Fill, FillKind, Side
from aister.engine.runner import run_sync
from aister.features.catalogue import CATALOGUE
from aister.features.timeframes import INTERVAL_MS, NAMES
from aister.kernels.bracket import BRACKET, LIQUIDATION, TRADE, run
from aister.kernels.features import symbol_state
from aister.kernels.ledger import book_transfer
from aister.kernels.signals import SIGNAL, cross_state, ema_cross_batch
from aister.kernels.state import allocate
from aister.risk.kernel import RiskKernel
from aister.risk.limits import risk_per_trade, venue_filters
from aister.risk.profile import profile
from aister.sim.desk import write_book
from aister.strategy.ema_cross import EmaCross
from tests.parity.runs import DAY_MS, SAMPLE_START_MS, settings
from tests.sim.market import plain_model

HORIZON_MS = 2 * 3_600_000
RISK_E8 = 20_000
"""0.02 % a trade: small enough that margin never binds, so both size by risk alone."""


def by_batch(symbol: str, timeframe: str, days: int) -> tuple[np.ndarray, Hashes]:
    asked = settings(days, symbols=(symbol,), mind="none", strategy="ema_cross")
    feed = open_data(asked)
    instrument, columns = feed.instruments[symbol], feed.columns(symbol)
    open_ms = columns["open_time"]
    prices = [columns[name] for name in ("open", "high", "low", "close")]
    slot = NAMES.index(timeframe)
    warmup = max(CATALOGUE[f"{timeframe}.{name}"].warmup for name in ("ema_20", "ema_50", "rsi_14", "close", "atr_14"))
    signals = np.zeros(len(open_ms) // (INTERVAL_MS[timeframe] // 60_000) + 1, SIGNAL)
    cross = cross_state(instrument.tick_e8, 2.0, 3.0, warmup)
    rows = ema_cross_batch(symbol_state(60_000), cross, open_ms, *prices, columns["volume"], slot, signals)
    state = allocate(BRACKET)
    s = state[0]
    write_book(s["book"], instrument, plain_model())
    book_transfer(state["account"], asked.capital)
    s["risk_e8"], s["min_steps"], s["max_steps"] = RISK_E8, instrument.min_steps, instrument.market_max_steps
    s["min_notional"], s["interval_ms"], s["horizon_ms"] = instrument.min_notional, 60_000, HORIZON_MS
    rates = {f.time_ms: f.rate_e8 for f in feed.funding}
    funding = np.array([rates.get(int(t), 0) for t in open_ms], "i8")
    paid, equity = np.zeros(len(open_ms), "i8"), np.zeros(len(open_ms), "i8")
    trades = np.zeros(rows, TRADE)
    count = run(state, open_ms, *prices, funding, signals[:rows], paid, equity, trades)
    assert count >= 0
    hashes = _hashes(symbol, trades[:count], open_ms, prices[0], funding, paid, instrument.ticks_per_quote)
    last = s["trade"]
    if s["book"]["position"]["steps"]:  # the feed ended in a position: its entry is a fill too
        hashes.fill(
            _fill(
                symbol, last, "entry_ms", Side(int(last["side"])), "entry_ticks", int(last["entry_fee"]), FillKind.TRADE
            )
        )
    return trades[:count], hashes


def _fill(symbol, trade, at, side, ticks, fee, kind) -> Fill:  # type: ignore[no-untyped-def]
    return Fill(int(trade[at]), symbol, "", "", "", side, int(trade["steps"]), int(trade[ticks]), fee, False, kind)


def _hashes(symbol, trades, open_ms, opens, funding, paid, ticks_per_quote) -> Hashes:  # type: ignore[no-untyped-def]
    hashes = Hashes()
    for trade in trades:
        side = Side(int(trade["side"]))
        kind = FillKind.LIQUIDATION if trade["reason"] == LIQUIDATION else FillKind.TRADE
        for at, who, ticks, fee, what in (
            ("entry_ms", side, "entry_ticks", int(trade["entry_fee"]), FillKind.TRADE),
            ("exit_ms", side.opposite, "exit_ticks", int(trade["fees"] - trade["entry_fee"]), kind),
        ):
            hashes.fill(_fill(symbol, trade, at, who, ticks, fee, what))
        held = (open_ms > trade["entry_ms"]) & (open_ms <= trade["exit_ms"]) & (funding != 0)
        for i in np.flatnonzero(held):
            ticks_open, steps = int(np.rint(opens[i] * ticks_per_quote)), int(trade["side"] * trade["steps"])
            hashes.funding(FundingPaid(int(open_ms[i]), symbol, int(paid[i]), int(funding[i]), steps, ticks_open, True))
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
    batch, batch_hashes = by_batch(symbol, timeframe, days)
    event, event_hashes = by_event(symbol, timeframe, days)
    assert len(batch) > 20
    assert len({int(t["reason"]) for t in batch}) == 3, "stops, targets and time stops must all occur"
    assert any(t["funding"] for t in batch) or days < 10
    fields = ("entry_ms", "exit_ms", "side", "steps", "fees", "funding", "pnl")
    assert [tuple(int(t[f]) for f in fields) for t in batch][: len(event)] == [
        (t.opened_ms, t.closed_ms, int(t.side), t.steps, t.fees, t.funding, t.pnl) for t in event
    ]
    assert len(batch) == len(event)
    assert batch_hashes.trade_lines()[: len(event_hashes.trade_lines())] == event_hashes.trade_lines()
    assert batch_hashes.trades_hash == event_hashes.trades_hash


def test_the_sample_starts_where_these_tests_think() -> None:
    feed = open_data(settings(1))
    assert feed.span_ms == (SAMPLE_START_MS, SAMPLE_START_MS + DAY_MS)
