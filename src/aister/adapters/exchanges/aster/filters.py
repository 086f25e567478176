"""What the venue's filters say of an order before it is sent (aster-api 5 and 6), in 1e-8 units throughout.

Rules and codes are the venue's. A reduction is not held to status or least notional here: the venue may say no to it,
this side does not.
"""

import msgspec

from aister.adapters.exchanges.aster.amounts import text
from aister.adapters.exchanges.aster.codes import meaning
from aister.adapters.exchanges.aster.listing import Listing
from aister.core.money import UNIT
from aister.core.trade import OrderType, Side
from aister.ports.exchange import Refused

__all__ = ["Wanted", "breach"]

_AT_MARKET = (
    OrderType.MARKET,
    OrderType.STOP_MARKET,
    OrderType.TAKE_PROFIT_MARKET,
    OrderType.TRAILING_STOP_MARKET,
)


class Wanted(msgspec.Struct, frozen=True):
    """An order in the venue's terms. Prices and size in 1e-8; 0 = none; `trigger` is a trailing stop's activation;
    `mark` 0 = unknown (bounds that need it are then left to the venue)."""

    kind: OrderType
    side: Side
    size: int
    price: int
    trigger: int
    reduces: bool
    mark: int


def breach(wanted: Wanted, listed: Listing) -> Refused | None:
    """The first filter that would refuse it, as the venue's code with what is wrong in figures; None = it passes."""
    found = _size_breach(wanted, listed) or _price_breach(wanted, listed) or _notional_breach(wanted, listed)
    if listed.status != "TRADING" and not wanted.reduces:
        found = (-4140, f"{listed.symbol} is {listed.status or 'without status'}")
    if listed.order_types and wanted.kind.name not in listed.order_types and not wanted.reduces:
        found = (-1116, f"{listed.symbol} does not take {wanted.kind.name}")
    if found is None:
        return None
    code, figures = found
    return Refused(code, f"{figures}. {meaning(code).sentence}")


def _size_breach(wanted: Wanted, listed: Listing) -> tuple[int, str] | None:
    size = wanted.size
    if size == 0:
        return None  # closes whatever is open
    for lot in (listed.lot, listed.market_lot) if wanted.kind in _AT_MARKET else (listed.lot,):
        if size < lot.least:
            return -4004, f"Quantity {text(size)} is below {text(lot.least)}"
        if lot.most and size > lot.most:
            return -4005, f"Quantity {text(size)} is above {text(lot.most)}"
        if size % lot.step:
            return -4023, f"Quantity {text(size)} is not on the step {text(lot.step)}"
    return None


def _price_breach(wanted: Wanted, listed: Listing) -> tuple[int, str] | None:
    for price, below, above, what in (
        (wanted.price, -4013, -4002, "Price"),
        (wanted.trigger, -4006, -4007, "Stop price"),
    ):
        if not price:
            continue
        if price < listed.least_price:
            return below, f"{what} {text(price)} is below {text(listed.least_price)}"
        if listed.most_price and price > listed.most_price:
            return above, f"{what} {text(price)} is above {text(listed.most_price)}"
        if price % listed.tick:
            return -4014, f"{what} {text(price)} is not on the tick {text(listed.tick)}"
    stop = wanted.kind.conditional
    base, called = (wanted.trigger, "its trigger") if stop else (wanted.mark, "mark")
    if not wanted.price or not base:
        return None
    if wanted.side is Side.BUY and listed.up and wanted.price * UNIT > base * listed.up:
        return (-4183 if stop else -4016), f"Buy price {text(wanted.price)} against {called} {text(base)}"
    if wanted.side is Side.SELL and listed.down and wanted.price * UNIT < base * listed.down:
        return (-4184 if stop else -4024), f"Sell price {text(wanted.price)} against {called} {text(base)}"
    return None


def _notional_breach(wanted: Wanted, listed: Listing) -> tuple[int, str] | None:
    price = wanted.price or min((one for one in (wanted.trigger, wanted.mark) if one), default=0)
    if wanted.reduces or not wanted.size or not price:
        return None
    if price * wanted.size < listed.min_notional * UNIT:
        worth = text(price * wanted.size // UNIT)
        return -4164, f"The order is worth {worth} {listed.quote}, the least is {text(listed.min_notional)}"
    return None
