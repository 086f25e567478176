"""The JSON the venue speaks: decimals as strings, ids and times as numbers (aster-api 6, 7 and 9)."""

from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from aister.core.instrument import Instrument
from aister.core.money import UNIT, money_text
from aister.exchange_sim.accounts import Account
from aister.exchange_sim.margins import balances, isolated_margin, liquidation_ticks, maintenance, unrealized
from aister.exchange_sim.market import Kline, Market
from aister.exchange_sim.records import Happening, OrderState, UserTrade

__all__ = [
    "LEGS",
    "account_update",
    "entry_price",
    "kline_row",
    "margin_call",
    "order_reply",
    "order_update",
    "plain",
    "positions",
    "trade_row",
]

LEGS = {0: "BOTH", 1: "LONG", -1: "SHORT"}
_E8 = Decimal("1e-8")


def mean_price(quote: int, steps: int, instrument: Instrument) -> str:
    """What a step cost on average, to 8 decimals; "0" for none."""
    if steps == 0:
        return "0.00000000"
    ticks = Decimal(quote) / Decimal(steps * instrument.unit)
    return f"{(ticks * instrument.tick_e8 / UNIT).quantize(_E8, ROUND_HALF_EVEN):f}"


def entry_price(cost: int, steps: int, instrument: Instrument) -> str:
    return mean_price(cost, steps, instrument)


def order_reply(order: OrderState, instrument: Instrument, *, acknowledge: bool = False) -> dict[str, Any]:
    """An order as replies carry it. `acknowledge`: an ACK, which shows NEW and nothing filled (aster-api 6)."""
    filled, quote, status = (0, 0, "NEW") if acknowledge else (order.filled, order.quote, order.status)
    row: dict[str, Any] = {
        "orderId": order.order_id,
        "symbol": order.symbol,
        "status": status,
        "clientOrderId": order.client_id,
        "price": instrument.price_text(order.price_ticks),
        "avgPrice": mean_price(quote, filled, instrument),
        "origQty": instrument.size_text(order.steps),
        "executedQty": instrument.size_text(filled),
        "cumQty": instrument.size_text(filled),
        "cumQuote": money_text(quote),
        "timeInForce": order.time_in_force,
        "type": order.original.name if acknowledge else order.kind,
        "reduceOnly": order.reduce_only,
        "closePosition": order.close_position,
        "side": order.side.name,
        "positionSide": LEGS[order.leg],
        "stopPrice": instrument.price_text(order.stop_ticks),
        "workingType": order.working_type,
        "priceProtect": order.price_protect,
        "origType": order.original.name,
        "time": order.created_ms,
        "updateTime": order.updated_ms,
        "newChainData": {"hash": f"0x{order.order_id:064x}"},
    }
    if order.callback:
        row["activatePrice"] = instrument.price_text(order.activation_ticks)
        row["priceRate"] = order.callback
    return row


def trade_row(trade: UserTrade, instrument: Instrument, commission_sign: int) -> dict[str, Any]:
    """A row of userTrades."""
    return {
        "buyer": trade.side > 0,
        "commission": money_text(commission_sign * trade.fee),
        "commissionAsset": instrument.quote,
        "id": trade.number,
        "maker": trade.maker,
        "orderId": trade.order_id,
        "price": instrument.price_text(trade.ticks),
        "qty": instrument.size_text(trade.steps),
        "quoteQty": money_text(trade.steps * trade.ticks * instrument.unit),
        "realizedPnl": money_text(trade.realized),
        "side": trade.side.name,
        "positionSide": LEGS[trade.leg],
        "symbol": trade.symbol,
        "time": trade.time_ms,
    }


def kline_row(bar: Kline, instrument: Instrument) -> list[Any]:
    """A row of klines: 12 elements (aster-api 7)."""
    price = instrument.price_text
    return [
        bar.open_ms,
        price(bar.open),
        price(bar.high),
        price(bar.low),
        price(bar.close),
        plain(bar.volume),
        bar.close_ms - 1,
        plain(bar.quote),
        bar.trades,
        plain(bar.volume / 2),
        plain(bar.quote / 2),
        "0",
    ]


def plain(value: float) -> str:
    """A double as the shortest decimal that reads back as it."""
    return f"{Decimal(repr(value)):f}"


def positions(account: Account, market: Market, symbols: list[str]) -> list[dict[str, Any]]:
    """positionRisk: a row per symbol, zero rows included; hedged, one per leg (aster-api 7)."""
    rows = []
    for symbol in symbols:
        ticker, terms = market.tickers[symbol], account.terms[symbol]
        instrument = ticker.instrument
        for leg in account.legs:
            held = account.holding(symbol, leg)
            notional = held.steps * ticker.mark_ticks * instrument.unit
            profit = unrealized(account, market, symbol, leg)
            margin = isolated_margin(account, symbol, leg)
            cap = max((b.cap for b in instrument.brackets if b.max_leverage >= terms.leverage), default=0)
            rows.append(
                {
                    "symbol": symbol,
                    "positionAmt": instrument.size_text(held.steps),
                    "entryPrice": entry_price(held.cost, held.steps, instrument),
                    "markPrice": instrument.price_text(ticker.mark_ticks),
                    "unRealizedProfit": money_text(profit),
                    "liquidationPrice": instrument.price_text(liquidation_ticks(account, market, symbol, leg)),
                    "leverage": str(terms.leverage),
                    "maxNotionalValue": money_text(cap, 0),
                    "marginType": "cross" if terms.cross else "isolated",
                    "isolatedMargin": money_text(margin + profit if margin else 0),
                    "isAutoAddMargin": "false",
                    "positionSide": LEGS[leg],
                    "notional": money_text(notional),
                    "isolatedWallet": money_text(margin),
                    "updateTime": held.updated_ms,
                }
            )
    return rows


def order_update(told: Happening, instrument: Instrument) -> dict[str, Any]:
    """ORDER_TRADE_UPDATE (aster-api 9): N, n only with a commission, AP and cr only trailing, cp only conditional."""
    order, trade = told.order, told.trade
    assert order is not None
    row: dict[str, Any] = {
        "s": order.symbol,
        "c": order.client_id,
        "S": order.side.name,
        "o": order.kind,
        "f": order.time_in_force,
        "q": instrument.size_text(order.steps),
        "p": instrument.price_text(order.price_ticks),
        "ap": mean_price(order.quote, order.filled, instrument),
        "sp": instrument.price_text(order.stop_ticks),
        "x": told.what,
        "X": "NEW_ADL" if told.what == "NEW" and order.client_id.startswith("adl_") else order.status,
        "i": order.order_id,
        "l": instrument.size_text(trade.steps if trade else 0),
        "z": instrument.size_text(order.filled),
        "L": instrument.price_text(trade.ticks if trade else 0),
        "T": told.time_ms,
        "t": trade.number if trade else 0,
        "b": "0",
        "a": "0",
        "m": bool(trade and trade.maker),
        "R": order.reduce_only,
        "wt": order.working_type,
        "ot": order.original.name,
        "ps": LEGS[order.leg],
        "rp": money_text(trade.realized if trade else 0),
    }
    if trade and trade.fee:
        row |= {"N": instrument.quote, "n": money_text(trade.fee)}
    if order.original.conditional:
        row["cp"] = order.close_position
    if order.callback:
        row |= {"AP": instrument.price_text(order.activation_ticks), "cr": order.callback}
    return row


def account_update(account: Account, market: Market, told: Happening, reason: str, change: int) -> dict[str, Any]:
    """ACCOUNT_UPDATE: the wallet after it, and the legs of the symbol it is about; B alone when funding was paid in
    cross margin (aster-api 9). `change` is what no trade explains."""
    money = balances(account, market)
    asset = {"a": "USDT", "wb": money_text(money["wallet"]), "cw": money_text(money["cross_wallet"])}
    update: dict[str, Any] = {"m": reason, "B": [{**asset, "bc": money_text(change)}]}
    symbol = told.symbol
    if not symbol or (reason == "FUNDING_FEE" and account.terms[symbol].cross):
        return update
    instrument, terms = market.tickers[symbol].instrument, account.terms[symbol]
    update["P"] = [
        {
            "s": symbol,
            "pa": instrument.size_text(held.steps),
            "ep": entry_price(held.cost, held.steps, instrument),
            "cr": money_text(held.realized),
            "up": money_text(unrealized(account, market, symbol, leg)),
            "mt": "cross" if terms.cross else "isolated",
            "iw": money_text(isolated_margin(account, symbol, leg)),
            "ps": LEGS[leg],
            "ma": instrument.quote,
        }
        for leg in account.legs
        for held in (account.holding(symbol, leg),)
    ]
    return update


def margin_call(account: Account, market: Market, legs: tuple[tuple[str, int], ...]) -> dict[str, Any]:
    """MARGIN_CALL (aster-api 9): cw only where a position on cross margin is among them."""
    rows = []
    for symbol, leg in legs:
        held, ticker = account.holding(symbol, leg), market.tickers[symbol]
        instrument = ticker.instrument
        notional = abs(held.steps) * ticker.mark_ticks * instrument.unit
        rows.append(
            {
                "s": symbol,
                "ps": LEGS[leg],
                "pa": instrument.size_text(held.steps),
                "mt": "CROSSED" if account.terms[symbol].cross else "ISOLATED",
                "iw": money_text(isolated_margin(account, symbol, leg)),
                "mp": instrument.price_text(ticker.mark_ticks),
                "up": money_text(unrealized(account, market, symbol, leg)),
                "mm": money_text(maintenance(instrument, notional)),
            }
        )
    shared = any(account.terms[symbol].cross for symbol, _ in legs)
    return ({"cw": money_text(balances(account, market)["cross_wallet"])} if shared else {}) | {"p": rows}
