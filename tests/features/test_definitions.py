"""Indicators equal TA-Lib where it has them, and a plain definition elsewhere."""

from collections.abc import Callable

import numpy as np
import pytest
import talib

from aister.features.columns import FeatureColumns
from aister.features.indicators import indicator
from tests.features.examples import ALL
from tests.features.series import series_of
from tests.kernels.walks import Bars, Floats, walk

windows = np.lib.stride_tricks.sliding_window_view
Rule = Callable[..., Floats]


def late(values: Floats, n: int) -> Floats:
    """Values of which the first belongs to row n - 1."""
    return np.concatenate((np.full(n - 1, np.nan), values))


def stochastic(b: Bars, span: int, smooth: int, signal: int = 1) -> tuple[Floats, Floats]:
    k, d = talib.STOCH(b.h, b.l, b.c, span, smooth, 0, signal, 0)
    return k, d


def supertrend(b: Bars, span: int, multiple: float) -> tuple[Floats, Floats]:
    """The rule as it is usually written, from the first ATR on, starting as a rise."""
    reach, middle = multiple * talib.ATR(b.h, b.l, b.c, span), (b.h + b.l) / 2.0
    upper, lower, rising = np.inf, -np.inf, True
    band, side = np.full(b.c.size, np.nan), np.full(b.c.size, np.nan)
    for i in range(span, b.c.size):
        basic_upper, basic_lower = middle[i] + reach[i], middle[i] - reach[i]
        upper = basic_upper if basic_upper < upper or b.c[i - 1] > upper else upper
        lower = basic_lower if basic_lower > lower or b.c[i - 1] < lower else lower
        rising = b.c[i] >= lower if rising else b.c[i] > upper
        band[i], side[i] = (lower, 1.0) if rising else (upper, -1.0)
    return band, side


def pivots(b: Bars, k: int) -> list[list[tuple[float, float, float]]]:
    """Per bar: (price, formed at, known at) of the last high, the one before, the last low, the one before."""
    nothing = (np.nan, np.nan, np.nan)
    highs, lows, told = [nothing, nothing], [nothing, nothing], []
    for i in range(b.c.size):
        m = i - k
        times = (float(b.open_time_ms[m]), float(b.open_time_ms[i] + 60_000))
        if m >= k and b.h[m] > b.h[m - k : m].max() and b.h[m] >= b.h[m + 1 : i + 1].max():
            highs = [*highs, (b.h[m], *times)]
        if m >= k and b.l[m] < b.l[m - k : m].min() and b.l[m] <= b.l[m + 1 : i + 1].min():
            lows = [*lows, (b.l[m], *times)]
        told.append([highs[-1], highs[-2], lows[-1], lows[-2]])
    return told


def swing(kind: str) -> Rule:
    which = 2 * ("low" in kind) + ("before" in kind)
    part = 1 if "formed" in kind else 2 if "known" in kind else 0
    return lambda b, k: np.array([row[which][part] for row in pivots(b, k)])


def swing_position(b: Bars, k: int) -> Floats:
    return np.array([(c - row[2][0]) / (row[0][0] - row[2][0]) for c, row in zip(b.c, pivots(b, k), strict=True)])


def vwap(b: Bars) -> Floats:
    out = np.empty(b.c.size)
    for day in np.unique(b.open_time_ms // 86_400_000):
        rows = b.open_time_ms // 86_400_000 == day
        out[rows] = np.cumsum(((b.h + b.l + b.c) / 3.0 * b.v)[rows]) / np.cumsum(b.v[rows])
    return out


def obv(b: Bars, n: int) -> Floats:
    total = talib.OBV(b.c, b.v)
    return late(total[n:] - total[:-n], n + 1)


def wma(b: Bars, n: int) -> Floats:
    return talib.WMA(b.c, n)


def middle(b: Bars, n: int) -> Floats:
    return late((windows(b.h, n)[:-1].max(axis=1) + windows(b.l, n)[:-1].min(axis=1)) / 2.0, n + 1)


RULES: dict[str, Rule] = {
    "ema": lambda b, n: talib.EMA(b.c, n),
    "sma": lambda b, n: talib.SMA(b.c, n),
    "wma": wma,
    "rsi": lambda b, n: talib.RSI(b.c, n),
    "macd": lambda b, f, s, g: talib.MACD(b.c, f, s, g)[0],
    "macd_signal": lambda b, f, s, g: talib.MACD(b.c, f, s, g)[1],
    "macd_histogram": lambda b, f, s, g: talib.MACD(b.c, f, s, g)[2],
    "bollinger_upper": lambda b, n, w: talib.BBANDS(b.c, n, w, w)[0],
    "bollinger_lower": lambda b, n, w: talib.BBANDS(b.c, n, w, w)[2],
    "bollinger_position": lambda b, n, w: late(
        (windows(b.c, n)[:, -1] - windows(b.c, n).mean(axis=1)) / (2 * w * windows(b.c, n).std(axis=1)) + 0.5, n
    ),
    "bollinger_bandwidth": lambda b, n, w: late(2 * w * windows(b.c, n).std(axis=1) / windows(b.c, n).mean(axis=1), n),
    "zscore": lambda b, n: late(
        (windows(b.c, n)[:, -1] - windows(b.c, n).mean(axis=1)) / windows(b.c, n).std(axis=1), n
    ),
    "atr": lambda b, n: talib.ATR(b.h, b.l, b.c, n),
    "adx": lambda b, n: talib.ADX(b.h, b.l, b.c, n),
    "plus_di": lambda b, n: talib.PLUS_DI(b.h, b.l, b.c, n),
    "minus_di": lambda b, n: talib.MINUS_DI(b.h, b.l, b.c, n),
    "highest": lambda b, n: late(windows(b.h, n).max(axis=1), n),
    "lowest": lambda b, n: late(windows(b.l, n).min(axis=1), n),
    "donchian_high": lambda b, n: late(windows(b.h, n)[:-1].max(axis=1), n + 1),
    "donchian_low": lambda b, n: late(windows(b.l, n)[:-1].min(axis=1), n + 1),
    "donchian_middle": middle,
    "stochastic_k": lambda b, n, s: stochastic(b, n, s)[0],
    "stochastic_d": lambda b, n, s, g: stochastic(b, n, s, g)[1],
    "supertrend": lambda b, n, m: supertrend(b, n, m)[0],
    "supertrend_direction": lambda b, n, m: supertrend(b, n, m)[1],
    "keltner_upper": lambda b, n, m: talib.EMA(b.c, n) + m * talib.ATR(b.h, b.l, b.c, n),
    "keltner_lower": lambda b, n, m: talib.EMA(b.c, n) - m * talib.ATR(b.h, b.l, b.c, n),
    "roc": lambda b, n: talib.ROCP(b.c, n),
    "volatility": lambda b, n: late(windows(np.diff(np.log(b.c)), n).std(axis=1), n + 1),
    "obv": obv,
    "volume_sma": lambda b, n: talib.SMA(b.v, n),
    "vwap": vwap,
    "vwap_distance": lambda b, n: (b.c - vwap(b)) / talib.ATR(b.h, b.l, b.c, n),
    "swing_position": swing_position,
    "ema_slope": lambda b, n: late(np.diff(talib.EMA(b.c, n)), 2) / talib.ATR(b.h, b.l, b.c, 14),
    "ema_spread": lambda b, f, s: (talib.EMA(b.c, f) - talib.EMA(b.c, s)) / talib.ATR(b.h, b.l, b.c, 14),
    **{name: lambda b, name=name: getattr(b, name[0]) for name in ("open", "high", "low", "close", "volume")},
    **{f"swing_{kind}": swing(kind) for side in ("high", "low") for before in ("", "_before")
       for end in ("", "_formed_at", "_known_at") for kind in (side + before + end,)},
}  # fmt: skip


@pytest.mark.parametrize("name", ALL)
def test_equals_its_definition(name: str) -> None:
    bars = walk(2_000, 91)
    made = indicator(name)
    given = [int(value) if value == int(value) else value for value in made.parameters]
    if made.kind.startswith("bollinger"):
        given[1] = float(given[1])
    expected = RULES[made.kind](bars, *given)
    got = FeatureColumns(series_of(bars)).column("1m", name)
    known = ~np.isnan(got)
    assert not known[: made.warmup - 1].any()
    assert known.sum() > 1_000
    if not made.kind.startswith(("swing", "supertrend")):
        assert known[made.warmup - 1 :].all()
    np.testing.assert_allclose(got[known], expected[known], rtol=1e-9, atol=1e-9)


def test_a_donchian_channel_leaves_out_the_bar_that_breaks_it() -> None:
    bars = walk(60, 92)
    bars.h[50] = 2.0 * bars.h[:50].max()
    columns = FeatureColumns(series_of(bars))
    assert columns.column("1m", "donchian_high_20")[50] == bars.h[30:50].max() < columns.column("1m", "highest_20")[50]


def test_a_supertrend_is_known_only_where_no_start_could_change_it() -> None:
    """Whatever band and side the data begin with, the plain rule agrees wherever a value is given, and values are
    given after at most a few hundred bars."""
    bars = walk(1_500, 93)
    columns = FeatureColumns(series_of(bars))
    got, side = columns.column("1m", "supertrend_10_3"), columns.column("1m", "supertrend_direction_10_3")
    first = int(np.argmax(~np.isnan(got)))
    assert 0 < first < 700
    for skipped in (0, 17, 60, first - 143):
        part = bars.take(slice(max(skipped, 0), None))
        band, direction = supertrend(part, 10, 3.0)
        known = ~np.isnan(got[-len(band) :]) & (np.arange(len(band)) > 250)
        np.testing.assert_allclose(band[known], got[-len(band) :][known], rtol=1e-6)
        assert (direction[known] == side[-len(band) :][known]).all()
