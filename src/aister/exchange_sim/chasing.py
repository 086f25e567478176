"""Limit orders that follow the best bid or ask (aster-api 6, POST chase: "re-pegs every second"; the fields are those
of the official page "Place Chase Order", which the reference only names).

A chase is one post-only limit at the best price of its own side, less `chaseOffset`. Every second it is amended to
where that stands now. Once the market is farther than `maxChaseOffset` from where it began, it is cancelled; a fill or
a cancel of the order ends it too. A second in which the amendment is refused leaves the order where it is.
"""

from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal

from aister.core.trade import Side
from aister.exchange_sim.accounts import Account
from aister.exchange_sim.orders import Best, price_ticks
from aister.exchange_sim.records import Chase, OrderState
from aister.exchange_sim.trading import Trading
from aister.exchange_sim.wire import Params, Refusal

__all__ = ["EVERY_MS", "Chases"]

EVERY_MS = 1_000
_TYPES = ("ABSOLUTE", "PERCENTAGE")


class Chases:
    """Places chases and moves them on. `later(due_ms, what, account, order)` asks to be called back."""

    def __init__(self, trading: Trading, best: Best, later: Callable[[int, str, int, int], None]) -> None:
        self._trading, self._best, self._later = trading, best, later

    def place(self, account: Account, params: Params, now_ms: int) -> tuple[Chase, OrderState]:
        """Take a chase and its order. Raises `Refusal`."""
        ticker = self._trading.ticker(params.need("symbol"))
        side = params.need("side").upper()
        if side not in ("BUY", "SELL"):
            raise Refusal(-1117)
        for name in ("chaseOffsetType", "maxChaseOffsetType"):
            if params.get(name, "") not in ("", *_TYPES):
                raise Refusal(-1130, f"Data sent for parameter '{name}' is not valid.")
        if params.get("chaseOffsetType", "") == "PERCENTAGE":
            raise Refusal(-1020)
        offset, most = params.number("chaseOffset"), params.number("maxChaseOffset")
        instrument = ticker.instrument
        chase = Chase(
            offset=price_ticks(offset, instrument, "price") if offset else 0,
            most_e8=int((most or Decimal(0)) * 10**8),
            percent=params.get("maxChaseOffsetType", "") == "PERCENTAGE",
            began=self._own_best(Side[side], ticker.instrument.symbol),
        )
        quantity = params.need("quantity")
        if params.need("quantityUnit") == "QUOTE":
            steps = int(Decimal(quantity) * 10**8) // (ticker.mark_ticks * instrument.unit)
            quantity = instrument.size_text(steps)
        pairs = {
            "symbol": instrument.symbol,
            "side": side,
            "type": "LIMIT",
            "timeInForce": params.get("timeInForce", "") or "GTX",
            "quantity": quantity,
            "price": instrument.price_text(chase.began - int(Side[side]) * chase.offset),
            "positionSide": params.get("positionSide", "") or "BOTH",
            "reduceOnly": params.get("reduceOnly", "") or "false",
        }
        order = self._trading.place(account, Params(pairs), now_ms)
        account.chases[order.order_id] = chase
        self._later(now_ms + EVERY_MS, "chase", account.number, order.order_id)
        return chase, order

    def follow(self, account: Account, order: OrderState, now_ms: int) -> None:
        """A second later."""
        chase = account.chases.get(order.order_id)
        if chase is None or not order.working:
            account.chases.pop(order.order_id, None)
            return
        instrument = self._trading.market.tickers[order.symbol].instrument
        best = self._own_best(order.side, order.symbol)
        gone = abs(best - chase.began) * instrument.tick_e8
        if chase.most_e8 and gone > chase.allowed_e8(instrument.tick_e8):
            del account.chases[order.order_id]
            self._trading.cancel(account, order, now_ms)
            return
        price = best - int(order.side) * chase.offset
        if price != order.price_ticks:
            pairs = {"quantity": instrument.size_text(order.steps), "price": instrument.price_text(price)}
            with suppress(Refusal):
                self._trading.amend(account, order, Params(pairs), now_ms)
        self._later(now_ms + EVERY_MS, "chase", account.number, order.order_id)

    def _own_best(self, side: Side, symbol: str) -> int:
        bid, ask = self._best(self._trading.market.tickers[symbol])
        return bid[0] if side > 0 else ask[0]
