"""What may come in: size and row caps, and the time unit of a recording."""

import io
from pathlib import Path
from typing import BinaryIO

import msgspec
import numpy as np
import numpy.typing as npt

from aister.core.errors import DataError

__all__ = ["Caps", "LimitedReader", "WrongUnit", "admit", "milliseconds"]

_UNITS = (("seconds", 1), ("milliseconds", 1_000), ("microseconds", 1_000_000), ("nanoseconds", 1_000_000_000))
_EARLIEST_S, _LATEST_S = 1_230_768_000, 4_102_444_800  # 2009-01-01, 2100-01-01


class WrongUnit(DataError):
    """Times in seconds, nanoseconds or a mixture of units. `row` is the first that shows it."""

    def __init__(self, message: str, row: int) -> None:
        super().__init__(message)
        self.row = row


class Caps(msgspec.Struct, frozen=True):
    """The most one file may hold: bytes as stored, bytes unpacked, rows."""

    max_bytes: int = 2 << 30
    max_unpacked: int = 4 << 30
    max_rows: int = 20_000_000


def admit(path: Path, caps: Caps) -> None:
    """Raises `DataError` unless the file exists, is a plain readable file, is not empty and is within the size cap."""
    try:
        size = path.stat().st_size
        if not path.is_file():
            raise DataError(f"{path} is not a file; give a .csv, .zip or .parquet file.")
        with path.open("rb"):
            pass
    except FileNotFoundError:
        raise DataError(f"{path} does not exist; check the path.") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}); check its permissions.") from None
    if size == 0:
        raise DataError(f"{path} is empty; download it again.")
    if size > caps.max_bytes:
        raise DataError(f"{path} has {size:,} bytes, more than the {caps.max_bytes:,} allowed; split it by month.")


class LimitedReader(io.RawIOBase):
    """A readable that refuses to give more than `limit` bytes, whatever the archive's own header claims."""

    def __init__(self, inner: BinaryIO, limit: int, name: str) -> None:
        self._inner, self._left, self._limit, self._name = inner, limit, limit, name

    def readable(self) -> bool:
        return True  # pyarrow asks before it reads

    def read(self, size: int = -1) -> bytes:
        data = self._inner.read(self._left + 1 if size < 0 else min(size, self._left + 1))
        self._left -= len(data)
        if self._left < 0:
            raise DataError(f"{self._name} unpacks to more than {self._limit:,} bytes; it is refused unread.")
        return data


def milliseconds(
    times: npt.NDArray[np.int64], name: str, row_word: str, rows: npt.NDArray[np.int64], unit: str = ""
) -> tuple[npt.NDArray[np.int64], str]:
    """UTC milliseconds of a time column in milliseconds or microseconds (public-data files of 2025 on), and that unit.
    `unit` is the one seen so far in the same file.

    Raises `WrongUnit` for seconds, nanoseconds, microseconds that are no whole millisecond, and for a mixture of units.
    Single times outside 2009-2100 in every unit pass: the checks name them.
    """
    units = np.zeros(len(times), np.int8)
    for code, (_, scale) in enumerate(_UNITS, 1):
        units[(times >= _EARLIEST_S * scale) & (times < _LATEST_S * scale)] = code
    known = units[units > 0]
    if len(known) == 0:
        return times, unit
    unit = unit or _UNITS[int(known[0]) - 1][0]
    code = [name for name, _ in _UNITS].index(unit) + 1
    if not bool((known == code).all()):
        other = int(np.flatnonzero((units > 0) & (units != code))[0])
        raise WrongUnit(
            f"{name}: {row_word} {rows[other]} has its time in {_UNITS[units[other] - 1][0]} after times in "
            f"{unit} (wrong_unit); "
            "a file must keep one unit: split it where the unit changes.",
            int(rows[other]),
        )
    if unit not in ("milliseconds", "microseconds"):
        at = int(np.flatnonzero(units)[0])
        raise WrongUnit(
            f"{name}: {row_word} {rows[at]} has its time {times[at]} in {unit} (wrong_unit); "
            "times must be UTC milliseconds or microseconds: convert them before importing.",
            int(rows[at]),
        )
    if unit == "milliseconds":
        return times, unit
    if bool((times % 1_000).any()):
        at = int(np.flatnonzero(times % 1_000)[0])
        raise WrongUnit(
            f"{name}: {row_word} {rows[at]} has a time that is no whole millisecond (wrong_unit); correct the file.",
            int(rows[at]),
        )
    return times // 1_000, unit
