"""Results of a sweep as Parquet: a folder with `sweep.json`, what it is, and `rows`, parts written as they come.

One row a cell: `cell.NAME` for each axis, `spec_hash`, `digest` of its trades, why it was refused or aborted, every
figure (null where unavailable), `first_day` and `returns`, the daily returns as a list. A part is complete or not
there; read them together with any Parquet reader: `pyarrow.parquet.read_table(folder / "rows")`.
"""

import os
import re
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from aister.adapters.store.files import locked, write_whole
from aister.core.errors import StorageError
from aister.lab.cells import FIGURES, Row
from aister.lab.space import Axis

__all__ = ["ParquetSweeps", "sweep_folder"]

_DESCRIPTION = "sweep.json"
_PART = re.compile(r"part-(\d{6})\.parquet")


def sweep_folder(home: Path, name: str, identity: str) -> Path:
    """Where the sweep of this identity is kept."""
    return home / "sweeps" / f"{name}-{identity[:12]}"


class ParquetSweeps:
    """Implements `lab.sweep.SweepStore` in a folder, for one process at a time. Raises `StorageError` when another one
    is at it, when what is there is another sweep or damaged, and when the disk refuses."""

    def __init__(self, folder: Path, identity: str, axes: Sequence[Axis], description: dict[str, Any]) -> None:
        self.folder, self._parts, self._axes = folder, folder / "rows", tuple(axes)
        self._names = tuple(one.name for one in axes)
        self._open = ExitStack()
        self._open.enter_context(locked(folder))
        self._described(identity, description)
        self._parts.mkdir(mode=0o700, exist_ok=True)
        there = map(_PART.fullmatch, os.listdir(self._parts))
        self._next = 1 + max((int(match[1]) for match in there if match), default=0)

    def rows(self) -> list[Row]:
        return [row for path in sorted(self._parts.glob("part-*.parquet")) for row in self._read(path)]

    def add(self, rows: Sequence[Row]) -> None:
        sink = pa.BufferOutputStream()
        pq.write_table(self._table(rows), sink, compression="zstd")
        write_whole(self._parts / f"part-{self._next:06d}.parquet", sink.getvalue().to_pybytes())
        self._next += 1

    def close(self) -> None:
        """Let others in; closing twice is harmless."""
        self._open.close()

    def _described(self, identity: str, description: dict[str, Any]) -> None:
        path = self.folder / _DESCRIPTION
        try:
            there = msgspec.json.decode(path.read_bytes()) if path.exists() else None
        except (OSError, msgspec.DecodeError):
            raise StorageError(f"{path} cannot be read; move the folder away to start this sweep anew.") from None
        if there is None:
            text = msgspec.json.encode({"identity": identity, "axes": self._names, **description})
            write_whole(path, msgspec.json.format(text, indent=1))
        elif not isinstance(there, dict) or there.get("identity") != identity:
            raise StorageError(f"{self.folder} holds another sweep; move it away to start this one.")

    def _table(self, rows: Sequence[Row]) -> pa.Table:
        columns: dict[str, Any] = {
            f"cell.{one.name}": _numbers(one, [row.values[index] for row in rows])
            for index, one in enumerate(self._axes)
        }
        for name in ("spec_hash", "digest", "refused", "aborted"):
            columns[name] = pa.array([getattr(row, name) for row in rows], pa.string())
        for name in FIGURES:
            columns[name] = pa.array([row.figure(name) for row in rows], pa.float64())
        columns["first_day"] = pa.array([row.first_day for row in rows], pa.int32())
        lists = [np.frombuffer(row.returns, "<f4") for row in rows]
        columns["returns"] = pa.array(lists, pa.list_(pa.float32()))
        return pa.table(columns)

    def _read(self, path: Path) -> list[Row]:
        try:
            with pq.ParquetFile(path) as file:
                table = file.read()
            cells = [table[f"cell.{name}"].to_pylist() for name in self._names]
            figures = [table[name].to_pylist() for name in FIGURES]
            texts = [table[name].to_pylist() for name in ("spec_hash", "digest", "refused", "aborted", "first_day")]
            returns = [np.asarray(one, "<f4").tobytes() for one in table["returns"].to_pylist()]
        except (OSError, KeyError, pa.ArrowException) as error:
            raise StorageError(f"{path} is damaged ({error}); delete it, and its cells are run again.") from None
        rows = zip(zip(*cells, strict=True), zip(*figures, strict=True), zip(*texts, strict=True), returns, strict=True)
        return [
            Row(
                values=values,
                spec_hash=spec_hash,
                refused=refused,
                aborted=aborted,
                figures=() if refused or aborted else known,
                digest=digest,
                first_day=first_day,
                returns=daily,
            )
            for values, known, (spec_hash, digest, refused, aborted, first_day), daily in rows
        ]


def _numbers(axis: Axis, values: list[float | int]) -> Any:
    """Whole numbers as int64 where the whole axis is, so that they come back as they were."""
    whole = all(isinstance(value, int) for value in axis.values) if axis.values else axis.whole
    return pa.array(values, pa.int64() if whole else pa.float64())
