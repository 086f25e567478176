"""Price collar: the price that fires is the price that was decided on, or nearly.

Protects from: chasing, fat fingers and bad ticks. Formula, at fire time, m = mark, p = the intent's reference price:
market entries |m - p| <= collar x p, and adverse move (m - p) x side <= max(0.25 x |p - stop|, 2 x half-spread); limit
entries may be at most the collar beyond the mark on their costly side. The collar is also the worst price of the
permission. Default: 50 bp majors, 100 bp others. Source: Q25, Q40; RTS 6 art. 15(1)(a). Mark alone does not catch a
venue whose own mark is wrong: a second price source is needed for that (C17).
"""

from aister.core.money import RATE_ONE
from aister.core.permission import CapLine
from aister.core.trade import OrderType
from aister.risk.ask import Ask

NAME = "price_collar"


def cap(ask: Ask) -> CapLine:
    """Everything or nothing; figures are fractions of the reference price."""
    used, bound = _worse(ask)
    reference = max(1, ask.intent.price_ticks) * RATE_ONE
    return ask.gate(NAME, used <= bound, used / reference, bound / reference)


def why(ask: Ask, line: CapLine) -> str:
    """How far the price went."""
    return f"the price is {line.used:.2%} from the one decided on, at most {line.bound:.2%} is allowed"


def worst_ticks(ask: Ask) -> int:
    """The last price the permission is good for, rounded towards the better side."""
    price = ask.intent.price_ticks
    if ask.intent.type is OrderType.LIMIT:
        return price
    collar = ask.limits.collar_e8(ask.instrument.base)
    if ask.intent.side > 0:
        return price * (RATE_ONE + collar) // RATE_ONE
    return -(-price * (RATE_ONE - collar) // RATE_ONE)


def _worse(ask: Ask) -> tuple[int, int]:
    """(move, bound) in 1e-8 ticks: the violated one, else the one with less room."""
    price, side, limits = ask.intent.price_ticks, ask.intent.side, ask.limits
    collar = price * limits.collar_e8(ask.instrument.base)
    if ask.intent.type is OrderType.LIMIT:
        return max(0, (price - ask.mark) * side) * RATE_ONE, ask.mark * limits.collar_e8(ask.instrument.base)
    spread = ask.situation.half_spread_ticks or 0
    drift = max(abs(price - ask.intent.stop_ticks) * limits.drift_stop_e8, limits.drift_spreads * spread * RATE_ONE)
    moves = (abs(ask.mark - price) * RATE_ONE, collar), (max(0, (ask.mark - price) * side) * RATE_ONE, drift)
    return min(moves, key=lambda move: move[1] - move[0])
