"""New rows beside stored ones. The same row twice is fine; a different row for a stored time is a revised bar, refused
unless it is asked for."""

import itertools
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from aister.adapters.store.intervals import month_of, utc_text
from aister.adapters.store.layout import Columns, Layout, concatenate, length, take
from aister.adapters.store.manifest import Month, Series
from aister.adapters.store.market import LAYOUTS, MarketStore
from aister.core.errors import DataError

__all__ = ["Merged", "merge", "months_of"]


class Merged(msgspec.Struct):
    """Rows added, found already there, and overwritten; the months touched, in order."""

    new: int
    identical: int
    replaced: int
    months: list[str]


def months_of(series: Series) -> dict[str, Month]:
    return {month.month: month for month in series.months}


def merge(
    store: MarketStore, series: Series, staged: dict[str, Columns], rows: Columns, replace: bool, path: Path
) -> Merged:
    """Puts sound, ascending rows into `staged`, month by month, beside what is stored. Raises `DataError` for revised
    rows."""
    layout = LAYOUTS[series.kind]
    stored = months_of(series)
    merged = Merged(0, 0, 0, [])
    for month, part in _by_month(rows, layout):
        if month in staged:
            old = staged[month]
        elif month in stored:
            old = store.month(stored[month], layout)
        else:
            staged[month] = part
            merged.new += length(part)
            merged.months.append(month)
            continue
        here, there = _shared(old[layout.time], part[layout.time])
        differ = _differing(take(part, here), take(old, there), layout)
        if differ.any() and not replace:
            first = int(np.flatnonzero(differ)[0])
            name = next(
                n for n in layout.names if n in part and n in old and part[n][here[first]] != old[n][there[first]]
            )
            raise DataError(
                f"{path}: {int(differ.sum()):,} rows differ from the stored ones, the first at "
                f"{utc_text(int(part[layout.time][here[first]]))} "
                f"({name} {part[name][here[first]]} instead of {old[name][there[first]]}: a revised bar); "
                "import with --replace to accept the new values."
            )
        known = np.zeros(length(part), bool)
        known[here] = True
        merged.new += int((~known).sum())
        merged.replaced += int(differ.sum())
        merged.identical += int((~differ).sum())
        merged.months.append(month)
        joined = _joined(old, part, here, there, differ, known, layout)
        if month in staged or not _equal(joined, old):
            staged[month] = joined
    return merged


def _by_month(rows: Columns, layout: Layout) -> list[tuple[str, Columns]]:
    times = rows[layout.time]
    months = times.astype("datetime64[ms]").astype("datetime64[M]")
    starts = [0, *(np.flatnonzero(months[1:] != months[:-1]) + 1).tolist(), len(times)]
    return [(month_of(int(times[low])), take(rows, slice(low, high))) for low, high in itertools.pairwise(starts)]


def _shared(
    old: npt.NDArray[np.generic], new: npt.NDArray[np.generic]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    _, there, here = np.intersect1d(old, new, assume_unique=True, return_indices=True)
    return here.astype(np.int64), there.astype(np.int64)


def _differing(new: Columns, old: Columns, layout: Layout) -> npt.NDArray[np.bool_]:
    """Where required values differ, or optional ones that both sides have."""
    differ = np.zeros(length(new), bool)
    for name in layout.names:
        if name in new and name in old:
            unequal = new[name] != old[name]
            if name in layout.optional:
                unequal &= ~np.isnan(new[name]) & ~np.isnan(old[name])
            differ |= unequal
    return differ


def _equal(left: Columns, right: Columns) -> bool:
    return left.keys() == right.keys() and all(
        np.array_equal(values, right[name], equal_nan=True) for name, values in left.items()
    )


def _joined(
    old: Columns,
    new: Columns,
    here: npt.NDArray[np.int64],
    there: npt.NDArray[np.int64],
    differ: npt.NDArray[np.bool_],
    known: npt.NDArray[np.bool_],
    layout: Layout,
) -> Columns:
    """Stored rows, with revised values, optional values they lacked, and the new rows, in time order."""
    base = concatenate([old, take(new, ~known)])
    for name in new:
        incoming = new[name][here]
        use = differ.copy()
        if name in layout.optional:
            use = (use | np.isnan(base[name][there])) & ~np.isnan(incoming)
        column = base[name].copy()
        column[there[use]] = incoming[use]
        base[name] = column
    return take(base, np.argsort(base[layout.time], kind="stable"))
