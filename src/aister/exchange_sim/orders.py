"""Reading a new order and refusing what the venue refuses, check by check (aster-api 5 and 6)."""

import re
from collections.abc import Callable
from decimal import Decimal

import msgspec

from aister.core.instrument import Instrument
from aister.core.money import UNIT
from aister.core.trade import OrderType, Side
from aister.exchange_sim.accounts import Account
from aister.exchange_sim.market import Ticker
from aister.exchange_sim.records import OrderState
from aister.exchange_sim.rules import Readings
from aister.exchange_sim.wire import Params, Refusal

__all__ = ["KNOWN", "STP_MODES", "amended", "check_limit", "price_ticks", "quantity_steps", "read_order"]

KNOWN = frozenset(
    {
        "symbol",
        "side",
        "positionSide",
        "type",
        "timeInForce",
        "quantity",
        "reduceOnly",
        "price",
        "newClientOrderId",
        "stopPrice",
        "closePosition",
        "activationPrice",
        "callbackRate",
        "workingType",
        "priceProtect",
        "newOrderRespType",
        "stpMode",
        "pegPriceType",
        "pegOffset",
        "builder",
        "feeRate",
        "nonce",
        "user",
        "signer",
        "signature",
        "timestamp",
        "recvWindow",
    }
)
Best = Callable[[Ticker], tuple[tuple[int, int], tuple[int, int]]]
"""Best bid and best ask of a symbol: (ticks, steps)."""
_CLIENT_ID = re.compile(r"[.A-Z:/a-z0-9_-]{1,36}\Z")
_TIF = ("GTC", "IOC", "FOK", "GTX", "HIDDEN")
_ALGO_LIMIT = 100
STP_MODES = ("EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH")
_NEEDS: dict[OrderType, tuple[str, ...]] = {
    OrderType.LIMIT: ("timeInForce", "quantity", "price"),
    OrderType.MARKET: ("quantity",),
    OrderType.STOP: ("quantity", "price", "stopPrice"),
    OrderType.TAKE_PROFIT: ("quantity", "price", "stopPrice"),
    OrderType.STOP_MARKET: ("stopPrice",),
    OrderType.TAKE_PROFIT_MARKET: ("stopPrice",),
    OrderType.TRAILING_STOP_MARKET: ("callbackRate", "quantity"),
}
"""Required by type (aster-api 6)."""


def read_order(
    params: Params, account: Account, ticker: Ticker, best: Best, readings: Readings, number: int, now_ms: int
) -> OrderState:
    """The order these parameters ask for; nothing has happened to it yet. `best`: bid and ask, for pegged ones.
    Raises `Refusal`."""
    instrument, symbol = ticker.instrument, ticker.instrument.symbol
    if params.get("pegPriceType", ""):
        params = _pegged(params, ticker, best)
    if params.get("stpMode", "") not in ("", *STP_MODES):
        raise Refusal(-1130, "Data sent for parameter 'stpMode' is not valid.")
    if readings.unknown_parameters == "refused" and (strange := sorted(set(params) - KNOWN)):
        raise Refusal(-1106, f"Parameter '{strange[0]}' sent when not required.")
    side, kind = _side(params), _kind(params)
    leg = _leg(params, account.hedged)
    client_id = params.get("newClientOrderId", "") or f"x-{number}"
    if not _CLIENT_ID.match(client_id):
        raise Refusal(-4015)
    closes, reduces = params.flag("closePosition"), params.flag("reduceOnly")
    _check_closing(kind, closes, reduces, params, account, (symbol, leg, side), readings)
    for name in _NEEDS[kind]:
        params.need(name)
    if kind in (OrderType.STOP_MARKET, OrderType.TAKE_PROFIT_MARKET) and not closes:
        params.need("quantity")
    if instrument.status != "TRADING" and not (closes or reduces):
        raise Refusal(-4141 if instrument.status in ("CLOSE", "SETTLING") else -4140)
    reducing = closes or reduces or leg * side < 0
    steps = 0 if closes else quantity_steps(params, instrument, market=not kind.limited)
    limit = price_ticks(params.number("price"), instrument, "price") if kind.limited else 0
    stop = price_ticks(params.number("stopPrice"), instrument, "stopPrice") if _has_stop(kind) else 0
    activation, callback = 0, ""
    if kind is OrderType.TRAILING_STOP_MARKET:
        callback = _callback(params, readings)
        given = params.number("activationPrice")
        activation = price_ticks(given, instrument, "activationPrice") if given is not None else 0
    if kind.limited:
        check_limit(instrument, side, limit, stop, ticker.mark_ticks)
    if not reducing and instrument.notional(limit or ticker.mark_ticks, steps) < instrument.min_notional:
        raise Refusal(-4164)
    tif = _time_in_force(params, kind)
    if kind is OrderType.MARKET:
        _check_bound(ticker, side, account.settings.take_bound_e8)
    working_type = params.get("workingType", "") or "CONTRACT_PRICE"
    if working_type not in ("CONTRACT_PRICE", "MARK_PRICE"):
        raise Refusal(-4031, f"Invalid parameter working type: `{working_type[:20]}`")
    if client_id in account.open_by_client:
        raise Refusal(-4015, "Client order id is duplicated.")
    _check_counts(account, instrument, kind)
    order = OrderState(
        order_id=number,
        client_id=client_id,
        symbol=symbol,
        side=side,
        leg=leg,
        kind=kind.name,
        original=kind,
        time_in_force=tif,
        steps=steps,
        price_ticks=limit,
        stop_ticks=stop,
        activation_ticks=activation,
        callback=callback,
        reduce_only=reduces,
        close_position=closes,
        working_type=working_type,
        price_protect=params.flag("priceProtect"),
        created_ms=now_ms,
        updated_ms=now_ms,
        nonce=params.whole("nonce", 0),
    )
    _check_trigger(order, ticker.mark_ticks if working_type == "MARK_PRICE" else ticker.last_ticks, readings)
    return order


def _pegged(params: Params, ticker: Ticker, best: Best) -> Params:
    """A LIMIT order with pegPriceType: its price is the best of the other side (COUNTERPARTY_1) or of its own
    (QUEUE_1) as it arrives, plus pegOffset, which may only move it away from the market (aster-api 6)."""
    kind, side, offset = params["pegPriceType"], _side(params), params.number("pegOffset") or Decimal(0)
    if kind not in ("COUNTERPARTY_1", "QUEUE_1") or _kind(params) is not OrderType.LIMIT:
        raise Refusal(-1130, "Data sent for parameter 'pegPriceType' is not valid.")
    if offset * side > 0:
        raise Refusal(-1130, "Data sent for parameter 'pegOffset' is not valid.")
    (bid, _), (ask, _) = best(ticker)
    at = ask if (kind == "COUNTERPARTY_1") == (side > 0) else bid
    price = Decimal(ticker.instrument.price_text(at)) + offset
    return Params({**params, "price": f"{price:f}"})


def price_ticks(price: Decimal | None, instrument: Instrument, name: str) -> int:
    """A price on the grid, in ticks (aster-api 5, PRICE_FILTER). Raises `Refusal`."""
    assert price is not None
    stop = name != "price"
    if price <= 0:
        raise Refusal(-4006 if stop else -4013)
    ticks, rest = divmod(int(price * UNIT), instrument.tick_e8)
    if ticks > instrument.max_ticks:
        raise Refusal(-4007 if stop else -4002)
    if ticks < instrument.min_ticks:
        raise Refusal(-4006 if stop else -4013)
    if _decimals(price) > instrument.price_decimals:
        raise Refusal(-1111)
    if rest:
        raise Refusal(-4014)
    return ticks


def quantity_steps(params: Params, instrument: Instrument, *, market: bool) -> int:
    """A quantity on the grid, in steps (aster-api 5, LOT_SIZE and MARKET_LOT_SIZE). Raises `Refusal`."""
    params.need("quantity")
    quantity = params.number("quantity")
    assert quantity is not None
    if quantity <= 0:
        raise Refusal(-4003)
    if _decimals(quantity) > instrument.size_decimals:
        raise Refusal(-1111)
    steps, rest = divmod(int(quantity * UNIT), instrument.step_e8)
    if rest:
        raise Refusal(-4023)
    if steps < instrument.min_steps:
        raise Refusal(-4004)
    if steps > (instrument.market_max_steps if market else instrument.max_steps):
        raise Refusal(-4005)
    return steps


def check_limit(instrument: Instrument, side: Side, limit: int, stop: int, mark: int) -> None:
    """PERCENT_PRICE against mark, of stop-limits against their trigger (aster-api 5). Raises `Refusal`."""
    base = stop or mark
    if side > 0 and limit * UNIT > base * instrument.band_up_e8:
        raise Refusal(-4183 if stop else -4016)
    if side < 0 and limit * UNIT < base * instrument.band_down_e8:
        raise Refusal(-4184 if stop else -4024)


def _side(params: Params) -> Side:
    word = params.need("side").upper()
    if word not in ("BUY", "SELL"):
        raise Refusal(-1117)
    return Side[word]


def _kind(params: Params) -> OrderType:
    word = params.need("type").upper()
    if word not in OrderType.__members__:
        raise Refusal(-1116)
    return OrderType[word]


def _leg(params: Params, hedged: bool) -> int:
    """0 one-way, 1 or -1 hedged (aster-api 6, side/positionSide)."""
    word = params.get("positionSide", "") or "BOTH"
    if word not in ("BOTH", "LONG", "SHORT"):
        raise Refusal(-4060)
    if hedged != (word != "BOTH"):
        raise Refusal(-4061)
    return {"BOTH": 0, "LONG": 1, "SHORT": -1}[word]


def _has_stop(kind: OrderType) -> bool:
    return kind.conditional and kind is not OrderType.TRAILING_STOP_MARKET


def _check_closing(
    kind: OrderType,
    closes: bool,
    reduces: bool,
    params: Params,
    account: Account,
    where: tuple[str, int, Side],
    readings: Readings,
) -> None:
    """closePosition and reduceOnly (aster-api 6)."""
    symbol, leg, side = where
    if reduces and account.hedged:
        raise Refusal(-4062)
    held = account.holding(symbol, leg).steps
    if closes:
        if kind not in (OrderType.STOP_MARKET, OrderType.TAKE_PROFIT_MARKET):
            raise Refusal(-1106, "Parameter 'closePosition' sent when not required.")
        if params.get("quantity", ""):
            raise Refusal(-4137)
        if reduces:
            raise Refusal(-4138)
        if leg * side > 0:
            raise Refusal(-2022)
        if held == 0 and not readings.close_position_while_flat:
            raise Refusal(-2024)
        if not readings.second_close_position and any(
            o.close_position and o.side == side and o.leg == leg and o.original is kind
            for o in account.open_orders(symbol)
        ):
            raise Refusal(-4130)
    if (reduces or leg * side < 0) and not closes and held * side >= 0:
        raise Refusal(-2022)
    if account.frozen and not (closes or reduces or leg * side < 0):
        raise Refusal(-4088, account.frozen)


def _callback(params: Params, readings: Readings) -> str:
    given = params.number("callbackRate")
    assert given is not None
    if not Decimal("0.1") <= given <= Decimal(readings.callback_max):
        raise Refusal(-2007)
    return f"{given.normalize():f}"


def _time_in_force(params: Params, kind: OrderType) -> str:
    tif = params.get("timeInForce", "") or "GTC"
    if tif not in _TIF:
        raise Refusal(-1115)
    return tif if kind.limited else "GTC"


def _check_bound(ticker: Ticker, side: Side, bound_e8: int) -> None:
    """marketTakeBound: the best counter-price lies too far from mark (aster-api 5)."""
    if (ticker.last_ticks - ticker.mark_ticks) * side * UNIT > ticker.mark_ticks * bound_e8:
        raise Refusal(-4131)


def _check_counts(account: Account, instrument: Instrument, kind: OrderType) -> None:
    """MAX_NUM_ORDERS and MAX_NUM_ALGO_ORDERS (aster-api 5): conditional orders count in both."""
    orders = account.open_orders(instrument.symbol)
    if len(orders) >= instrument.max_orders:
        raise Refusal(-2025)
    if kind.conditional and sum(order.original.conditional for order in orders) >= _ALGO_LIMIT:
        raise Refusal(-4045)


def _check_trigger(order: OrderState, price: int, readings: Readings) -> None:
    """What would trigger at once is refused (aster-api 6, triggers)."""
    kind, side = order.original, int(order.side)
    if kind is OrderType.TRAILING_STOP_MARKET:
        if order.activation_ticks and (order.activation_ticks - price) * side >= 0:
            raise Refusal(readings.would_trigger)
    elif kind.conditional:
        rising = (kind in (OrderType.STOP, OrderType.STOP_MARKET)) == (side > 0)
        if (price >= order.stop_ticks) if rising else (price <= order.stop_ticks):
            raise Refusal(readings.would_trigger)


def _decimals(value: Decimal) -> int:
    return max(0, -int(value.normalize().as_tuple().exponent))


def amended(order: OrderState, params: Params, ticker: Ticker) -> OrderState:
    """The order as an amendment wants it: LIMIT only, quantity and price both needed (aster-api 6, PUT). Raises
    `Refusal`."""
    if order.original is not OrderType.LIMIT:
        raise Refusal(-4000, "Only LIMIT orders can be amended.")
    params.need("price")
    steps = quantity_steps(params, ticker.instrument, market=False)
    ticks = price_ticks(params.number("price"), ticker.instrument, "price")
    check_limit(ticker.instrument, order.side, ticks, 0, ticker.mark_ticks)
    if steps <= order.filled:
        raise Refusal(-4004, "The new quantity is not above what has filled.")
    if order.amends >= 10_000:
        raise Refusal(-2010, "The order has been amended too often.")
    if not order.reduce_only and ticker.instrument.notional(ticks, steps) < ticker.instrument.min_notional:
        raise Refusal(-4164)
    return msgspec.structs.replace(order, steps=steps, price_ticks=ticks)
