"""Triggers that last price alone does not decide, where mark is not last (aster-api 6, workingType and priceProtect).

Orders with workingType MARK_PRICE or priceProtect are kept off the book and looked at whenever the market has moved a
leg: once their price is reached, and with priceProtect mark and last are near enough, they come to the book as the
market or limit order they are then. Trailing stops follow last in any case.
"""

from aister.core.money import UNIT
from aister.core.trade import OrderType
from aister.exchange_sim.market import Ticker
from aister.exchange_sim.records import OrderState
from aister.exchange_sim.settings import Settings

__all__ = ["reached", "watched"]


def watched(order: OrderState, settings: Settings) -> bool:
    """Whether the order is kept off the book."""
    kind = order.original
    if settings.mark == "last" or not kind.conditional or kind is OrderType.TRAILING_STOP_MARKET:
        return False
    return order.working_type == "MARK_PRICE" or order.price_protect


def reached(order: OrderState, ticker: Ticker, protect_e8: int) -> bool:
    """Whether a watched order acts now."""
    mark, last = ticker.mark_ticks, ticker.last_ticks
    if order.price_protect and abs(mark - last) * UNIT > last * protect_e8:
        return False
    price = mark if order.working_type == "MARK_PRICE" else last
    rising = (order.original in (OrderType.STOP, OrderType.STOP_MARKET)) == (order.side > 0)
    return price >= order.stop_ticks if rising else price <= order.stop_ticks
