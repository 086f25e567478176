"""The list: every request that may be signed, with every parameter it may carry and what each may say.

What is not here is not signed: transfers, withdrawals, agents, builders and their fees, sub-accounts, migration,
multi-assets mode, batches, and of strategies all but one: an entry with the stop that closes whatever it opens (C6).
It is written out by hand on purpose and shares nothing with the client's list of calls; a test holds the two against
each other. Sources: aster-api 3.1 and 11 (paths), 6 and 7 (parameters).
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache

import msgspec

from aister.adapters.signer.charter import READ, REDUCE, TRADE

__all__ = ["ALLOWED", "KINDS", "NOOP", "ORDER", "Rule", "attached_entry", "decimal_e8"]

Check = Callable[[str], object]

KINDS = ("LIMIT", "MARKET", "STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET")


class Rule(msgspec.Struct, frozen=True):
    """`right`: the least that covers the request ("" for orders, of which their parameters decide); `params`: name to
    check; `required`: which of them must be there."""

    right: str
    params: Mapping[str, Check]
    required: tuple[str, ...] = ()


def _says(pattern: str) -> Check:
    return re.compile(pattern, re.ASCII).fullmatch


def _one_of(*words: str) -> Check:
    return frozenset(words).__contains__


_DECIMAL = re.compile(r"(0|[1-9][0-9]{0,14})(?:\.([0-9]{1,8}))?", re.ASCII)
_LONGEST = 24
_NUMBER = _says(r"0|[1-9][0-9]{0,18}")
_SYMBOL = _says(r"[A-Z0-9_]{2,30}")
_CLIENT_ID = _says(r"[.A-Z:/a-z0-9_-]{1,36}")
_BOOLEAN = _one_of("true", "false")


def decimal_e8(text: str) -> int:
    """A plain decimal as an integer of 1e-8; 0 for whatever is none or not above zero."""
    return _decimal_e8(text) if len(text) <= _LONGEST else 0


@lru_cache(1_024)
def _decimal_e8(text: str) -> int:
    found = _DECIMAL.fullmatch(text)
    return int(found[1]) * 100_000_000 + int((found[2] or "").ljust(8, "0")) if found else 0


_SYMBOL_ONLY = {"symbol": _SYMBOL}
_SPAN = {"startTime": _NUMBER, "endTime": _NUMBER, "limit": _NUMBER}
_WHICH = {"symbol": _SYMBOL, "origClientOrderId": _CLIENT_ID, "orderId": _NUMBER}
_PLACE = {
    "symbol": _SYMBOL,
    "side": _one_of("BUY", "SELL"),
    "positionSide": _one_of("BOTH", "LONG", "SHORT"),
    "type": _one_of(*KINDS),
    "timeInForce": _one_of("GTC", "IOC", "FOK", "GTX"),
    "quantity": decimal_e8,
    "price": decimal_e8,
    "stopPrice": decimal_e8,
    "activationPrice": decimal_e8,
    "callbackRate": decimal_e8,
    "reduceOnly": _BOOLEAN,
    "closePosition": _BOOLEAN,
    "newClientOrderId": _CLIENT_ID,
    "workingType": _one_of("MARK_PRICE", "CONTRACT_PRICE"),
    "priceProtect": _one_of("TRUE", "FALSE"),
    "newOrderRespType": _one_of("ACK", "RESULT"),
    "stpMode": _one_of("EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH"),
}
_ENTERING = {
    **{name: _PLACE[name] for name in ("symbol", "side", "quantity", "price", "newOrderRespType", "stpMode")},
    "clientOrderId": _CLIENT_ID,
    "strategySubId": _one_of("1"),
    "type": _one_of("LIMIT", "MARKET"),
    "timeInForce": _one_of("GTC", "GTX"),
}
_GUARDING = {
    **{name: _PLACE[name] for name in ("symbol", "side", "stopPrice", "workingType", "priceProtect")},
    "clientOrderId": _CLIENT_ID,
    "strategySubId": _one_of("2"),
    "type": _one_of("STOP_MARKET"),
    "closePosition": _one_of("true"),
    "firstDrivenId": _one_of("1"),
    "firstDrivenOn": _one_of("PARTIALLY_FILLED_OR_FILLED"),
    "firstTrigger": _one_of("PLACE_ORDER"),
}
_OPTIONAL = frozenset({"price", "newOrderRespType", "stpMode", "timeInForce", "workingType", "priceProtect"})


def attached_entry(text: str) -> dict[str, str] | None:
    """The entry of a pair of sub-orders; None when they are anything but an entry and the stop that closes it, placed
    with its first fill, or written so that two readers could read two things (a name twice)."""
    try:
        entry, stop = msgspec.json.decode(text, type=tuple[dict[str, str], dict[str, str]])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if msgspec.json.encode((entry, stop)).decode() != text:
        return None
    for sub, rules in ((entry, _ENTERING), (stop, _GUARDING)):
        if not all(name in rules and rules[name](value) for name, value in sub.items()):
            return None
        if not sub.keys() >= rules.keys() - _OPTIONAL:
            return None
    if stop["symbol"] != entry["symbol"] or stop["side"] == entry["side"]:
        return None
    return entry if ("price" in entry) == (entry["type"] == "LIMIT") else None


_NAMED = {
    ("POST", "order"): Rule("", _PLACE, ("symbol", "side", "type", "newClientOrderId")),
    ("POST", "placeStrategyOrder"): Rule(
        TRADE, {"strategyType": _one_of("OTO"), "subOrderList": attached_entry}, ("strategyType", "subOrderList")
    ),
    ("DELETE", "order"): Rule(REDUCE, _WHICH, ("symbol",)),
    ("GET", "order"): Rule(READ, _WHICH, ("symbol",)),
    ("GET", "openOrder"): Rule(READ, _WHICH, ("symbol",)),
    ("GET", "openOrders"): Rule(READ, _SYMBOL_ONLY),
    ("GET", "allOrders"): Rule(READ, {**_SYMBOL_ONLY, **_SPAN, "orderId": _NUMBER}, ("symbol",)),
    ("POST", "noop"): Rule(REDUCE, {}),
    ("GET", "userTrades"): Rule(READ, {**_SYMBOL_ONLY, **_SPAN, "fromId": _NUMBER}, ("symbol",)),
    ("GET", "income"): Rule(READ, {**_SYMBOL_ONLY, **_SPAN, "incomeType": _says(r"[A-Z_]{1,40}")}),
    ("GET", "balance"): Rule(READ, {}),
    ("GET", "accountWithJoinMargin"): Rule(READ, {}),
    ("GET", "positionRisk"): Rule(READ, _SYMBOL_ONLY),
    ("POST", "leverage"): Rule(TRADE, {**_SYMBOL_ONLY, "leverage": _says(r"[1-9][0-9]{0,2}")}, ("symbol", "leverage")),
    ("POST", "marginType"): Rule(
        TRADE, {**_SYMBOL_ONLY, "marginType": _one_of("ISOLATED", "CROSSED")}, ("symbol", "marginType")
    ),
    ("POST", "positionSide/dual"): Rule(TRADE, {"dualSidePosition": _one_of("false")}, ("dualSidePosition",)),
    ("GET", "positionSide/dual"): Rule(READ, {}),
    ("GET", "multiAssetsMargin"): Rule(READ, {}),
    ("GET", "leverageBracket"): Rule(READ, _SYMBOL_ONLY),
    ("GET", "commissionRate"): Rule(READ, _SYMBOL_ONLY, ("symbol",)),
    ("GET", "adlQuantile"): Rule(READ, _SYMBOL_ONLY),
    ("POST", "listenKey"): Rule(READ, {}),
    ("PUT", "listenKey"): Rule(READ, {}),
    ("DELETE", "listenKey"): Rule(READ, {}),
}
_OLD_PATHS = {
    "balance": "/fapi/v2/balance",
    "positionRisk": "/fapi/v2/positionRisk",
    "accountWithJoinMargin": "/fapi/v4/account",
}


def _paths(scheme: str, name: str) -> str:
    return f"/fapi/v3/{name}" if scheme == "v3" else _OLD_PATHS.get(name, f"/fapi/v1/{name}")


ALLOWED: Mapping[str, Mapping[tuple[str, str], Rule]] = {
    scheme: {
        (method, _paths(scheme, name)): rule
        for (method, name), rule in _NAMED.items()
        if scheme == "v3" or name not in ("noop", "placeStrategyOrder")
    }
    for scheme in ("v3", "v1")
}
"""By key version, then by method and path."""
ORDER = frozenset({("POST", "/fapi/v3/order"), ("POST", "/fapi/v1/order")})
NOOP = ("POST", "/fapi/v3/noop")
