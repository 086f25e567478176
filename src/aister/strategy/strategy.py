"""What the engine needs of a strategy, and how a rule's idea becomes a `Setup` in exact ticks."""

from typing import Protocol

import msgspec

from aister.core.council import Evidence, Setup, Target
from aister.core.instrument import Instrument
from aister.core.trade import OrderType, Side
from aister.features.featureset import FeatureSet

__all__ = ["Adding", "Exiting", "Idea", "NotKnown", "Noting", "Reading", "Strategy", "setup_id", "setup_of"]

COST_MULTIPLE = 3.0
"""A stop is at least this many round-trip costs away (Q30)."""


class Strategy(Protocol):
    """Decides when one of the timeframes in `mask` (bits, see `features.timeframes`) has closed. It remembers which
    episodes it has reported, so it is fed every such close of a symbol once, in order; with the same features it
    fires the same setups."""

    @property
    def name(self) -> str: ...
    @property
    def mask(self) -> int: ...
    def setups(self, features: FeatureSet, instrument: Instrument, cost_e8: int) -> tuple[Setup, ...]:
        """The setups that fire at `features.time_ms`, in a fixed order. `cost_e8`: expected round trip as a
        fraction, in 1e-8."""
        ...


class Exiting(Strategy, Protocol):
    """A strategy that also says when to leave: asked at the same closes as `setups`, before a new one is pursued."""

    def exits(self, features: FeatureSet, instrument: Instrument) -> tuple[Side, ...]:
        """The sides whose position is closed at market now."""
        ...


class Adding(Strategy, Protocol):
    """A strategy that also says when to enter more of what is held: asked at the same closes, after `exits`."""

    def adds(self, features: FeatureSet, instrument: Instrument) -> tuple[tuple[Side, int], ...]:
        """The sides of which more may be entered now, and where in ticks the stop then belongs (0: it stays)."""
        ...


class NotKnown(Exception):
    """A rule asked for a feature that is unavailable: then it does not fire."""


class Reading(dict[str, float]):
    """What a rule reads from: `read[id]` is a feature's value, fetched once. Raises `NotKnown` where it is
    unavailable."""

    __slots__ = ("_features",)

    def __init__(self, features: FeatureSet) -> None:
        super().__init__()
        self._features = features

    def __missing__(self, id: str) -> float:
        value = self._features.get(id)
        if value is None:
            raise NotKnown(id)
        self[id] = value
        return value


class Noting(Reading):
    """A `Reading` that notes every id: the evidence of a setup is what its rule looked at."""

    __slots__ = ("_noted",)

    def __init__(self, features: FeatureSet) -> None:
        super().__init__(features)
        self._noted: dict[str, float] = {}

    def __getitem__(self, id: str) -> float:
        value = self._noted[id] = super().__getitem__(id)
        return value

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """In the order of first reading."""
        return tuple(Evidence(id, value) for id, value in self._noted.items())


class Idea(msgspec.Struct, frozen=True):
    """What a rule sees on one side of the market.

    invalid_at: price beyond which the idea is wrong; noise: price distance that means nothing (the stop is at least
    this far); limit: price of a limit entry, None for market; targets: (multiple of the stop distance, share in
    1e-4); episode: what must change before the same idea may be reported again (the time a swing formed), None: the
    idea must first go away.
    """

    invalid_at: float
    noise: float
    targets: tuple[tuple[float, int], ...]
    horizon_ms: int
    limit: float | None = None
    episode: float | None = None


def setup_id(symbol: str, time_ms: int, rule: str, side: Side) -> str:
    """Derived from content: the same bar, rule and side have the same id in every run."""
    return f"{symbol}-{time_ms}-{rule}-{side.word}"


def setup_of(
    idea: Idea,
    rule: str,
    timeframe: str,
    side: Side,
    read: Noting,
    features: FeatureSet,
    instrument: Instrument,
    cost_e8: int,
) -> Setup:
    """The idea in ticks. Stop distance = max(entry to invalid_at, noise, 3 x cost x entry); every computed price is
    rounded outward: stop and targets away from the entry, a limit entry away from the market."""
    close = read[f"{timeframe}.close"]
    entry = close if idea.limit is None else idea.limit
    distance = max(side * (entry - idea.invalid_at), idea.noise, COST_MULTIPLE * entry * cost_e8 / 1e8)
    below = instrument.ticks_below if side > 0 else instrument.ticks_above
    beyond = instrument.ticks_above if side > 0 else instrument.ticks_below
    return Setup(
        id=setup_id(features.symbol, features.time_ms, rule, side),
        symbol=features.symbol,
        rule=rule,
        timeframe=timeframe,
        time_ms=features.time_ms,
        side=side,
        entry_type=OrderType.MARKET if idea.limit is None else OrderType.LIMIT,
        entry_ticks=instrument.to_ticks(close) if idea.limit is None else below(idea.limit),
        stop_ticks=below(entry - side * distance),
        targets=tuple(Target(beyond(entry + side * multiple * distance), share) for multiple, share in idea.targets),
        horizon_ms=idea.horizon_ms,
        evidence=read.evidence,
    )
