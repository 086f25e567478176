"""May this request be signed? Pure: the request, the charter and the marks told so far in, a verdict out.

The right a request needs follows from its path and parameters, never from what the caller says. An order is a reduction
when the venue itself would let it do nothing else: reduceOnly, closePosition, or (hedged) the side that closes its leg.
"""

from collections.abc import Mapping

import msgspec

from aister.adapters.signer.allowed import ALLOWED, NOOP, ORDER, attached_entry, decimal_e8
from aister.adapters.signer.charter import REDUCE, TRADE, Charter, covers
from aister.core.money import UNIT
from aister.ports.signer import Call, Declined

__all__ = ["Verdict", "judge", "worst_notional"]

_CLOSING_KINDS = ("STOP_MARKET", "TAKE_PROFIT_MARKET")
_PRICES = ("price", "stopPrice", "activationPrice")
_LIMITED = ("LIMIT", "STOP", "TAKE_PROFIT")
_CLOSING_SIDE = {"LONG": "SELL", "SHORT": "BUY"}
_UNKNOWN_MARK_TIMES = 2
_SHOWN = 40


class Verdict(msgspec.Struct, frozen=True, gc=False):
    """It may be signed. `right`: what it needs; `counts`: whether it takes from the caps on orders."""

    right: str
    counts: bool


def judge(call: Call, charter: Charter, marks: Mapping[str, int], ceiling: str = TRADE) -> Verdict | Declined:
    """`marks`: mark prices (1e-8) told lately; `ceiling`: the most the caller's door lets through."""
    rule = ALLOWED[charter.scheme].get((call.method, call.path))
    if rule is None or ("subOrderList" in rule.params and not charter.attached):
        return Declined(
            "path", f"{_shown(call.method)} {_shown(call.path)} is not signed here, whoever asks; do it yourself on "
            "the venue's own page."
        )  # fmt: skip
    params = dict(call.params)
    if len(params) != len(call.params):
        return Declined("parameter", "A parameter is given twice; give each once.")
    for name, value in params.items():
        check = rule.params.get(name)
        if check is None:
            return Declined("parameter", f"{_shown(name)} is not signed on {call.path}; leave it out.")
        if not check(value):
            return Declined("parameter", f"What {name} says is not signed on {call.path}; correct it.")
    missing = next((name for name in rule.required if name not in params), None)
    if missing is not None:
        return Declined("parameter", f"{call.path} needs {missing}; give it.")
    if (call.nonce_us != 0) != ((call.method, call.path) == NOOP):
        return Declined("parameter", "Only a noop names its nonce, the one it is to kill; leave it to the signer.")
    right = rule.right
    if (call.method, call.path) in ORDER:
        unfit = _unfit_order(params, charter)
        if unfit is not None:
            return unfit
        right = REDUCE if _reduces(params) else TRADE
    for given in (call.right, ceiling, charter.right):
        if not covers(given, right):
            return Declined(
                "parameter",
                f"{call.path} needs the right to {right}, {_shown(given)} does not reach that far; a watcher sends "
                "reduceOnly or closePosition orders and cancels only.",
            )
    if right != TRADE:
        return Verdict(right, False)
    entry = attached_entry(params["subOrderList"]) if "subOrderList" in params else None
    return _within_limits(call, params if entry is None else entry, charter, marks)


def _unfit_order(params: Mapping[str, str], charter: Charter) -> Declined | None:
    leg = params.get("positionSide", "BOTH")
    if leg != "BOTH" and not charter.hedged:
        return Declined("parameter", "positionSide is for hedge mode, which is not traded; set one-way mode.")
    closes = params.get("closePosition") == "true"
    if closes and (params["type"] not in _CLOSING_KINDS or "quantity" in params or "reduceOnly" in params):
        return Declined(
            "parameter",
            "closePosition goes with STOP_MARKET or TAKE_PROFIT_MARKET, without quantity and reduceOnly; correct it.",
        )
    if not closes and "quantity" not in params:
        return Declined("parameter", "An order needs a quantity or closePosition; give one.")
    if params["type"] in _LIMITED and "price" not in params:
        return Declined("parameter", f"{params['type']} needs a price; give it.")
    return None


def _reduces(params: Mapping[str, str]) -> bool:
    if params.get("reduceOnly") == "true" or params.get("closePosition") == "true":
        return True
    return _CLOSING_SIDE.get(params.get("positionSide", "")) == params["side"]


def _within_limits(
    call: Call, params: Mapping[str, str], charter: Charter, marks: Mapping[str, int]
) -> Verdict | Declined:
    limits = charter.limits
    symbol = params.get("symbol")
    if symbol is not None and symbol not in limits.marks:
        return Declined("cap", f"{symbol} is not among the symbols set at arming; arm again with it to trade it.")
    if "leverage" in params and int(params["leverage"]) > limits.leverage:
        return Declined("cap", f"Leverage {params['leverage']} is above {limits.leverage}, set at arming; use less.")
    if symbol is None or "quantity" not in params:
        return Verdict(TRADE, False)
    notional = worst_notional(params, marks.get(symbol, 0), limits.marks[symbol])
    if notional is None:
        return Declined(
            "cap", f"What {symbol} is worth is not known here; send a limit order, or arm again with its mark price."
        )
    notional = max(notional, call.notional)
    if notional > limits.order_notional:
        return Declined(
            "cap",
            f"The order may be worth {notional // UNIT} and at most {limits.order_notional // UNIT} was set at arming; "
            "make it smaller.",
        )
    return Verdict(TRADE, True)


def worst_notional(params: Mapping[str, str], told_e8: int, armed_e8: int) -> int | None:
    """Most the order can be worth, money units, rounded up: quantity x worst price.

    A buy with a limit never pays more than its price. Everything else may fill anywhere: the highest of the prices it
    names and the mark, which is the highest of what was told lately and the one at arming; untold, twice the one at
    arming. None when nothing tells a price.
    """
    if params["side"] == "BUY" and params.get("type", "LIMIT") in _LIMITED:
        worst = decimal_e8(params["price"])
    else:
        mark = max(told_e8, armed_e8) if told_e8 else _UNKNOWN_MARK_TIMES * armed_e8
        if not mark:
            return None
        worst = max(mark, *(decimal_e8(params[name]) for name in _PRICES if name in params), 0)
    return -(-decimal_e8(params["quantity"]) * worst // UNIT)


def _shown(text: str) -> str:
    """What a caller wrote, in one printable line."""
    return "".join(c if c.isprintable() else "?" for c in text[:_SHOWN])
