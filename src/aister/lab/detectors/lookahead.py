"""Look-ahead: does anything a strategy said by a moment change when only what comes after it does? (quant Q19)

At each random cut the strategy is asked again about two other markets: one that ends there, and one whose bars and
settlements after it are replaced; at every bar of one day about the second. What it says at or before the cut must be
the same row for row. It needs no knowledge of how the signals are made.
"""

import math
from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from aister.lab.detectors.verdict import Found, Says, Verdict, spoken, utc_text
from aister.lab.detectors.worlds import OtherFutures, between, moments, other_instruments, until
from aister.ports.market import Market
from aister.ports.signals import Signals

__all__ = ["LookAhead", "Offence", "detect_lookahead", "differs", "offence_of"]

NAME = "look-ahead"
DAY_MS = 86_400_000

Ints = npt.NDArray[np.int64]
Rows = npt.NDArray[Any]


class Offence(msgspec.Struct, frozen=True):
    """A signal that knew what came later. time_ms: when it was said; what: "long entry", "short exit", ...; change:
    what became of it; cut_ms: what is later than this was changed; through: bars, funding or instruments, or of code
    blocks (what it computes hangs on where blocks of closes begin) or chance (asked again it says something else);
    reach_ms: bars that close up to so long after the signal still change it, None where it is not through bars."""

    symbol: str
    time_ms: int
    what: str
    change: str
    cut_ms: int
    through: str
    reach_ms: int | None

    def __str__(self) -> str:
        how = {
            "bars": f"when bars after {utc_text(self.cut_ms)} do",
            "funding": f"when settlements at or after {utc_text(self.cut_ms)} do",
            "instruments": "with brackets and filters, which are known as of a later day only",
            "blocks": "when closes are shown one at a time: what it computes hangs on where a block of them begins",
            "chance": "when it is asked the same again: it answers by chance",
        }[self.through]
        reach = "" if self.reach_ms is None else f"; it looks at least {spoken(self.reach_ms)} ahead"
        return f"the {self.what} of {self.symbol} at {utc_text(self.time_ms)} {self.change} {how}{reach}"


class LookAhead(Found, frozen=True, kw_only=True):
    """cuts: random ones; day_ms: the UTC day every bar of which was a cut as well (None: none was asked for); day_cuts:
    how many; signals: setups and exits in the true market; seed; first: the earliest offence that any cut exposed."""

    cuts: int
    day_ms: int | None
    day_cuts: int
    signals: int
    seed: int
    first: Offence | None


def detect_lookahead(
    says: Says, market: Market, *, cuts: int = 200, whole_day: bool = True, warm_up_ms: int | None = None, seed: int = 1
) -> LookAhead:
    """Ask again at `cuts` random moments and, with `whole_day`, at every bar of the day with the most signals.

    warm_up_ms: how much history the strategy declares to need: the whole day is judged in a market that begins so long
    before it (None: at the beginning of all), which is cheaper and judges the same code.
    """
    truth = says(market)
    count = sum(len(one.setups) + len(one.exits) for one in truth.values())
    places = moments(market)
    if count == 0 or len(places) < 2:
        said = "it says nothing in these data, so that there is nothing to compare"
        return LookAhead(
            **_named(Verdict.UNKNOWN, said), cuts=0, day_ms=None, day_cuts=0, signals=count, seed=seed, first=None
        )
    rng = np.random.default_rng(seed)
    drawn = np.sort(rng.choice(places, min(cuts, len(places)), replace=False))
    offences = list(_through_instruments(says, market, truth))
    offences += _over(says, market, truth, drawn, seed, True)
    day_ms, day_cuts = None, np.zeros(0, np.int64)
    if whole_day:
        day_ms = _busiest_day(truth)
        begin = market.series[0].open_ms[0] if warm_up_ms is None else day_ms - warm_up_ms - DAY_MS
        part = between(market, int(begin), day_ms + 3 * DAY_MS)
        day_cuts = places[(places > day_ms) & (places <= day_ms + DAY_MS)]
        day_cuts = day_cuts[day_cuts < part.span_ms[1]]
        offences += _over(says, part, says(part), day_cuts, seed, False)
    first = min(offences, key=lambda offence: offence.time_ms, default=None)
    if first is None:
        said = f"none of {count:,} signals changes at {len(drawn) + len(day_cuts):,} cuts when what comes after does"
        named = _named(Verdict.CLEAN, said)
    else:
        named = _named(Verdict.CAUGHT, str(first))
    return LookAhead(
        **named,
        cuts=len(drawn),
        day_ms=day_ms,
        day_cuts=len(day_cuts),
        signals=count,
        seed=seed,
        first=first,
    )


def differs(a: Signals, b: Signals, until_ms: int) -> tuple[int, str, str] | None:
    """The first signal said by then that is not the same in both: its time, what it is, what becomes of it in b."""
    found = [
        one
        for rows, others, name in ((a.setups, b.setups, "entry"), (a.exits, b.exits, "exit"))
        if (one := _first_difference(rows, others, until_ms, name)) is not None
    ]
    return min(found, default=None)


def _first_difference(
    a: npt.NDArray[Any], b: npt.NDArray[Any], until_ms: int, name: str
) -> tuple[int, str, str] | None:
    a, b = a[a["time_ms"] <= until_ms], b[b["time_ms"] <= until_ms]
    shared = min(len(a), len(b))
    unequal = np.flatnonzero(_unequal(a[:shared], b[:shared]))
    if not len(unequal) and len(a) == len(b):
        return None
    at = int(unequal[0]) if len(unequal) else shared
    mine, other = (a[at] if at < len(a) else None), (b[at] if at < len(b) else None)
    if mine is None or (other is not None and other["time_ms"] < mine["time_ms"]):
        assert other is not None
        return int(other["time_ms"]), f"{_side(other)} {name}", "appears only"
    if other is None or mine["time_ms"] < other["time_ms"] or mine["side"] != other["side"]:
        return int(mine["time_ms"]), f"{_side(mine)} {name}", "goes away"
    return int(mine["time_ms"]), f"{_side(mine)} {name}", f"changes its {_field(mine, other)}"


def _unequal(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    unequal = np.zeros(len(a), np.bool_)
    for name in a.dtype.names or ():
        unequal |= (a[name] != b[name]).reshape(len(a), math.prod(a[name].shape[1:])).any(axis=1)
    return unequal


def _field(mine: np.void, other: np.void) -> str:
    names = [name for name in mine.dtype.names or () if np.any(mine[name] != other[name])]
    return names[0].removesuffix("_ticks").removesuffix("_ms").replace("_", " ")


def _side(row: np.void) -> str:
    return "long" if row["side"] > 0 else "short"


def _over(says: Says, market: Market, truth: Any, cuts: Ints, seed: int, ended: bool) -> list[Offence]:
    """The earliest offence, if any cut exposes one."""
    others = OtherFutures(market, seed)
    first: tuple[int, str, str, str, int] | None = None
    for cut_ms in map(int, cuts):
        for world in (others.after(cut_ms), *((until(market, cut_ms),) if ended else ())):
            said = says(world)
            for symbol, mine in truth.items():
                found = differs(mine, said.get(symbol, Signals.none()), cut_ms)
                if found is not None and (first is None or found[0] < first[0]):
                    first = (*found, symbol, cut_ms)
    return [] if first is None else [offence_of(says, others, truth, first)]


def offence_of(says: Says, others: OtherFutures, truth: Any, found: tuple[int, str, str, str, int]) -> Offence:
    """What is known of a signal that changed: (time, what, change, symbol, cut). Asks again to tell through what, and
    how far it looks."""
    time_ms, what, change, symbol, cut_ms = found

    def reacts(at_ms: int, **which: bool) -> bool:
        again = differs(truth[symbol], says(others.after(at_ms, **which)).get(symbol, Signals.none()), time_ms)
        return again is not None and again[0] <= time_ms

    through = "funding" if reacts(cut_ms, bars=False) and not reacts(cut_ms, funding=False) else "bars"
    reach = _reach(time_ms, cut_ms, reacts, others) if through == "bars" else None
    return Offence(symbol, time_ms, what, change, cut_ms, through, reach)


def _reach(time_ms: int, cut_ms: int, reacts: Any, others: OtherFutures) -> int | None:
    """Where a signal stops reacting to later and later changes is how far it looks."""
    interval_ms = others.interval_ms
    low, high = cut_ms, others.end_ms
    if not reacts(low, funding=False):
        return max(interval_ms, cut_ms + interval_ms - time_ms)
    while high - low > interval_ms:
        middle = low + (high - low) // (2 * interval_ms) * interval_ms
        low, high = (middle, high) if reacts(middle, funding=False) else (low, middle)
    return max(interval_ms, high - time_ms)


def _through_instruments(says: Says, market: Market, truth: Any) -> Iterator[Offence]:
    said = says(other_instruments(market))
    for symbol, mine in truth.items():
        found = differs(mine, said.get(symbol, Signals.none()), market.span_ms[1])
        if found is not None:
            yield Offence(symbol, *found, market.span_ms[0], "instruments", None)


def _busiest_day(truth: Any) -> int:
    days = np.concatenate([one.setups["time_ms"] // DAY_MS for one in truth.values()])
    if not len(days):
        days = np.concatenate([one.exits["time_ms"] // DAY_MS for one in truth.values()])
    found, counts = np.unique(days, return_counts=True)
    return int(found[counts.argmax()]) * DAY_MS


def _named(verdict: Verdict, sentence: str) -> dict[str, Any]:
    return {"detector": NAME, "verdict": verdict, "sentence": sentence}
