"""The watcher at work: look at the venue, act by `watch`'s rules, and go on whatever the trader does.

It reads positions and open orders by itself, every second while something is held, and soon after the account's stream
has told of anything. What it does is told to `log` before and after. It never opens, amends or replaces.
"""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec

from aister.core.trade import Order, Purpose
from aister.execution.bell import Bell
from aister.execution.watch import Watch
from aister.ports.exchange import (
    Cancelled,
    Exchange,
    Placed,
    Refused,
    StreamState,
    Unknown,
    Unreachable,
    VenueNews,
    VenueOrder,
    VenuePosition,
)

__all__ = ["Act", "Sight", "Watchman", "WatchmanRules"]

_LOOKS_KEEP_UP = 20.0


class WatchmanRules(msgspec.Struct, frozen=True):
    """How long between two looks: `held_ms` while something is held, `alone_ms` while besides no trader is heard of,
    `own_ms` while a stop of its own may rest, `flat_ms` else (`deaf_ms` without the account's stream), `news_ms` after
    news of it. A trader that is silent for `hangs_ms` counts as hanging; after `gone_ms` its entries are withdrawn;
    after `ends_ms`, with nothing held, there is nothing left to watch. For `young_ms` after its start look-ups may not
    show yet what an earlier watcher put there."""

    held_ms: int = 1_000
    alone_ms: int = 500
    own_ms: int = 1_000
    flat_ms: int = 10_000
    deaf_ms: int = 2_000
    news_ms: int = 300
    hangs_ms: int = 4_000
    gone_ms: int = 8_000
    ends_ms: int = 60_000
    young_ms: int = 35_000

    def at_speed(self, speed: float) -> "WatchmanRules":
        """The same by the clock of a simulator that runs `speed` times this machine's. A trader lives in this machine's
        time: it must not seem silent because the clock is fast. From 20 times on looks are spaced by this machine's
        time too, since nobody looks a thousand times a second."""
        spaced = max(1.0, speed / _LOOKS_KEEP_UP)
        paces = dict.fromkeys(("hangs_ms", "gone_ms", "ends_ms"), speed)
        paces |= dict.fromkeys(("held_ms", "alone_ms", "flat_ms", "deaf_ms", "news_ms"), spaced)
        return msgspec.structs.replace(self, **{name: round(getattr(self, name) * by) for name, by in paces.items()})


class Act(msgspec.Struct, frozen=True):
    """Something the watcher did, in one sentence. `client_id` is that of the order it is about, if any."""

    time_ms: int
    what: str
    symbol: str
    client_id: str
    sentence: str


class Sight(msgspec.Struct, frozen=True):
    """What the last look showed. `why`: why the venue could not be read, "" when it was."""

    time_ms: int = 0
    held: tuple[str, ...] = ()
    bare: tuple[str, ...] = ()
    why: str = "The venue was not read yet."


class Watchman:
    """Watches `symbols` of one account until there is nothing left to watch. Call `beat` whenever the trader is heard
    of, `leave` when it says that it ends, `hear` with the stream's news. `log` must not raise."""

    def __init__(
        self,
        exchange: Exchange,
        watch: Watch,
        symbols: tuple[str, ...],
        *,
        sleep: Callable[[float], Awaitable[None]],
        log: Callable[[Act], None],
        rules: WatchmanRules | None = None,
    ) -> None:
        self._exchange, self._watch, self._symbols = exchange, watch, symbols
        self._log, self._rules = log, rules or WatchmanRules()
        self._begun_ms = self._beat_ms = exchange.now_ms()
        self._left = self._hung = self._hears = False
        self._bell = Bell(sleep)
        self.sight = Sight()
        self.looks = 0

    def beat(self) -> None:
        """The trader lives."""
        self._beat_ms, self._left = self._exchange.now_ms(), False
        if self._hung:
            self._hung = False
            self._say("trader back", "", "", "The trader is heard of again.")

    def leave(self) -> None:
        """The trader has ended in good order."""
        self._left, self._hung = True, False
        self._bell.ring()

    def hear(self, news: VenueNews) -> None:
        """News of the account's stream: a look follows."""
        if isinstance(news, StreamState):
            self._hears = news.up
        self._bell.ring()

    @property
    def alone(self) -> bool:
        """Whether no trader is there that could protect."""
        return self._left or self._silent_ms > self._rules.hangs_ms

    async def run(self) -> None:
        """Returns when nothing is held and no trader is there (at once when it said so, else after `ends_ms`)."""
        while True:
            wait_ms = await self.look()
            flat = self.sight.why == "" and not self.sight.held and not (self._watch.own or self._watch.unsure)
            if flat and (self._left or self._silent_ms > self._rules.ends_ms):
                return
            await self._bell.rest(wait_ms, self._rules.news_ms)

    async def look(self) -> float:
        """One look and what follows from it; how long until the next."""
        rules = self._rules
        if not self._left and self.alone and not self._hung:
            self._hung = True
            self._say("trader silent", "", "", f"The trader has not been heard of for {self._silent_ms / 1000:.1f} s.")
        seen = await self._read()
        self.looks += 1
        if isinstance(seen, str):
            self.sight = msgspec.structs.replace(self.sight, why=seen)
            return rules.held_ms
        positions, orders = seen
        now_ms = self._exchange.now_ms()
        while acts := self._watch.look(now_ms, positions, orders, alone=self.alone):
            await asyncio.gather(*(self._act(order) for order in acts))
        if self._left or self._silent_ms > rules.gone_ms:
            for order in self._watch.left_behind(orders):
                await self._withdraw(order)
        for symbol, name in self._watch.left_over(now_ms, positions):
            await self._take_back(symbol, name)
        held = tuple(sorted({one.symbol for one in positions if one.steps}))
        self.sight = Sight(now_ms, held, tuple(sorted({symbol for symbol, _ in self._watch.bare})), "")
        if self._watch.bare or self._watch.unsure or (held and self.alone):
            return rules.alone_ms
        if self._watch.own:
            return min(rules.own_ms, rules.held_ms)
        if held:
            return rules.held_ms
        return rules.flat_ms if self._hears and not self._young else rules.deaf_ms

    # ---- inside -----------------------------------------------------------------------------------------------------

    @property
    def _young(self) -> bool:
        return self._exchange.now_ms() - self._begun_ms < self._rules.young_ms

    @property
    def _silent_ms(self) -> int:
        return self._exchange.now_ms() - self._beat_ms

    async def _read(self) -> tuple[list[VenuePosition], list[VenueOrder]] | str:
        """Positions of our symbols and the orders of those that matter now, or why they cannot be read."""
        told = await self._exchange.positions()
        if not isinstance(told, tuple):
            return told.reason if isinstance(told, Refused) else told.why
        positions = [one for one in told if one.symbol in self._symbols]
        wanted = {one.symbol for one in positions if one.steps}
        if self._young or self._left or self._silent_ms > self._rules.gone_ms:
            wanted |= set(self._symbols)  # what an earlier watcher put there, and entries nobody would protect
        orders: list[VenueOrder] = []
        for symbol in sorted(wanted):
            open_ = await self._exchange.open_orders(symbol)
            if not isinstance(open_, tuple):
                return open_.reason if isinstance(open_, Refused) else open_.why
            orders += open_
        return positions, orders

    async def _act(self, order: Order) -> None:
        what = "stop put back" if order.purpose is Purpose.STOP else "closed"
        doing = f"a stop at {order.trigger_ticks} ticks" if order.purpose is Purpose.STOP else f"{order.steps} steps"
        self._say(what, order.symbol, order.client_id, f"{order.symbol} is held without a stop: {what}, {doing}.")
        answer = await self._exchange.place(order)
        self._watch.told(order, answer, self._exchange.now_ms())
        self._say("answer", order.symbol, order.client_id, _in_words(answer))

    async def _withdraw(self, order: VenueOrder) -> None:
        sentence = f"{order.symbol}: the entry is withdrawn, since no trader is there."
        self._say("entry withdrawn", order.symbol, order.client_id, sentence)
        answer = await self._exchange.cancel(order.symbol, order.client_id)
        self._say("answer", order.symbol, order.client_id, _in_words(answer))

    async def _take_back(self, symbol: str, name: str) -> None:
        self._say("stop taken back", symbol, name, f"{symbol}: nothing is held; the watcher's own stop goes.")
        answer = await self._exchange.cancel(symbol, name)
        self._watch.taken_back(name, answer, self._exchange.now_ms())
        self._say("answer", symbol, name, _in_words(answer))

    def _say(self, what: str, symbol: str, client_id: str, sentence: str) -> None:
        self._log(Act(self._exchange.now_ms(), what, symbol, client_id, sentence))


def _in_words(answer: Placed | Cancelled | Refused | Unknown | Unreachable) -> str:
    match answer:
        case Placed():
            return f"The venue has it: {answer.order.status}."
        case Cancelled():
            return "The venue has cancelled it."
        case Refused():
            return f"The venue refused: {answer.code} {answer.reason}"
        case Unknown():
            return f"Nobody knows: {answer.why}"
        case Unreachable():
            return f"It did not leave: {answer.why}"
