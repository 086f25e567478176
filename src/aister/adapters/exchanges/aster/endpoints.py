"""What AsterDex can be asked: method, path in both versions, weight, whether it counts as an order, whether signed.

Sources: aster-api 3.1 and 11 (paths), 4 (weights), 6-9 (calls).
"""

from collections.abc import Mapping

import msgspec

__all__ = ["ENDPOINTS", "Endpoint", "weight"]


class Endpoint(msgspec.Struct, frozen=True):
    """One call. `v1` is empty where the old version has no such call; `orders` is what it takes from the ORDERS
    limit."""

    name: str
    method: str
    v3: str
    v1: str
    weight: int
    signed: bool = True
    orders: int = 0

    def path(self, scheme: str) -> str:
        """The path under "v3" or "v1"; empty where that version lacks the call."""
        return self.v1 if scheme == "v1" else self.v3


def _both(
    name: str, method: str, path: str, weight: int, *, signed: bool = True, orders: int = 0, v1: str | None = None
) -> Endpoint:
    return Endpoint(name, method, f"/fapi/v3/{path}", f"/fapi/v1/{path}" if v1 is None else v1, weight, signed, orders)


ENDPOINTS: Mapping[str, Endpoint] = {
    one.name: one
    for one in (
        _both("ping", "GET", "ping", 1, signed=False),
        _both("time", "GET", "time", 1, signed=False),
        _both("exchange_info", "GET", "exchangeInfo", 1, signed=False),
        _both("depth", "GET", "depth", 20, signed=False),
        _both("trades", "GET", "trades", 1, signed=False),
        _both("agg_trades", "GET", "aggTrades", 20, signed=False),
        _both("klines", "GET", "klines", 10, signed=False),
        _both("mark_klines", "GET", "markPriceKlines", 10, signed=False),
        _both("premium_index", "GET", "premiumIndex", 1, signed=False),
        _both("funding_rate", "GET", "fundingRate", 1, signed=False),
        _both("funding_info", "GET", "fundingInfo", 1, signed=False),
        _both("place", "POST", "order", 1, orders=1),
        _both("place_attached", "POST", "placeStrategyOrder", 50, orders=2, v1=""),
        _both("cancel", "DELETE", "order", 1),
        _both("order", "GET", "order", 1),
        _both("open_orders", "GET", "openOrders", 40),
        _both("all_orders", "GET", "allOrders", 5),
        _both("noop", "POST", "noop", 1, v1=""),
        _both("executions", "GET", "userTrades", 5),
        _both("income", "GET", "income", 30),
        _both("balance", "GET", "balance", 5, v1="/fapi/v2/balance"),
        _both("account", "GET", "accountWithJoinMargin", 5, v1="/fapi/v4/account"),
        _both("positions", "GET", "positionRisk", 5, v1="/fapi/v2/positionRisk"),
        _both("leverage", "POST", "leverage", 1),
        _both("margin_type", "POST", "marginType", 1),
        _both("brackets", "GET", "leverageBracket", 1),
        _both("commission", "GET", "commissionRate", 20),
        _both("position_mode", "GET", "positionSide/dual", 30),
        _both("multi_assets", "GET", "multiAssetsMargin", 30),
        _both("listen_key", "POST", "listenKey", 1),
        _both("keep_listen_key", "PUT", "listenKey", 1),
        _both("close_listen_key", "DELETE", "listenKey", 1),
    )
}

_BY_DEPTH = ((50, 2), (100, 5), (500, 10))
_BY_BARS = ((99, 1), (499, 2), (1000, 5))


def weight(endpoint: Endpoint, params: Mapping[str, str]) -> int:
    """What a call takes from the weight limit, given its parameters (aster-api 4)."""
    limit = int(params.get("limit", "500"))
    match endpoint.name:
        case "depth":
            return next((cost for most, cost in _BY_DEPTH if limit <= most), endpoint.weight)
        case "klines" | "mark_klines":
            return next((cost for most, cost in _BY_BARS if limit <= most), endpoint.weight)
        case "open_orders" if "symbol" in params:
            return 1
    return endpoint.weight
