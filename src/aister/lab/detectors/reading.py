"""A spec as detectors ask it: its signals over any market, its features over any series, and how it can be varied."""

from collections.abc import Mapping

import msgspec
import numpy as np
import numpy.typing as npt

from aister.features.columns import FeatureColumns
from aister.features.indicators import indicator
from aister.features.timeframes import INTERVAL_MS
from aister.ports.market import Market, Series
from aister.ports.signals import Signals
from aister.strategy.spec.batch import compile_spec
from aister.strategy.spec.program import program_of
from aister.strategy.spec.tree import Spec
from aister.strategy.spec.vocabulary import warm_up_ms

__all__ = ["Column", "SpecReading"]


class Column(msgspec.Struct, frozen=True, eq=False):
    """A feature at the moments at which a strategy decides; needs_ms: how much history it declares to need."""

    time_ms: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]
    needs_ms: int


class SpecReading:
    """Answers from the market it is handed alone. cost_e8: the round trip by symbol, as the fill model has it."""

    def __init__(self, spec: Spec, cost_e8: Mapping[str, int]) -> None:
        self.spec = spec
        self._cost_e8 = cost_e8
        program = program_of(spec)
        self._reads = program.reads
        ago = sum(int(one.value) for one in program.operations if one.name == "ago")
        self.warm_up_ms = warm_up_ms(program.reads) + (1 + ago) * spec.interval_ms

    def says(self, market: Market) -> dict[str, Signals]:
        """The signals of every symbol."""
        return {
            one.symbol: compile_spec(self.spec, FeatureColumns(one), self._cost_e8[one.symbol]) for one in market.series
        }

    def features(self, series: Series) -> dict[str, Column]:
        """Every feature that the rules read, at each close of the decision timeframe."""
        columns, decide = FeatureColumns(series), self.spec.timeframe
        times = columns.closes(decide).known_ms
        return {id: Column(times, columns.at(id, decide), _needs_ms(id)) for id in self._reads}


def _needs_ms(id: str) -> int:
    timeframe, _, name = id.partition(".")
    return indicator(name).warmup * INTERVAL_MS[timeframe] if timeframe in INTERVAL_MS else 0
