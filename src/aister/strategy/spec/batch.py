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
from aister.features.columns import Closes, FeatureColumns
from aister.features.timeframes import INTERVAL_MS
from aister.kernels.signals import EXIT, SETUP
from aister.ports.market import Series
from aister.ports.signals import ADD, Signals
from aister.strategy.spec.operations import COLUMNS
from aister.strategy.spec.prices import add_rows, setup_rows
from aister.strategy.spec.program import Operation, Program, SideProgram, program_of
from aister.strategy.spec.tree import Spec

__all__ = ["Sheet", "compile_spec"]

Column = npt.NDArray[Any]
Ints = npt.NDArray[np.int64]

_BLOCK = 1 << 16

_TURNED = {">": "<", "<": ">", ">=": "<=", "<=": ">=", "==": "==", "!=": "!="}
"""What a comparison becomes when both of its sides change their sign."""


class Sheet:
    """The decision closes of one timeframe of one symbol: the closes inside the span, on their boundary, of bars
    without a gap. Keeps columns of operations, and the rows at which conditions hold, by their key, up to `budget`
    bytes, those used longest ago dropped first.

    time_ms: of each decision close.
    """

    def __init__(self, columns: FeatureColumns, timeframe: str, budget: int = 64 << 20) -> None:
        series, closes = columns.series, columns.closes(timeframe)
        if not len(closes) and len(series.open_ms):
            raise UsageError(_no_closes(series, timeframe))
        self.columns, self.timeframe = columns, timeframe
        self._rows = slice(series.start, len(closes)) if closes.base else _deciding(closes, series)
        self.time_ms = closes.known_ms[self._rows]
        count, step_ms = len(self.time_ms), closes.interval_ms
        broken = count > 1 and self.time_ms[-1] - self.time_ms[0] != (count - 1) * step_ms
        self._breaks: Ints = np.flatnonzero(np.diff(self.time_ms) != step_ms) + 1 if broken else np.zeros(0, np.intp)
        self._kept: dict[str, Column] = {}
        self._found: dict[str, Ints] = {}
        self._budget, self._bytes = budget, 0

    @property
    def kept_bytes(self) -> int:
        return self._bytes

    def run(self, rows: Ints) -> Ints:
        """How many decision closes came before each of these without a gap, this span's only."""
        if not len(self._breaks):
            return rows
        run: Ints = rows - np.concatenate(([0], self._breaks))[np.searchsorted(self._breaks, rows, "right")]
        return run

    def column(self, operations: tuple[Operation, ...], index: int) -> Column:
        """The values of one operation at every decision close; a constant is a single number."""
        needed = self._missing(operations, index)
        kept = ((place, self._kept.get(operations[place].key)) for place in needed)
        made = {place: column for place, column in kept if column is not None}
        for place in needed:
            if place not in made:
                made[place] = self._worked_out(operations, place, made)
            self._keep(operations[place], made[place])
        return made[index]

    def rows(self, operations: tuple[Operation, ...], index: int) -> Ints:
        """At which decision closes a condition holds, rising. Of an `and` the part that holds seldom is looked at
        first, and the others only where it does."""
        key = operations[index].key
        found = self._found.pop(key, None)
        if found is None:
            found = self._found_rows(operations, index)
            self._bytes += found.nbytes
        self._found[key] = found  # the last used is dropped last
        self._shrink()
        return found

    def points(
        self, operations: tuple[Operation, ...], index: int, rows: Ints, made: dict[int, Column] | None = None
    ) -> Column:
        """The values at some of the decision closes, worked out there only. `made`: of other operations at these
        rows."""
        made = {} if made is None else made
        if index not in made:
            made[index] = self._pointed(operations, index, rows, made)
        return made[index]

    def _found_rows(self, operations: tuple[Operation, ...], index: int) -> Ints:
        one = operations[index]
        if _crosses(operations, index):
            return self._crossings(operations, one.first, one.second)
        if one.name == "and":
            parts = sorted((one.first, one.second), key=lambda part: not self._seldom(operations, part))
            if self._seldom(operations, parts[0]):
                found = self.rows(operations, parts[0])
                return np.asarray(found[self.points(operations, parts[1], found)])
        return np.flatnonzero(np.broadcast_to(self.column(operations, index), self.time_ms.shape))

    def _seldom(self, operations: tuple[Operation, ...], index: int) -> bool:
        """Whether it is a crossing, or something and a crossing."""
        one = operations[index]
        if one.name != "and":
            return False
        parts = (one.first, one.second)
        return _crosses(operations, index) or any(self._seldom(operations, part) for part in parts)

    def _crossings(self, operations: tuple[Operation, ...], one: int, other: int) -> Ints:
        """Where two comparisons of the same columns, each some closes ago, both hold: block by block, so that what
        lies between stays near the processor."""
        first, second = _bare(operations, one), _bare(operations, other)
        left, right = self.column(operations, first[1]), self.column(operations, first[2])
        back = max(first[3], second[3])
        found = []
        for begin in range(back, len(self.time_ms), _BLOCK):
            end = min(begin + _BLOCK, len(self.time_ms))
            holds = []
            for name, _, _, bars in (first, second):
                at = slice(begin - bars, end - bars)
                holds.append(COLUMNS[name](left[at] if left.ndim else left, right[at] if right.ndim else right))
            found.append(np.flatnonzero(np.broadcast_to(holds[0] & holds[1], (end - begin,))) + begin)
        rows = np.concatenate(found) if found else np.zeros(0, np.intp)
        return rows[self.run(rows) >= back]

    def _pointed(self, operations: tuple[Operation, ...], index: int, rows: Ints, made: dict[int, Column]) -> Column:
        one = operations[index]
        if one.name == "const":
            return np.full(len(rows), one.value)
        if one.name == "feature" or one.key in self._kept:
            return np.asarray(self.column(operations, index)[rows])
        if one.name == "ago":
            bars = int(one.value)
            before = self.points(operations, one.first, np.maximum(rows - bars, 0)).copy()
            before[self.run(rows) < bars] = nan
            return before
        first = self.points(operations, one.first, rows, made)
        second = self.points(operations, one.second, rows, made) if one.second >= 0 else first
        return np.asarray(COLUMNS[one.name](first, second))

    def _missing(self, operations: tuple[Operation, ...], index: int) -> list[int]:
        """What the operation needs, itself included, each after what it needs; below what is kept nothing is."""
        needed: set[int] = set()
        waiting = [index]
        while waiting:
            place = waiting.pop()
            if place not in needed:
                needed.add(place)
                _, first, second, _ = _bare(operations, place)
                waiting += () if operations[place].key in self._kept else [p for p in (first, second) if p >= 0]
        return sorted(needed)

    def _keep(self, operation: Operation, column: Column) -> None:
        if operation.name == "feature" and operation.id.startswith(f"{self.timeframe}."):
            return  # `columns` has it
        if operation.key not in self._kept:
            self._bytes += column.nbytes
        self._kept.pop(operation.key, None)
        self._kept[operation.key] = column  # the last used is dropped last
        self._shrink()

    def _shrink(self) -> None:
        while self._bytes > self._budget and len(self._kept) + len(self._found) > 1:
            kept: dict[str, Any] = self._kept if len(self._kept) > 1 or not self._found else self._found
            self._bytes -= kept.pop(next(iter(kept))).nbytes

    def _worked_out(self, operations: tuple[Operation, ...], place: int, made: dict[int, Column]) -> Column:
        operation = operations[place]
        if operation.name == "const":
            return np.array(operation.value)
        if operation.name == "feature":
            return np.asarray(self.columns.at(operation.id, self.timeframe)[self._rows])
        if operation.name == "ago":
            return self._ago(made[operation.first], int(operation.value), nan)
        name, at, other, bars = _bare(operations, place)
        first = made[at]
        column = np.asarray(COLUMNS[name](first, made[other] if other >= 0 else first))
        return self._ago(column, bars, False) if bars and column.ndim else column

    def _ago(self, column: Column, bars: int, unknown: float | bool) -> Column:
        before = np.empty(len(self.time_ms), type(unknown))
        before[bars:] = column[: max(0, len(column) - bars)]
        before[:bars] = unknown
        for begin in self._breaks:
            before[begin : begin + bars] = unknown
        return before


def _deciding(closes: Closes, series: Series) -> slice | Ints:
    """The closes inside the span, on their boundary, of bars without a gap."""
    opened = series.open_ms[series.start :]
    within = closes.known_ms > opened[0] if len(opened) else np.zeros(len(closes), np.bool_)
    rows = np.flatnonzero(closes.on_time & closes.complete & within)
    whole = len(rows) and len(rows) == rows[-1] - rows[0] + 1
    return slice(int(rows[0]), int(rows[-1]) + 1) if whole else rows


def _crosses(operations: tuple[Operation, ...], index: int) -> bool:
    """Whether it is two comparisons of the same, at different closes: that holds seldom."""
    one = operations[index]
    if one.name != "and":
        return False
    first, second = _bare(operations, one.first), _bare(operations, one.second)
    return first[0] in _TURNED and second[0] in _TURNED and first[1:3] == second[1:3] and first[3] != second[3]


def _bare(operations: tuple[Operation, ...], place: int) -> tuple[str, int, int, int]:
    """(operation, its parts, how many closes ago) of a comparison without what both of its sides share: a change of
    sign turns it round, `ago` moves its answer. So crossings and their mirrors need no columns of their own."""
    one = operations[place]
    name, first, second, bars = one.name, one.first, one.second, 0
    while name in _TURNED and operations[first].name == operations[second].name:
        here, there = operations[first], operations[second]
        if here.name == "neg":
            name = _TURNED[name]
        elif here.name == "ago" and here.value == there.value:
            bars += int(here.value)
        else:
            break
        first, second = here.first, there.first
    return name, first, second, bars


def _no_closes(series: Series, timeframe: str) -> str:
    minutes, bars = series.interval_ms / 60_000, len(series.open_ms)
    if INTERVAL_MS[timeframe] % series.interval_ms:
        return f"Bars of {minutes:g} min make no {timeframe} bars; feed smaller ones."
    held = "1 bar" if bars == 1 else f"{bars:,} bars"
    return f"{series.instrument.symbol}: {held} of {minutes:g} min hold no whole {timeframe} bar; give a longer span."


def compile_spec(spec: Spec, columns: FeatureColumns, cost_e8: int, sheet: Sheet | None = None) -> Signals:
    """Everything the strategy says of one symbol over its series; nothing where the spec is for other symbols. The
    program is worked out over all closes, prices only where a side fires. Raises `UsageError` for a sheet of another
    timeframe or series, `DataError` as `FeatureColumns`."""
    instrument = columns.series.instrument
    if spec.symbols and instrument.symbol not in spec.symbols:
        return Signals.none()
    program = program_of(spec)
    if sheet is None:
        sheet = Sheet(columns, spec.timeframe)
        columns.prepare_ids(program.reads)
    if sheet.timeframe != spec.timeframe or sheet.columns is not columns:
        raise UsageError(f"{spec.name} decides on {spec.timeframe}; hand it a sheet of that timeframe and series.")
    found: list[Column] = []
    unsound = 0
    taken = np.zeros(0, np.int64)
    for side in program.sides:
        rows, fired = _fired(spec, program, side, sheet, cost_e8, taken)
        unsound += fired - len(rows)
        found.append(rows)
        taken = np.ascontiguousarray(rows["time_ms"])
    adds, more = _adds(program, sheet)
    return Signals(_in_time(found), _exits(program, sheet), unsound + more, adds)


def _in_time(found: list[Column]) -> Column:
    """The rows of one or two sides by time; no two have the same."""
    sides = [rows for rows in found if len(rows)]
    if len(sides) < 2:
        return sides[0] if sides else np.zeros(0, SETUP)
    rows = np.empty(len(sides[0]) + len(sides[1]), SETUP)
    whole = np.dtype((np.void, SETUP.itemsize))  # copied as bytes, not field by field
    times = [np.ascontiguousarray(side["time_ms"]) for side in sides]
    for side, own, other in ((sides[0], *times), (sides[1], *times[::-1])):
        rows.view(whole)[np.arange(len(own)) + np.searchsorted(other, own)] = side.view(whole)
    return rows


def _fired(
    spec: Spec, program: Program, side: SideProgram, sheet: Sheet, cost_e8: int, taken: Ints
) -> tuple[Column, int]:
    """The sound setups of one side at closes that are not at the times `taken`, and how many there were with the
    others."""
    operations = program.operations
    places = sheet.rows(operations, side.entry)
    times = sheet.time_ms[places]
    if len(taken):
        free = taken[np.minimum(np.searchsorted(taken, times), len(taken) - 1)] != times
        places, times = places[free], times[free]
    made: dict[int, Column] = {}

    def at(index: int) -> Column:
        return sheet.points(operations, index, places, made)

    rows = setup_rows(
        side,
        sheet.columns.series.instrument,
        cost_e8,
        time_ms=times,
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
            leaves = sheet.rows(program.operations, side.exit)
            rows = np.zeros(len(leaves), EXIT)
            rows["time_ms"], rows["side"] = sheet.time_ms[leaves], side.sign
            found.append(rows)
    exits = np.concatenate(found) if found else np.zeros(0, EXIT)
    return exits[np.argsort(exits["time_ms"], kind="stable")]


def _adds(program: Program, sheet: Sheet) -> tuple[Column, int]:
    """Rows of ADD by time, long before short, and how many were left out."""
    found: list[Column] = []
    unsound = 0
    for side in program.sides:
        if side.add < 0:
            continue
        places = sheet.rows(program.operations, side.add)
        rows = add_rows(
            side,
            sheet.columns.series.instrument,
            sheet.time_ms[places],
            sheet.points(program.operations, program.close, places),
            sheet.points(program.operations, side.add_stop, places) if side.add_stop >= 0 else None,
        )
        unsound += len(places) - len(rows)
        found.append(rows)
    adds = np.concatenate(found) if found else np.zeros(0, ADD)
    return adds[np.argsort(adds["time_ms"], kind="stable")], unsound
