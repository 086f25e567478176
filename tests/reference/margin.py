"""Positions and where they are liquidated: the section "Margin" of docs/fills.md."""

from fractions import Fraction
from math import ceil, floor

from tests.reference.values import ONE, Position, Terms, half_even

Leg = tuple[str, int]


def book(position: Position, side: int, steps: int, ticks: int, unit: int) -> int:
    """Apply a fill to a position; answers what was realised. Part of a cost: in proportion, half-even."""
    realised = 0
    if position.sign == -side:
        closing = min(steps, abs(position.steps))
        part = half_even(Fraction(position.cost * closing, abs(position.steps)))
        realised = -side * closing * ticks * unit - part
        position.steps += side * closing
        position.cost -= part
        steps -= closing
    position.steps += side * steps
    position.cost += side * steps * ticks * unit
    return realised


def unrealised(position: Position, ticks: int, unit: int) -> int:
    return position.steps * ticks * unit - position.cost


def maintenance(position: Position, ticks: int, terms: Terms) -> Fraction:
    """Notional x rate - deduction; of the tiers the greatest applies."""
    notional = abs(position.steps) * ticks * terms.unit
    return max(Fraction(notional * rate, ONE) - deduction for rate, deduction in terms.tiers)


def isolated_margin(position: Position, terms: Terms) -> int:
    """What the position cost / leverage, rounded up."""
    return ceil(Fraction(abs(position.cost), terms.leverage))


class Margins:
    """Liquidation conditions over all positions of an account."""

    def __init__(self, terms: dict[str, Terms], legs: dict[Leg, Position], cross: bool) -> None:
        self.terms, self.legs, self.cross = terms, legs, cross

    def broken(self, leg: Leg, ticks: int, wallet: int, others: dict[str, int]) -> bool:
        """Is this leg's position liquidated with its symbol at `ticks` and the other symbols at `others`? The exact
        price lies between ticks and is rounded against the position: so it is if the next tick towards its loss is
        beyond it. Hedged legs of one symbol are asked at the tick itself."""
        symbol, position = leg[0], self.legs[leg]
        if position.steps == 0:
            return False
        twin = self.legs[symbol, -leg[1]] if leg[1] else position
        hedged = self.cross and leg[1] != 0 and twin.steps != 0
        if not hedged:
            ticks -= position.sign
        if not self.cross:
            terms = self.terms[symbol]
            margin = isolated_margin(position, terms)
            return margin + unrealised(position, ticks, terms.unit) < maintenance(position, ticks, terms)
        worth, needed = Fraction(wallet), Fraction(0)
        for (name, _), held in self.legs.items():
            if held.steps:
                at = ticks if name == symbol else others[name]
                worth += unrealised(held, at, self.terms[name].unit)
                needed += floor(maintenance(held, at, self.terms[name]))
        return worth <= needed if hedged else worth < needed

    def first_tick(self, leg: Leg, start: int, end: int, wallet: int, others: dict[str, int]) -> int | None:
        """The first tick from start towards end (both included) at which it is. What is left less maintenance is
        concave in the price: safe at both ends is safe between them, safe at the start leaves one crossing at most."""
        if self.broken(leg, start, wallet, others):
            return start
        if not self.broken(leg, end, wallet, others):
            return None
        safe, fallen = start, end
        while abs(fallen - safe) > 1:
            middle = (safe + fallen) // 2
            if self.broken(leg, middle, wallet, others):
                fallen = middle
            else:
                safe = middle
        return fallen

    def bankruptcy(self, leg: Leg, wallet: int, others: dict[str, int]) -> int | None:
        """Where nothing is left of the margin (isolated) or of the account (cross), rounded away from us; None if the
        leg's adverse side does not lead there."""
        position, terms = self.legs[leg], self.terms[leg[0]]
        if self.cross:
            slope, worth = 0, wallet
            for (name, _), held in self.legs.items():
                if name == leg[0]:
                    slope += held.steps * terms.unit
                    worth -= held.cost
                elif held.steps:
                    worth += unrealised(held, others[name], self.terms[name].unit)
        else:
            slope, worth = position.steps * terms.unit, isolated_margin(position, terms) - position.cost
        if slope * position.sign <= 0:
            return None
        price = Fraction(-worth, slope)
        return floor(price) if position.steps > 0 else ceil(price)
