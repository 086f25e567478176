"""What a new run begins with, known before there is a journal of it: a checked and armed account, and the past it warms
up on. Whatever may refuse it has done so when this is there."""

import asyncio
from collections.abc import Callable

import msgspec
from msgspec.structs import replace

from aister.adapters.store.installation import installation
from aister.app.build import limits_of
from aister.app.live import LiveMarket
from aister.app.settings import RunSettings
from aister.app.tape import Beginning
from aister.app.trader_checks import Found, arm, check_account, check_watched, held_there
from aister.app.trader_seat import Connected
from aister.execution.identity import instance_of
from aister.ports.exchange import Open

__all__ = ["Prepared", "market_of", "prepare"]


class Prepared(msgspec.Struct, frozen=True):
    """`settings` with the account's own capital; `there`: what the account held when it was let through."""

    settings: RunSettings
    market: LiveMarket
    beginning: Beginning
    there: Open
    instance: str


def market_of(there: Connected, symbols: tuple[str, ...]) -> LiveMarket:
    """Market data of these symbols from where the account is."""
    return LiveMarket(there.seat.where, there.wire, there.clock, symbols, there.account.rest, there.account.contracts)


async def prepare(
    there: Connected, settings: RunSettings, days: float, say: Callable[[str], object], found: Found
) -> Prepared:
    """Check the account, set its leverage and margin type, read `days` of the past. Raises `UsageError` and `DataError`
    for what stands in the way of a new run."""
    account, symbols, leverage = there.account, settings.symbols, limits_of(settings).leverage
    market = market_of(there, symbols)
    await asyncio.to_thread(check_watched, there.seat.home, there.seat.key, symbols)
    begun = await check_account(account, there.seat.expires_ms, leverage, found)
    settings = replace(settings, capital=begun.money.wallet).check()
    held = held_there(begun, symbols)
    closed = {row.symbol for row in held} if found == "flatten" else set()  # its terms are set once it is flat
    await arm(
        account, tuple(sorted({*symbols} - closed)), leverage, settings.margin == "isolated", () if closed else held
    )
    say(f"Reading {days:g} days of {', '.join(symbols)} from AsterDex {there.seat.where.name} to warm up on.")
    instance = installation(there.seat.home)
    earlier = tuple(one.client_id for one in begun.orders if instance_of(one.client_id) == instance)
    beginning = replace(await market.begin(days), protection=there.traits.protection, earlier=earlier)
    return Prepared(settings, market, beginning, begun, instance)
