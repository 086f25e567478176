"""Recorded files -> the store: all of them or none. Rows are checked before anything is written; months are written
as new
files; the manifest, written last, makes them the store."""

import re
from pathlib import Path

import msgspec
import numpy as np

from aister.adapters.store.checks import (
    Defect,
    Gap,
    bar_defects,
    bar_gaps,
    funding_defects,
    funding_gaps,
    price_levels,
    worst_first,
)
from aister.adapters.store.door import Caps
from aister.adapters.store.files import TEMPORARY, locked, sha256_of
from aister.adapters.store.funding import settle_on_the_hour, with_interval
from aister.adapters.store.intervals import interval_name, utc_text
from aister.adapters.store.layout import Columns, Layout, concatenate, length, take
from aister.adapters.store.manifest import Origin, Series, read_manifest
from aister.adapters.store.market import LAYOUTS, MarketStore
from aister.adapters.store.merge import Merged, merge, months_of
from aister.adapters.store.quarantine import Kept, quarantine_table
from aister.adapters.store.reading import Batch, Unreadable, read_batches, read_leniently
from aister.adapters.store.writing import commit
from aister.core.errors import DataError, UsageError

__all__ = ["Import", "Report", "defects_of", "describe_gaps", "gaps_of", "import_files", "load", "symbol_name"]

_MONTH = re.compile(r"\d{4}-\d{2}(\.r\d+)?\.parquet")
_SYMBOL = re.compile(r"[A-Z0-9]{2,20}")


class Import(msgspec.Struct, frozen=True):
    """What is asked for. `interval_ms` may be None for funding files that carry their own. `on_bad` is `refuse`
    (nothing is
    imported) or `quarantine` (good rows are kept, bad ones go to a file with reasons, gaps are accepted). `proxies`
    says
    what the data stand in for (`spot`, `binance`)."""

    paths: tuple[Path, ...]
    kind: str
    symbol: str
    interval_ms: int | None
    source: str = "not stated"
    licence: str = "not stated"
    proxies: tuple[str, ...] = ()
    on_bad: str = "refuse"
    allow_gaps: bool = False
    replace: bool = False
    caps: Caps = Caps()


class Report(msgspec.Struct):
    """What an import did. `rows_new + rows_identical + rows_replaced + rows_quarantined` rows were read."""

    symbol: str
    kind: str
    interval: str
    rows_new: int
    rows_identical: int
    rows_replaced: int
    rows_quarantined: int
    gaps: int
    missing: int
    notes: list[str]
    quarantine: list[str]
    months: list[str]
    first_time_ms: int
    last_time_ms: int


def symbol_name(symbol: str) -> str:
    """The symbol, if it is one (2-20 of A-Z and 0-9). Raises `UsageError` otherwise."""
    if not _SYMBOL.fullmatch(symbol):
        raise UsageError(f"{symbol!r} is no symbol; symbols are 2 to 20 capital letters and digits, like BTCUSDT.")
    return symbol


def import_files(root: Path, ask: Import) -> Report:
    """Checks and stores the files in the order given, as one change of the store at `root`.

    Raises `DataError` naming the first bad row and the counts, `StorageError` when the disk refuses; the store is then
    as it was. Gaps are recorded, never filled.
    """
    if not ask.paths:
        raise UsageError("Name at least one .csv, .zip or .parquet file to import.")
    if ask.kind not in LAYOUTS:
        raise UsageError(f"{ask.kind!r} is not a kind of series; use klines or funding.")
    if ask.on_bad not in ("refuse", "quarantine"):
        raise UsageError(f"--on-bad {ask.on_bad!r} is unknown; use refuse or quarantine.")
    if ask.kind == "klines" and ask.interval_ms is None:
        raise UsageError("Bars need --interval, such as 1m.")
    symbol_name(ask.symbol)
    layout = LAYOUTS[ask.kind]
    with locked(root):
        store = MarketStore(root, read_manifest(root))
        _sweep(store)
        series = store.manifest.find(ask.kind, ask.symbol, interval_name(ask.interval_ms or 0) or "")
        series = series or Series(ask.kind, ask.symbol, ask.interval_ms or 0, [], [], [])
        report = Report(ask.symbol, ask.kind, "", 0, 0, 0, 0, 0, 0, [], [], [], 0, 0)
        staged: dict[str, Columns] = {}
        quarantined: dict[str, list[Kept]] = {}
        for path in ask.paths:
            sound, kept_out, notes = _sound_rows(path, layout, ask)
            merged = merge(store, series, staged, sound, ask.replace, path)
            _seam(staged, merged, store, series, layout, path)
            digest = sha256_of(path)
            origin = Origin(
                path.name,
                digest,
                ask.source,
                ask.licence,
                length(sound),
                len(kept_out),
                notes,
            )
            series.origins = [old for old in series.origins if old.sha256 != digest] + [origin]
            report.rows_new += merged.new
            report.rows_identical += merged.identical
            report.rows_replaced += merged.replaced
            report.rows_quarantined += len(kept_out)
            report.notes += [f"{path.name}: {note}" for note in notes]
            if kept_out:
                quarantined[f"quarantine/{ask.symbol}-{ask.kind}-{digest[:12]}.parquet"] = kept_out
        series.proxies = sorted({*series.proxies, *ask.proxies})
        if ask.kind == "funding":
            series.interval_ms = _last_interval(store, series, staged)
        commit(store, series, staged, {name: quarantine_table(rows) for name, rows in quarantined.items()})
    report.interval = series.interval
    report.missing, stretches = series.gaps()
    report.gaps = len(stretches)
    report.quarantine = [str(root / name) for name in quarantined]
    report.months = sorted(staged)
    report.first_time_ms, report.last_time_ms = series.span_ms
    return report


def defects_of(columns: Columns, kind: str, interval_ms: int | None) -> list[Defect]:
    """The checks that fit the kind of series."""
    return bar_defects(columns, interval_ms or 0) if kind == "klines" else funding_defects(columns)


def gaps_of(columns: Columns, kind: str, interval_ms: int | None) -> list[Gap]:
    """Absent rows of a sound series."""
    if kind == "klines":
        return bar_gaps(columns["open_time"], interval_ms or 0)
    times, intervals = columns["settle_time"], columns["interval_ms"]
    return funding_gaps(times, intervals)


def load(
    path: Path, layout: Layout, interval_ms: int | None, lenient: bool, caps: Caps
) -> tuple[Batch, list[Unreadable], list[str]]:
    """The whole file, its unreadable lines when `lenient`, and what was done to it."""
    if lenient:
        batch, unreadable = read_leniently(path, layout, caps)
    else:
        parts = list(read_batches(path, layout, caps))
        batch = Batch(
            {name: np.concatenate([part.columns[name] for part in parts]) for name in parts[0].columns},
            np.concatenate([part.rows for part in parts]),
            parts[0].row_word,
        )
        unreadable = []
    notes: list[str] = []
    if layout.kind == "funding":
        columns, moved = settle_on_the_hour(batch.columns)
        stated = with_interval(columns, interval_ms)
        if stated is None:
            raise UsageError(f"{path} does not say its funding interval; add --interval, such as 8h.")
        batch.columns = stated
        if moved:
            notes.append(f"{moved:,} settlement times set to the hour (jitter)")
    return batch, unreadable, notes


def _sound_rows(path: Path, layout: Layout, ask: Import) -> tuple[Columns, list[Kept], list[str]]:
    batch, unreadable, notes = load(path, layout, ask.interval_ms, ask.on_bad == "quarantine", ask.caps)
    defects = worst_first(defects_of(batch.columns, ask.kind, ask.interval_ms))
    bad = [defect for defect in defects if defect.severity == "bad"]
    notes += [f"{len(defect.rows):,} rows {defect.kind}" for defect in defects if defect.severity == "note"]
    if bad and ask.on_bad == "refuse":
        raise DataError(f"{path}: {describe(bad, batch, layout)}; repair the file or import with --on-bad quarantine.")
    kept_out = [Kept(row.row, "unreadable", row.text) for row in unreadable]
    sound = np.ones(length(batch.columns), bool)
    for defect in bad:
        sound[defect.rows] = False
        for row in defect.rows.tolist():
            text = ",".join(f"{values[row]!s}" for values in batch.columns.values())
            kept_out.append(Kept(int(batch.rows[row]), defect.kind, text))
    good = take(batch.columns, sound)
    if length(good) == 0:
        raise DataError(f"{path} has no good row ({describe(bad, batch, layout)}); nothing was imported.")
    gaps = gaps_of(good, ask.kind, ask.interval_ms)
    if gaps and ask.on_bad == "refuse" and not ask.allow_gaps:
        raise DataError(
            f"{path}: {describe_gaps(gaps)}; complete the file or import with --allow-gaps, which records them."
        )
    if gaps:
        notes.append(describe_gaps(gaps))
    return good, sorted(kept_out, key=lambda row: row.row), notes


def describe(bad: list[Defect], batch: Batch, layout: Layout) -> str:
    """One clause: the first bad row, then the counts by kind."""
    first = min(bad, key=lambda defect: int(defect.rows[0]))
    at = int(first.rows[0])
    when = utc_text(int(batch.columns[layout.time][at]))
    total = sum(len(defect.rows) for defect in bad)
    counts: dict[str, int] = {}
    for defect in bad:
        counts[defect.kind] = counts.get(defect.kind, 0) + len(defect.rows)
    listed = ", ".join(f"{count:,} {kind}" for kind, count in counts.items())
    return f"{batch.row_word} {batch.rows[at]} ({when}): {first.text} ({first.kind}); bad rows: {total:,} ({listed})"


def describe_gaps(gaps: list[Gap]) -> str:
    """One clause: the first gap and the total."""
    missing = sum(gap.missing for gap in gaps)
    first = f"{utc_text(gaps[0].start_ms)} to {utc_text(gaps[0].end_ms)}"
    return f"{missing:,} rows are missing in {len(gaps):,} gap{'s' * (len(gaps) > 1)}, the first from {first}"


def _seam(
    staged: dict[str, Columns], merged: Merged, store: MarketStore, series: Series, layout: Layout, path: Path
) -> None:
    """Prices that jump by a power of ten exactly where new rows meet stored ones are one unit error seen from
    outside."""
    if layout.kind != "klines" or not merged.new + merged.replaced:
        return
    before = [month for month in series.months if month.month < merged.months[0] and month.month not in staged]
    after = [month for month in series.months if month.month > merged.months[-1] and month.month not in staged]
    parts = [store.month(before[-1], layout)] if before else []
    parts += [staged[name] for name in sorted(staged)]
    parts += [store.month(after[0], layout)] if after else []
    parts.sort(key=lambda part: int(part["open_time"][0]))
    whole = concatenate(parts)
    jumps = price_levels(whole, series.interval_ms)
    if jumps.any():
        when = utc_text(int(whole["open_time"][jumps][0]))
        raise DataError(
            f"{path}: its prices and the stored ones differ by a power of ten around {when} (wrong_unit); "
            "correct the file's unit."
        )


def _last_interval(store: MarketStore, series: Series, staged: dict[str, Columns]) -> int:
    last = max([*staged, *(month.month for month in series.months)])
    columns = staged[last] if last in staged else store.month(months_of(series)[last], LAYOUTS["funding"])
    return int(columns["interval_ms"][-1])


def _sweep(store: MarketStore) -> None:
    """What an import that was killed left behind: temporary files, and months the manifest does not name."""
    named = {store.root / month.path for series in store.manifest.series for month in series.months}
    months = [
        path for kind in LAYOUTS for path in (store.root / kind).rglob("*.parquet") if _MONTH.fullmatch(path.name)
    ]
    for left in [*store.root.rglob(f"{TEMPORARY}*"), *(path for path in months if path not in named)]:
        left.unlink(missing_ok=True)
