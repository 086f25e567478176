"""Look-ahead of code: a strategy in a process of its own, given its closes in blocks, of which later ones do not exist.

What it says of the whole is held against what it says when it is shown one close at a time, so that every close is a
cut; against data that end at moments of its signals and at random ones; and against other futures from there on. Asked
twice about the same bars it must say the same. It acts on an account, which is the same up to each cut.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from aister.core.errors import StrategyError
from aister.lab.detectors.lookahead import NAME, LookAhead, Offence, differs, offence_of
from aister.lab.detectors.verdict import Says, Verdict, utc_text
from aister.lab.detectors.worlds import OtherFutures, moments, until
from aister.ports.market import Market
from aister.ports.signals import Signals

__all__ = ["CodeLookAhead", "detect_code_lookahead"]

Ints = npt.NDArray[np.int64]
Told = Mapping[str, Signals]
_OTHERS = 3


class CodeLookAhead(LookAhead, frozen=True, kw_only=True):
    """alone: whether it was also shown every close by itself; failed: what it raised with less of the future, where it
    raised nothing with all of it."""

    alone: bool
    failed: str | None = None


def detect_code_lookahead(
    says: Says, blind: Says, market: Market, *, truth: Told, cuts: int = 20, alone: bool = True, seed: int = 1
) -> CodeLookAhead:
    """says: its signals over a market, shown in blocks; blind: shown one close at a time; truth: what it said of this
    market. Half of the cuts fall on its own signals."""
    count = sum(len(one.setups) + len(one.exits) for one in truth.values())
    places = moments(market)

    def answer(
        verdict: Verdict, sentence: str, first: Offence | None = None, failed: str | None = None
    ) -> CodeLookAhead:
        return CodeLookAhead(
            detector=NAME,
            verdict=verdict,
            sentence=sentence,
            cuts=len(drawn),
            day_ms=None,
            day_cuts=0,
            signals=count,
            seed=seed,
            first=first,
            alone=alone,
            failed=failed,
        )

    drawn = np.zeros(0, np.int64)
    if count == 0 or len(places) < 2:
        return answer(Verdict.UNKNOWN, "it says nothing in these data, so that there is nothing to compare")
    end_ms = market.span_ms[1]
    chance = _first(truth, says(market), end_ms)
    if chance is not None:
        return _caught(answer, _plain(chance, end_ms, "chance"))
    suspect = None
    if alone:
        try:
            suspect = _first(truth, blind(market), end_ms)
        except StrategyError as wrong:
            return answer(Verdict.CAUGHT, f"shown one close at a time it fails: {wrong}", failed=str(wrong))
    drawn = _drawn(truth, places, cuts, seed)
    found: list[tuple[int, str, str, str, int]] = []
    for cut_ms in map(int, drawn if suspect is None else np.union1d(drawn[drawn < suspect[0]], [suspect[0]])):
        try:
            found += _changed(truth, says(until(market, cut_ms)), cut_ms)
        except StrategyError as wrong:
            said = f"it fails where the data end at {utc_text(cut_ms)}: {wrong}"
            return answer(Verdict.CAUGHT, said, failed=str(wrong))
        for other in range(_OTHERS if suspect is not None and cut_ms == suspect[0] else 1):
            found += _changed(truth, _or(truth, says)(OtherFutures(market, seed + other).after(cut_ms)), cut_ms)
    if found:
        return _caught(answer, offence_of(_or(truth, says), OtherFutures(market, seed), truth, min(found)))
    if suspect is not None:
        return _caught(answer, _plain(suspect, suspect[0], "blocks"))
    shown = "when its closes are shown one at a time, nor " if alone else ""
    said = f"none of its {count:,} signals changes {shown}at {len(drawn):,} cuts when what comes after does"
    return answer(Verdict.CLEAN, said)


def _caught(answer: Any, first: Offence) -> CodeLookAhead:
    caught: CodeLookAhead = answer(Verdict.CAUGHT, str(first), first)
    return caught


def _drawn(truth: Told, places: Ints, cuts: int, seed: int) -> Ints:
    """Random moments, and as many at which it said something."""
    rng = np.random.default_rng(seed)
    said = np.concatenate([np.append(one.setups["time_ms"], one.exits["time_ms"]) for one in truth.values()])
    said = np.intersect1d(said, places)
    half = rng.choice(places, min(len(places), cuts - cuts // 2), replace=False)
    return np.union1d(half, rng.choice(said, min(len(said), cuts // 2), replace=False))


def _first(truth: Told, other: Told, until_ms: int) -> tuple[int, str, str, str] | None:
    """The earliest difference by then, with its symbol."""
    found = [
        (*one, symbol)
        for symbol, mine in truth.items()
        if (one := differs(mine, other.get(symbol, Signals.none()), until_ms)) is not None
    ]
    return min(found, default=None)


def _changed(truth: Told, other: Told, cut_ms: int) -> list[tuple[int, str, str, str, int]]:
    first = _first(truth, other, cut_ms)
    return [] if first is None else [(*first, cut_ms)]


def _or(truth: Told, says: Says) -> Says:
    """What it says, or nothing new where another future is more than it can bear."""

    def asked(market: Market) -> Told:
        try:
            return says(market)
        except StrategyError:
            return truth

    return asked


def _plain(found: tuple[int, str, str, str], cut_ms: int, through: str) -> Offence:
    time_ms, what, change, symbol = found
    return Offence(symbol, time_ms, what, change, cut_ms, through, None)
