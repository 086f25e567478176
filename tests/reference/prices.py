"""What a fill costs: the section "Prices" of docs/fills.md, line by line, in fractions."""

import itertools
from decimal import Decimal, getcontext
from fractions import Fraction
from math import ceil, floor

from tests.reference.values import ONE, Bar, Terms, half_even

getcontext().prec = 50
DAY_MS = 86_400_000


class Tape:
    """The bars of one symbol so far, the present one not among them until it is complete."""

    def __init__(self, interval_ms: int) -> None:
        self.bars: list[Bar] = []
        self.interval_ms = interval_ms

    def mean_true_range(self) -> Fraction:
        """Plain mean of the last 14 true ranges, or of those there are; the first bar, which has no close before it,
        has none."""
        ranges = []
        for before, bar in itertools.pairwise(self.bars):
            ranges.append(max(bar.high, before.close) - min(bar.low, before.close))
        ranges = ranges[-14:]
        return Fraction(sum(ranges), len(ranges)) if ranges else Fraction(0)

    def missing_before(self, bar: Bar) -> bool:
        return bool(self.bars) and self.bars[-1].open_ms + self.interval_ms != bar.open_ms

    def days(self, bar: Bar) -> list[tuple[int, int]]:
        """(close, volume) of the UTC days before the bar that were seen from 00:00 to 24:00, at most the last 30."""
        found: list[tuple[int, int]] = []
        for day in sorted({past.open_ms // DAY_MS for past in self.bars}):
            bars = [past for past in self.bars if past.open_ms // DAY_MS == day]
            whole = bars[0].open_ms == day * DAY_MS and bars[-1].open_ms + self.interval_ms == (day + 1) * DAY_MS
            if whole and day < bar.open_ms // DAY_MS:
                found.append((bars[-1].close, sum(past.volume for past in bars)))
        return found[-30:]


def extra(terms: Terms, ticks: int, tape: Tape) -> Fraction:
    """The mean range is rounded up to 1e-8 ticks, and so is 10 % of it."""
    mean_e8 = ceil(tape.mean_true_range() * ONE)
    return max(Fraction(ticks * terms.floor_e8, ONE), Fraction(ceil(Fraction(mean_e8 * terms.range_percent, 100)), ONE))


def impact(terms: Terms, steps: int, tape: Tape, bar: Bar) -> Fraction:
    """As a share of the price: rint(1e8 x k x sqrt(Q)) in 1e-8."""
    if terms.impact is None or steps == 0:
        return Fraction(0)
    coefficient, haircut, unknown = (Decimal(value) / ONE for value in terms.impact)
    days = tape.days(bar)
    volume = sum(volume for _, volume in days)
    if len(days) < 2 or volume == 0:
        return Fraction(unknown)
    logs = [(Decimal(later) / Decimal(before)).ln() for (before, _), (later, _) in itertools.pairwise(days)]
    sigma = (sum((x * x for x in logs), Decimal(0)) / len(logs)).sqrt()
    k = coefficient * sigma / (haircut * volume / len(days)).sqrt()
    return Fraction(half_even(Fraction(ONE * k * Decimal(steps).sqrt())), ONE)


def taker_price(terms: Terms, ticks: int, side: int, steps: int, tape: Tape, bar: Bar, *, with_extra: bool) -> int:
    """p + s x ceil(p x (half-spread + impact(Q)) + extra), never below 1 tick."""
    worse = ticks * (Fraction(terms.half_spread_e8, ONE) + impact(terms, steps, tape, bar))
    if with_extra:
        worse += extra(terms, ticks, tape)
    return max(1, ticks + side * ceil(worse))


def bare_price(terms: Terms, ticks: int, side: int) -> int:
    """A taker's price for nothing, without extra."""
    return max(1, ticks + side * ceil(Fraction(ticks * terms.half_spread_e8, ONE)))


def trailing_trigger(extreme: int, side: int, callback_e8: int) -> int:
    """A callback away from the best price: below it for a sell, above it for a buy, rounded away from it."""
    moved = Fraction(extreme * (ONE + side * callback_e8), ONE)
    return ceil(moved) if side > 0 else floor(moved)
