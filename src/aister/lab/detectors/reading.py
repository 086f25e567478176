"""A spec as detectors ask it: its signals over any market, its features over any series, and how it can be varied."""

from collections.abc import Callable, Iterator, Mapping

import msgspec
import numpy as np
import numpy.typing as npt

from aister.features.columns import FeatureColumns
from aister.features.indicators import indicator
from aister.features.timeframes import INTERVAL_MS
from aister.lab.batch import Plan
from aister.lab.detectors.neighbourhood import Neighbour
from aister.lab.detectors.parameters import neighbours, parameters_of
from aister.ports.market import Market, Series
from aister.ports.signals import Signals
from aister.strategy.spec.batch import Sheet, compile_spec
from aister.strategy.spec.canon import canonical, spec_hash
from aister.strategy.spec.program import program_of
from aister.strategy.spec.tree import Spec
from aister.strategy.spec.vocabulary import warm_up_ms

__all__ = ["Column", "SpecAround", "SpecReading", "needs_ms"]


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
        return {id: Column(times, columns.at(id, decide), needs_ms(id)) for id in self._reads}


def needs_ms(id: str) -> int:
    """How much history a feature declares to need."""
    timeframe, _, name = id.partition(".")
    return indicator(name).warmup * INTERVAL_MS[timeframe] if timeframe in INTERVAL_MS else 0


class SpecAround:
    """Neighbours of a spec over one market; feature columns are worked out once for all of them."""

    fixed = "its rules hold no number that could have been another one"

    def __init__(self, spec: Spec, market: Market, cost_e8: Mapping[str, int], plan_of: Callable[[Spec], Plan]) -> None:
        self.paths = tuple(one.path for one in parameters_of(spec))
        self._spec, self._market, self._cost_e8, self._plan_of = spec, market, cost_e8, plan_of

    def draw(self, cells: int, seed: int) -> Iterator[Neighbour | None]:
        """As `neighbourhood.Around.draw`."""
        columns = [FeatureColumns(one) for one in self._market.series]
        sheets = [Sheet(one, self._spec.timeframe) for one in columns]
        around, refused = neighbours(self._spec, cells, seed)
        yield from (None,) * refused
        for other in around:
            signals = {
                one.series.symbol: compile_spec(other, one, self._cost_e8[one.series.symbol], sheet)
                for one, sheet in zip(columns, sheets, strict=True)
            }
            text = msgspec.json.encode(canonical(other), order="sorted").decode()
            yield Neighbour(
                signals=signals, plan=self._plan_of(other), varied="parameters", spec=(text, spec_hash(other))
            )
