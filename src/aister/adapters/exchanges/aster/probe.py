"""How a venue lets entries be protected, found out by trying (C6): `aister keys check NAME --probe`.

    traits = await protection_of(account, "BTCUSDT", instance)

On a flat account without orders of the symbol. What is sent lies far from the market: a stop below it, then a
post-only limit below it with a stop attached. Each is taken away again, however long its outcome is unknown (C1: up to
65 s); what cannot be is named, and nothing is found by it. Give the account its `sleep` first.
"""

import asyncio

from aister.adapters.exchanges.aster.attached import AttachingAccount
from aister.adapters.exchanges.aster.codes import Kind, meaning
from aister.core.trade import Order, OrderType, Purpose, Side
from aister.execution.identity import client_id
from aister.execution.traits import VenueTraits
from aister.ports.exchange import Cancelled, Placed, Refused, Unknown, Unreachable

__all__ = ["protection_of"]

_ENTRY_E2, _STOP_E2 = 97, 90
_AGAIN_MS = 2_000
_GONE = "Whether the venue took what was tried is not known"
_FAILS_INSIDE = meaning(-1000).sentence
"""How a venue answers an order of a kind it does not have."""


async def protection_of(
    account: AttachingAccount, symbol: str, instance: str, *, late_ms: int = 65_000
) -> VenueTraits | str:
    """The best protection the venue takes, best first: a stop that rests before the entry is sent, one attached to it,
    one that follows the fill. One sentence when it cannot be told. `late_ms`: how long what got no answer may
    still arrive."""
    rows = await account.positions(symbol)
    if not isinstance(rows, tuple):
        return "The account's positions cannot be read; try again."
    if any(row.steps for row in rows):
        return f"{symbol} is held; close it before trying."
    mark = next((row.mark_ticks for row in rows if row.symbol == symbol), 0)
    if not mark:
        return f"The venue tells no mark price of {symbol}; try another symbol."
    guard = _stop(client_id(instance, 0, 1), symbol, mark * _STOP_E2 // 100)
    told = await account.place(guard)
    if not isinstance(told, Refused):
        return await _after(account, (guard,), told, late_ms) or VenueTraits("before", "limit")
    if _says_nothing(told):
        return f"The venue would not look at the stop ({told.reason}); try again when that is mended."
    entry = _entry(account, client_id(instance, 0, 2), symbol, mark * _ENTRY_E2 // 100)
    joined = _stop(client_id(instance, 0, 3), symbol, mark * _STOP_E2 // 100)
    entering = asyncio.ensure_future(account.place(entry))
    guarding = asyncio.ensure_future(account.place(joined))
    both = await entering
    if not isinstance(both, Refused):
        said = await _after(account, (entry, joined), both, late_ms)
        guarding.cancel()
        await asyncio.gather(guarding, return_exceptions=True)
        if said.startswith(_GONE) and isinstance(both, Unknown) and both.why == _FAILS_INSIDE:
            return VenueTraits("after", "limit")  # it was answered, and nothing has come of it
        return said or VenueTraits("attached", "limit")
    await guarding
    if _says_nothing(both):
        return f"The venue would not look at entry and stop ({both.reason}); try again when that is mended."
    return VenueTraits("after", "limit")


async def _after(
    account: AttachingAccount, orders: tuple[Order, ...], told: Placed | Unknown | Unreachable, late_ms: int
) -> str:
    """Take away again what was sent or may have been, and why nothing was found out by it; "" when it was."""
    if isinstance(told, Unreachable):
        return f"The venue could not be asked ({told.why}); try again."
    until_ms = account.now_ms() + late_ms
    for order in orders:
        if not await _taken_away(account, order, until_ms, known=isinstance(told, Placed)):
            return (
                f"{order.symbol}: order {order.client_id} may still rest at the venue, or have filled; look at its own"
                " page, cancel it and close what it opened, then try again."
            )
    if isinstance(told, Placed):
        return ""
    return f"{_GONE} ({told.why}); nothing of it is there now: try again."


async def _taken_away(account: AttachingAccount, order: Order, until_ms: int, *, known: bool) -> bool:
    """Whether it surely does not rest: cancelled before anything filled, or not there once nothing that was sent can
    arrive any more (C1)."""
    while True:
        late = account.now_ms() >= until_ms
        answer = await account.cancel(order.symbol, order.client_id)
        if isinstance(answer, Cancelled):
            return not answer.filled_steps
        if isinstance(answer, Refused) and answer.absent and (known or late):
            return True
        if late:
            return False
        await account.sleep(_AGAIN_MS)


def _says_nothing(told: Refused) -> bool:
    """Whether the no is about the key, the clock, the pace or the contract, and not about the order."""
    return meaning(told.code).kind is not Kind.REFUSED


def _entry(account: AttachingAccount, name: str, symbol: str, ticks: int) -> Order:
    """The smallest order there is, with room."""
    one = account.contracts.instruments[symbol]
    steps = max(one.min_steps, -(-2 * one.min_notional // (ticks * one.unit)))
    return Order(
        name, name, symbol, Side.BUY, OrderType.LIMIT, Purpose.ENTRY, steps, ticks, 0, False, False, post_only=True
    )


def _stop(name: str, symbol: str, ticks: int) -> Order:
    return Order(name, name, symbol, Side.SELL, OrderType.STOP_MARKET, Purpose.STOP, 0, 0, ticks, False, True)
