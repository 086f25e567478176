"""The watcher's rules: every position fully covered by a stop that rests at the venue, else put one back, else close.

Pure and without any word from the trader: it sees what the venue shows and remembers the last stop that protected each
position. It may only ever reduce (its signing right allows nothing else), so that at worst it closes a position early.
Stops that it put there itself are in nobody's books: it takes them back when nothing is held.
"""

from collections.abc import Iterable

import msgspec

from aister.core.trade import Order, OrderType, Purpose, Side
from aister.execution.cover import protects, uncovered
from aister.execution.identity import instance_of, sequence_of, watch_id, watched
from aister.ports.exchange import Answer, Cancelled, Placed, Refused, Unknown, Unreachable, VenueOrder, VenuePosition

__all__ = ["Watch", "WatchRules"]


class WatchRules(msgspec.Struct, frozen=True):
    """`grace_ms`: how long the trader has to protect a position itself. `again_ms`: how long a stop that was put back
    has to show before the position is closed, and a close before it is sent once more. `soon_ms`: the same for what
    did not leave. `lag_ms`: how long the venue's word that a stop rests is believed while its reads show none.
    `late_ms`: how long a stop of unknown outcome may still arrive (C1). `flat_ms`: how long nothing must have been
    shown of a position before it counts as gone: one read may lag."""

    grace_ms: int = 3_000
    again_ms: int = 3_000
    soon_ms: int = 1_000
    lag_ms: int = 35_000
    late_ms: int = 65_000
    flat_ms: int = 400


_NO_SUCH_STOP = (-1116, -4120, -4136)
"""The venue takes no stop of this kind, whatever its price."""

_TOO_LARGE = -4005
"""More than the venue takes in one order."""

_ONE_RESTS = -4130
"""A stop that closes this position rests there already."""


class _Bare(msgspec.Struct):
    """A position without (enough of) a stop: since when, what was done last, and whether the venue's reads show a stop
    that would close it and yet does not cover it. `most`: how much one close may be of, 0 = all."""

    since_ms: int
    acted_ms: int = 0
    restored: bool = False
    shown: bool = False
    most: int = 0


class _Wanted(msgspec.Struct, frozen=True):
    """The nearest trigger at which stops of ours have closed a position whole, as long as it is the same position."""

    side: int
    entry_ticks: int
    ticks: int


class _Own(msgspec.Struct):
    """A stop of the watcher's that may rest: where, and until when a word that it is not there proves nothing.
    `asked_ms`: when it was last asked to go."""

    symbol: str
    leg: int
    until_ms: int
    asked_ms: int = 0


class Watch:
    """`look` at what the venue shows; what it returns is to be sent at once, reduce-only, under ids of `instance`, and
    the answers are to be `told`."""

    def __init__(self, instance: str, symbols: tuple[str, ...], rules: WatchRules | None = None) -> None:
        self._instance, self._symbols, self._rules = instance, symbols, rules or WatchRules()
        self._stops: dict[tuple[str, int], VenueOrder] = {}
        self._wanted: dict[tuple[str, int], _Wanted] = {}
        self._bare: dict[tuple[str, int], _Bare] = {}
        self._own: dict[str, _Own] = {}
        self._flat: dict[tuple[str, int], int] = {}
        self.unusable: dict[str, str] = {}
        """Symbols of which the venue takes no stops, with its word: what is held of them unprotected is closed."""

    def look(
        self, time_ms: int, positions: Iterable[VenuePosition], orders: Iterable[VenueOrder], *, alone: bool = False
    ) -> tuple[Order, ...]:
        """Orders to send: nothing while all is covered. `time_ms`, the venue's, is the only clock. `alone`: no trader
        is there to wait for."""
        acts: list[Order] = []
        open_ = tuple(orders)
        for one in open_:
            if (
                one.status.working
                and watched(one.client_id) is Purpose.STOP
                and instance_of(one.client_id) == self._instance
            ):
                self._own.setdefault(one.client_id, _Own(one.symbol, one.leg, 0)).until_ms = 0
        rows = tuple(positions)
        self._note_flat(time_ms, rows)
        for position in rows:
            if position.symbol in self._symbols and position.steps:
                order = self._attend(position, open_, time_ms, len(acts), 0 if alone else self._rules.grace_ms)
                if order is not None:
                    acts.append(order)
        return tuple(acts)

    def told(self, order: Order, answer: Placed | Refused | Unknown | Unreachable, time_ms: int) -> None:
        """What became of an order of `look`. A stop that was refused is not tried again: the position is closed at the
        next look. But where the venue says that one rests already while its reads show none, the reads lag (C1: up to
        30 s), and what is protected is not closed: it is asked again."""
        if order.purpose is Purpose.STOP and not isinstance(answer, Refused | Unreachable):
            until_ms = time_ms + self._rules.late_ms if isinstance(answer, Unknown) else 0
            self._own[order.client_id] = _Own(order.symbol, order.leg, until_ms)
        bare = self._bare.get((order.symbol, order.leg))
        if bare is None:
            return
        if isinstance(answer, Unreachable):
            bare.acted_ms = time_ms - self._rules.again_ms + self._rules.soon_ms
            bare.restored = bare.restored and order.purpose is not Purpose.STOP
        elif order.purpose is Purpose.CLOSE and (bare.most or _too_large(answer)):
            bare.acted_ms = time_ms - self._rules.again_ms + self._rules.soon_ms
            bare.most = -(-order.steps // 2) if _too_large(answer) else bare.most
        elif isinstance(answer, Refused) and order.purpose is Purpose.STOP:
            if answer.code == _ONE_RESTS and not bare.shown and time_ms - bare.since_ms < self._rules.lag_ms:
                bare.restored = False
                return
            bare.acted_ms = 0
            if answer.code in _NO_SUCH_STOP:
                self.unusable[order.symbol] = f"{answer.code} {answer.reason}"

    def left_behind(self, orders: Iterable[VenueOrder]) -> tuple[VenueOrder, ...]:
        """Entries of ours that still work: whoever would protect what fills of them is not there."""
        return tuple(
            one
            for one in orders
            if one.status.working
            and instance_of(one.client_id) == self._instance
            and sequence_of(one.client_id) is not None
            and one.kind in (OrderType.LIMIT, OrderType.MARKET)
            and not (one.reduce_only or one.close_position)
        )

    def left_over(self, time_ms: int, positions: Iterable[VenuePosition]) -> tuple[tuple[str, str], ...]:
        """Own stops that may rest where nothing is held, as (symbol, id): to be cancelled at once, and the answers are
        to be `taken_back`."""
        self._note_flat(time_ms, tuple(positions))
        due = []
        for name, one in self._own.items():
            if self._is_gone((one.symbol, one.leg), time_ms) and time_ms - one.asked_ms >= self._rules.soon_ms:
                one.asked_ms = time_ms
                due.append((one.symbol, name))
        return tuple(due)

    def taken_back(self, client_id: str, answer: Cancelled | Answer, time_ms: int) -> None:
        """What became of the cancel: gone, or not there and never will be; else (any other refusal, too) it is asked
        again."""
        own = self._own.get(client_id)
        if own is not None and (
            isinstance(answer, Cancelled) or (isinstance(answer, Refused) and answer.absent and time_ms >= own.until_ms)
        ):
            del self._own[client_id]

    @property
    def own(self) -> bool:
        """Whether a stop of the watcher's may rest."""
        return bool(self._own)

    @property
    def unsure(self) -> bool:
        """Whether a position that was held was shown as gone, and not for long enough to be sure of it."""
        return any(key in self._flat for key in self._wanted)

    @property
    def bare(self) -> dict[tuple[str, int], int]:
        """Positions that are not covered now, and since when."""
        return {key: one.since_ms for key, one in self._bare.items() if key not in self._flat}

    def _note_flat(self, time_ms: int, positions: tuple[VenuePosition, ...]) -> None:
        """Since when each position that was held, or that a stop of ours may rest for, was shown as gone; what was
        known of one that is gone is forgotten."""
        held = {(one.symbol, one.leg) for one in positions if one.steps}
        known = {*self._wanted, *((one.symbol, one.leg) for one in self._own.values())}
        self._flat = {key: self._flat.get(key, time_ms) for key in known - held}
        for key in [one for one in self._wanted if self._is_gone(one, time_ms)]:
            del self._wanted[key]
            self._stops.pop(key, None)
            self._bare.pop(key, None)

    def _is_gone(self, key: tuple[str, int], time_ms: int) -> bool:
        """A second look, a while after the first, has shown nothing either."""
        return key in self._flat and time_ms - self._flat[key] >= self._rules.flat_ms

    def _attend(
        self, position: VenuePosition, orders: tuple[VenueOrder, ...], time_ms: int, number: int, grace_ms: int
    ) -> Order | None:
        key = position.symbol, position.leg
        wanted = self._wanted_ticks(key, position, orders)
        stops = [one for one in orders if protects(one, position, wanted)]
        if stops:
            side = 1 if position.steps > 0 else -1
            self._stops[key] = max(stops, key=lambda one: one.trigger_ticks * side)
        if not uncovered(position, orders, wanted):
            self._bare.pop(key, None)
            return None
        bare = self._bare.setdefault(key, _Bare(time_ms))
        bare.shown = any(_would_close(one, position) for one in orders)
        if time_ms - bare.since_ms < grace_ms:
            return None
        if bare.acted_ms and time_ms - bare.acted_ms < self._rules.again_ms:
            return None
        bare.acted_ms = time_ms
        stop = self._stops.get(key)
        takes_stops = position.symbol not in self.unusable
        if stop is not None and takes_stops and not bare.restored and _still_ahead(stop, position):
            bare.restored = True
            return _stop(watch_id(self._instance, Purpose.STOP, time_ms, number + 1), stop, position)
        steps = min(abs(position.steps), bare.most or abs(position.steps))
        return _close(watch_id(self._instance, Purpose.CLOSE, time_ms, number + 1), position, steps)

    def _wanted_ticks(self, key: tuple[str, int], position: VenuePosition, orders: tuple[VenueOrder, ...]) -> int:
        """Where the stop belongs: a stop of ours only ever moves nearer, so one that lies farther than one did before
        covers nothing (C19). What somebody else rests there is not held to it; a new entry price begins anew."""
        side = 1 if position.steps > 0 else -1
        ours = [one for one in orders if instance_of(one.client_id) == self._instance]
        ticks, before = _closed_at(ours, position), self._wanted.get(key)
        if before is not None and (before.side, before.entry_ticks) == (side, position.entry_ticks):
            ticks = max(ticks or before.ticks, before.ticks, key=lambda one: one * side)
        self._wanted[key] = _Wanted(side, position.entry_ticks, ticks)
        return ticks


def _closed_at(orders: list[VenueOrder], position: VenuePosition) -> int:
    """The nearest trigger by which these stops have closed the whole position; 0: there is none."""
    side = 1 if position.steps > 0 else -1
    triggers = sorted({one.trigger_ticks for one in orders if protects(one, position)}, key=lambda one: -one * side)
    return next((ticks for ticks in triggers if ticks and not uncovered(position, orders, ticks)), 0)


def _too_large(answer: Placed | Refused | Unknown | Unreachable) -> bool:
    return isinstance(answer, Refused) and answer.code == _TOO_LARGE


def _would_close(order: VenueOrder, position: VenuePosition) -> bool:
    """Whether an order is of the kind the venue takes only one of: it closes this position whole, covering or not."""
    of_it = (order.symbol, order.leg) == (position.symbol, position.leg) and order.side * position.steps < 0
    return of_it and order.close_position and order.status.working


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


def _close(name: str, position: VenuePosition, steps: int) -> Order:
    return Order(
        client_id=name,
        intent_id=f"watch-{position.symbol}-close",
        symbol=position.symbol,
        side=Side.SELL if position.steps > 0 else Side.BUY,
        type=OrderType.MARKET,
        purpose=Purpose.CLOSE,
        steps=steps,
        price_ticks=0,
        trigger_ticks=0,
        reduce_only=position.leg == 0,
        close_position=False,
        leg=position.leg,
    )
