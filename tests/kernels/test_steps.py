"""Each rule alone: stepped from Python = looped by a kernel = restored from a snapshot, to the byte."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numba
import numpy as np
import pytest

from aister.kernels import averages, momentum, structure, volatility, vwap
from aister.kernels.state import LayoutChanged, allocate, restore, snapshot
from tests.kernels.walks import Bars, walk


class Rule(NamedTuple):
    """A step with its memory, how to prepare it, the columns it takes, and the bar of its first answer."""

    step: Callable[..., Any]
    layout: np.dtype[Any]
    prepare: Callable[[np.void], None]
    columns: Callable[[Bars], tuple[Any, ...]]
    first: int


def closes(bars: Bars) -> tuple[Any, ...]:
    return (bars.c,)


def ranges(bars: Bars) -> tuple[Any, ...]:
    return bars.h, bars.l, bars.c


def sessions(bars: Bars) -> tuple[Any, ...]:
    anchor = bars.open_time_ms // 3_600_000
    return anchor, bars.open_time_ms % 3_600_000 == 0, bars.h, bars.l, bars.c, bars.v


def banded(bars: Bars) -> tuple[Any, ...]:
    return np.full(bars.c.size, 2.0), bars.c


def pivots(bars: Bars) -> tuple[Any, ...]:
    return bars.open_time_ms, bars.open_time_ms + 60_000, bars.h, bars.l


RULES = {
    "ema": Rule(averages.ema, averages.EMA, lambda s: averages.set_ema(s, 20), closes, 20),
    "wilder": Rule(averages.ema, averages.EMA, lambda s: averages.set_wilder(s, 14), closes, 14),
    "sma": Rule(averages.sma, averages.window_layout(20), averages.set_window, closes, 20),
    "window": Rule(averages.window, averages.window_layout(20), averages.set_window, closes, 20),
    "bollinger": Rule(averages.bollinger, averages.window_layout(20), averages.set_window, banded, 20),
    "macd": Rule(averages.macd, averages.MACD, lambda s: averages.set_macd(s, 12, 26, 9), closes, 26),
    "rsi": Rule(momentum.rsi, momentum.RSI, lambda s: momentum.set_rsi(s, 14), closes, 15),
    "atr": Rule(volatility.atr, volatility.ATR, lambda s: volatility.set_atr(s, 14), ranges, 15),
    "adx": Rule(momentum.adx, momentum.ADX, lambda s: momentum.set_adx(s, 14), ranges, 15),
    "volatility": Rule(volatility.volatility, volatility.volatility_layout(96), volatility.set_volatility, closes, 97),
    "swings": Rule(structure.swings, structure.swings_layout(3), structure.set_swings, pivots, 1),
    "vwap": Rule(vwap.vwap, vwap.VWAP, lambda s: None, sessions, 1),
}


def prepared(rule: Rule) -> np.ndarray[Any, np.dtype[np.void]]:
    state = allocate(rule.layout)
    rule.prepare(state[0])
    return state


def loop(rule: Rule, state: np.ndarray[Any, np.dtype[np.void]], columns: tuple[Any, ...]) -> np.ndarray[Any, Any]:
    """A batch kernel around the rule."""
    inner = rule.step

    @numba.njit(error_model="numpy")
    def drive(state: Any, rows: Any) -> Any:
        s = state[0]
        return [inner(s, *row) for row in rows]

    rows = list(zip(*(column.tolist() for column in columns), strict=True))
    return np.array(drive(state, numba.typed.List(rows)))


@pytest.mark.parametrize("name", RULES)
def test_stepped_from_python_is_the_batch_to_the_byte(name: str) -> None:
    rule = RULES[name]
    columns = rule.columns(walk(400, seed=7))
    batch, live, resumed = prepared(rule), prepared(rule), prepared(rule)
    looped = loop(rule, batch, columns)
    s = live[0]
    stepped = []
    for i, row in enumerate(zip(*(column.tolist() for column in columns), strict=True)):
        if i == 150:
            restore(resumed, snapshot(live))
            s = resumed[0]
        stepped.append(rule.step(s, *row))
    assert np.array(stepped).tobytes() == looped.tobytes()
    assert resumed.tobytes() == batch.tobytes()
    answered = ~np.isnan(looped.reshape(400, -1)).all(axis=1)
    assert int(np.argmax(answered)) + 1 == rule.first


def test_windows_stay_exact_over_five_million_bars() -> None:
    """Q33: after 5 M inputs of a price that wanders far, mean and deviation equal a fresh computation to 1e-9."""
    n = 5_000_000
    rng = np.random.default_rng(11)
    x = 50_000.0 * np.exp(np.cumsum(rng.normal(0.0, 1e-3, n)))
    rule = RULES["window"]
    inner = rule.step

    @numba.njit(error_model="numpy")
    def drive(state: Any, x: Any, tail: int) -> Any:
        s = state[0]
        out = np.empty((tail, 2))
        for i in range(x.size):
            mean, deviation = inner(s, x[i])
            at = i - (x.size - tail)
            if at >= 0:
                out[at, 0] = mean
                out[at, 1] = deviation
        return out

    out = drive(prepared(rule), x, 1_000)
    fresh = np.lib.stride_tricks.sliding_window_view(x[-1_019:], 20)
    np.testing.assert_allclose(out[:, 0], fresh.mean(axis=1), rtol=1e-9)
    np.testing.assert_allclose(out[:, 1], fresh.std(axis=1), rtol=1e-9)


def test_a_window_survives_a_crash_of_price_and_a_flat_market() -> None:
    rng = np.random.default_rng(12)
    x = np.concatenate((1e5 + rng.normal(0.0, 1.0, 333), 1e2 + rng.normal(0.0, 1e-3, 333), np.full(100, 101.37)))
    out = loop(RULES["window"], prepared(RULES["window"]), (x,))[19:]
    fresh = np.lib.stride_tricks.sliding_window_view(x, 20)
    np.testing.assert_allclose(out[:, 0], fresh.mean(axis=1), rtol=1e-9)
    np.testing.assert_allclose(out[:, 1], fresh.std(axis=1), rtol=1e-7, atol=1e-9)
    assert out[-60:, 1].max() == 0.0


def test_a_flat_market_has_no_strength_index() -> None:
    flat = (np.full(40, 5.0),)
    assert np.isnan(loop(RULES["rsi"], prepared(RULES["rsi"]), flat)).all()
    adx = loop(RULES["adx"], prepared(RULES["adx"]), flat * 3)
    assert adx[-1][0] == 0.0
    assert np.isnan(adx[-1][1:]).all()


def test_a_snapshot_of_another_layout_is_refused_and_changes_nothing() -> None:
    ema, rsi = prepared(RULES["ema"]), prepared(RULES["rsi"])
    before = ema.tobytes()
    for taken in (snapshot(rsi), snapshot(ema)[:-1], b""):
        with pytest.raises(LayoutChanged, match="another layout"):
            restore(ema, taken)
    assert ema.tobytes() == before


def test_vwap_begins_anew_with_its_session_and_ignores_a_session_it_did_not_see_open() -> None:
    bars = walk(180, seed=8).take(slice(10, None))
    got = loop(RULES["vwap"], prepared(RULES["vwap"]), sessions(bars))
    assert np.isnan(got[:50]).all()
    for begin, end in ((50, 110), (110, 170)):
        price = (bars.h + bars.l + bars.c)[begin:end] / 3.0
        v = bars.v[begin:end]
        np.testing.assert_allclose(got[begin:end], np.cumsum(price * v) / np.cumsum(v), rtol=1e-12)


def test_vwap_is_unknown_until_something_traded() -> None:
    state = allocate(vwap.VWAP)
    s = state[0]
    assert np.isnan(vwap.vwap(s, 1, True, 10.0, 10.0, 10.0, 0.0))
    assert vwap.vwap(s, 1, False, 12.0, 12.0, 12.0, 1.0) == 12.0
