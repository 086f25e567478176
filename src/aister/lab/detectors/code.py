"""A Python strategy as detectors ask it: in a fresh process each time, through a function that the caller gives.

Its look-ahead, costs, delay and paths are those of the account it runs on. Its warm-up is asked of an account that can
buy nothing, so that what it says cannot hang on what it happens to hold; exits are not part of that.
"""

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Protocol

import msgspec
import numpy as np

from aister.core.errors import StrategyError, UsageError
from aister.core.money import UNIT
from aister.features.columns import FeatureColumns
from aister.features.timeframes import INTERVAL_MS
from aister.lab.backtest import Record
from aister.lab.batch import Plan
from aister.lab.detectors.blind import CodeLookAhead, detect_code_lookahead
from aister.lab.detectors.case import Case, looked
from aister.lab.detectors.effort import Effort
from aister.lab.detectors.neighbourhood import Neighbour
from aister.lab.detectors.reading import Column, needs_ms
from aister.lab.detectors.trying import Trying
from aister.lab.settings import UNMANAGED, Settings
from aister.ports.market import Market, Series
from aister.ports.signals import Signals
from aister.strategy.spec.vocabulary import warm_up_ms

__all__ = ["Ask", "Heard", "Parameter", "case_of_code"]

Parameter = bool | int | float | str

_STEPS = (0.8, 0.85, 0.9, 0.95, 1.0, 1.05, 1.1, 1.15, 1.2)
_EMPTY_HANDED = Plan(risk_e8=1, management=UNMANAGED)
_SMALL = 10 * UNIT
_LONGEST = 100_000


class Heard(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What was heard of a class and its signals: what it asks for, its parameters with their values."""

    name: str
    timeframe: str
    features: tuple[str, ...]
    warm_up: int
    parameters: Mapping[str, Parameter]
    signals: Signals


class Ask(Protocol):
    """Run the strategy over one symbol's market in a process that knows nothing of any other run. reveal: closes shown
    at a time, None for what is usual. Raises `StrategyError`."""

    def __call__(
        self,
        market: Market,
        plan: Plan,
        capital: int,
        *,
        parameters: Mapping[str, Parameter],
        reveal: int | None = None,
    ) -> Heard: ...


class _Reading:
    def __init__(self, ask: Ask, plan: Plan, capital: int, parameters: Mapping[str, Parameter]) -> None:
        self._ask, self._plan, self._capital, self._parameters = ask, plan, capital, parameters

    def heard(self, market: Market, **other: Parameter) -> Heard:
        return self._ask(market, self._plan, self._capital, parameters={**self._parameters, **other})

    def says(self, market: Market) -> dict[str, Signals]:
        return {market.symbols[0]: self.heard(market).signals}

    def blind(self, market: Market) -> dict[str, Signals]:
        shown = self._ask(market, self._plan, self._capital, parameters=self._parameters, reveal=1)
        return {market.symbols[0]: shown.signals}

    def entries(self, market: Market) -> dict[str, Signals]:
        shown = self._ask(market, _EMPTY_HANDED, _SMALL, parameters=self._parameters)
        return {market.symbols[0]: shown.signals}


class _Around:
    """The class with its numbers 5 to 20 % off."""

    def __init__(self, reading: _Reading, market: Market, plan: Plan, heard: Heard) -> None:
        self._numbers = {
            name: value
            for name, value in heard.parameters.items()
            if isinstance(value, int | float) and not isinstance(value, bool) and value != 0
        }
        self.paths = tuple(self._numbers)
        self.fixed = f"{heard.name}.__init__ names no number with a default, so that there is nothing to vary"
        self._reading, self._market, self._plan = reading, market, plan

    def draw(self, cells: int, seed: int) -> Iterator[Neighbour | None]:
        """As `neighbourhood.Around.draw`."""
        for numbers in _sets(self._numbers, cells, seed):
            try:
                heard = self._reading.heard(self._market, **numbers)
            except StrategyError:
                yield None
                continue
            yield Neighbour(
                signals={self._market.symbols[0]: heard.signals},
                plan=self._plan,
                varied=f"parameters: {words(numbers)}",
            )


def _sets(numbers: Mapping[str, int | float], cells: int, seed: int) -> list[dict[str, int | float]]:
    """Up to so many different sets of these numbers, themselves left out, drawn from a grid; whole ones stay whole."""
    choices = {name: sorted({_off(value, step) for step in _STEPS}) for name, value in numbers.items()}
    own = tuple(numbers.values())
    rng = np.random.default_rng(seed)
    if np.prod([float(len(values)) for values in choices.values()]) <= 4.0 * cells:
        every = [one for one in product(*choices.values()) if one != own]
        kept = [every[at] for at in rng.permutation(len(every))[:cells]]
    else:
        seen: dict[tuple[int | float, ...], None] = {}
        while len(seen) < cells:
            one = tuple(values[int(rng.integers(len(values)))] for values in choices.values())
            if one != own:
                seen[one] = None
        kept = list(seen)
    return [dict(zip(numbers, one, strict=True)) for one in kept] if numbers else []


def _off(value: int | float, step: float) -> int | float:
    return round(value * step) if isinstance(value, int) else value * step


def words(parameters: Mapping[str, Parameter]) -> str:
    """Parameters as they would be typed."""
    return ", ".join(f"{name}={value!r}" for name, value in sorted(parameters.items()))


def case_of_code(
    ask: Ask,
    market: Market,
    settings: Settings,
    record: Record,
    *,
    source: tuple[str, str],
    parameters: Mapping[str, Parameter],
) -> Case:
    """A Python strategy on one symbol's market. source: (text, SHA-256). Raises `UsageError` for several symbols,
    `StrategyError` when it cannot be run over the market itself."""
    settings.check()
    if len(market.series) != 1:
        raise UsageError(
            f"A Python strategy runs on one symbol, not on {', '.join(market.symbols)}: name one with --symbols."
        )
    plan = Plan(management=UNMANAGED, delay_bars=settings.delay_bars).check()
    reading = _Reading(ask, plan, settings.capital, parameters)
    heard = reading.heard(market)
    decides_ms = INTERVAL_MS[heard.timeframe]
    settings.model.check_bars(market.interval_ms, decides_ms)
    truth = {market.symbols[0]: heard.signals}
    named = words(heard.parameters)
    tried = Trying(
        market=market,
        signals=truth,
        plan=plan,
        model=settings.model,
        capital=settings.capital,
        decides_ms=decides_ms,
        cost_e8={one.symbol: settings.model.round_trip_e8(one.instrument) for one in market.series},
        looked=looked(record, heard.name, *source, {"parameters": named} if named else {}),
        says=reading.says,
    )

    def features(series: Series) -> dict[str, Column]:
        columns = FeatureColumns(series)
        times = columns.closes(heard.timeframe).known_ms
        return {id: Column(times, columns.at(id, heard.timeframe), needs_ms(id)) for id in heard.features}

    def lookahead(effort: Effort) -> CodeLookAhead:
        return detect_code_lookahead(
            reading.says,
            reading.blind,
            market,
            truth=truth,
            cuts=effort.cuts,
            alone=effort.whole_day,
            seed=effort.seed,
        )

    own = min(max(heard.warm_up, 0), _LONGEST) + 1
    return Case(
        kind="python",
        tried=tried,
        entries=reading.entries,
        warm_up_ms=warm_up_ms(heard.features) + own * decides_ms,
        features=features,
        around=_Around(reading, market, plan, heard),
        lookahead=lookahead,
        record=record,
        parameters=named,
        advice="; a class that remembers more than its features do says so in `warm_up`, in closes",
    )
