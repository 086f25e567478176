"""What one timeframe answers at each of its closes: names, units, warm-up, meaning and declared invariances, in one
table."""

from typing import NamedTuple

import numpy as np

from aister.kernels.averages import warmup_ema, warmup_macd, warmup_window
from aister.kernels.momentum import warmup_adx, warmup_di, warmup_rsi
from aister.kernels.structure import warmup_swings
from aister.kernels.volatility import warmup_atr, warmup_volatility

EMA_FAST, EMA_SLOW, SMA_SPAN, WILDER, SWING_SIDE, VOLATILITY_SPAN = 20, 50, 20, 14, 3, 96
MACD_FAST, MACD_SLOW, MACD_SIGNAL = 12, 26, 9
BOLLINGER_WIDTH = 2.0

SAME, MOVES = "same", "moves"


class Output(NamedTuple):
    """One feature value of a timeframe, known when the bar closes; nan where it cannot be computed.

    warmup: closed bars of the timeframe after which the start of history matters less than 1e-6 (before: treat as
    unavailable). Invariances, each tested as declared, "" where the value has none: additive, p -> p + c: SAME value,
    or MOVES by c. scale, p -> k p: SAME, or MOVES k-fold. reciprocal, p -> c / p (highs and lows change places): "same
    NAME", it becomes the value of NAME, or "inverse NAME", c / NAME. why: the reason, where there is no invariance at
    all.
    """

    name: str
    unit: str
    warmup: int
    meaning: str
    additive: str
    scale: str
    reciprocal: str = ""
    why: str = ""


_W_EMA = {span: warmup_ema(span) for span in (EMA_FAST, EMA_SLOW)}
_W_MACD = warmup_macd(MACD_SLOW, MACD_SIGNAL)
_W_ATR = warmup_atr(WILDER)
_W_BANDS = warmup_window(SMA_SPAN)
_W_SWING = warmup_swings(SWING_SIDE)


def _pivot(name: str, mirror: str, meaning: str) -> tuple[Output, Output, Output]:
    return (
        Output(name, "price", _W_SWING, f"{meaning}.", MOVES, MOVES, f"inverse {mirror}"),
        Output(
            f"{name}_formed_at",
            "ms",
            _W_SWING,
            f"{meaning}: open time of its bar.",
            SAME,
            SAME,
            f"same {mirror}_formed_at",
        ),
        Output(
            f"{name}_known_at",
            "ms",
            _W_SWING,
            f"{meaning}: when it became known.",
            SAME,
            SAME,
            f"same {mirror}_known_at",
        ),
    )


OUTPUTS: tuple[Output, ...] = (
    Output("open", "price", 1, "First price of the bar.", MOVES, MOVES, "inverse open"),
    Output("high", "price", 1, "Highest price of the bar.", MOVES, MOVES, "inverse low"),
    Output("low", "price", 1, "Lowest price of the bar.", MOVES, MOVES, "inverse high"),
    Output("close", "price", 1, "Last price of the bar.", MOVES, MOVES, "inverse close"),
    Output("volume", "base units", 1, "Quantity traded in the bar.", SAME, SAME, "same volume"),
    Output("ema_20", "price", _W_EMA[20], "Exponential average of 20 closes.", MOVES, MOVES),
    Output("ema_50", "price", _W_EMA[50], "Exponential average of 50 closes.", MOVES, MOVES),
    Output("sma_20", "price", _W_BANDS, "Plain average of 20 closes, the middle Bollinger band.", MOVES, MOVES),
    Output("rsi_14", "0..100", warmup_rsi(WILDER), "Wilder's relative strength index of 14 closes.", SAME, SAME),
    Output("macd", "price", _W_MACD, "Difference of the exponential averages of 12 and 26 closes.", SAME, MOVES),
    Output("macd_signal", "price", _W_MACD, "Exponential average of 9 MACD values.", SAME, MOVES),
    Output("macd_histogram", "price", _W_MACD, "MACD less its signal.", SAME, MOVES),
    Output("bollinger_upper", "price", _W_BANDS, "Average of 20 closes plus 2 deviations.", MOVES, MOVES),
    Output("bollinger_lower", "price", _W_BANDS, "Average of 20 closes less 2 deviations.", MOVES, MOVES),
    Output(
        "bollinger_position", "ratio", _W_BANDS, "Close within the Bollinger bands: 0 lower, 1 upper (%b).", SAME, SAME
    ),
    Output("bollinger_bandwidth", "ratio", _W_BANDS, "Width of the Bollinger bands over their middle.", "", SAME),
    Output("atr_14", "price", _W_ATR, "Wilder's average true range of 14 bars.", SAME, MOVES),
    Output(
        "adx_14",
        "0..100",
        warmup_adx(WILDER),
        "Wilder's average directional index of 14 bars: strength of trend.",
        SAME,
        SAME,
    ),
    Output(
        "plus_di_14", "0..100", warmup_di(WILDER), "Upward directional movement over true range, 14 bars.", SAME, SAME
    ),
    Output(
        "minus_di_14",
        "0..100",
        warmup_di(WILDER),
        "Downward directional movement over true range, 14 bars.",
        SAME,
        SAME,
    ),
    *_pivot("swing_high", "swing_low", "Last confirmed swing high"),
    *_pivot("swing_high_before", "swing_low_before", "Swing high confirmed before the last"),
    *_pivot("swing_low", "swing_high", "Last confirmed swing low"),
    *_pivot("swing_low_before", "swing_high_before", "Swing low confirmed before the last"),
    Output(
        "swing_position", "ratio", _W_SWING, "Close between last swing low (0) and last swing high (1).", SAME, SAME
    ),
    Output(
        "volatility_96",
        "per bar",
        warmup_volatility(VOLATILITY_SPAN),
        "Deviation of 96 log returns.",
        "",
        SAME,
        "same volatility_96",
    ),
    Output("vwap", "price", 1, "Volume-weighted average price of the UTC day so far.", MOVES, MOVES),
    Output("vwap_distance", "ATR", _W_ATR, "Close less the day's average price, in average true ranges.", SAME, SAME),
    Output(
        "ema_20_slope",
        "ATR per bar",
        max(_W_EMA[20], _W_ATR),
        "Change of the 20 average over the last bar.",
        SAME,
        SAME,
    ),
    Output(
        "ema_50_slope",
        "ATR per bar",
        max(_W_EMA[50], _W_ATR),
        "Change of the 50 average over the last bar.",
        SAME,
        SAME,
    ),
    Output(
        "ema_spread", "ATR", max(_W_EMA[50], _W_ATR), "20 average less 50 average, in average true ranges.", SAME, SAME
    ),
)
"""Every value of a timeframe, in the order of its record. Units of price are quote units per base unit."""

OUT = np.dtype([(output.name, "f8") for output in OUTPUTS], align=True)
"""The values themselves, one float64 field each, in the order of OUTPUTS."""
