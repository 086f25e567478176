"""The watcher's rules: every position fully covered by a stop that rests at the venue, else put one back, else close.

Pure and without any word from the trader: it sees what the venue shows and remembers the last stop that protected each
position. It may only ever reduce (its signing right allows nothing else), so that at worst it closes a position early.
"""

import msgspec

from aister.core.trade import Order, OrderType, Purpose, Side
from aister.execution.cover import protects, uncovered
from aister.execution.identity import client_id
from aister.ports.exchange import Open, VenueOrder, VenuePosition

__all__ = ["Watch", "WatchRules"]


class WatchRules(msgspec.Struct, frozen=True):
    """`grace_ms`: how long the trader has to protect a position itself. `again_ms`: how long a stop that was put back
    has to show before the position is closed, and a close before it is sent once more."""

    grace_ms: int = 3_000
    again_ms: int = 3_000


class _Bare(msgspec.Struct):
    """A position without (enough of) a stop: since when, and what was done last."""

    since_ms: int
    acted_ms: int = 0
    restored: bool = False


class Watch:
    """`look` at what the venue shows; what it returns is to be sent at once, reduce-only, under ids of `instance`."""

    def __init__(self, instance: str, symbols: tuple[str, ...], rules: WatchRules | None = None) -> None:
        self._instance, self._symbols, self._rules = instance, symbols, rules or WatchRules()
        self._stops: dict[tuple[str, int], VenueOrder] = {}
        self._bare: dict[tuple[str, int], _Bare] = {}

    def look(self, open_: Open) -> tuple[Order, ...]:
        """Orders to send: nothing while all is covered. `open_.time_ms` is the only clock."""
        acts: list[Order] = []
        for position in open_.positions:
            if position.symbol in self._symbols:
                order = self._attend(position, open_, len(acts))
                if order is not None:
                    acts.append(order)
        return tuple(acts)

    @property
    def bare(self) -> dict[tuple[str, int], int]:
        """Positions that are not covered now, and since when."""
        return {key: one.since_ms for key, one in self._bare.items()}

    def _attend(self, position: VenuePosition, open_: Open, number: int) -> Order | None:
        key = position.symbol, position.leg
        if not position.steps:
            self._bare.pop(key, None)
            self._stops.pop(key, None)
            return None
        stops = [one for one in open_.orders if protects(one, position)]
        if stops:
            side = 1 if position.steps > 0 else -1
            self._stops[key] = max(stops, key=lambda one: one.trigger_ticks * side)
        if not uncovered(position, open_.orders):
            self._bare.pop(key, None)
            return None
        bare = self._bare.setdefault(key, _Bare(open_.time_ms))
        if open_.time_ms - bare.since_ms < self._rules.grace_ms:
            return None
        if bare.acted_ms and open_.time_ms - bare.acted_ms < self._rules.again_ms:
            return None
        bare.acted_ms = open_.time_ms
        stop = self._stops.get(key)
        name = client_id(self._instance, open_.time_ms, number + 1)
        if stop is not None and not bare.restored and _still_ahead(stop, position):
            bare.restored = True
            return _stop(name, stop, position)
        return _close(name, position)


def _still_ahead(stop: VenueOrder, position: VenuePosition) -> bool:
    """Whether the price has not passed the stop: an order at it would trigger at once."""
    side = 1 if position.steps > 0 else -1
    return stop.trigger_ticks > 0 and (position.mark_ticks - stop.trigger_ticks) * side > 0


def _stop(name: str, stop: VenueOrder, position: VenuePosition) -> Order:
    return Order(
        client_id=name,
        intent_id=f"watch-{position.symbol}-stop@{stop.trigger_ticks}",
        symbol=position.symbol,
        side=Side.SELL if position.steps > 0 else Side.BUY,
        type=OrderType.STOP_MARKET,
        purpose=Purpose.STOP,
        steps=0,
        price_ticks=0,
        trigger_ticks=stop.trigger_ticks,
        reduce_only=False,
        close_position=True,
        leg=position.leg,
    )


def _close(name: str, position: VenuePosition) -> Order:
    return Order(
        client_id=name,
        intent_id=f"watch-{position.symbol}-close",
        symbol=position.symbol,
        side=Side.SELL if position.steps > 0 else Side.BUY,
        type=OrderType.MARKET,
        purpose=Purpose.CLOSE,
        steps=abs(position.steps),
        price_ticks=0,
        trigger_ticks=0,
        reduce_only=position.leg == 0,
        close_position=False,
        leg=position.leg,
    )
