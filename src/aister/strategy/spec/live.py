"""A spec bar by bar: the strategy that the event engine asks at every close of its timeframe."""

from collections import deque
from math import nan
from typing import Any

import numpy as np

from aister.core.council import Evidence, Setup, Target
from aister.core.instrument import Instrument
from aister.core.trade import OrderType, Side
from aister.features.featureset import FeatureSet
from aister.features.timeframes import bit
from aister.strategy.spec.canon import spec_hash
from aister.strategy.spec.operations import SCALARS
from aister.strategy.spec.prices import add_rows, setup_rows
from aister.strategy.spec.program import Operation, Program, SideProgram, program_of
from aister.strategy.spec.tree import Spec
from aister.strategy.spec.vocabulary import asked_of
from aister.strategy.strategy import setup_id

__all__ = ["SpecStrategy"]


class _Memory:
    """What one symbol's program remembers: its last decision close, the values there, and those before for `ago`."""

    __slots__ = ("past", "time_ms", "values")

    def __init__(self, operations: tuple[Operation, ...]) -> None:
        self.time_ms = -1
        self.values: list[Any] = []
        self.past = {
            index: deque[float](maxlen=int(operation.value))
            for index, operation in enumerate(operations)
            if operation.name == "ago"
        }


class SpecStrategy:
    """Implements `strategy.Exiting` and `strategy.Adding`. It decides at closes of the spec's timeframe on their
    boundary whose bar has no gap; while a side's entry holds, it fires at each of them.

    features: ids it reads; indicators: those with parameters, to be asked of `Features(..., indicators=)`; unsound:
    setups that did not fire because a price was unknown, off the grid or on the wrong side.
    """

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.name = spec.name
        self.hash = spec_hash(spec)
        self.mask = bit(spec.timeframe)
        self.unsound = 0
        self._program: Program = program_of(spec)
        self.features = self._program.reads
        self.indicators = asked_of(self.features)
        self._complete = f"{spec.timeframe}.complete"
        self._memory: dict[str, _Memory] = {}

    def setups(self, features: FeatureSet, instrument: Instrument, cost_e8: int) -> tuple[Setup, ...]:
        """As `Strategy.setups`: one at most, long before short."""
        values = self._values(features)
        if values is None:
            return ()
        for side in self._program.sides:
            if values[side.entry]:
                found = self._setup(side, values, features, instrument, cost_e8)
                if found is not None:
                    return (found,)
                self.unsound += 1
        return ()

    def exits(self, features: FeatureSet, instrument: Instrument) -> tuple[Side, ...]:
        """As `Exiting.exits`."""
        values = self._values(features)
        if values is None:
            return ()
        return tuple(Side(side.sign) for side in self._program.sides if side.exit >= 0 and values[side.exit])

    def adds(self, features: FeatureSet, instrument: Instrument) -> tuple[tuple[Side, int], ...]:
        """As `Adding.adds`."""
        values = self._values(features)
        if values is None:
            return ()
        found: list[tuple[Side, int]] = []
        for side in self._program.sides:
            if side.add < 0 or not values[side.add]:
                continue
            rows = add_rows(
                side,
                instrument,
                np.array([features.time_ms]),
                np.array([values[self._program.close]]),
                np.array([values[side.add_stop]]) if side.add_stop >= 0 else None,
            )
            found += [(Side(side.sign), int(row["stop_ticks"])) for row in rows]
            self.unsound += not len(rows)
        return tuple(found)

    def _values(self, features: FeatureSet) -> list[Any] | None:
        """The program's values at this close, None where it is none of the decision's. Worked out once a close."""
        time_ms = features.time_ms
        if time_ms % self.spec.interval_ms or features.get(self._complete) != 1.0:
            return None
        if self.spec.symbols and features.symbol not in self.spec.symbols:
            return None
        memory = self._memory.get(features.symbol)
        if memory is None:
            memory = self._memory[features.symbol] = _Memory(self._program.operations)
        if memory.time_ms == time_ms:
            return memory.values
        if memory.time_ms != time_ms - self.spec.interval_ms:
            for past in memory.past.values():
                past.clear()
        memory.time_ms = time_ms
        memory.values = self._evaluated(features, memory.past)
        return memory.values

    def _evaluated(self, features: FeatureSet, past: dict[int, deque[float]]) -> list[Any]:
        values: list[Any] = []
        for index, operation in enumerate(self._program.operations):
            name = operation.name
            if name == "feature":
                known = features.get(operation.id)
                values.append(nan if known is None else known)
            elif name == "const":
                values.append(operation.value)
            elif name == "ago":
                before = past[index]
                values.append(before[0] if len(before) == before.maxlen else nan)
            else:
                first, second = values[operation.first], values[operation.second] if operation.second >= 0 else 0.0
                values.append(SCALARS[name](first, second))
        for index, before in past.items():
            before.append(values[self._program.operations[index].first])
        return values

    def _setup(
        self, side: SideProgram, values: list[Any], features: FeatureSet, instrument: Instrument, cost_e8: int
    ) -> Setup | None:
        def column(index: int) -> Any:
            return np.array([values[index]])

        rows = setup_rows(
            side,
            instrument,
            cost_e8,
            time_ms=np.array([features.time_ms]),
            close=column(self._program.close),
            limit=column(side.limit) if side.limit >= 0 else None,
            stop=column(side.stop),
            targets=tuple(column(index) for _, index, _ in side.targets),
            horizon_ms=self.spec.horizon_ms,
        )
        if not len(rows):
            return None
        row = rows[0]
        sign = Side(side.sign)
        aims = range(int(row["targets"]))
        return Setup(
            id=setup_id(features.symbol, features.time_ms, self.name, sign),
            symbol=features.symbol,
            rule=self.name,
            timeframe=self.spec.timeframe,
            time_ms=features.time_ms,
            side=sign,
            entry_type=OrderType.LIMIT if row["limit"] else OrderType.MARKET,
            entry_ticks=int(row["entry_ticks"]),
            stop_ticks=int(row["stop_ticks"]),
            targets=tuple(Target(int(row["target_ticks"][i]), int(row["share_e4"][i])) for i in aims),
            horizon_ms=int(row["horizon_ms"]),
            evidence=tuple(Evidence(id, value) for id in side.reads if (value := features.get(id)) is not None),
            life_ms=int(row["life_ms"]),
        )
