"""A stored series as one CSV or Parquet file, times as UTC ms, numbers in their shortest exact form."""

import hashlib
import io
from pathlib import Path

import msgspec
import pyarrow.csv as pacsv

from aister.adapters.store.files import write_whole
from aister.adapters.store.layout import length
from aister.adapters.store.manifest import Series
from aister.adapters.store.market import LAYOUTS, MarketStore
from aister.adapters.store.writing import parquet_bytes
from aister.core.errors import UsageError

__all__ = ["Exported", "export_series"]


class Exported(msgspec.Struct, frozen=True):
    path: str
    rows: int
    bytes: int
    sha256: str


def export_series(store: MarketStore, series: Series, out: Path, overwrite: bool = False) -> Exported:
    """Writes the file whole or not at all. Raises `UsageError` when it exists (unless `overwrite`) or has another
    suffix."""
    if out.suffix not in (".csv", ".parquet"):
        raise UsageError(f"{out} is neither .csv nor .parquet; name the file by the form you want.")
    if out.exists() and not overwrite:
        raise UsageError(f"{out} exists; add --overwrite to replace it.")
    if not out.absolute().parent.is_dir():
        raise UsageError(f"The folder of {out} does not exist; make it first.")
    columns = store.columns(series)
    table = LAYOUTS[series.kind].table(columns)
    if out.suffix == ".parquet":
        data = parquet_bytes(table)
    else:
        text = io.BytesIO()
        text.write(",".join(table.column_names).encode() + b"\n")
        pacsv.write_csv(table, text, pacsv.WriteOptions(include_header=False, quoting_style="none"))
        data = text.getvalue()
    write_whole(out, data)
    return Exported(str(out), length(columns), len(data), hashlib.sha256(data).hexdigest())
