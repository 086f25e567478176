"""What every indicator declares holds: warm-up (Q33), invariances (Q21); no value changes with what comes after it;
windows stay exact."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aister.features.columns import FeatureColumns
from aister.features.indicators import indicator
from aister.features.lookahead import Bars as Columns
from aister.features.lookahead import Table, find_lookahead, random_cuts
from aister.kernels.averages import START_EFFECT
from aister.kernels.table import table
from aister.kernels.table_columns import column_of
from tests.features.examples import ALL
from tests.features.series import gapped, series_of
from tests.kernels.walks import MINUTE_MS, Bars, Floats, walk

LATER = 1_440
"""A whole day, so that the later start sees its UTC day from the first bar too."""
RECURSIVE = ("ema_34", "rsi_34", "macd_signal_6_13_20", "atr_34", "adx_34", "plus_di_34")


def columns_of(bars: Bars) -> FeatureColumns:
    return FeatureColumns(series_of(bars))


@cache
def early(seed: int) -> FeatureColumns:
    return columns_of(walk(3_200, seed))


@cache
def later(seed: int) -> FeatureColumns:
    return columns_of(walk(3_200, seed).take(slice(LATER, None)))


def unhidden(bars: Bars, name: str) -> Floats:
    """The column before its warm-up is hidden."""
    made = indicator(name)
    assert made.opcode
    slots, rings = table([(0, *made.opcode, made.parameters)])
    out = np.empty(bars.c.size)
    prices = (bars.h, bars.l, bars.c, bars.v)
    column_of(made.opcode[0])(slots, rings, bars.open_time_ms, bars.open_time_ms + MINUTE_MS, bars.c, *prices, out)
    return out


def effect(whole: Floats, part: Floats) -> float:
    difference = np.abs(whole[LATER:] - part) / np.nanmedian(np.abs(whole))
    assert np.isfinite(difference).any()
    return float(np.nanmax(difference))


@pytest.mark.parametrize("name", ALL)
def test_the_start_of_history_is_forgotten_after_the_warm_up(name: str) -> None:
    for seed in (41, 42):
        whole, part = early(seed).column("1m", name), later(seed).column("1m", name)
        if indicator(name).kind.endswith(("formed_at", "known_at")):
            whole, part = whole - 1.746e12, part - 1.746e12
        assert effect(whole, part) < START_EFFECT


@pytest.mark.parametrize("name", RECURSIVE)
def test_and_not_long_before(name: str) -> None:
    """The control: with half the warm-up the start still shows, so the test above can fail."""
    half = indicator(name).warmup // 2
    effects = []
    for seed in (41, 42):
        part = unhidden(walk(3_200, seed).take(slice(LATER, None)), name)
        part[: half - 1] = np.nan
        effects.append(effect(early(seed).column("1m", name), part))
    assert max(effects) > START_EFFECT


def close(got: Floats, expected: Floats) -> bool:
    known = expected[~np.isnan(expected)]
    usual = float(np.median(np.abs(known))) if known.size else 1.0
    return bool(
        (np.isnan(got) == np.isnan(expected)).all() and np.allclose(got, expected, 1e-6, 1e-6 * usual, equal_nan=True)
    )


def mapped(bars: Bars, o: Floats, h: Floats, l: Floats, c: Floats) -> FeatureColumns:
    return columns_of(Bars(bars.open_time_ms, o, h, l, c, bars.v))


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 10**6), by=st.floats(-50.0, 1_000.0))
def test_shifting_every_price(seed: int, by: float) -> None:
    bars = walk(700, seed)
    before, after = columns_of(bars), mapped(bars, bars.o + by, bars.h + by, bars.l + by, bars.c + by)
    for name in ALL:
        how = indicator(name).additive
        if how:
            expected = before.column("1m", name) + (by if how == "moves" else 0.0)
            assert close(after.column("1m", name), expected), name


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 10**6), power=st.integers(-4, 4), k=st.floats(1.0, 9.0))
def test_scaling_every_price(seed: int, power: int, k: float) -> None:
    factor = k * 10.0**power
    bars = walk(700, seed)
    before, after = columns_of(bars), mapped(bars, bars.o * factor, bars.h * factor, bars.l * factor, bars.c * factor)
    for name in ALL:
        how = indicator(name).scale
        if how:
            expected = before.column("1m", name) * (factor if how == "moves" else 1.0)
            assert close(after.column("1m", name), expected), name


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 10**6), over=st.floats(1.0, 1e6))
def test_inverting_every_price(seed: int, over: float) -> None:
    bars = walk(700, seed)
    before = columns_of(bars)
    after = mapped(bars, over / bars.o, over / bars.l, over / bars.h, over / bars.c)
    for name in ALL:
        if indicator(name).reciprocal:
            how, partner = indicator(name).reciprocal.split()
            expected = before.column("1m", partner)
            assert close(after.column("1m", name), over / expected if how == "inverse" else expected), name


@pytest.mark.parametrize("name", [name for name in ALL if not (indicator(name).additive and indicator(name).scale)])
def test_what_is_not_declared_does_not_hold(name: str) -> None:
    bars = walk(700, 51)
    before = columns_of(bars).column("1m", name)
    if not indicator(name).additive:
        after = mapped(bars, bars.o + 40.0, bars.h + 40.0, bars.l + 40.0, bars.c + 40.0).column("1m", name)
        assert not close(after, before)
        assert not close(after, before + 40.0)
    assert indicator(name).scale


@pytest.mark.parametrize("timeframe", ["1m", "5m", "15m"])
def test_nothing_after_a_moment_changes_a_column_at_it(timeframe: str) -> None:
    walked = gapped(2_700, 95)
    bars = Columns(MINUTE_MS, *walked)

    def compute(bars: Columns) -> Table:
        made = columns_of(Bars(bars.open_time_ms, bars.open, bars.high, bars.low, bars.close, bars.volume))
        made.prepare(timeframe, ALL)
        return Table(made.closes(timeframe).known_ms, {name: made.column(timeframe, name) for name in ALL})

    assert find_lookahead(compute, bars, random_cuts(bars, 12, 96), 97) == ()


@pytest.mark.parametrize(
    "name", ["sma_34", "bollinger_upper_55_1", "wma_34", "volatility_34", "volume_sma_34", "obv_34"]
)
def test_windows_stay_exact(name: str) -> None:
    """Q33: after 150,000 bars of a price that wanders, running sums equal fresh ones to 1e-9."""
    bars = walk(150_000, 98, start=50_000.0)
    running = columns_of(bars).column("1m", name)[-500:]
    fresh = np.array([columns_of(bars.take(slice(i - 60, i))).column("1m", name)[-1] for i in range(149_951, 150_001)])
    np.testing.assert_allclose(running[-50:], fresh, rtol=1e-9, atol=1e-9 * np.abs(running).max())
