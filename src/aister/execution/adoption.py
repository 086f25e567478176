"""A position found at the venue when a trader starts, which no order in its books explains: kept with the stop it has
there, or closed. Pure.
"""

from collections.abc import Iterable
from typing import Literal, TypeAlias

from aister.core.events import PositionFound
from aister.core.trade import Order, OrderType, Purpose
from aister.execution.cover import protects, uncovered
from aister.execution.identity import instance_of
from aister.execution.reconcile import Finding, FindingKind
from aister.ports.exchange import VenueOrder, VenuePosition

__all__ = ["Policy", "found_position", "keepable"]

Policy: TypeAlias = Literal["adopt", "flatten"]
"""What becomes of such a position: "adopt" keeps one that a stop closes whole, "flatten" closes every one."""


def found_position(finding: Finding, orders: Iterable[VenueOrder], instance: str, life_ms: int) -> PositionFound | None:
    """What is to be told of a difference so that the position is kept; None: it is not one to keep. A stop of this
    installation stays in place and becomes ours again; somebody else's is left alone, and one of ours goes beside it at
    its price."""
    position = finding.position
    if finding.kind is not FindingKind.DIFFERS or finding.ours or position is None or not finding.theirs:
        return None
    whole = [one for one in orders if _keeps(one, position)]
    own = [one for one in whole if instance_of(one.client_id) == instance]
    stop = _nearest(own or whole, position)
    if stop is None:
        return None
    kept = _order(stop) if own else None
    return PositionFound(0, position.symbol, position.leg, stop.trigger_ticks, kept, life_ms)


def keepable(position: VenuePosition, orders: Iterable[VenueOrder]) -> bool:
    """Whether a stop closes it whole there, so that it can be kept."""
    return any(_keeps(one, position) for one in orders)


def _keeps(order: VenueOrder, position: VenuePosition) -> bool:
    """Whether it closes the position whole at a trigger that can be read: where a trailing stop lies cannot."""
    return order.trigger_ticks > 0 and protects(order, position) and not uncovered(position, [order])


def _nearest(stops: list[VenueOrder], position: VenuePosition) -> VenueOrder | None:
    """The stop that acts first."""
    side = 1 if position.steps > 0 else -1
    return max(stops, key=lambda one: one.trigger_ticks * side, default=None)


def _order(seen: VenueOrder) -> Order:
    return Order(
        client_id=seen.client_id,
        intent_id=f"found-{seen.client_id}",
        symbol=seen.symbol,
        side=seen.side,
        type=seen.kind or OrderType.STOP_MARKET,
        purpose=Purpose.STOP,
        steps=seen.steps,
        price_ticks=seen.price_ticks,
        trigger_ticks=seen.trigger_ticks,
        reduce_only=seen.reduce_only,
        close_position=seen.close_position,
        leg=seen.leg,
    )
