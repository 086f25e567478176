"""What a fill costs: the section "Prices" of docs/fills.md, line by line, in fractions."""

import itertools
from decimal import Decimal, getcontext
from fractions import Fraction
from math import ceil, floor

from tests.reference.values import ONE, Bar, Terms

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
    return max(Fraction(ticks * terms.floor_e8, ONE), tape.mean_true_range() * terms.range_percent / 100)


def impact(terms: Terms, steps: int, tape: Tape, bar: Bar) -> Fraction:
    """As a share of the price."""
    if terms.impact is None or steps == 0:
        return Fraction(0)
    coefficient, haircut, unknown = terms.impact
    days = tape.days(bar)
    if len(days) < 2:
        return Fraction(unknown, ONE)
    logs = [(Decimal(days[i][0]) / Decimal(days[i - 1][0])).ln() for i in range(1, len(days))]
    sigma = (sum((x * x for x in logs), Decimal(0)) / len(logs)).sqrt()
    adv = Decimal(sum(volume for _, volume in days)) / len(days)
    if adv == 0:
        return Fraction(unknown, ONE)
    share = (Decimal(steps) / (Decimal(haircut) / ONE * adv)).sqrt()
    return Fraction(Decimal(coefficient) / ONE * sigma * share)


def taker_price(terms: Terms, ticks: int, side: int, steps: int, tape: Tape, bar: Bar, *, with_extra: bool) -> int:
    """p + s x ceil(p x half-spread + p x impact(Q) + extra), never below 1 tick."""
    worse = Fraction(ticks * terms.half_spread_e8, ONE) + ticks * impact(terms, steps, tape, bar)
    if with_extra:
        worse += extra(terms, ticks, tape)
    return max(1, ticks + side * ceil(worse))


def trailing_trigger(extreme: int, side: int, callback_e8: int) -> int:
    """A callback away from the extreme: below it for a sell, above it for a buy, rounded away from the market."""
    moved = Fraction(extreme * (ONE + side * callback_e8), ONE)
    return ceil(moved) if side > 0 else floor(moved)
