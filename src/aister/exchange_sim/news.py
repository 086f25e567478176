"""What user streams are told of an account (aster-api 9)."""

from typing import Any

from aister.exchange_sim.accounts import Account
from aister.exchange_sim.forms import LEGS, account_update, margin_call, order_update
from aister.exchange_sim.market import Market
from aister.exchange_sim.records import Happening
from aister.exchange_sim.streams import Hub
from aister.exchange_sim.telling import Teller

__all__ = ["Newsroom"]


class Newsroom:
    """Turns happenings into frames, in order; nothing is made for an account nobody listens to."""

    def __init__(self, hub: Hub, market: Market, teller: Teller) -> None:
        self.hub, self.market, self.teller = hub, market, teller

    def tell(self, account: Account, happenings: list[Happening], now_ms: int) -> None:
        heard = any(connection.account == account.number for connection in self.hub.connections.values())
        for told in happenings:
            if told.what == "CALCULATED" and told.order and told.trade:
                self._liquidation(told, now_ms)
            if heard:
                for payload in self._payloads(account, told, now_ms):
                    self.hub.tell(account.number, payload)

    def _payloads(self, account: Account, told: Happening, now_ms: int) -> list[dict[str, Any]]:
        both = {"E": now_ms, "T": told.time_ms}
        if told.what == "CONFIG":
            return [{"e": "ACCOUNT_CONFIG_UPDATE", **both, **self._config(account, told)}]
        if told.what == "REFUSED":
            return []
        if told.what == "MARGIN_CALL":
            held = tuple(leg for leg in told.legs if account.holding(*leg).steps)
            return [{"e": "MARGIN_CALL", "E": now_ms, **margin_call(account, self.market, held)}] if held else []
        if told.order is None:
            change = account_update(account, self.market, told, told.what, told.amount)
            return [{"e": "ACCOUNT_UPDATE", **both, "a": change}]
        instrument = self.market.tickers[told.symbol].instrument
        payloads = []
        if told.trade:
            reason = "ADL" if told.order.client_id.startswith("adl_") else "ORDER"
            payloads.append({"e": "ACCOUNT_UPDATE", **both, "a": account_update(account, self.market, told, reason, 0)})
        payloads.append({"e": "ORDER_TRADE_UPDATE", **both, "o": order_update(told, instrument)})
        return payloads

    def _config(self, account: Account, told: Happening) -> dict[str, Any]:
        if told.detail == "leverage":
            return {"ac": {"s": told.symbol, "l": account.terms[told.symbol].leverage}}
        return {"ai": {"j": account.multi_assets, "f": False, "d": account.hedged}}

    def _liquidation(self, told: Happening, now_ms: int) -> None:
        order, trade = told.order, told.trade
        assert order is not None
        assert trade is not None
        instrument = self.market.tickers[told.symbol].instrument
        row = {
            "s": told.symbol,
            "S": order.side.name,
            "o": "LIMIT",
            "f": "IOC",
            "q": instrument.size_text(order.steps),
            "p": instrument.price_text(order.price_ticks),
            "ap": instrument.price_text(trade.ticks),
            "X": order.status,
            "l": instrument.size_text(trade.steps),
            "z": instrument.size_text(order.filled),
            "T": told.time_ms,
            "ps": LEGS[order.leg],
        }
        self.teller.liquidated(told.symbol, row, now_ms)
