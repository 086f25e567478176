"""Every feature there is: id, unit, warm-up, invariances, meaning. An id is `timeframe.name` or `group.name`.

The timeframe part is written once in the kernel's own table (`aister.kernels.outputs.OUTPUTS`) and repeated here
per timeframe. Indicators with parameters (`15m.ema_34`) are features too, once somebody asks for them: `feature(id)`
describes those and these alike.
"""

import msgspec

from aister.core.errors import UsageError
from aister.features.indicators import Indicator, indicator
from aister.features.timeframes import NAMES, bit
from aister.kernels.outputs import MOVES, OUTPUTS, SAME, Output

__all__ = ["CATALOGUE", "CONTEXT", "Feature", "feature", "feature_ids"]


class Feature(msgspec.Struct, frozen=True):
    """What a feature is. It becomes known when the last bar it reads closes.

    warmup: closed bars of its timeframe before the start of history matters less than 1e-6; 0 where it has no
    memory. additive (p -> p + c) and scale (p -> k p): "same", "moves" (by c, k-fold) or "" (no such invariance).
    reciprocal (p -> c / p): "same ID" or "inverse ID" of the feature it turns into, or "". why: the reason where
    there is none at all.
    """

    id: str
    unit: str
    warmup: int
    meaning: str
    additive: str
    scale: str
    reciprocal: str
    why: str = ""


def _of_bars(timeframe: str, output: Output) -> Feature:
    kind, _, partner = output.reciprocal.partition(" ")
    return Feature(
        id=f"{timeframe}.{output.name}",
        unit=output.unit,
        warmup=output.warmup,
        meaning=output.meaning,
        additive=output.additive,
        scale=output.scale,
        reciprocal=f"{kind} {timeframe}.{partner}" if partner else "",
        why=output.why,
    )


def _of_indicator(timeframe: str, made: Indicator) -> Feature:
    kind, _, partner = made.reciprocal.partition(" ")
    return Feature(
        id=f"{timeframe}.{made.name}",
        unit=made.unit,
        warmup=made.warmup,
        meaning=made.meaning,
        additive=made.additive,
        scale=made.scale,
        reciprocal=f"{kind} {timeframe}.{partner}" if partner else "",
        why=made.why,
    )


def _of_time(id: str, unit: str, meaning: str, warmup: int = 0) -> Feature:
    return Feature(id, unit, warmup, meaning, SAME, SAME, f"same {id}")


def _of_count(timeframe: str) -> tuple[Feature, ...]:
    return (
        _of_time(f"{timeframe}.bars", "bars", "Closed bars of this timeframe so far.", 1),
        _of_time(
            f"{timeframe}.complete",
            "0 or 1",
            "Whether the last closed bar has every base bar in it (1) or has a gap (0).",
            1,
        ),
        _of_time(f"{timeframe}.unbroken", "bars", "Complete closed bars in a row up to the last one.", 1),
    )


CONTEXT: tuple[Feature, ...] = (
    _of_time("session.new_york_minute", "minutes", "Minutes since midnight on New York clocks."),
    _of_time("session.london_minute", "minutes", "Minutes since midnight on London clocks."),
    _of_time("session.weekday", "0..6", "Day of the week in New York, Monday is 0."),
    _of_time("session.london_is_open", "0 or 1", "London cash session: 08:00-16:30 there, Monday to Friday."),
    _of_time("session.new_york_is_open", "0 or 1", "New York cash session: 09:30-16:00 there, Monday to Friday."),
    _of_time("session.minutes_to_new_york_open", "minutes", "Until New York's next cash open, Monday to Friday."),
    _of_time("session.silver_bullet", "0 or 1", "In a silver-bullet hour: 03-04, 10-11 or 14-15 h New York."),
    _of_time("session.kill_zone", "0 or 1", "In any kill zone."),
    _of_time("session.kill_zone_london_open", "0 or 1", "London open kill zone: 02:00-05:00 New York."),
    _of_time("session.kill_zone_new_york_open", "0 or 1", "New York open kill zone: 07:00-10:00 New York."),
    _of_time("session.kill_zone_london_close", "0 or 1", "London close kill zone: 10:00-12:00 New York."),
    _of_time("session.kill_zone_asian", "0 or 1", "Asian kill zone: 20:00-24:00 New York."),
    Feature(
        id="session.midnight_open",
        unit="price",
        warmup=0,
        meaning="Open of the base bar that opened at the last midnight in New York, known when that bar closed.",
        additive=MOVES,
        scale=MOVES,
        reciprocal="inverse session.midnight_open",
    ),
    _of_time("funding.rate", "fraction per settlement", "Last settled funding rate; positive: longs pay shorts."),
    _of_time("funding.rate_8h", "fraction per 8 h", "Last settled funding rate, per eight hours."),
    _of_time(
        "funding.minutes_to_next", "minutes", "Until the next settlement: the last one plus the interval in the data."
    ),
    _of_time("funding.minutes_since", "minutes", "Since the last settlement."),
    _of_time("clock.utc_minute", "minutes", "Minutes since midnight UTC."),
    _of_time("clock.minutes_to_1h_close", "minutes", "Until the hour's bar closes; 60 at its open."),
    _of_time("clock.minutes_to_4h_close", "minutes", "Until the four-hour bar closes; 240 at its open."),
    _of_time("clock.data_age", "minutes", "Since the newest base bar of the symbol closed."),
)
"""The features that belong to no timeframe."""

CATALOGUE: dict[str, Feature] = {
    feature.id: feature
    for feature in (
        *(
            feature
            for timeframe in NAMES
            for feature in (*(_of_bars(timeframe, output) for output in OUTPUTS), *_of_count(timeframe))
        ),
        *CONTEXT,
    )
}
"""All features by id, in the order in which a `FeatureSet` holds them."""


def feature_ids(timeframe: str) -> tuple[str, ...]:
    """The ids of one timeframe: first the kernel's outputs in the order of their record, then bars, complete,
    unbroken."""
    return tuple(id for id in CATALOGUE if id.startswith(f"{timeframe}."))


def feature(id: str) -> Feature:
    """What the feature of this id is: of the catalogue, or an indicator with parameters of one of the timeframes.

    Raises `UsageError` saying what is wrong with the id.
    """
    if id in CATALOGUE:
        return CATALOGUE[id]
    timeframe, dot, name = id.partition(".")
    if not dot or timeframe in ("session", "funding", "clock"):
        raise UsageError(f"There is no feature {id!r}; the catalogue lists every id.")
    bit(timeframe)
    return _of_indicator(timeframe, indicator(name))
