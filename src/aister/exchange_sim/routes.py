"""Every path, what it weighs, how it is signed and who answers it (aster-api 4, weights; 3.1, V1 paths)."""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import msgspec

from aister.exchange_sim import account_calls, order_calls, public
from aister.exchange_sim.wire import Params, Request

__all__ = ["ORDERROUTES", "Route", "find_route"]

Weight = int | Callable[[Params], int]


class Route(msgspec.Struct, frozen=True):
    """`signed`: public, key (V1 needs only the header) or signed. `orders`: whether it counts as an order."""

    name: str
    version: int
    weight: Weight
    signed: str
    handler: Callable[..., Any]
    orders: bool = False

    def weighs(self, params: Params) -> int:
        return self.weight if isinstance(self.weight, int) else self.weight(params)


def _by_limit(steps: tuple[tuple[int, int], ...], most: int, default: int) -> Callable[[Params], int]:
    def weigh(params: Params) -> int:
        text = params.get("limit", "")
        limit = int(text) if text.isdigit() else default
        return next((weight for bound, weight in steps if limit <= bound), most)

    return weigh


def _by_symbol(one: int, every: int) -> Callable[[Params], int]:
    return lambda params: one if params.get("symbol", "") else every


_KLINES = _by_limit(((99, 1), (499, 2), (1000, 5)), 10, 500)
_DEPTH = _by_limit(((50, 2), (100, 5), (500, 10)), 20, 500)

_TABLE: tuple[tuple[str, str, Weight, str, Callable[..., Any]], ...] = (
    ("GET", "ping", 1, "public", public.ping),
    ("GET", "time", 1, "public", public.time),
    ("GET", "exchangeInfo", 1, "public", public.exchange_info),
    ("GET", "depth", _DEPTH, "public", public.depth),
    ("GET", "trades", 1, "public", public.trades),
    ("GET", "historicalTrades", 20, "public", public.trades),
    ("GET", "aggTrades", 20, "public", public.agg_trades),
    ("GET", "klines", _KLINES, "public", public.klines),
    ("GET", "markPriceKlines", _KLINES, "public", public.mark_klines),
    ("GET", "indexPriceKlines", _KLINES, "public", public.index_klines),
    ("GET", "premiumIndex", 1, "public", public.premium_index),
    ("GET", "fundingRate", 1, "public", public.funding_rate),
    ("GET", "fundingInfo", 1, "public", public.funding_info),
    ("GET", "ticker/24hr", _by_symbol(1, 40), "public", public.day),
    ("GET", "ticker/price", _by_symbol(1, 2), "public", public.price),
    ("GET", "ticker/bookTicker", _by_symbol(1, 2), "public", public.book_ticker),
    ("POST", "order", 1, "signed", order_calls.place),
    ("PUT", "order", 1, "signed", order_calls.amend),
    ("GET", "order", 1, "signed", order_calls.query),
    ("DELETE", "order", 1, "signed", order_calls.cancel),
    ("DELETE", "guardedCancelOrder", 1, "signed", order_calls.cancel_guarded),
    ("POST", "batchOrders", 5, "signed", order_calls.place_batch),
    ("DELETE", "batchOrders", 1, "signed", order_calls.cancel_batch),
    ("DELETE", "guardedBatchOrders", 1, "signed", order_calls.cancel_guarded_batch),
    ("DELETE", "allOpenOrders", 1, "signed", order_calls.cancel_all),
    ("POST", "countdownCancelAll", 10, "signed", order_calls.countdown),
    ("POST", "chase", 1, "signed", order_calls.chase),
    ("POST", "noop", 1, "signed", order_calls.noop),
    ("GET", "openOrder", 1, "signed", order_calls.query_open),
    ("GET", "openOrders", _by_symbol(1, 40), "signed", order_calls.open_orders),
    ("GET", "allOrders", 5, "signed", order_calls.all_orders),
    ("GET", "userTrades", 5, "signed", order_calls.user_trades),
    ("POST", "placeStrategyOrder", 50, "signed", order_calls.place_strategy),
    ("POST", "updateStrategyOrder", 50, "signed", order_calls.update_strategy),
    ("GET", "strategyOpenOrder", 5, "signed", order_calls.query_strategy),
    ("GET", "balance", 5, "signed", account_calls.balance),
    ("GET", "accountWithJoinMargin", 5, "signed", account_calls.account_information),
    ("GET", "positionRisk", 5, "signed", account_calls.position_risk),
    ("GET", "income", 30, "signed", account_calls.income),
    ("POST", "leverage", 1, "signed", account_calls.set_leverage),
    ("POST", "marginType", 1, "signed", account_calls.set_margin_type),
    ("POST", "positionMargin", 1, "signed", account_calls.change_margin),
    ("GET", "positionMargin/history", 1, "signed", account_calls.margin_history),
    ("GET", "positionSide/dual", 30, "signed", account_calls.position_mode),
    ("POST", "positionSide/dual", 1, "signed", account_calls.set_position_mode),
    ("GET", "stpMode", 30, "signed", account_calls.stp_mode),
    ("POST", "stpMode", 1, "signed", account_calls.set_stp_mode),
    ("GET", "multiAssetsMargin", 30, "signed", account_calls.multi_assets),
    ("POST", "multiAssetsMargin", 1, "signed", account_calls.set_multi_assets),
    ("GET", "leverageBracket", 1, "signed", account_calls.leverage_brackets),
    ("GET", "commissionRate", 20, "signed", account_calls.commission),
    ("GET", "adlQuantile", 5, "signed", account_calls.adl),
    ("GET", "forceOrders", _by_symbol(20, 50), "signed", account_calls.forced_orders),
    ("POST", "listenKey", 1, "key", account_calls.start_stream),
    ("PUT", "listenKey", 1, "key", account_calls.extend_stream),
    ("DELETE", "listenKey", 1, "key", account_calls.end_stream),
)
ROUTES = {(method, name): (weight, signed, handler) for method, name, weight, signed, handler in _TABLE}
_V1_NAMES = {(2, "balance"): "balance", (2, "positionRisk"): "positionRisk", (4, "account"): "accountWithJoinMargin"}
_V1_MOVED = ("balance", "positionRisk", "accountWithJoinMargin")
_PATH = re.compile(r"/fapi/v([1-4])/([A-Za-z0-9/]+)\Z")
ORDERROUTES = (
    ("POST", "order"),
    ("PUT", "order"),
    ("POST", "batchOrders"),
    ("POST", "chase"),
    ("POST", "placeStrategyOrder"),
)


def find_route(request: Request) -> Route | None:
    """The route of a request; None when there is no such path. V3 paths hold everything; of V1 balance and
    positionRisk are v2, the account is v4 (aster-api 3.1)."""
    return _route(request.method, request.path)


@lru_cache(maxsize=256)
def _route(method: str, path: str) -> Route | None:
    if path == "/api/v3/exchangeInfo" and method == "GET":
        return Route("spotExchangeInfo", 3, 1, "public", public.spot_exchange_info)
    if path in ("/api/v3/ping", "/api/v3/time") and method == "GET":
        return Route("spot", 3, 1, "public", public.time if path.endswith("time") else public.ping)
    matched = _PATH.match(path)
    if matched is None:
        return None
    version, name = int(matched[1]), matched[2]
    if version in (2, 4):
        name = _V1_NAMES.get((version, name), "")
    elif version == 1 and name in _V1_MOVED:
        return None
    found = ROUTES.get((method, name))
    if found is None:
        return None
    return Route(name, 3 if version == 3 else 1, *found, orders=(method, name) in ORDERROUTES)
