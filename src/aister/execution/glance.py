"""Between two surveys: the positions, every few seconds while something is held or rests.

A frame that got lost must not leave a position without a stop, nor an order without a position. What the positions show
is acted on before any trade explains it: what is held there is protected, and what protected or reduced a position
that is gone is taken away. The books change only when the trades are read.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from itertools import chain

import msgspec

from aister.core.events import PositionShown
from aister.core.trade import Purpose
from aister.execution.courier import Courier
from aister.execution.states import Course, State
from aister.ports.exchange import Cancelled, Exchange, Refused, Unreachable, VenueOrder, VenuePosition

__all__ = ["Glance", "GlanceRules"]

_SURE = 3


class GlanceRules(msgspec.Struct, frozen=True):
    """`every_ms` between two looks; `unsure_ms` while an entry's fate is unknown; `again_ms` before something odd is
    looked at once more. What was odd twice is acted on. `tell_ms`: how often a position nobody explains is told, and an
    order that shall go and whose cancel is refused is asked to.
    `stops_every` so many looks the open orders are read too; a stop younger than `lag_ms` may be missing there."""

    every_ms: int = 2_500
    unsure_ms: int = 1_000
    again_ms: int = 500
    tell_ms: int = 4_000
    stops_every: int = 2
    lag_ms: int = 35_000


class _Odd(msgspec.Struct, frozen=True):
    """What the venue holds where it should not, and how often in a row that was seen."""

    steps: int
    times: int


class Glance:
    """`symbols` are this trader's; `poke` asks for a survey."""

    def __init__(
        self,
        exchange: Exchange,
        courier: Courier,
        symbols: tuple[str, ...],
        *,
        sleep: Callable[[float], Awaitable[None]],
        poke: Callable[[], None],
        rules: GlanceRules | None = None,
    ) -> None:
        self._exchange, self._courier, self._symbols = exchange, courier, symbols
        self._sleep, self._poke, self._rules = sleep, poke, rules or GlanceRules()
        self._odd: dict[tuple[str, int], _Odd] = {}
        self._told: dict[tuple[str, int], tuple[int, int]] = {}
        self._held: set[tuple[str, int]] = set()
        self._strays: dict[str, tuple[str, int]] = {}
        self._stuck: dict[str, int] = {}
        self._spent: set[str] = set()
        self._not_before_ms = self._looks = 0

    def stray(self, order: VenueOrder) -> None:
        """What is known of an order of this installation that is in no book of ours: the watcher's, or a forgotten
        life's. One that can only reduce is left alone while something is held, and taken away when nothing is."""
        if order.status.working and (order.close_position or order.reduce_only):
            self._strays[order.client_id] = order.symbol, order.leg
        else:
            self._strays.pop(order.client_id, None)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._sleep(self._wait_ms())
            if self._exchange.now_ms() >= self._not_before_ms and self._wanted():
                await self.look()

    async def look(self) -> None:
        """Read the positions once, and act on what they show."""
        before = dict(self._courier.teller.held)
        rows = await self._exchange.positions()
        if isinstance(rows, Unreachable):
            self._not_before_ms = rows.retry_ms
        if isinstance(rows, tuple):
            held = self._held | {(row.symbol, row.leg) for row in rows if row.steps}  # gone by one look may be a lag
            self._weigh(before, rows)
            self._looks += 1
            now_ms = self._exchange.now_ms()
            left = [
                (key[0], name)
                for name, key in self._strays.items()
                if key not in held and now_ms >= self._stuck.get(name, 0)
            ]
            await asyncio.gather(*(self.take(symbol, name) for symbol, name in left))
            if self._looks % self._rules.stops_every == 0:
                for symbol in sorted({row.symbol for row in rows if row.steps}):
                    await self._look_for_stops(symbol)

    # ---- inside -----------------------------------------------------------------------------------------------------

    def _wait_ms(self) -> int:
        if any(one.times < _SURE for one in self._odd.values()):
            return self._rules.again_ms
        if any(key not in self._held and name not in self._stuck for name, key in self._strays.items()):
            return self._rules.again_ms
        unsure = any(one.order.purpose is Purpose.ENTRY and not one.state.arrived for one in self._courier.courses())
        return self._rules.unsure_ms if unsure else self._rules.every_ms

    def _wanted(self) -> bool:
        return (
            bool(self._held or self._strays)
            or any(self._courier.teller.held.values())
            or any(True for _ in self._orders())
        )

    def _orders(self) -> Iterator[Course]:
        return chain(self._courier.courses(), self._courier.lingering())

    async def take(self, symbol: str, name: str) -> None:
        """Take a stray away. One that the venue does not know is gone; one whose cancel was refused for anything else
        is asked to go again, every `tell_ms`."""
        answer = await self._exchange.cancel(symbol, name)
        self._stuck.pop(name, None)
        if isinstance(answer, Cancelled) or (isinstance(answer, Refused) and answer.absent):
            self._strays.pop(name, None)
        elif isinstance(answer, Refused) and name in self._strays:
            self._stuck[name] = self._exchange.now_ms() + self._rules.tell_ms

    async def _look_for_stops(self, symbol: str) -> None:
        """A stop that rested and is not shown any more was taken away, or has acted (C19)."""
        oldest_ms = self._exchange.now_ms() - self._rules.lag_ms
        resting = [
            one
            for one in self._courier.courses()
            if one.order.symbol == symbol and one.order.purpose is Purpose.STOP and one.state is State.ACKED
        ]
        if any(one.sent_ms < oldest_ms for one in resting):
            shown = await self._exchange.open_orders(symbol)
            if isinstance(shown, tuple):
                there = {one.client_id for one in shown}
                for one in resting:
                    if one.sent_ms < oldest_ms and one.order.client_id not in there:
                        await self._courier.look_up(one)

    def _weigh(self, before: dict[tuple[str, int], int], rows: Iterable[VenuePosition]) -> None:
        """Each position that did not move in our books meanwhile."""
        now, there = self._courier.teller.held, {(row.symbol, row.leg): row.steps for row in rows}
        courses: dict[tuple[str, int], list[Course]] = {}
        for course in self._orders():
            courses.setdefault((course.order.symbol, course.order.leg), []).append(course)
        held = {key for key, steps in there.items() if steps}
        if self._held - held:
            self._poke()  # what the watcher, or an earlier life, put beside the position is in no book of ours
        self._held, odd, self._odd = held, self._odd, {}
        self._spent &= {one.order.client_id for several in courses.values() for one in several}
        for key in now.keys() | there.keys() | courses.keys():
            if key[0] in self._symbols and before.get(key, 0) == now.get(key, 0):
                self._compare(key, now.get(key, 0), there.get(key, 0), courses.get(key, []), odd)

    def _compare(
        self, key: tuple[str, int], ours: int, theirs: int, courses: list[Course], odd: dict[tuple[str, int], _Odd]
    ) -> None:
        symbol, leg = key
        entries = [one for one in courses if one.order.purpose is Purpose.ENTRY]
        self._spend([one for one in entries if int(one.order.side) * (theirs - ours) > 0], abs(theirs - ours))
        enters = any(one.order.client_id not in self._spent for one in entries)
        resting = [one for one in courses if one.order.purpose is not Purpose.ENTRY and one.state.may_work]
        if ours != theirs:
            self._courier.catch_up(symbol)
        if theirs:
            for one in courses:
                self._courier.restore(one)
            if not ours and self._is_due(key, theirs):
                self._courier.teller.say(PositionShown(0, symbol, leg, theirs))
        if ours == theirs and not (resting and not theirs and not enters):
            self._told.pop(key, None)
            return
        last = odd.get(key)
        seen = self._odd[key] = _Odd(theirs, last.times + 1 if last is not None and last.steps == theirs else 1)
        if seen.times < 2:
            return  # it may be news under way
        if ours != theirs and seen.times == 2:
            self._poke()
        if not theirs and not enters:
            for one in resting:
                self._courier.retire(one)

    def _spend(self, entries: list[Course], moved: int) -> None:
        """What the venue holds beyond our books is all that these could enter, so that none of them can act any more,
        whatever becomes of the position."""
        if entries and moved >= sum(one.order.steps - one.filled for one in entries):
            self._spent |= {one.order.client_id for one in entries}

    def _is_due(self, key: tuple[str, int], steps: int) -> bool:
        """Whether to tell of it: when it is new, and again from time to time."""
        told, at_ms = self._told.get(key, (0, 0))
        now_ms = self._exchange.now_ms()
        if told == steps and now_ms - at_ms < self._rules.tell_ms:
            return False
        self._told[key] = steps, now_ms
        return True
