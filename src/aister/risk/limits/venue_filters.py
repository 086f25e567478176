"""Venue filters: what the venue would refuse is refused here, in its own words.

Protects from: rejected orders and half-open plans. Formula: instrument status, price bounds and band around the mark,
largest order (market orders have their own); the smallest size and notional are the floor that every other limit has
to leave. Default: the instrument's filters. Source: exchangeInfo; the codes are the venue's.
"""

from aister.core.permission import CapLine
from aister.core.trade import OrderType
from aister.risk.ask import Ask

NAME = "venue_filters"


def cap(ask: Ask) -> CapLine:
    """The largest order, or nothing when not even the smallest would be taken; `used` is the smallest, in steps."""
    return ask.gate(NAME, not why(ask, None), float(ask.smallest), float(ask.largest))


def why(ask: Ask, line: CapLine | None) -> str:
    """The venue's refusal of the smallest order, or nothing."""
    market = ask.intent.type is not OrderType.LIMIT
    return ask.instrument.refusal(
        side=ask.intent.side,
        steps=ask.smallest,
        price_ticks=ask.intent.price_ticks,
        mark_ticks=ask.mark,
        market=market,
        reduce_only=False,
    )
