"""One change of the store: new files first, the manifest last, what it no longer names afterwards."""

import hashlib
from contextlib import suppress

import pyarrow as pa
import pyarrow.parquet as pq

from aister.adapters.store.checks import bar_gaps, funding_gaps
from aister.adapters.store.files import write_whole
from aister.adapters.store.layout import Columns, length
from aister.adapters.store.manifest import GAPS_LISTED, Month, Series, read_manifest, write_manifest
from aister.adapters.store.market import LAYOUTS, MarketStore

__all__ = ["commit", "parquet_bytes"]

_ROW_GROUP = 65_536


def parquet_bytes(table: pa.Table) -> bytes:
    """The table as a Parquet file: zstd, row groups a reader can take one at a time."""
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd", compression_level=9, row_group_size=_ROW_GROUP)
    return sink.getvalue().to_pybytes()


def commit(store: MarketStore, series: Series, staged: dict[str, Columns], quarantine: dict[str, pa.Table]) -> None:
    """Makes the staged months part of the series. A month that exists is written under a new name, so that until the
    manifest is replaced the old store is whole. Raises `StorageError`; the store is then as it was."""
    written: list[str] = []
    old = {month.month: month for month in series.months}
    months = dict(old)
    try:
        for name, table in quarantine.items():
            if not (store.root / name).exists():
                written.append(name)
            write_whole(store.root / name, parquet_bytes(table))
        for name, columns in sorted(staged.items()):
            data = parquet_bytes(LAYOUTS[series.kind].table(columns))
            path = _free_name(series, name, old.get(name))
            written.append(path)
            write_whole(store.root / path, data)
            months[name] = _entry(series, name, path, data, columns)
        series.months = [months[name] for name in sorted(months)]
        others = [kept for kept in store.manifest.series if kept.key != series.key]
        store.manifest.series = [*others, series]
        write_manifest(store.root, store.manifest)
    except BaseException:  # an interrupt may come after the manifest is in place: what it names stays
        named = {month.path for kept in read_manifest(store.root).series for month in kept.months}
        for path in set(written) - named:
            with suppress(OSError):
                (store.root / path).unlink(missing_ok=True)
        raise
    for name in staged:
        if name in old:
            with suppress(OSError):
                (store.root / old[name].path).unlink(missing_ok=True)


def _free_name(series: Series, month: str, old: Month | None) -> str:
    """`FOLDER/2025-05.parquet`, or the next revision `2025-05.r2.parquet` when the manifest names one already."""
    if old is None:
        return f"{series.folder}/{month}.parquet"
    stem = old.path.removesuffix(".parquet")
    revision = int(stem.rsplit(".r", 1)[1]) if ".r" in stem.rsplit("/", 1)[1] else 1
    return f"{series.folder}/{month}.r{revision + 1}.parquet"


def _entry(series: Series, name: str, path: str, data: bytes, columns: Columns) -> Month:
    layout = LAYOUTS[series.kind]
    times = columns[layout.time]
    if series.kind == "klines":
        gaps = bar_gaps(times, series.interval_ms)
    else:
        gaps = funding_gaps(times, columns["interval_ms"])
    return Month(
        month=name,
        path=path,
        sha256=hashlib.sha256(data).hexdigest(),
        bytes=len(data),
        rows=length(columns),
        first_ms=int(times[0]),
        last_ms=int(times[-1]),
        missing=sum(gap.missing for gap in gaps),
        gaps=gaps[:GAPS_LISTED],
    )
