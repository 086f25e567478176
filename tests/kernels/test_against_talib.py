"""Rules equal TA-Lib where it has them, on base bars and on bars built from them."""

import numpy as np
import pytest
import talib

from aister.kernels.features import TIMEFRAMES, symbol_state, tabulate
from tests.kernels.walks import MINUTE_MS, Bars, Floats, resample, walk


def oracle(bars: Bars) -> dict[str, Floats]:
    _, h, l, c, _ = bars[1:]
    upper, middle, lower = talib.BBANDS(c, 20, 2.0, 2.0)
    line, signal, histogram = talib.MACD(c, 12, 26, 9)
    return {
        "ema_20": talib.EMA(c, 20),
        "ema_50": talib.EMA(c, 50),
        "sma_20": talib.SMA(c, 20),
        "rsi_14": talib.RSI(c, 14),
        "macd": line,
        "macd_signal": signal,
        "macd_histogram": histogram,
        "bollinger_upper": upper,
        "bollinger_lower": lower,
        "atr_14": talib.ATR(h, l, c, 14),
        "adx_14": talib.ADX(h, l, c, 14),
        "plus_di_14": talib.PLUS_DI(h, l, c, 14),
        "minus_di_14": talib.MINUS_DI(h, l, c, 14),
        "sma_20 again": middle,
    }


@pytest.mark.parametrize(("slot", "seed"), [(0, 1), (0, 2), (1, 3), (2, 4)])
def test_equals_talib_from_the_same_first_bar(slot: int, seed: int) -> None:
    """Within 1e-9, relative for prices above 1; and nan on the very same bars, but for the MACD line, given earlier."""
    interval_ms = TIMEFRAMES[slot][1]
    base = walk(5_000 * interval_ms // MINUTE_MS, seed)
    bars = resample(base, interval_ms)
    opened, out = tabulate(symbol_state(MINUTE_MS), *base, slot)
    np.testing.assert_array_equal(opened, bars.open_time_ms)
    for name, expected in oracle(bars).items():
        got = out[name.split()[0]]
        if name == "macd":
            assert np.isnan(got[:25]).all()
            got = np.where(np.isnan(expected), np.nan, got)
        np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-9, err_msg=name)


def test_true_range_spans_the_gap_from_the_close_before() -> None:
    from aister.kernels.volatility import true_range

    assert true_range(100.0, 99.0, 98.0) == 2.0
    assert true_range(90.0, 99.0, 98.0) == 9.0
    assert true_range(98.5, 99.0, 98.0) == 1.0
