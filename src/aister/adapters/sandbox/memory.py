"""Memory that the child reads and only the parent writes: columns appear in it as far as they may be known."""

import mmap
import os
import tempfile
from collections.abc import Mapping
from types import TracebackType
from typing import Any

import numpy.typing as npt

from aister.lab.python.memory import Tables, tables_in

__all__ = ["Shared"]

Column = npt.NDArray[Any]

_IN_MEMORY = "/dev/shm"


class Shared:
    """A context. `reader` is the child's descriptor, read-only; the memory is empty until `hold`, all zero until
    `reveal`."""

    def __init__(self) -> None:
        place = _IN_MEMORY if os.path.isdir(_IN_MEMORY) else None
        with tempfile.NamedTemporaryFile(dir=place) as file:
            self.reader = os.open(file.name, os.O_RDONLY | os.O_CLOEXEC)
            self._writer = os.dup(file.fileno())
        self._whole: Tables | None = None
        self._shown: Tables | None = None
        self._bars = self._settlements = self._closes = 0

    def __enter__(self) -> "Shared":
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self._whole = self._shown = None
        os.close(self.reader)
        os.close(self._writer)

    def hold(self, whole: Tables) -> None:
        """Make room for these tables."""
        shape = whole.shape
        os.ftruncate(self._writer, shape.size)
        self._whole, self._shown = whole, tables_in(mmap.mmap(self._writer, shape.size), shape)

    def reveal(self, bars: int, closes: int) -> None:
        """Copy the tables up to so many bars (at least one) and closes; what was copied before is not copied again."""
        if self._whole is None or self._shown is None:
            raise RuntimeError("nothing is held yet")
        whole, shown = self._whole, self._shown
        settlements = int(whole.bars["settlements"][bars - 1])
        _copy(whole.bars, {name: shown.bars[name] for name in whole.bars}, self._bars, bars)
        _copy({"": whole.rates_e8}, {"": shown.rates_e8}, self._settlements, settlements)
        _copy(whole.closes, shown.closes, self._closes, closes)
        self._bars, self._settlements, self._closes = bars, settlements, closes


def _copy(whole: Mapping[str, Column], shown: Mapping[str, Column], begin: int, end: int) -> None:
    for name, column in shown.items():
        column[begin:end] = whole[name][begin:end]
