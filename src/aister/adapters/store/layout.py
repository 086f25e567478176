"""A layout says which columns a kind of series has and how sources name them. Values travel as `Columns`: numpy arrays
by canonical name, the time column int64 UTC ms, everything else float64, NaN = the source does not say."""

import re
from typing import Any, TypeAlias, cast

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

__all__ = ["ArrowColumn", "Columns", "Layout", "arrow_array", "concatenate", "length", "numpy_array", "take"]

Columns: TypeAlias = dict[str, npt.NDArray[Any]]
ArrowColumn: TypeAlias = "pa.Array[Any]"


class Layout(msgspec.Struct, frozen=True):
    """`required` starts with the time column; `needed` are those a source must have itself. `optional` columns are
    kept when the source has them. `integers` are
    stored as int64. `aliases` maps a source's normalised header to the canonical name. `headerless` maps a number of
    columns to their names by position ("" = not kept), for files without a header line."""

    kind: str
    required: tuple[str, ...]
    needed: tuple[str, ...]
    optional: tuple[str, ...]
    integers: frozenset[str]
    aliases: dict[str, str]
    headerless: dict[int, tuple[str, ...]]

    @property
    def time(self) -> str:
        return self.required[0]

    @property
    def names(self) -> tuple[str, ...]:
        return self.required + self.optional

    def canonical(self, header: str) -> str:
        """The canonical name of a source's column, or "" when it is not kept."""
        plain = re.sub(r"[^a-z0-9]+", "_", header.strip().lower()).strip("_")
        return plain if plain in self.names else self.aliases.get(plain, "")

    def table(self, columns: Columns) -> pa.Table:
        """The stored form: required columns, then the optional ones that hold at least one value, NaN as null."""
        arrays: dict[str, ArrowColumn] = {}
        for name in self.names:
            values = columns.get(name)
            if values is None:
                continue
            absent = np.isnan(values) if name in self.optional else np.zeros(len(values), bool)
            if not (absent.all() and name in self.optional):
                known = np.where(absent, 0, values)
                arrays[name] = arrow_array(known.astype(np.int64 if name in self.integers else np.float64), absent)
        return pa.table(arrays)

    def empty(self) -> Columns:
        return {name: np.empty(0, np.int64 if name == self.time else np.float64) for name in self.required}

    def columns(self, batch: pa.RecordBatch | pa.Table) -> Columns:
        """The stored form read back; absent optional columns stay absent."""
        found: Columns = {}
        for name in self.names:
            if name in batch.schema.names:
                column = batch.column(name)
                values = numpy_array(column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column)
                found[name] = values.astype(np.int64 if name == self.time else np.float64, copy=False)
        return found


def length(columns: Columns) -> int:
    return len(next(iter(columns.values()))) if columns else 0


def take(columns: Columns, rows: npt.NDArray[np.generic] | slice) -> Columns:
    """The chosen rows (mask, positions or slice) of every column."""
    return {name: values[rows] for name, values in columns.items()}


def concatenate(parts: list[Columns]) -> Columns:
    """Parts one after the other; a column some part lacks is NaN there."""
    names = {name: None for part in parts for name in part}
    return {
        name: np.concatenate([part[name] if name in part else np.full(length(part), np.nan) for part in parts])
        for name in names
    }


def arrow_array(values: npt.NDArray[Any], absent: npt.NDArray[np.bool_]) -> ArrowColumn:
    """An int64 or float64 column as Arrow, null where absent. (By buffers: pyarrow's own way imports pandas if it is
    there.)"""
    kind = pa.int64() if values.dtype == np.int64 else pa.float64()
    valid = pa.py_buffer(np.packbits(~absent, bitorder="little").tobytes()) if absent.any() else None
    return pa.Array.from_buffers(kind, len(values), [valid, pa.py_buffer(np.ascontiguousarray(values).data)])


def numpy_array(column: ArrowColumn) -> npt.NDArray[Any]:
    """An int64 or float64 Arrow column as numpy, without copying; with nulls a float64 copy, NaN where null."""
    if len(column) == 0:
        return np.empty(0, np.int64 if column.type == pa.int64() else np.float64)
    valid, data = column.buffers()
    window = slice(column.offset, column.offset + len(column))
    values: npt.NDArray[Any] = np.frombuffer(cast(bytes, data), np.int64 if column.type == pa.int64() else np.float64)[
        window
    ]
    if column.null_count == 0:
        return values
    present = np.unpackbits(np.frombuffer(cast(bytes, valid), np.uint8), bitorder="little").astype(bool)[window]
    return np.where(present, values, np.nan)
