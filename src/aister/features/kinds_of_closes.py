"""Kinds of indicators that read the bar itself or its close alone. Read through `indicators`."""

from aister.features.kind import BANDS, MACD, SPAN, STUCK, Kind, of_macd, of_window, one_bar
from aister.kernels import table as op
from aister.kernels.averages import warmup_ema
from aister.kernels.momentum import warmup_rsi
from aister.kernels.outputs import MOVES, SAME


def _bar(name: str, meaning: str, reciprocal: str) -> Kind:
    return Kind(name, (), None, "price", one_bar, meaning, MOVES, MOVES, f"inverse {reciprocal}")


OF_CLOSES: tuple[Kind, ...] = (
    _bar("open", "First price of the bar.", "open"),
    _bar("high", "Highest price of the bar.", "low"),
    _bar("low", "Lowest price of the bar.", "high"),
    _bar("close", "Last price of the bar.", "close"),
    Kind("volume", (), None, "base units", one_bar, "Quantity traded in the bar.", SAME, SAME, "same volume"),
    Kind(
        "ema", (SPAN,), (op.EXPONENTIAL, 0), "price", warmup_ema, "Exponential average of {span} closes.", MOVES, MOVES
    ),
    Kind("sma", (SPAN,), (op.WINDOWED, 0), "price", of_window, "Plain average of {span} closes.", MOVES, MOVES),
    Kind(
        "wma",
        (SPAN,),
        (op.WEIGHTED, 0),
        "price",
        of_window,
        "Average of {span} closes, weights rising by one.",
        MOVES,
        MOVES,
    ),
    Kind(
        "rsi",
        (SPAN,),
        (op.STRENGTH, 0),
        "0..100",
        warmup_rsi,
        "Wilder's relative strength index of {span} closes.",
        SAME,
        SAME,
        undetermined=STUCK,
    ),
    Kind(
        "macd",
        MACD,
        (op.CONVERGENCE, 0),
        "price",
        of_macd,
        "Difference of the exponential averages of {fast} and {slow} closes.",
        SAME,
        MOVES,
        ordered=True,
    ),
    Kind(
        "macd_signal",
        MACD,
        (op.CONVERGENCE, 1),
        "price",
        of_macd,
        "Exponential average of {signal} MACD values of {fast} and {slow}.",
        SAME,
        MOVES,
        ordered=True,
    ),
    Kind(
        "macd_histogram",
        MACD,
        (op.CONVERGENCE, 2),
        "price",
        of_macd,
        "MACD of {fast} and {slow} less its signal.",
        SAME,
        MOVES,
        ordered=True,
    ),
    Kind(
        "bollinger_upper",
        BANDS,
        (op.WINDOWED, 1),
        "price",
        of_window,
        "Average of {span} closes plus {width} deviations.",
        MOVES,
        MOVES,
    ),
    Kind(
        "bollinger_lower",
        BANDS,
        (op.WINDOWED, 2),
        "price",
        of_window,
        "Average of {span} closes less {width} deviations.",
        MOVES,
        MOVES,
    ),
    Kind(
        "bollinger_position",
        BANDS,
        (op.WINDOWED, 3),
        "ratio",
        of_window,
        "Close within the Bollinger bands: 0 lower, 1 upper (%b).",
        SAME,
        SAME,
        undetermined="the last {span} closes are equal, so the bands have no width",
    ),
    Kind(
        "bollinger_bandwidth",
        BANDS,
        (op.WINDOWED, 4),
        "ratio",
        of_window,
        "Width of the Bollinger bands over their middle.",
        "",
        SAME,
    ),
    Kind(
        "zscore",
        (SPAN,),
        (op.WINDOWED, 5),
        "deviations",
        of_window,
        "Close less the average of {span} closes, in their deviations.",
        SAME,
        SAME,
        undetermined="the last {span} closes are equal, so they have no deviation",
    ),
)
