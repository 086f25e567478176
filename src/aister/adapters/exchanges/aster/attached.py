"""Entry and stop as one order of the venue (OTO): the stop waits there and is placed by the venue with the first fill
of the entry, so that nothing is ever held without one, whatever dies (C6; aster-api 6, strategy orders, whose fields
are those of the official page "Place Strategy Order").

The trader hands over both in one pass, the entry first. Strategies know no immediate-or-cancel: an entry that may not
fill worse than a price goes out as a limit at that price, and what of it does not fill at once is cancelled. An entry
that no stop joins does not rest.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from aister.adapters.exchanges.aster.account import AsterAccount
from aister.adapters.exchanges.aster.governor import Rank
from aister.adapters.exchanges.aster.messages import decoder
from aister.adapters.exchanges.aster.translate import order_params
from aister.core.money import UNIT
from aister.core.trade import Order, Purpose
from aister.execution.departure import as_sent
from aister.ports.exchange import Answer, Placed, Refused, Unknown, VenueOrder

__all__ = ["AttachingAccount"]

_DONE = decoder(dict[str, Any])
_LOOK_MS, _LOOKS = 500, 3
_DRIVEN = {"firstDrivenId": "1", "firstDrivenOn": "PARTIALLY_FILLED_OR_FILLED", "firstTrigger": "PLACE_ORDER"}


class _Pair(msgspec.Struct):
    """An entry about to leave, the stop that joined it, and what became of the two."""

    entry: Order
    stop: Order | None = None
    answer: Placed | Answer | None = None
    told: asyncio.Event = msgspec.field(default_factory=asyncio.Event)


class AttachingAccount(AsterAccount):
    """The same account for `VenueTraits(protection="attached")`. `sleep` waits milliseconds; give it before trading."""

    sleep: Callable[[float], Awaitable[None]]

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._pairs: dict[tuple[str, int], _Pair] = {}

    async def place(self, order: Order) -> Placed | Answer:
        leg = order.symbol, order.leg
        if order.purpose is Purpose.ENTRY:
            pair = self._pairs[leg] = _Pair(order)
            try:
                await asyncio.sleep(0)  # whatever the same pass wants is on its way now
                pair.answer = await (
                    self._together(pair) if pair.stop is not None else super().place(as_sent(order, ()))
                )
            finally:
                self._pairs.pop(leg, None)
                pair.told.set()
            return pair.answer
        waiting = self._pairs.get(leg)
        if order.purpose is Purpose.STOP and order.close_position and waiting is not None and waiting.stop is None:
            waiting.stop = order
            await waiting.told.wait()
            return await self._shown(waiting, order)
        return await super().place(order)

    async def _together(self, pair: _Pair) -> Placed | Answer:
        entry, stop = pair.entry, pair.stop
        assert stop is not None
        listed = self.contracts.listing(entry.symbol)
        mark = await self._mark(entry.symbol, wait=True)
        if listed is None or not isinstance(mark, int):
            return mark if not isinstance(mark, int) else Refused(-1121, f"{entry.symbol} is not listed there.")
        grid = self.contracts.grid(entry.symbol)
        asked = [order_params(one, grid, listed, mark_e8=mark) for one in (entry, stop)]
        refused = next((one for one in asked if isinstance(one, Refused)), None)
        if refused is not None:
            return self._noted(refused)
        first, second = (dict(one) for one in asked if not isinstance(one, Refused))
        at_once = first.get("timeInForce") == "IOC"
        first |= {"timeInForce": "GTC"} if at_once else {}
        rows = [_sub(first, 1), {**_sub(second, 2), **_DRIVEN}]
        params = (("strategyType", "OTO"), ("subOrderList", msgspec.json.encode(rows).decode()))
        price = (entry.worst_ticks or entry.price_ticks) * grid.tick or mark
        worth = price * entry.steps * grid.step // UNIT
        reply = await self.rest.signed(
            "place_attached", params, _DONE, Rank.ENTER, right="trade", epoch=self.epoch, notional=worth
        )
        if not isinstance(reply, dict):
            return self._noted(reply)
        seen = await self.order(entry.symbol, entry.client_id)
        if at_once and isinstance(seen, VenueOrder) and seen.status.working:
            await self.cancel(entry.symbol, entry.client_id)
            seen = await self.order(entry.symbol, entry.client_id)
        if isinstance(seen, VenueOrder):
            return Placed(seen)
        return Unknown("The venue took entry and stop and does not show the entry yet.", 0, self.now_ms())

    async def _shown(self, pair: _Pair, stop: Order) -> Placed | Answer:
        """Wait until the stop rests, or will not."""
        if not isinstance(pair.answer, Placed):
            answer = pair.answer
            return answer if isinstance(answer, Unknown) else Refused(0, "The entry it belongs to was not placed.")
        looks = 0
        while looks < _LOOKS:
            seen = await self.order(stop.symbol, stop.client_id)
            if isinstance(seen, VenueOrder):
                return Placed(seen)
            entry = await self.order(stop.symbol, pair.entry.client_id)
            if isinstance(entry, VenueOrder):
                if not entry.status.working and not entry.filled_steps:
                    return Refused(0, "Nothing of the entry filled, so there is nothing to protect.")
                looks += entry.filled_steps > 0
            await self.sleep(_LOOK_MS)
        return Refused(0, "The venue did not place it with the fill.")


def _sub(params: dict[str, str], place: int) -> dict[str, str]:
    named = {"clientOrderId" if name == "newClientOrderId" else name: value for name, value in params.items()}
    return {"strategySubId": str(place), **named}
