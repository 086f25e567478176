"""After an outage of the venue: are the order books fresh again (C18)? Looked at every ten seconds as long as entries
wait for it."""

import asyncio
from collections.abc import Awaitable, Callable

from aister.adapters.exchanges.aster.messages import Snapshot, decoder
from aister.adapters.exchanges.aster.rest import Rest
from aister.app.trader_seat import why
from aister.execution.resuming import Resuming

__all__ = ["look_at_books", "stale_book"]

_EVERY_MS = 10_000.0
_SNAPSHOT = decoder(Snapshot)


async def look_at_books(
    resuming: Resuming, rest: Rest, symbols: tuple[str, ...], sleep: Callable[[float], Awaitable[None]]
) -> None:
    """Until cancelled."""
    while True:
        if since_ms := resuming.back_ms:
            told = await asyncio.gather(*(stale_book(rest, symbol, since_ms) for symbol in symbols))
            resuming.books(next((one for one in told if one), ""))
        await sleep(_EVERY_MS)


async def stale_book(rest: Rest, symbol: str, since_ms: int) -> str:
    """Why a symbol's book is not fresh: it cannot be read, lacks bids or asks, is crossed, or has not moved since. ""
    when it is."""
    told = await rest.public("depth", (("limit", "5"), ("symbol", symbol)), _SNAPSHOT)
    if not isinstance(told, Snapshot):
        return f"that of {symbol} cannot be read ({why(told)})"
    if not told.bids or not told.asks:
        return f"that of {symbol} has no {'bids' if not told.bids else 'asks'}"
    if float(told.bids[0][0]) >= float(told.asks[0][0]):
        return f"that of {symbol} is crossed"
    return f"that of {symbol} has not moved since" if since_ms > told.T else ""
