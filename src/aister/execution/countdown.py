"""Should this machine die, entries that rest without a stop go with it: the venue's own countdown takes them (C6).

The countdown takes every order of a symbol, stops too. So it runs only while an entry rests and no stop rests, is under
way or could come by itself there; and before a stop leaves, it is ended.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

import msgspec

from aister.core.trade import Order, OrderType, Purpose
from aister.execution.departure import stops_of
from aister.execution.states import Course
from aister.ports.exchange import Answer, Exchange, Placed

__all__ = ["Countdown", "CountdownRules"]


class CountdownRules(msgspec.Struct, frozen=True):
    """The venue cancels `after_ms` after the last word; it hears one every `every_ms`."""

    after_ms: int = 30_000
    every_ms: int = 10_000


class Countdown:
    """`courses` are the orders that have not ended. What a life before this one may have left running is ended first:
    `run` it beside the courier, whose `way` is `place`."""

    def __init__(
        self,
        exchange: Exchange,
        courses: Callable[[], Iterable[Course]],
        symbols: tuple[str, ...],
        *,
        sleep: Callable[[float], Awaitable[None]],
        rules: CountdownRules | None = None,
    ) -> None:
        self._exchange, self._courses, self._sleep = exchange, courses, sleep
        self._rules = rules or CountdownRules()
        self._armed = set(symbols)
        self._turns = {symbol: asyncio.Lock() for symbol in symbols}

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self.attend()
            await self._sleep(self._rules.every_ms)

    async def attend(self) -> None:
        """Bring every symbol's countdown to what its orders ask for."""
        wanted = exposed(self._courses())
        for symbol in sorted(self._armed - wanted):
            await self.clear(symbol)
        for symbol in sorted(wanted):
            async with self._turns[symbol]:
                if symbol in exposed(self._courses()):
                    self._armed.add(symbol)
                    await self._exchange.countdown(symbol, self._rules.after_ms)

    async def place(self, order: Order) -> Placed | Answer:
        """Send an order; a stop only once no countdown can take it."""
        if order.purpose is Purpose.STOP:
            await self.clear(order.symbol)
        return await self._exchange.place(order)

    async def clear(self, symbol: str) -> None:
        """End the symbol's countdown if one may run; a stop may leave when this returns. One that could not be ended
        is tried again by `run`."""
        if symbol in self._armed:
            async with self._turns[symbol]:
                if symbol in self._armed and await self._exchange.countdown(symbol, 0) is True:
                    self._armed.discard(symbol)

    @property
    def armed(self) -> frozenset[str]:
        """Symbols whose orders the venue may take by itself."""
        return frozenset(self._armed)


def exposed(courses: Iterable[Course]) -> set[str]:
    """Symbols on which an entry rests, or may, and no stop does or will."""
    known = list(courses)
    resting = {
        one.order.symbol
        for one in known
        if one.order.purpose is Purpose.ENTRY and one.order.type is OrderType.LIMIT and not one.state.ended
    }
    return {symbol for symbol in resting if not any(stops_of(symbol, leg, known) for leg in (0, 1, -1))}
