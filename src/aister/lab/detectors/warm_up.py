"""Warm-up: does what a strategy says depend on where history happens to begin? (quant Q33)

The market is begun later, several times. Once the declared warm-up has passed, entries and exits must be the same,
their prices within 1e-6 (and a tick, as they are rounded), and so must every feature. A recursive average that was
declared known too early differs.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from aister.lab.detectors.lookahead import differs
from aister.lab.detectors.reading import Column
from aister.lab.detectors.verdict import Found, Says, Verdict, spoken, utc_text
from aister.lab.detectors.worlds import beginning
from aister.ports.market import Market, Series
from aister.ports.signals import Signals

__all__ = ["Drift", "Features", "WarmUp", "detect_warm_up"]

NAME = "warm-up"
TOLERANCE = 1e-6
_NEVER_MS = 1 << 62

Features = Callable[[Series], Mapping[str, Column]]


class Drift(msgspec.Struct, frozen=True):
    """Something that remembers where history began. name: the feature, or the signal in words; time_ms: where it is
    farthest from itself; start_ms: the beginning that shows it; relative: how far, None where it is there in one
    history only."""

    symbol: str
    name: str
    time_ms: int
    start_ms: int
    relative: float | None

    def __str__(self) -> str:
        how = "is another one" if self.relative is None else f"is off by {self.relative:.2g} of its value"
        return (
            f"{self.name} of {self.symbol} at {utc_text(self.time_ms)} {how} when history begins at "
            f"{utc_text(self.start_ms)}"
        )


class WarmUp(Found, frozen=True, kw_only=True):
    """warm_up_ms: as declared; starts_ms: the later beginnings; compared: signals and feature values compared; worst:
    the largest relative difference of a feature that was still within bounds; drifts: the first of each feature, or of
    the signals of each symbol."""

    warm_up_ms: int
    starts_ms: tuple[int, ...]
    compared: int
    worst: float
    drifts: tuple[Drift, ...]
    seed: int


def detect_warm_up(
    says: Says,
    market: Market,
    *,
    warm_up_ms: int,
    features: Features | None = None,
    starts: int = 5,
    seed: int = 1,
) -> WarmUp:
    """Begin the market `starts` times later, at random base bars that leave a tenth of it after the warm-up."""
    first_ms = min(int(one.open_ms[0]) for one in market.series)
    end_ms, interval_ms = market.span_ms[1], market.interval_ms
    room = end_ms - warm_up_ms - (end_ms - first_ms) // 10 - first_ms
    if room <= interval_ms:
        said = (
            f"it declares {spoken(warm_up_ms)} of warm-up and the data hold {spoken(end_ms - first_ms)}: "
            "give a longer history"
        )
        return _answer(Verdict.UNKNOWN, said, warm_up_ms, (), 0, 0.0, (), seed)
    rng = np.random.default_rng(seed)
    drawn = np.sort(first_ms + interval_ms * rng.integers(1, room // interval_ms + 1, starts))
    truth, columns = says(market), {} if features is None else {one.symbol: features(one) for one in market.series}
    drifts: dict[tuple[str, str], Drift] = {}
    compared, worst = 0, 0.0
    for start_ms in map(int, drawn):
        later = beginning(market, start_ms)
        said_later = says(later)
        for one in later.series:
            known_ms = max(start_ms, market.span_ms[0]) + warm_up_ms
            made = {} if features is None else features(one)
            known_ms = max(known_ms, *(_known_ms(column) for column in made.values())) if made else known_ms
            mine, other = (_after(whole.get(one.symbol, Signals.none()), known_ms) for whole in (truth, said_later))
            compared += len(mine.setups) + len(mine.exits)
            drift = _signal_drift(one, mine, other, start_ms, end_ms)
            if drift is not None:
                drifts.setdefault((one.symbol, "signal"), drift)
            for name, column in made.items():
                relative, at_ms, count = _apart(columns[one.symbol][name], column, start_ms)
                compared += count
                if relative > TOLERANCE:
                    drifts.setdefault((one.symbol, name), Drift(one.symbol, name, at_ms, start_ms, relative))
                else:
                    worst = max(worst, relative)
    found = tuple(sorted(drifts.values(), key=lambda drift: drift.name.startswith("the ")))
    starts_ms = tuple(map(int, drawn))
    if compared == 0:
        said = f"it says nothing in these data after its warm-up of {spoken(warm_up_ms)}: give a longer history"
        return _answer(Verdict.UNKNOWN, said, warm_up_ms, starts_ms, 0, 0.0, (), seed)
    if found:
        return _answer(Verdict.CAUGHT, str(found[0]), warm_up_ms, starts_ms, compared, worst, found, seed)
    said = (
        f"after {spoken(warm_up_ms)} of warm-up, {compared:,} signals and feature values are the same from "
        f"{len(drawn)} later beginnings"
    )
    return _answer(Verdict.CLEAN, said, warm_up_ms, starts_ms, compared, worst, (), seed)


def _after(said: Signals, known_ms: int) -> Signals:
    return Signals(said.setups[said.setups["time_ms"] > known_ms], said.exits[said.exits["time_ms"] > known_ms])


def _signal_drift(one: Series, mine: Signals, other: Signals, start_ms: int, end_ms: int) -> Drift | None:
    found = differs(_rounded(mine, other), other, end_ms)
    return None if found is None else Drift(one.symbol, f"the {found[1]}", found[0], start_ms, None)


def _rounded(mine: Signals, other: Signals) -> Signals:
    """Prices that agree within the tolerance are taken from the other, so that only real differences are left."""
    if len(mine.setups) != len(other.setups):
        return mine
    setups = mine.setups.copy()
    for name in ("entry_ticks", "stop_ticks", "target_ticks"):
        a, b = setups[name], other.setups[name]
        near = np.abs(a - b) <= 1 + TOLERANCE * np.abs(b)
        setups[name] = np.where(near, b, a)
    return Signals(setups, mine.exits)


def _known_ms(column: Column) -> int:
    """From when on a feature has a value: what says that it is unknown misleads nobody."""
    known = np.flatnonzero(~np.isnan(column.values))
    return int(column.time_ms[known[0]]) if len(known) else _NEVER_MS


def _apart(mine: Column, other: Column, start_ms: int) -> tuple[float, int, int]:
    """The largest relative difference of values known in both once the feature's own warm-up has passed, where it is,
    and over how many values."""
    shared, at, there = np.intersect1d(mine.time_ms, other.time_ms, assume_unique=False, return_indices=True)
    warm = shared > start_ms + mine.needs_ms
    a, b, times = mine.values[at[warm]], other.values[there[warm]], shared[warm]
    known = ~(np.isnan(a) | np.isnan(b))
    a, b, times = a[known], b[known], times[known]
    if not len(a):
        return 0.0, start_ms, 0
    relative = _relative(a, b)
    worst = int(relative.argmax())
    return float(relative[worst]), int(times[worst]), len(a)


def _relative(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Of the value itself, or of its usual size where it is passing through zero."""
    scale = np.maximum(np.maximum(np.abs(a), np.abs(b)), float(np.median(np.abs(a))))
    apart: npt.NDArray[Any] = np.abs(a - b) / np.where(scale > 0.0, scale, 1.0)
    return apart


def _answer(
    verdict: Verdict,
    sentence: str,
    warm_up_ms: int,
    starts_ms: tuple[int, ...],
    compared: int,
    worst: float,
    drifts: tuple[Drift, ...],
    seed: int,
) -> WarmUp:
    return WarmUp(
        detector=NAME,
        verdict=verdict,
        sentence=sentence,
        warm_up_ms=warm_up_ms,
        starts_ms=starts_ms,
        compared=compared,
        worst=worst,
        drifts=drifts,
        seed=seed,
    )
