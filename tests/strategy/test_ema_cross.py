"""The crossing rule: as plain Python says it over columns of features, to the tick, and step by step by hand."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aister.core.trade import OrderType
from aister.features.columns import FeatureColumns
from aister.kernels.signals import cross_state, ema_cross_live, tick_above, tick_below
from aister.ports.market import Series
from aister.strategy.ema_cross import EmaCross
from tests.features.markets import events_of
from tests.kernels.walks import MINUTE_MS, Bars, walk
from tests.strategy.scenes import instrument
from tests.strategy.test_confluence import run


def told_by_columns(bars: Bars, timeframe: str) -> list[tuple[int, ...]]:
    """(close time, side, entry, stop, target) of each signal, read off feature columns: the last two averages known
    that differed, on whole bars; stops 2 and targets 3 average true ranges away, outward to the grid of 0.1."""
    none = np.zeros(0, np.int64)
    columns = FeatureColumns(Series(instrument(), MINUTE_MS, *bars, none, none))
    closes = columns.closes(timeframe)
    fast, slow, rsi, atr = (columns.column(timeframe, name) for name in ("ema_20", "ema_50", "rsi_14", "atr_14"))
    found: list[tuple[int, ...]] = []
    above: bool | None = None
    for i in np.flatnonzero(closes.complete):
        if not np.isfinite([fast[i], slow[i], rsi[i], atr[i]]).all():
            above = None
        elif fast[i] != slow[i]:
            before, above = above, bool(fast[i] > slow[i])
            side = 1 if above else -1
            if before is (not above) and (rsi[i] - 50.0) * side > 0:
                entry = closes.close[i] * 10
                stop, target = entry - side * 20 * atr[i], entry + side * 30 * atr[i]
                out, beyond = (math.floor, math.ceil) if side > 0 else (math.ceil, math.floor)
                found.append((int(closes.known_ms[i]), side, round(entry), out(stop), beyond(target)))
    return found


@pytest.mark.parametrize(("timeframe", "gaps"), [("5m", 0), ("15m", 0), ("15m", 400), ("1m", 0)])
def test_columns_and_events_give_the_same_signals(timeframe: str, gaps: int) -> None:
    bars = walk(60_000, 8, start=90_000.0)
    lost = np.random.default_rng(3).choice(60_000, gaps, replace=False)
    bars = bars.take(np.delete(np.arange(60_000), lost))
    expected = told_by_columns(bars, timeframe)
    setups = run(events_of(bars, "BTCUSDT"), EmaCross(timeframe))
    assert [(s.time_ms, int(s.side), s.entry_ticks, s.stop_ticks, s.targets[0].ticks) for s in setups] == expected
    assert len(expected) > 40
    assert {side for _, side, *_ in expected} == {1, -1}
    for setup in setups:
        assert setup.entry_type is OrderType.MARKET
        assert setup.id == f"BTCUSDT-{setup.time_ms}-ema_cross-{setup.side.word}"
        assert (setup.entry_ticks - setup.stop_ticks) * setup.side > 0
        assert (setup.targets[0].ticks - setup.entry_ticks) * setup.side > 0


def signals_of(rows: list[tuple[float, float, float]]) -> list[int]:
    memory = cross_state(10_000_000, 2.0, 3.0)
    return [ema_cross_live(memory, fast, slow, rsi, 100.0, 1.0) for fast, slow, rsi in rows]


def test_the_step_by_hand() -> None:
    assert signals_of([(1.0, 2.0, 60.0), (3.0, 2.0, 60.0), (4.0, 2.0, 60.0)]) == [0, 1, 0]
    assert signals_of([(3.0, 2.0, 40.0), (1.0, 2.0, 40.0), (3.0, 2.0, 60.0)]) == [0, -1, 1]
    assert signals_of([(1.0, 2.0, 60.0), (3.0, 2.0, 50.0), (4.0, 2.0, 60.0)]) == [0, 0, 0]  # not confirmed, not later
    assert signals_of([(1.0, 2.0, 60.0), (2.0, 2.0, 60.0), (3.0, 2.0, 60.0)]) == [0, 0, 1]  # a touch is no crossing
    nan = math.nan
    assert signals_of([(1.0, 2.0, 60.0), (nan, 2.0, 60.0), (3.0, 2.0, 60.0), (1.0, 2.0, 40.0)]) == [0, 0, 0, -1]


def test_stop_and_target_are_rounded_outward() -> None:
    memory = cross_state(10_000_000, 2.0, 3.0)  # a tick of 0.1
    ema_cross_live(memory, 1.0, 2.0, 60.0, 100.0, 0.33)
    assert ema_cross_live(memory, 3.0, 2.0, 60.0, 100.0, 0.33) == 1
    assert [int(memory[f][0]) for f in ("entry_ticks", "stop_ticks", "target_ticks")] == [1_000, 993, 1_010]
    assert ema_cross_live(memory, 1.0, 2.0, 40.0, 100.0, 0.33) == -1
    assert [int(memory[f][0]) for f in ("entry_ticks", "stop_ticks", "target_ticks")] == [1_000, 1_007, 990]


@settings(max_examples=200)
@given(price=st.floats(0.01, 1e6))
def test_ticks_are_those_of_the_instrument(price: float) -> None:
    for contract in (instrument("BTCUSDT"), instrument("SOLUSDT")):
        assert tick_below(price, float(contract.tick_e8)) == contract.ticks_below(price)
        assert tick_above(price, float(contract.tick_e8)) == contract.ticks_above(price)
