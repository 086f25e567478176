"""How a venue lets entries be protected, found out by trying (C6): `aister keys check NAME --probe`.

    traits = await protection_of(account, "BTCUSDT", instance)

On a flat account without orders of the symbol. Nothing that is sent can fill: a stop far below the market, then a
post-only limit far below it with a stop attached. Both are taken away again.
"""

import asyncio

from aister.adapters.exchanges.aster.attached import AttachingAccount
from aister.core.trade import Order, OrderType, Purpose, Side
from aister.execution.identity import client_id
from aister.execution.traits import VenueTraits
from aister.ports.exchange import Placed, Refused, VenueOrder

__all__ = ["protection_of"]

_ENTRY_E2, _STOP_E2 = 97, 90


async def protection_of(account: AttachingAccount, symbol: str, instance: str) -> VenueTraits | str:
    """The best protection the venue takes, best first: a stop that rests before the entry is sent, one attached to it,
    one that follows the fill. One sentence when it cannot be told."""
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
    if isinstance(told, Placed):
        await account.cancel(symbol, guard.client_id)
        return VenueTraits("before", "limit")
    if not isinstance(told, Refused):
        return f"Whether the venue took the stop is not known ({told.why}); look at its open orders and try again."
    entry = _entry(account, client_id(instance, 0, 2), symbol, mark * _ENTRY_E2 // 100)
    entering = asyncio.ensure_future(account.place(entry))
    guarding = asyncio.ensure_future(account.place(_stop(client_id(instance, 0, 3), symbol, mark * _STOP_E2 // 100)))
    both = await entering
    if isinstance(both, Placed):
        await account.cancel(symbol, entry.client_id)
    await guarding
    left = await account.open_orders(symbol)
    for one in left if isinstance(left, tuple) else ():
        await _away(account, one, instance)
    return VenueTraits("attached" if isinstance(both, Placed) else "after", "limit")


def _entry(account: AttachingAccount, name: str, symbol: str, ticks: int) -> Order:
    """The smallest order there is, with room."""
    one = account.contracts.instruments[symbol]
    steps = max(one.min_steps, -(-2 * one.min_notional // (ticks * one.unit)))
    return Order(
        name, name, symbol, Side.BUY, OrderType.LIMIT, Purpose.ENTRY, steps, ticks, 0, False, False, post_only=True
    )


def _stop(name: str, symbol: str, ticks: int) -> Order:
    return Order(name, name, symbol, Side.SELL, OrderType.STOP_MARKET, Purpose.STOP, 0, 0, ticks, False, True)


async def _away(account: AttachingAccount, one: VenueOrder, instance: str) -> None:
    if one.client_id.startswith(f"{instance}-0-"):
        await account.cancel(one.symbol, one.client_id)
