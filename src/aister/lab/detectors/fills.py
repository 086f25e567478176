"""Fills: which trades of a claimed list no order of events allows (quant Q3; the order inside a bar is docs/fills.md).

The list may come from anywhere: a Python strategy, another program, a spreadsheet. Each trade says when and at what
price it went in and out, by what kind of order, where its stop stood and when that was moved; the bars say the rest.

    RULE                                          what a claim must not do
    no bar at that time                           fill where nothing traded
    filled before it was decided                  act on what was not known yet
    bar labelled by its open                      fill at a price of the bar whose close decided
    better than the market was                    buy below the low, sell above the high
    better than the open                          a market order pays the open or worse
    touched, not traded through                   a limit fills once price went at least one tick beyond it
    stop not reached                              the bar never came to the stop in force
    gap filled at the stop                        the open lay beyond it; the open is the best there was
    same-bar high before low                      a target in the bar of an entry inside it, or of the stop
    stop skipped                                  live on through a bar that reached the stop
    trailing stop raised and hit in the same bar  a move made by a bar works from the next one
"""

from collections.abc import Iterator, Mapping, Sequence

import msgspec
import numpy as np

from aister.lab.detectors.verdict import Found, Verdict, utc_text
from aister.ports.market import Market, Series

__all__ = ["Broken", "ClaimedFill", "ClaimedTrade", "FillAudit", "StopMove", "detect_fills"]

NAME = "fills"


class StopMove(msgspec.Struct, frozen=True):
    """From the moment after `time_ms` on, the protective stop stands at `price`."""

    time_ms: int
    price: float


class ClaimedFill(msgspec.Struct, frozen=True):
    """One execution. time_ms: the bar's open for what filled at it, else any moment inside the bar; order: "market",
    "limit", "stop", "target" (resting at its price) or "liquidation"; decided_ms: when the order was decided on; None:
    not said; level: the limit or target price, None: the fill's own."""

    time_ms: int
    price: float
    order: str = "market"
    decided_ms: int | None = None
    level: float | None = None


class ClaimedTrade(msgspec.Struct, frozen=True):
    """One round trip. side: 1 long, -1 short; stops: where the stop stood, the first as of the entry; none: not said,
    and nothing about stops is judged."""

    symbol: str
    side: int
    entry: ClaimedFill
    exit: ClaimedFill
    stops: tuple[StopMove, ...] = ()


class Broken(msgspec.Struct, frozen=True):
    """A trade that cannot have been: its place in the list, the rule, the moment, and why in words."""

    trade: int
    rule: str
    time_ms: int
    why: str

    def __str__(self) -> str:
        return f"trade {self.trade}: {self.rule}: {self.why}"


class FillAudit(Found, frozen=True, kw_only=True):
    """trades: how many were judged; broken: at most one rule a trade, the earliest moment; by_rule: how often each."""

    trades: int
    broken: tuple[Broken, ...]
    by_rule: Mapping[str, int]


def detect_fills(claims: Sequence[ClaimedTrade], market: Market) -> FillAudit:
    """Judge every claimed trade against the bars. A price counts as reached within half a tick."""
    series = {one.symbol: one for one in market.series}
    broken = []
    for number, claim in enumerate(claims):
        found = min(_judged(number, claim, series.get(claim.symbol)), key=lambda one: one.time_ms, default=None)
        if found is not None:
            broken.append(found)
    by_rule = {one.rule: sum(other.rule == one.rule for other in broken) for one in broken}
    if not claims:
        verdict, said = Verdict.UNKNOWN, "there are no trades to judge"
    elif broken:
        verdict, said = Verdict.CAUGHT, f"{len(broken):,} of {len(claims):,} trades cannot have been: {broken[0]}"
    else:
        verdict, said = Verdict.CLEAN, f"an order of events allows each of {len(claims):,} trades"
    return FillAudit(
        detector=NAME, verdict=verdict, sentence=said, trades=len(claims), broken=tuple(broken), by_rule=by_rule
    )


class _Bars:
    """The bars of one claim: by number, a price a half tick beyond counts as reached."""

    def __init__(self, series: Series) -> None:
        self.series = series
        self.tick = 1.0 / series.instrument.ticks_per_quote
        self.slack = 0.5 * self.tick

    def at(self, time_ms: int) -> int | None:
        place = int(np.searchsorted(self.series.open_ms, time_ms, side="right")) - 1
        inside = place >= 0 and time_ms < self.series.open_ms[place] + self.series.interval_ms
        return place if inside else None

    def opened(self, place: int) -> int:
        return int(self.series.open_ms[place])

    def text(self, price: float) -> str:
        return self.series.instrument.price_text(self.series.instrument.to_ticks(price))


def _judged(number: int, claim: ClaimedTrade, series: Series | None) -> Iterator[Broken]:
    if series is None:
        yield Broken(number, "no bar at that time", claim.entry.time_ms, f"there are no bars of {claim.symbol}")
        return
    bars = _Bars(series)
    places = []
    for fill in (claim.entry, claim.exit):
        place = bars.at(fill.time_ms)
        if place is None:
            yield Broken(number, "no bar at that time", fill.time_ms, f"nothing traded at {utc_text(fill.time_ms)}")
            return
        places.append(place)
    entered, left = places
    if claim.exit.time_ms < claim.entry.time_ms:
        yield Broken(number, "filled before it was decided", claim.exit.time_ms, "it leaves before it enters")
        return
    for rule, time_ms, why in (
        *_fill(bars, entered, claim.entry, claim.side),
        *_fill(bars, left, claim.exit, -claim.side),
        *_held(bars, claim, entered, left),
    ):
        yield Broken(number, rule, time_ms, why)


_Rule = tuple[str, int, str]


def _fill(bars: _Bars, place: int, fill: ClaimedFill, side: int) -> Iterator[_Rule]:
    """One execution by itself; side 1 buys."""
    opened, slack = bars.opened(place), bars.slack
    o, h, low = (float(column[place]) for column in (bars.series.open, bars.series.high, bars.series.low))
    word = "bought" if side > 0 else "sold"
    said = f"{word} at {bars.text(fill.price)} at {utc_text(fill.time_ms)}"
    if fill.decided_ms is not None and fill.time_ms < fill.decided_ms:
        labelled = opened + bars.series.interval_ms == fill.decided_ms
        rule = "bar labelled by its open" if labelled else "filled before it was decided"
        yield rule, fill.time_ms, f"{said}, decided at {utc_text(fill.decided_ms)}"
    elif side * (fill.price - (low if side > 0 else h)) < -slack:
        best = f"the {'low' if side > 0 else 'high'} was {bars.text(low if side > 0 else h)}"
        yield "better than the market was", fill.time_ms, f"{said}; {best}"
    elif fill.order == "market" and side * (fill.price - o) < -slack:
        yield "better than the open", fill.time_ms, f"{said} by a market order; the open was {bars.text(o)}"
    elif fill.order == "limit":
        level = fill.price if fill.level is None else fill.level
        reached = level - low if side > 0 else h - level
        if side * (o - level) > slack and reached < bars.tick - slack:
            yield "touched, not traded through", fill.time_ms, f"{said}; price did not go a tick beyond the limit"


def _held(bars: _Bars, claim: ClaimedTrade, entered: int, left: int) -> Iterator[_Rule]:
    """The stop against every bar of the trade, and what the last bar did first."""
    inside = claim.entry.order != "market" and claim.entry.time_ms > bars.opened(entered)
    if claim.exit.order == "target" and inside and entered == left:
        why = f"entered and at its target within the bar of {utc_text(bars.opened(left))}"
        yield "same-bar high before low", claim.exit.time_ms, why
    if not claim.stops:
        return
    for place in range(entered, left):
        level = _in_force(claim, bars, place)
        if _reached(bars, place, level, claim.side):
            why = f"the bar of {utc_text(bars.opened(place))} reached the stop at {bars.text(level)}"
            yield "stop skipped", bars.opened(place), why
            return
    yield from _last_bar(bars, claim, left)


def _last_bar(bars: _Bars, claim: ClaimedTrade, left: int) -> Iterator[_Rule]:
    level, opened, side = _in_force(claim, bars, left), bars.opened(left), claim.side
    at_open = claim.exit.time_ms == opened
    stopped = _reached(bars, left, level, side)
    if claim.exit.order == "target" and stopped and not _gapped(bars, left, claim):
        why = f"the bar of {utc_text(opened)} also holds the stop at {bars.text(level)}, which comes first"
        yield "same-bar high before low", claim.exit.time_ms, why
    elif claim.exit.order == "market" and stopped and not at_open:
        yield "stop skipped", claim.exit.time_ms, f"the bar of {utc_text(opened)} reached the stop first"
    elif claim.exit.order == "stop":
        best = min(level, float(bars.series.open[left])) if side > 0 else max(level, float(bars.series.open[left]))
        raised = [move for move in claim.stops if opened <= move.time_ms < opened + bars.series.interval_ms]
        better = side * (claim.exit.price - best) > bars.slack
        if raised and left != bars.at(claim.entry.time_ms) and (better or not stopped):
            moved = f"moved to {bars.text(raised[-1].price)} by the bar of {utc_text(opened)} and filled in it"
            yield "trailing stop raised and hit in the same bar", claim.exit.time_ms, moved
        elif not stopped:
            why = f"the bar of {utc_text(opened)} did not come to the stop at {bars.text(level)}"
            yield "stop not reached", claim.exit.time_ms, why
        elif better:
            why = f"out at {bars.text(claim.exit.price)}; the open was {bars.text(float(bars.series.open[left]))}"
            yield "gap filled at the stop", claim.exit.time_ms, why


def _in_force(claim: ClaimedTrade, bars: _Bars, place: int) -> float:
    """The stop as it stood when the bar opened; of the bar of the entry, the first."""
    known = [move.price for move in claim.stops if move.time_ms < bars.opened(place)]
    return known[-1] if known else claim.stops[0].price


def _reached(bars: _Bars, place: int, level: float, side: int) -> bool:
    extreme = float((bars.series.low if side > 0 else bars.series.high)[place])
    return side * (extreme - level) <= bars.slack


def _gapped(bars: _Bars, place: int, claim: ClaimedTrade) -> bool:
    """Whether the bar opened at or beyond the target: it fills there before anything else."""
    level = claim.exit.price if claim.exit.level is None else claim.exit.level
    return claim.side * (float(bars.series.open[place]) - level) >= -bars.slack
