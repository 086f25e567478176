"""Stop side: an entry without a protective stop on the losing side is not an entry.

Protects from: positions whose loss has no end, and stops that fire at once. Formula: 0 < stop, and the stop lies at
least one tick beyond both the reference (or limit) price and the mark, below for a long and above for a short.
Default: one tick. Source: product 4 ("the stop comes first").
"""

from aister.core.permission import CapLine
from aister.risk.ask import Ask

NAME = "stop_side"


def cap(ask: Ask) -> CapLine:
    """Everything or nothing; `used` is the distance of the stop in ticks, negative on the wrong side."""
    distance = _distance(ask)
    return ask.gate(NAME, ask.intent.stop_ticks > 0 and distance >= 1, float(distance), 1.0)


def why(ask: Ask, line: CapLine) -> str:
    """Where the stop is missing."""
    where = "below" if ask.intent.side > 0 else "above"
    return f"a {ask.intent.side.word} entry needs a protective stop {where} both its price and the mark"


def _distance(ask: Ask) -> int:
    near = min if ask.intent.side > 0 else max
    return (near(ask.intent.price_ticks, ask.mark or ask.intent.price_ticks) - ask.intent.stop_ticks) * ask.intent.side
