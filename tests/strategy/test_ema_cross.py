"""One step, two drivers: the batch loop and the strategy object give the same signals, to the tick."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aister.core.trade import OrderType
from aister.features.timeframes import NAMES
from aister.kernels.features import symbol_state
from aister.kernels.signals import SIGNAL, cross_state, ema_cross_batch, ema_cross_live, tick_above, tick_below
from aister.strategy.ema_cross import EmaCross
from tests.features.markets import events_of
from tests.kernels.walks import MINUTE_MS, walk
from tests.strategy.scenes import instrument
from tests.strategy.test_confluence import run


@pytest.mark.parametrize(("timeframe", "gaps"), [("5m", 0), ("15m", 0), ("15m", 400), ("1m", 0)])
def test_batch_and_events_give_the_same_signals(timeframe: str, gaps: int) -> None:
    bars = walk(60_000, 8, start=90_000.0)
    lost = np.random.default_rng(3).choice(60_000, gaps, replace=False)
    bars = bars.take(np.delete(np.arange(60_000), lost))
    strategy = EmaCross(timeframe)
    signals = np.zeros(len(bars.c), SIGNAL)
    memory = cross_state(instrument().tick_e8, strategy.stop_atr, strategy.target_atr, strategy.warmup)
    rows = ema_cross_batch(symbol_state(MINUTE_MS), memory, *bars, NAMES.index(timeframe), signals)
    expected = [tuple(row) for row in signals[:rows].tolist()]
    setups = run(events_of(bars, "BTCUSDT"), strategy)
    assert [(s.time_ms, int(s.side), s.entry_ticks, s.stop_ticks, s.targets[0].ticks) for s in setups] == expected
    assert len(expected) > 40
    assert {side for _, side, *_ in expected} == {1, -1}
    for setup in setups:
        assert setup.entry_type is OrderType.MARKET
        assert setup.id == f"BTCUSDT-{setup.time_ms}-ema_cross-{setup.side.word}"
        assert (setup.entry_ticks - setup.stop_ticks) * setup.side > 0
        assert (setup.targets[0].ticks - setup.entry_ticks) * setup.side > 0


def signals_of(rows: list[tuple[float, float, float]]) -> list[int]:
    memory = cross_state(10_000_000, 2.0, 3.0, 0)
    return [ema_cross_live(memory, fast, slow, rsi, 100.0, 1.0) for fast, slow, rsi in rows]


def test_the_step_by_hand() -> None:
    assert signals_of([(1.0, 2.0, 60.0), (3.0, 2.0, 60.0), (4.0, 2.0, 60.0)]) == [0, 1, 0]
    assert signals_of([(3.0, 2.0, 40.0), (1.0, 2.0, 40.0), (3.0, 2.0, 60.0)]) == [0, -1, 1]
    assert signals_of([(1.0, 2.0, 60.0), (3.0, 2.0, 50.0), (4.0, 2.0, 60.0)]) == [0, 0, 0]  # not confirmed, not later
    assert signals_of([(1.0, 2.0, 60.0), (2.0, 2.0, 60.0), (3.0, 2.0, 60.0)]) == [0, 0, 1]  # a touch is no crossing
    nan = math.nan
    assert signals_of([(1.0, 2.0, 60.0), (nan, 2.0, 60.0), (3.0, 2.0, 60.0), (1.0, 2.0, 40.0)]) == [0, 0, 0, -1]


def test_stop_and_target_are_rounded_outward() -> None:
    memory = cross_state(10_000_000, 2.0, 3.0, 0)  # a tick of 0.1
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
