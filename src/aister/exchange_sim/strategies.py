"""Orders that drive each other at the venue: OTO, OCO and OTOCO (aster-api 6, strategy orders; the fields are those of
the official pages "Place Strategy Order" and "Update Strategy Order", which the reference only names).

A sub-order without firstDrivenId (or "0") is placed at once, another when the sub-order it names reaches
firstDrivenOn; secondDrivenId, secondDrivenOn and secondTrigger work alike, to cancel it or place it. A sub-order that
is refused when its time comes is gone, and the strategy is EXPIRED: nobody else watches over it."""

from typing import Any

import msgspec

from aister.exchange_sim.accounts import Account
from aister.exchange_sim.records import Happening, OrderState, Strategy, SubOrder
from aister.exchange_sim.trading import Trading
from aister.exchange_sim.wire import Params, Refusal

__all__ = ["Strategies", "strategy_row"]

_COUNTS = {"OTO": 2, "OCO": 2, "OTOCO": 3}
_EVENTS = ("NEW", "PARTIALLY_FILLED_OR_FILLED", "FILLED", "CANCELED", "REPLACED", "STOPPED", "REJECTED", "EXPIRED")
_ACTIONS = ("PLACE_ORDER", "CANCEL_ORDER")
_KEPT = ("symbol", "side", "positionSide", "type")
_CHANGED = (
    *("quantity", "price", "stopPrice", "timeInForce", "workingType", "reduceOnly", "closePosition", "priceProtect"),
    *("activationPrice", "callbackRate"),
)


class Strategies:
    """Places strategies and moves them on as their orders move."""

    def __init__(self, trading: Trading) -> None:
        self._trading = trading
        trading.after = self.react

    def place(self, account: Account, params: Params, now_ms: int, number: int) -> Strategy:
        """Take a strategy and place what is not driven. Raises `Refusal`; then nothing of it remains."""
        if not self._trading.settings.readings.strategy_orders:
            raise Refusal(-1000, "Strategy orders are not available.")
        kind = params.need("strategyType").upper()
        subs = _subs(params.need("subOrderList"))
        if kind not in _COUNTS or len(subs) != _COUNTS[kind]:
            raise Refusal(-1102, "Mandatory parameter 'subOrderList' does not fit the strategyType.")
        strategy = Strategy(number, params.get("clientStrategyId", "") or f"s-{number}", kind, subs, now_ms, now_ms)
        account.strategies[number] = strategy
        try:
            for place in [place for place, sub in enumerate(subs, 1) if not sub.first_id]:
                self._act(account, strategy, place, "PLACE_ORDER", now_ms)
        except Refusal:
            for sub in subs:
                if sub.order_id and account.orders[sub.order_id].working:
                    self._trading.cancel(account, account.orders[sub.order_id], now_ms)
            del account.strategies[number]
            raise
        self.react(account, now_ms)
        return strategy

    def update(self, account: Account, params: Params, now_ms: int) -> list[dict[str, Any]]:
        """Change sub-orders, each for itself: one that waits is placed as it is told now, of a limit that works price
        and quantity are amended; the page does not say what becomes of others, here they are refused. Raises
        `Refusal` when there is no such strategy or the list is malformed."""
        strategy = account.strategies.get(params.whole("strategyId"))
        if strategy is None or strategy.kind != params.need("strategyType").upper():
            raise Refusal(-2013)
        rows = _rows(params.need("subOrderList"))
        told = []
        for row in rows:
            named = row.get("strategySubId", "")
            place = int(named) if named.isascii() and named.isdigit() and len(named) < 9 else 0
            try:
                self._change(account, strategy, place, row, now_ms)
                code, why = 0, ""
            except Refusal as refusal:
                code, why = refusal.code, refusal.text
            strategy.updated_ms = now_ms
            told.append(
                {
                    "strategyId": strategy.number,
                    "clientStrategyId": strategy.client_id,
                    "strategyType": strategy.kind,
                    "strategyStatus": strategy.status,
                    "updatedSubOrder": place,
                    "updateStatus": "FAILED" if code else "SUCCESS",
                    "updateTime": now_ms,
                    "failureCode": code,
                    "failureReason": why,
                }
            )
        return told

    def _change(self, account: Account, strategy: Strategy, place: int, row: dict[str, str], now_ms: int) -> None:
        if not 1 <= place <= len(strategy.subs):
            raise Refusal(-1102, "Mandatory parameter 'strategySubId' does not fit the strategy.")
        sub = strategy.subs[place - 1]
        if any(row.get(name, sub.pairs.get(name, "")) != sub.pairs.get(name, "") for name in _KEPT):
            raise Refusal(-1102, "A sub-order keeps its symbol, side, positionSide and type.")
        wanted = {name: value for name, value in row.items() if name in _CHANGED}
        if sub.order_id:
            order = account.orders[sub.order_id]
            if order.kind != "LIMIT":
                raise Refusal(-2013)
            told = {"quantity": sub.pairs.get("quantity", ""), "price": sub.pairs.get("price", ""), **wanted}
            self._trading.amend(account, order, Params(told), now_ms)
        elif strategy.status != "WORKING":
            raise Refusal(-2013)
        sub.pairs.update(wanted)

    def react(self, account: Account, now_ms: int) -> None:
        """Let what has happened to orders of strategies drive the others."""
        while account.undriven:
            told = account.undriven.pop(0)
            strategy = account.strategies.get(told.order.strategy) if told.order else None
            if strategy is None or told.order is None:
                continue
            strategy.updated_ms = now_ms
            driving = next((i for i, sub in enumerate(strategy.subs, 1) if sub.order_id == told.order.order_id), 0)
            for place, sub in enumerate(strategy.subs, 1):
                for action in _driven(sub, driving, _reached(told)):
                    try:
                        self._act(account, strategy, place, action, now_ms)
                    except Refusal as refusal:
                        strategy.status, strategy.failure = "EXPIRED", refusal.code
            if all(sub.order_id and not account.orders[sub.order_id].working for sub in strategy.subs):
                strategy.status = "FINISHED" if strategy.status == "WORKING" else strategy.status
            elif told.order.status in ("CANCELED", "EXPIRED") and driving == 1 and strategy.kind != "OCO":
                strategy.status = "EXPIRED"

    def _act(self, account: Account, strategy: Strategy, place: int, action: str, now_ms: int) -> None:
        sub = strategy.subs[place - 1]
        if action == "CANCEL_ORDER":
            order = account.orders.get(sub.order_id)
            if order is not None and order.working:
                self._trading.cancel(account, order, now_ms)
        elif not sub.order_id and strategy.status == "WORKING":
            self._trading.place(account, Params(sub.pairs), now_ms, strategy.number, sub)


def _reached(told: Happening) -> tuple[str, ...]:
    """What an order's happening counts as."""
    if told.what == "TRADE":
        done = told.order is not None and told.order.status == "FILLED"
        return ("PARTIALLY_FILLED_OR_FILLED", "FILLED") if done else ("PARTIALLY_FILLED_OR_FILLED",)
    return (told.what,)


def _driven(sub: SubOrder, driving: int, reached: tuple[str, ...]) -> list[str]:
    """What the sub-order does about it, each once."""
    actions = []
    if driving and sub.first_id == driving and sub.first_on in reached and not sub.first_done:
        sub.first_done = True
        actions.append(sub.first_action)
    if driving and sub.second_id == driving and sub.second_on in reached and not sub.second_done:
        sub.second_done = True
        actions.append(sub.second_action)
    return actions


def _subs(text: str) -> list[SubOrder]:
    try:
        rows = msgspec.json.decode(text, type=list[dict[str, Any]])
        return [_sub(row, place) for place, row in enumerate(rows, 1)]
    except (msgspec.DecodeError, msgspec.ValidationError, ValueError):
        raise Refusal(-1102, "Mandatory parameter 'subOrderList' was malformed.") from None


def _rows(text: str) -> list[dict[str, str]]:
    try:
        return [_pairs(row) for row in msgspec.json.decode(text, type=list[dict[str, Any]])]
    except (msgspec.DecodeError, msgspec.ValidationError):
        raise Refusal(-1102, "Mandatory parameter 'subOrderList' was malformed.") from None


def _pairs(row: dict[str, Any]) -> dict[str, str]:
    return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in row.items()}


def _sub(row: dict[str, Any], place: int) -> SubOrder:
    """One element of subOrderList. Raises `ValueError`."""
    pairs = _pairs(row)
    if pairs.get("strategySubId") != str(place) or pairs.get("timeInForce") in ("IOC", "FOK"):
        raise ValueError(place)
    if "clientOrderId" in pairs:
        pairs["newClientOrderId"] = pairs.pop("clientOrderId")
    drives = [pairs.pop(name, "") for name in ("firstDrivenId", "firstDrivenOn", "firstTrigger")]
    drives += [pairs.pop(name, "") for name in ("secondDrivenId", "secondDrivenOn", "secondTrigger")]
    for driven, event, action in (drives[:3], drives[3:]):
        if int(driven or 0) and (event not in _EVENTS or action not in _ACTIONS):
            raise ValueError(place)
    for name in ("strategySubId", "securityType"):
        pairs.pop(name, None)
    return SubOrder(pairs, int(drives[0] or 0), drives[1], drives[2], int(drives[3] or 0), drives[4], drives[5])


def strategy_row(strategy: Strategy, account: Account) -> dict[str, Any]:
    """A strategy as a query tells it."""
    orders: list[OrderState | None] = [account.orders.get(sub.order_id) for sub in strategy.subs]
    return {
        "strategyId": strategy.number,
        "clientStrategyId": strategy.client_id,
        "strategyType": strategy.kind,
        "strategyStatus": strategy.status,
        "bookTime": strategy.created_ms,
        "updateTime": strategy.updated_ms,
        "subOrders": [
            {
                "strategyId": strategy.number,
                "strategySubId": place,
                "orderId": sub.order_id,
                "clientOrderId": order.client_id if order else sub.pairs.get("newClientOrderId", ""),
                "status": order.status if order else "PENDING",
            }
            for place, (sub, order) in enumerate(zip(strategy.subs, orders, strict=True), 1)
        ],
    }
