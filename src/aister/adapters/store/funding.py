"""Funding settlements: (settlement time, rate, interval), recorded, never computed from an assumed clock (Q32).

`rate` is a fraction per settlement (0.0001 = 0.01 %), longs pay shorts when positive; `interval_ms` is the time it
covers."""

import numpy as np

from aister.adapters.store.intervals import HOUR_MS
from aister.adapters.store.layout import Columns, Layout

__all__ = ["FUNDING", "JITTER_MS", "settle_on_the_hour", "with_interval"]

JITTER_MS = 1_000

FUNDING = Layout(
    kind="funding",
    required=("settle_time", "rate", "interval_ms"),
    needed=("settle_time", "rate"),
    optional=(),
    integers=frozenset({"settle_time", "interval_ms"}),
    aliases={
        "calc_time": "settle_time",
        "funding_time": "settle_time",
        "fundingtime": "settle_time",
        "open_time": "settle_time",
        "funding_rate": "rate",
        "fundingrate": "rate",
        "last_funding_rate": "rate",
        "funding_interval_hours": "interval_hours",
        "interval_hours": "interval_hours",
    },
    headerless={3: ("settle_time", "interval_hours", "rate")},
)


def settle_on_the_hour(columns: Columns) -> tuple[Columns, int]:
    """Venues stamp a settlement some ms after the hour. Stamps under a second late are set to the hour; returns how
    many."""
    late = columns["settle_time"] % HOUR_MS
    jitter = (late > 0) & (late < JITTER_MS)
    return {**columns, "settle_time": columns["settle_time"] - np.where(jitter, late, 0)}, int(jitter.sum())


def with_interval(columns: Columns, interval_ms: int | None) -> Columns | None:
    """Columns with `interval_ms`, from the source's hours or the stated interval; None when neither is known."""
    if "interval_hours" in columns:
        columns = dict(columns)
        columns["interval_ms"] = columns.pop("interval_hours") * HOUR_MS
        return columns
    if "interval_ms" in columns:
        return columns
    if interval_ms is None:
        return None
    return {**columns, "interval_ms": np.full(len(columns["settle_time"]), float(interval_ms))}
