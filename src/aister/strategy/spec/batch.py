"""A spec over a whole series: its conditions as columns, its setups as rows, equal to what `SpecStrategy` fires.

    columns = FeatureColumns(series)
    sheet = Sheet(columns, "15m")                 made once, shared by all cells of a sweep on that timeframe
    signals = compile_spec(spec, columns, cost_e8, sheet)

What two specs have in common (`rsi_14 < 30`) is worked out once: a sheet keeps columns by the key of their operation.
"""

from math import nan
from typing import Any

import numpy as np
import numpy.typing as npt

from aister.core.errors import UsageError
from aister.features.columns import FeatureColumns
from aister.kernels.signals import EXIT, SETUP
from aister.ports.signals import Signals
from aister.strategy.spec.operations import COLUMNS
from aister.strategy.spec.prices import setup_rows
from aister.strategy.spec.program import Operation, Program, SideProgram, program_of
from aister.strategy.spec.tree import Spec

__all__ = ["Sheet", "compile_spec"]

Column = npt.NDArray[Any]


class Sheet:
    """The decision closes of one timeframe of one symbol: the closes inside the span, on their boundary, of bars
    without a gap. Keeps columns of operations by their key, up to `budget` bytes, those used longest ago dropped first.

    time_ms: of each decision close; run: how many came before it without a gap, this span's only.
    """

    def __init__(self, columns: FeatureColumns, timeframe: str, budget: int = 64 << 20) -> None:
        closes = columns.closes(timeframe)
        if not len(closes) and len(columns.series.open_ms):
            raise UsageError(f"Bars of {columns.series.interval_ms} ms make no {timeframe} bars; feed smaller ones.")
        self.columns, self.timeframe = columns, timeframe
        opened = columns.series.open_ms[columns.series.start :]
        within = closes.known_ms > opened[0] if len(opened) else np.zeros(len(closes), np.bool_)
        decides = closes.on_time & closes.complete & within
        rows = np.flatnonzero(decides)
        whole = len(rows) and len(rows) == rows[-1] - rows[0] + 1
        self._rows: slice | Column = slice(int(rows[0]), int(rows[-1]) + 1) if whole else rows
        self.time_ms = closes.known_ms[self._rows]
        follows = np.diff(self.time_ms) == closes.interval_ms
        places = np.arange(len(self.time_ms))
        begins = np.where(np.concatenate(([True], ~follows)) if len(places) else np.zeros(0, np.bool_), places, 0)
        self.run = places - np.maximum.accumulate(begins) if len(places) else places
        self._kept: dict[str, Column] = {}
        self._budget, self._bytes = budget, 0

    @property
    def kept_bytes(self) -> int:
        return self._bytes

    def column(self, operations: tuple[Operation, ...], index: int) -> Column:
        """The values of one operation at every decision close; a constant is a single number."""
        needed = self._needed(operations, index)
        keys = {place: operations[place].key for place in needed}
        made = {place: self._kept[key] for place, key in keys.items() if key in self._kept}
        for place in needed:
            if place not in made:
                made[place] = self._worked_out(operations[place], made)
            self._keep(keys[place], made[place])
        return made[index]

    def _needed(self, operations: tuple[Operation, ...], index: int) -> list[int]:
        """What the operation needs, itself included, each after what it needs; below what is kept nothing is."""
        needed: set[int] = set()
        waiting = [index]
        while waiting:
            place = waiting.pop()
            if place not in needed:
                needed.add(place)
                one = operations[place]
                waiting += () if one.key in self._kept else [p for p in (one.first, one.second) if p >= 0]
        return sorted(needed)

    def _keep(self, key: str, column: Column) -> None:
        if key not in self._kept:
            self._bytes += column.nbytes
        self._kept.pop(key, None)
        self._kept[key] = column  # the last used is dropped last
        while self._bytes > self._budget and len(self._kept) > 1:
            self._bytes -= self._kept.pop(next(iter(self._kept))).nbytes

    def _worked_out(self, operation: Operation, made: dict[int, Column]) -> Column:
        if operation.name == "const":
            return np.array(operation.value)
        if operation.name == "feature":
            return np.asarray(self.columns.at(operation.id, self.timeframe)[self._rows])
        first = made[operation.first]
        if operation.name == "ago":
            return self._ago(first, int(operation.value))
        second = made[operation.second] if operation.second >= 0 else first
        return np.asarray(COLUMNS[operation.name](first, second))

    def _ago(self, column: Column, bars: int) -> Column:
        before = np.full(len(self.time_ms), nan)
        before[bars:] = column[: max(0, len(column) - bars)]
        before[self.run < bars] = nan
        return before


def compile_spec(spec: Spec, columns: FeatureColumns, cost_e8: int, sheet: Sheet | None = None) -> Signals:
    """Everything the strategy says of one symbol over its series; nothing where the spec is for other symbols. The
    program is worked out over all closes, prices only where a side fires. Raises `UsageError` for a sheet of another
    timeframe or series, `DataError` as `FeatureColumns`."""
    instrument = columns.series.instrument
    if spec.symbols and instrument.symbol not in spec.symbols:
        return Signals.none()
    sheet = sheet or Sheet(columns, spec.timeframe)
    if sheet.timeframe != spec.timeframe or sheet.columns is not columns:
        raise UsageError(f"{spec.name} decides on {spec.timeframe}; hand it a sheet of that timeframe and series.")
    program = program_of(spec)
    found: list[Column] = []
    unsound = 0
    taken = np.zeros(0, np.int64)
    for side in program.sides:
        rows, fired = _fired(spec, program, side, sheet, cost_e8, taken)
        unsound += fired - len(rows)
        taken = np.concatenate((taken, rows["time_ms"]))
        found.append(rows)
    setups = np.concatenate(found) if found else np.zeros(0, SETUP)
    return Signals(setups[np.argsort(setups["time_ms"], kind="stable")], _exits(program, sheet), unsound)


def _fired(
    spec: Spec, program: Program, side: SideProgram, sheet: Sheet, cost_e8: int, taken: Column
) -> tuple[Column, int]:
    """The sound setups of one side at closes that are not taken, and how many there were with the others."""
    operations = program.operations
    fires = np.broadcast_to(sheet.column(operations, side.entry), sheet.time_ms.shape)
    places = np.flatnonzero(fires)
    places = places[~np.isin(sheet.time_ms[places], taken)] if len(taken) else places

    def at(index: int) -> Column:
        column = sheet.column(operations, index)
        return column[places] if column.ndim else np.full(len(places), column)

    rows = setup_rows(
        side,
        sheet.columns.series.instrument,
        cost_e8,
        time_ms=sheet.time_ms[places],
        close=at(program.close),
        limit=at(side.limit) if side.limit >= 0 else None,
        stop=at(side.stop),
        targets=tuple(at(index) for _, index, _ in side.targets),
        horizon_ms=spec.horizon_ms,
    )
    return rows, len(places)


def _exits(program: Program, sheet: Sheet) -> Column:
    """Rows of EXIT by time, long before short."""
    found: list[Column] = []
    for side in program.sides:
        if side.exit >= 0:
            leaves = np.broadcast_to(sheet.column(program.operations, side.exit), sheet.time_ms.shape)
            rows = np.zeros(int(leaves.sum()), EXIT)
            rows["time_ms"], rows["side"] = sheet.time_ms[leaves], side.sign
            found.append(rows)
    exits = np.concatenate(found) if found else np.zeros(0, EXIT)
    return exits[np.argsort(exits["time_ms"], kind="stable")]
