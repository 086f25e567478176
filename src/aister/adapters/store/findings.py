"""`aister data check`: everything wrong with stored series or with files, as a list."""

from pathlib import Path

import msgspec
import numpy as np

from aister.adapters.store.checks import worst_first
from aister.adapters.store.door import Caps, WrongUnit
from aister.adapters.store.importer import defects_of, describe_gaps, gaps_of, load
from aister.adapters.store.intervals import interval_name, utc_text
from aister.adapters.store.layout import Columns, length, take
from aister.adapters.store.manifest import Series
from aister.adapters.store.market import LAYOUTS, MarketStore
from aister.adapters.store.naming import name_of
from aister.core.errors import DataError, UsageError

__all__ = ["Finding", "check_file", "check_series", "spacing_ms"]


class Finding(msgspec.Struct, frozen=True):
    """One kind of defect in one series or file. `row` is the first (line of a CSV, row of a Parquet file; 0 = the
    whole),
    `time` its UTC time. Severity `note` is no fault."""

    where: str
    kind: str
    severity: str
    count: int
    row: int
    time_ms: int
    time: str
    text: str


def check_series(store: MarketStore, series: Series) -> list[Finding]:
    """Checksums of every file, then every check over the whole series."""
    found: list[Finding] = []
    for month in series.months:
        try:
            store.verify(month)
        except DataError as error:
            found.append(
                Finding(month.path, "checksum", "bad", 1, 0, month.first_ms, utc_text(month.first_ms), str(error))
            )
    if not found:
        columns = store.columns(series)
        found = _findings(series.key, columns, np.arange(1, length(columns) + 1), series.kind, series.interval_ms)
    return found


def check_file(path: Path, interval_ms: int | None = None, caps: Caps | None = None) -> list[Finding]:
    """Every check over a file that is not imported. Raises `DataError` when it cannot be read at all."""
    named = name_of(path)
    layout = LAYOUTS[named.kind]
    interval_ms = interval_ms or named.interval_ms or (spacing_ms(path) if named.kind == "klines" else None)
    try:
        batch, unreadable, notes = load(path, layout, interval_ms, True, caps or Caps())
    except WrongUnit as error:
        return [Finding(str(path), "wrong_unit", "bad", 1, error.row, 0, "", str(error))]
    found = _findings(str(path), batch.columns, batch.rows, named.kind, interval_ms)
    if unreadable:
        text = f"{unreadable[0].text!r} are not numbers"
        found.insert(0, Finding(str(path), "unreadable", "bad", len(unreadable), unreadable[0].row, 0, "", text))
    return found + [Finding(str(path), "jitter", "note", 1, 0, 0, "", note) for note in notes]


def spacing_ms(path: Path) -> int:
    """The smallest step between a bar file's rows, for names that do not say the interval. Raises `UsageError`."""
    batch, _, _ = load(path, LAYOUTS["klines"], None, True, Caps())
    steps = np.diff(batch.columns["open_time"])
    steps = steps[steps > 0]
    smallest = int(steps.min()) if len(steps) else 0
    if interval_name(smallest) is None:
        raise UsageError(f"{path} does not say its interval; name it like BTCUSDT-1m-2025-05.csv or give --interval.")
    return smallest


def _findings(where: str, columns: Columns, rows: np.ndarray, kind: str, interval_ms: int | None) -> list[Finding]:
    times = columns[LAYOUTS[kind].time]
    found: list[Finding] = []
    sound = np.ones(length(columns), bool)
    for defect in worst_first(defects_of(columns, kind, interval_ms)):
        at = int(defect.rows[0])
        time_ms = int(times[at])
        found.append(
            Finding(
                where,
                defect.kind,
                defect.severity,
                len(defect.rows),
                int(rows[at]),
                time_ms,
                utc_text(time_ms),
                defect.text,
            )
        )
        if defect.severity == "bad":
            sound[defect.rows] = False
    gaps = gaps_of(take(columns, sound), kind, interval_ms)
    if gaps:
        first = gaps[0].start_ms
        missing = sum(gap.missing for gap in gaps)
        found.append(Finding(where, "gap", "gap", missing, 0, first, utc_text(first), describe_gaps(gaps)))
    return found
