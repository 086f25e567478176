"""Liquidation distance: the stop comes first, with a buffer.

Protects from: being closed by the venue before the stop. Formula: with isolated margin = notional / leverage,
maintenance M(N) = max over brackets of (rate x N - deduction) and q = size, the position is liquidated at the price p
where

    margin + side x q x (p - entry) = M(q p)

and |entry - p| must be >= 2 x stop distance and >= 3 x ATR(1h). What is held on the symbol counts with this order as
one position entered here. Unknown ATR refuses. Default: 2 stops, 3 ATR. Source: Q40; leverageBracket.

M is the maximum of straight lines (the deductions make the tiers continuous), so p is the nearest of the prices the
single lines give, and the largest q that keeps p away is found line by line, without search: long: p_i = (entry (1 -
1/L) - d_i / q) / (1 - r_i) <= entry - D; short: p_i = (entry (1 + 1/L) + d_i / q) / (1 + r_i) >= entry + D.
"""

from aister.core.money import RATE_ONE
from aister.core.permission import CapLine
from aister.risk.ask import Ask

NAME = "liquidation_distance"
NEEDS = ("atr_1h_ticks",)


def cap(ask: Ask) -> CapLine:
    """The largest size whose liquidation price keeps its distance; figures are fractions of the entry price."""
    needed = _needed(ask)
    if needed is None:
        return ask.line(NAME, 0, 0.0, -1.0)
    held = ask.situation.notional_of(ask.intent.symbol) // (max(1, ask.entry) * ask.instrument.unit)
    steps = _most(ask, needed) - held
    shown = _distance(ask, held + max(ask.smallest, min(steps, ask.largest)))
    return ask.line(NAME, steps, shown, needed / max(1, ask.entry))


def why(ask: Ask, line: CapLine) -> str:
    """How near it would be."""
    if line.bound < 0:
        return "the ATR of 1h is unavailable, so the distance to liquidation cannot be judged"
    return f"liquidation would be {line.used:.2%} from the entry, at least {line.bound:.2%} is needed"


def _needed(ask: Ask) -> int | None:
    """max(2 stops, 3 ATR(1h)) in ticks."""
    atr = ask.situation.atr_1h_ticks
    return None if atr is None else max(ask.limits.liquidation_stops * ask.distance, ask.limits.liquidation_atr * atr)


def _most(ask: Ask, needed: int) -> int:
    """The largest position in steps that keeps every line at least `needed` ticks away."""
    lever, side, most = ask.limits.leverage, int(ask.intent.side), 2**62
    for bracket in ask.instrument.brackets:
        # ticks x leverage x 1e-8: how far the line's price would lie inside the distance if it had no deduction
        inside = side * ask.entry * (lever - side) * RATE_ONE - side * (ask.entry - side * needed) * lever * (
            RATE_ONE - side * bracket.maintenance_e8
        )
        if inside > 0:
            most = min(most, bracket.deduction * lever * RATE_ONE // (inside * ask.instrument.unit))
    return most


def _distance(ask: Ask, steps: int) -> float:
    """|entry - liquidation price| / entry of a position of `steps`."""
    side, money_a_tick = int(ask.intent.side), max(1, steps) * ask.instrument.unit
    prices = [
        (ask.entry * (1 - side / ask.limits.leverage) - side * bracket.deduction / money_a_tick)
        / (1 - side * bracket.maintenance_e8 / RATE_ONE)
        for bracket in ask.instrument.brackets
    ]
    return min((ask.entry - price) * side for price in prices) / max(1, ask.entry) if prices else 0.0
