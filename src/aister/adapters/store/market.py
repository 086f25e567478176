"""Reading the store. Every file is held against its checksum the first time a process reads it."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from aister.adapters.store.bars import KLINES
from aister.adapters.store.files import sha256_of
from aister.adapters.store.funding import FUNDING
from aister.adapters.store.home import home
from aister.adapters.store.layout import Columns, Layout, concatenate, length, take
from aister.adapters.store.manifest import MANIFEST, Manifest, Month, Series, read_manifest
from aister.core.errors import DataError

__all__ = ["LAYOUTS", "MarketStore", "data_folder", "user_store"]

LAYOUTS = {"klines": KLINES, "funding": FUNDING}
_verified: set[tuple[str, str, int, int]] = set()


def data_folder() -> Path:
    """`AISTER_HOME/data`, existing or not."""
    return home() / "data"


class MarketStore(msgspec.Struct, frozen=True):
    """A data folder and its manifest as read when opened."""

    root: Path
    manifest: Manifest

    @classmethod
    def open(cls, root: Path) -> "MarketStore":
        """Raises `DataError` when the manifest is damaged. A folder without one is an empty store."""
        return cls(root, read_manifest(root))

    @staticmethod
    def at(path: Path) -> bool:
        """Is this folder a store?"""
        return (path / MANIFEST).is_file()

    def verify(self, month: Month) -> Path:
        """The file's path, after its bytes were found to hash to what the manifest says. Raises `DataError`
        otherwise."""
        path = self.root / month.path
        try:
            found = path.stat()
            key = (str(path), month.sha256, found.st_mtime_ns, found.st_size)
            if key not in _verified:
                if found.st_size != month.bytes or sha256_of(path) != month.sha256:
                    raise DataError(
                        f"{path} is not what was imported (its SHA-256 differs); import that month again with "
                        "--replace."
                    )
                _verified.add(key)
        except OSError as error:
            raise DataError(
                f"{path} cannot be read ({error.strerror}); start again, or import that month again."
            ) from None
        return path

    def batches(
        self,
        series: Series,
        start_ms: int | None = None,
        end_ms: int | None = None,
        rows: int = 8_192,
        names: tuple[str, ...] | None = None,
    ) -> Iterator[Columns]:
        """Rows with start_ms <= time < end_ms in order, a few thousand at a time; memory does not grow with the
        series."""
        layout = LAYOUTS[series.kind]
        for month in series.months:
            if (start_ms is not None and month.last_ms < start_ms) or (end_ms is not None and month.first_ms >= end_ms):
                continue
            for columns in _month_batches(self.verify(month), layout, rows, names):
                time = columns[layout.time]
                low = 0 if start_ms is None else int(np.searchsorted(time, start_ms))
                high = len(time) if end_ms is None else int(np.searchsorted(time, end_ms))
                if high > low:
                    yield columns if high - low == len(time) else take(columns, slice(low, high))

    def columns(self, series: Series, start_ms: int | None = None, end_ms: int | None = None) -> Columns:
        """The same rows as whole columns."""
        parts = list(self.batches(series, start_ms, end_ms, rows=1 << 20))
        return concatenate(parts) if parts else LAYOUTS[series.kind].empty()

    def month(self, month: Month, layout: Layout) -> Columns:
        """One month's columns."""
        return concatenate(list(_month_batches(self.verify(month), layout, 1 << 20, None)))


def user_store() -> MarketStore:
    """The store in `AISTER_HOME/data`."""
    return MarketStore.open(data_folder())


def _month_batches(path: Path, layout: Layout, rows: int, names: tuple[str, ...] | None) -> Iterator[Columns]:
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(rows, columns=list(names) if names else None):
                columns = layout.columns(batch)
                if length(columns):
                    yield columns
    except pa.ArrowException as error:
        raise DataError(
            f"{path} is not a sound Parquet file ({str(error).splitlines()[0][:120]}); import it again with --replace."
        ) from None
