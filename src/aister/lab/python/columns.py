"""What a Python strategy's process is given of a series: the bars, the closes it is asked at, the features it asked
for."""

from collections.abc import Sequence

import numpy as np

from aister.features.columns import FeatureColumns
from aister.lab.prepare import Prepared
from aister.lab.python.memory import Tables

__all__ = ["first_close", "tables_of"]


def tables_of(prepared: Prepared, timeframe: str, features: Sequence[str], columns: FeatureColumns) -> Tables:
    """Its closes that fell on time, each with its base bar, and the features as known at them; history included.

    Raises `UsageError` for an unknown timeframe or feature.
    """
    series = prepared.series
    closes = columns.closes(timeframe)
    rows = {
        "time_ms": closes.known_ms,
        "open": closes.open,
        "high": closes.high,
        "low": closes.low,
        "close": closes.close,
        "volume": closes.volume,
        **{id: columns.at(id, timeframe) for id in features},
    }
    asked = closes.on_time & closes.readable
    if not asked.all():
        rows = {name: column[asked] for name, column in rows.items()}
    count = len(series.open_ms)
    if closes.interval_ms == series.interval_ms:
        bar = np.arange(count)
    else:
        bar = np.searchsorted(series.open_ms, rows["time_ms"] - series.interval_ms)
    decides = np.zeros(count, np.int32)
    decides[prepared.decides] = 1
    bars = {
        "open_ms": series.open_ms,
        **{name: prepared.bars[name] for name in ("volume", "impact", "o", "h", "l", "c")},
        "settlements": np.searchsorted(prepared.funding_at, np.arange(count), "right"),
        "decides": decides,
    }
    return Tables(bars, prepared.funding_e8, {"bar": bar, **rows})


def first_close(start: int, tables: Tables) -> int:
    """The first close that may be decided on: that of the span's first bar `start`, or later."""
    return int(np.searchsorted(tables.closes["bar"], start))
