"""Signed calls about orders and trades (aster-api 6 and 7). Each handler takes the exchange, the account and the
parameters and returns the JSON value of its reply, or raises `Refusal`."""

from typing import Any

import msgspec

from aister.exchange_sim.accounts import Account
from aister.exchange_sim.context import Context
from aister.exchange_sim.forms import order_reply, trade_row
from aister.exchange_sim.records import OrderState, UserTrade
from aister.exchange_sim.strategies import strategy_row
from aister.exchange_sim.wire import Params, Refusal

_DONE = {"code": 200, "msg": "success"}
Rows = list[dict[str, Any]]


def _row(ex: Context, order: OrderState, *, acknowledge: bool = False) -> dict[str, Any]:
    ticker = ex.market.tickers[order.symbol]
    terms = ticker.instrument if order.working else ticker.at(order.updated_ms)
    return order_reply(order, terms, acknowledge=acknowledge)


def place(ex: Context, account: Account, params: Params) -> dict[str, Any]:
    """POST order: ACK by default; RESULT tells the end of MARKET, IOC and FOK."""
    if params.get("newOrderRespType", "").upper() not in ("", "ACK", "RESULT"):
        raise Refusal(-1136)
    order = ex.trading.place(account, params, ex.now_ms)
    ends = order.original.name == "MARKET" or order.time_in_force in ("IOC", "FOK")
    result = params.get("newOrderRespType", "").upper() == "RESULT"
    return _row(ex, order, acknowledge=not (result and ends))


def place_batch(ex: Context, account: Account, params: Params) -> list[dict[str, Any]]:
    """POST batchOrders: at most five, results in order, refusals beside them."""
    asked = _json_list(params.need("batchOrders"))
    if not 0 < len(asked) <= 5:
        raise Refusal(-4082, f"Invalid number of batch place orders: {len(asked)}")
    rows = []
    for one in asked:
        if not isinstance(one, dict):
            raise Refusal(-1102, "Mandatory parameter 'batchOrders' was malformed.")
        pairs = {str(name): _text(value) for name, value in one.items()}
        try:
            rows.append(place(ex, account, Params(pairs | {"nonce": params.get("nonce", "0")})))
        except Refusal as refusal:
            rows.append(refusal.body)
    return rows


def place_strategy(ex: Context, account: Account, params: Params) -> dict[str, Any]:
    """POST placeStrategyOrder: orders that drive each other."""
    made = ex.strategies.place(account, params, ex.now_ms, ex.number())
    return {
        "strategyId": made.number,
        "clientStrategyId": made.client_id,
        "strategyType": made.kind,
        "strategyStatus": made.status,
        "updateTime": made.updated_ms,
        "failureCode": made.failure,
        "failureReason": "",
    }


def chase(ex: Context, account: Account, params: Params) -> dict[str, Any]:
    """POST chase: the strategy's number is that of its order, which an ordinary cancel ends."""
    made, order = ex.chases.place(account, params, ex.now_ms)
    instrument = ex.market.tickers[order.symbol].instrument
    row = _row(ex, order)
    kept = ("symbol", "side", "positionSide", "reduceOnly", "timeInForce", "updateTime")
    return {
        "strategyId": order.order_id,
        "clientStrategyId": params.get("clientStrategyId", "") or f"c-{order.order_id}",
        **{name: row[name] for name in kept},
        "quantity": params["quantity"],
        "quantityUnit": params["quantityUnit"],
        "chaseOffset": instrument.price_text(made.offset),
        "chaseOffsetType": "ABSOLUTE",
        "maxChaseOffset": params.get("maxChaseOffset", "0"),
        "maxChaseOffsetType": "PERCENTAGE" if made.percent else "ABSOLUTE",
        "strategyStatus": "NEW",
        "bookTime": order.created_ms,
    }


def update_strategy(ex: Context, account: Account, params: Params) -> Rows:
    """POST updateStrategyOrder: one row per sub-order."""
    return ex.strategies.update(account, params, ex.now_ms)


def query_strategy(ex: Context, account: Account, params: Params) -> dict[str, Any]:
    """GET strategyOpenOrder, by strategyId or clientStrategyId."""
    number, name = params.whole("strategyId", 0), params.get("clientStrategyId", "")
    for strategy in reversed(account.strategies.values()):
        if strategy.number == number or (name and strategy.client_id == name):
            return strategy_row(strategy, account)
    raise Refusal(-2013)


def amend(ex: Context, account: Account, params: Params) -> dict[str, Any]:
    order = ex.trading.find(account, params)
    return _row(ex, ex.trading.amend(account, order, params, ex.now_ms))


def cancel(ex: Context, account: Account, params: Params) -> dict[str, Any]:
    return _row(ex, ex.trading.cancel(account, ex.trading.find(account, params), ex.now_ms))


def cancel_guarded(ex: Context, account: Account, params: Params) -> dict[str, Any]:
    """DELETE guardedCancelOrder: the nonce is the one the order was placed with (aster-api 3.3)."""
    order = ex.trading.find(account, params)
    if order is None or order.nonce != params.whole("nonce"):
        raise Refusal(-2011)
    return _row(ex, ex.trading.cancel(account, order, ex.now_ms))


def cancel_guarded_batch(ex: Context, account: Account, params: Params) -> list[dict[str, Any]]:
    """DELETE guardedBatchOrders: only orders placed with that nonce."""
    return cancel_batch(ex, account, params, nonce=params.whole("nonce"))


def cancel_batch(ex: Context, account: Account, params: Params, nonce: int = 0) -> list[dict[str, Any]]:
    """DELETE batchOrders: at most ten ids of one symbol, as numbers or strings (aster-api 13)."""
    symbol = ex.trading.ticker(params.need("symbol")).instrument.symbol
    ids = _json_list(params.get("orderIdList", "[]"))
    names = _json_list(params.get("origClientOrderIdList", "[]"))
    if len(ids) + len(names) > 10:
        raise Refusal(-4032)
    if not ids + names:
        raise Refusal(-1102, "Mandatory parameter 'orderIdList' was not sent, was empty/null, or malformed.")
    if not all(_text(one).isascii() and _text(one).isdigit() for one in ids):
        raise Refusal(-1102, "Mandatory parameter 'orderIdList' was malformed.")
    found = [account.find(symbol, int(_text(one)), "") for one in ids]
    found += [account.find(symbol, 0, str(one)) for one in names]
    rows = []
    for order in found:
        try:
            if nonce and order and order.nonce != nonce:
                raise Refusal(-2011)
            rows.append(_row(ex, ex.trading.cancel(account, order, ex.now_ms)))
        except Refusal as refusal:
            rows.append(refusal.body)
    return rows


def cancel_all(ex: Context, account: Account, params: Params) -> dict[str, Any]:
    """DELETE allOpenOrders: stops too; the code is the string "200" (aster-api 6)."""
    ex.trading.cancel_all(account, ex.trading.ticker(params.need("symbol")).instrument.symbol, ex.now_ms)
    return {"code": "200", "msg": "The operation of cancel all open order is done."}


def countdown(ex: Context, account: Account, params: Params) -> dict[str, Any]:
    """POST countdownCancelAll: cancels everything of the symbol unless called again in time; 0 disarms."""
    symbol = ex.trading.ticker(params.need("symbol")).instrument.symbol
    after = params.whole("countdownTime")
    if after < 0:
        raise Refusal(-1102, "Mandatory parameter 'countdownTime' was malformed.")
    account.countdowns.pop(symbol, None)
    if after:
        account.countdowns[symbol] = ex.now_ms + after
    return {"symbol": symbol, "countdownTime": str(after)}


def noop(ex: Context, account: Account, params: Params) -> dict[str, Any]:
    """POST noop: its nonce is now used, so an order still under way with it can never act (aster-api 3.3)."""
    return dict(_DONE)


def query(ex: Context, account: Account, params: Params) -> dict[str, Any]:
    """GET order. Orders without fills vanish after the retention time (aster-api 6)."""
    order = ex.trading.find(account, params)
    if order is None or not ex.sees(order):
        raise Refusal(-2013)
    return _row(ex, order)


def query_open(ex: Context, account: Account, params: Params) -> dict[str, Any]:
    order = ex.trading.find(account, params)
    if order is None or not order.working or not ex.sees(order):
        raise Refusal(-2013)
    return _row(ex, order)


def open_orders(ex: Context, account: Account, params: Params) -> Rows:
    symbol = params.get("symbol", "")
    if symbol:
        symbol = ex.trading.ticker(symbol).instrument.symbol
    return [_row(ex, order) for order in account.open_orders(symbol) if ex.sees(order)]


def all_orders(ex: Context, account: Account, params: Params) -> Rows:
    """GET allOrders: a window under seven days (aster-api 6)."""
    symbol = ex.trading.ticker(params.need("symbol")).instrument.symbol
    start, end = _window(ex, params)
    first, limit = params.whole("orderId", 0), min(params.whole("limit", 500), 1000)
    rows = [
        order
        for order in account.orders.values()
        if order.symbol == symbol and ex.sees(order) and order.order_id >= first and start <= order.created_ms <= end
    ]
    return [_row(ex, order) for order in (rows[:limit] if first else rows[-limit:])]


def user_trades(ex: Context, account: Account, params: Params) -> Rows:
    """GET userTrades: seven-day windows, fromId exclusive with times (aster-api 7)."""
    symbol = ex.trading.ticker(params.need("symbol")).instrument.symbol
    first, limit = params.whole("fromId", 0), min(params.whole("limit", 500), 1000)
    if first and (params.get("startTime") or params.get("endTime")):
        raise Refusal(-1106, "Parameter 'fromId' cannot be sent with times.")
    start, end = (0, ex.now_ms) if first else _window(ex, params)
    order_id = params.whole("orderId", 0)

    def wanted(trade: UserTrade) -> bool:
        if trade.symbol != symbol or trade.number < first or not start <= trade.time_ms <= end:
            return False
        return trade.time_ms <= ex.now_ms - ex.lag_ms and (not order_id or trade.order_id == order_id)

    rows = [trade for trade in account.trades if wanted(trade)]
    part = rows[:limit] if first or params.get("startTime") else rows[-limit:]
    ticker, sign = ex.market.tickers[symbol], ex.settings.readings.commission_sign
    return [trade_row(trade, ticker.at(trade.time_ms), sign) for trade in part]


def _window(ex: Context, params: Params) -> tuple[int, int]:
    """startTime..endTime, seven days at most; without them the last seven days."""
    longest = ex.settings.trades_window_ms
    end = params.whole("endTime", 0)
    start = params.whole("startTime", 0) or max(0, (end or ex.now_ms) - longest)
    end = end or min(ex.now_ms, start + longest)
    if end - start > longest:
        raise Refusal(-1127, f"More than {longest // 3_600_000} hours between startTime and endTime.")
    return start, end


def _json_list(text: str) -> list[Any]:
    try:
        value = msgspec.json.decode(text)
    except msgspec.DecodeError:
        raise Refusal(-1102, "A list parameter was malformed.") from None
    if not isinstance(value, list):
        raise Refusal(-1102, "A list parameter was malformed.")
    return value


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
