"""Signed calls about the account: money, positions, terms, listen keys (aster-api 7 and 9). Each handler takes the
exchange, the account and the parameters and returns the JSON value of its reply, or raises `Refusal`."""

from typing import Any

from aister.core.money import UNIT, money_text
from aister.exchange_sim.accounts import Account
from aister.exchange_sim.context import Context
from aister.exchange_sim.forms import LEGS, order_reply, positions
from aister.exchange_sim.margins import balances, maintenance, unrealized
from aister.exchange_sim.orders import STP_MODES
from aister.exchange_sim.records import Happening, Income
from aister.exchange_sim.telling import rate_text
from aister.exchange_sim.wire import Params, Refusal

_DONE = {"code": 200, "msg": "success"}
Rows = list[dict[str, Any]]


def balance(ex: Context, account: Account, params: Params) -> Rows:
    money = balances(account, ex.market)
    return [
        {
            "accountAlias": f"A{account.number}",
            "asset": "USDT",
            "balance": money_text(money["wallet"]),
            "crossWalletBalance": money_text(money["cross_wallet"]),
            "crossUnPnl": money_text(money["cross_profit"]),
            "availableBalance": money_text(money["available"]),
            "maxWithdrawAmount": money_text(min(money["available"], max(0, money["wallet"]))),
            "marginAvailable": True,
            "updateTime": ex.now_ms,
        }
    ]


def account_information(ex: Context, account: Account, params: Params) -> dict[str, Any]:
    """GET accountWithJoinMargin (V1: account). `canWithdraw` is a flag of the account, not of the agent."""
    money, rows = balances(account, ex.market), positions(account, ex.market, list(account.instruments))
    needed = sum(_maintenance(ex, account, symbol, leg) for symbol, leg in account.holdings)
    totals = {
        "initialMargin": money["position_margin"] + money["order_margin"],
        "maintMargin": needed,
        "walletBalance": money["wallet"],
        "unrealizedProfit": money["profit"],
        "marginBalance": money["wallet"] + money["profit"],
        "positionInitialMargin": money["position_margin"],
        "openOrderInitialMargin": money["order_margin"],
        "crossWalletBalance": money["cross_wallet"],
        "crossUnPnl": money["cross_profit"],
    }
    usable = {
        "availableBalance": money_text(money["available"]),
        "maxWithdrawAmount": money_text(min(money["available"], max(0, money["wallet"]))),
    }
    said = {name: money_text(amount) for name, amount in totals.items()}
    return {
        "feeTier": 0,
        "canTrade": not account.frozen,
        "canDeposit": True,
        "canWithdraw": True,
        "updateTime": 0,
        **{f"total{name[0].upper()}{name[1:]}": text for name, text in said.items()},
        **usable,
        "assets": [{"asset": "USDT", **said, **usable, "marginAvailable": True, "updateTime": ex.now_ms}],
        "positions": [
            {
                "symbol": row["symbol"],
                "initialMargin": row["isolatedWallet"],
                "maintMargin": "0",
                "unrealizedProfit": row["unRealizedProfit"],
                "positionInitialMargin": row["isolatedWallet"],
                "openOrderInitialMargin": "0",
                "leverage": row["leverage"],
                "isolated": row["marginType"] == "isolated",
                "entryPrice": row["entryPrice"],
                "maxNotional": row["maxNotionalValue"],
                "positionSide": row["positionSide"],
                "positionAmt": row["positionAmt"],
                "updateTime": row["updateTime"],
            }
            for row in rows
        ],
    }


def _maintenance(ex: Context, account: Account, symbol: str, leg: int) -> int:
    ticker = ex.market.tickers[symbol]
    notional = abs(account.holding(symbol, leg).steps) * ticker.mark_ticks * ticker.instrument.unit
    return maintenance(ticker.instrument, notional)


def position_risk(ex: Context, account: Account, params: Params) -> Rows:
    symbol = params.get("symbol", "")
    symbols = [ex.trading.ticker(symbol).instrument.symbol] if symbol else list(account.instruments)
    return positions(account, ex.market, symbols)


def income(ex: Context, account: Account, params: Params) -> Rows:
    """GET income: limit 100, at most 1000; oldest first."""
    kind, symbol = params.get("incomeType", ""), params.get("symbol", "").upper()
    start, end = params.whole("startTime", 0), params.whole("endTime", 0) or ex.now_ms
    limit = min(params.whole("limit", 100), 1000)

    def wanted(row: Income) -> bool:
        return (not kind or row.kind == kind) and (not symbol or row.symbol == symbol) and start <= row.time_ms <= end

    rows = [row for row in account.income if wanted(row)]
    part = rows[:limit] if start else rows[-limit:]
    return [
        {
            "symbol": row.symbol,
            "incomeType": row.kind,
            "income": money_text(row.amount),
            "asset": "USDT",
            "info": row.kind,
            "time": row.time_ms,
            "tranId": str(row.number),
            "tradeId": str(row.trade or ""),
        }
        for row in part
    ]


def set_leverage(ex: Context, account: Account, params: Params) -> dict[str, Any]:
    """POST leverage: -4028 outside the brackets, -4161 for less of it with an isolated position."""
    instrument = ex.trading.ticker(params.need("symbol")).instrument
    symbol, leverage = instrument.symbol, params.whole("leverage")
    terms = account.terms[symbol]
    if not 1 <= leverage <= min(125, instrument.brackets[0].max_leverage):
        raise Refusal(-4028)
    held = any(account.holding(symbol, leg).steps for leg in account.legs)
    if held and not ex.settings.readings.leverage_with_position:
        raise Refusal(-2030)
    if held and not terms.cross and leverage < terms.leverage:
        raise Refusal(-4161)
    notional = max(abs(account.holding(symbol, leg).cost) for leg in account.legs)
    if instrument.bracket(notional).max_leverage < leverage:
        raise Refusal(-2027)
    terms.leverage = leverage
    account.apply_terms(symbol)
    account.changed.append(Happening(ex.now_ms, account.number, "CONFIG", symbol=symbol, detail="leverage"))
    cap = max(b.cap for b in instrument.brackets if b.max_leverage >= leverage)
    return {"leverage": leverage, "maxNotionalValue": money_text(cap, 0), "symbol": symbol}


def set_margin_type(ex: Context, account: Account, params: Params) -> dict[str, Any]:
    """POST marginType: -4046 when it is so already, -4047 and -4048 with orders or a position, -4168 with
    multi-assets."""
    symbol, kind = ex.trading.ticker(params.need("symbol")).instrument.symbol, params.need("marginType").upper()
    if kind not in ("ISOLATED", "CROSSED"):
        raise Refusal(-1102, "Mandatory parameter 'marginType' was malformed.")
    if account.multi_assets and kind == "ISOLATED":
        raise Refusal(-4168)
    if account.terms[symbol].cross == (kind == "CROSSED"):
        raise Refusal(-4046)
    if account.open_orders(symbol):
        raise Refusal(-4047)
    if any(account.holding(symbol, leg).steps for leg in account.legs):
        raise Refusal(-4048)
    account.terms[symbol].cross = kind == "CROSSED"
    account.apply_terms(symbol)
    account.changed.append(Happening(ex.now_ms, account.number, "MARGIN_TYPE_CHANGE", symbol=symbol))
    return dict(_DONE)


def change_margin(ex: Context, account: Account, params: Params) -> dict[str, Any]:
    """POST positionMargin: type 1 adds to the isolated margin of a leg, 2 takes of what was added or gained back, as
    long as the initial margin stays."""
    symbol, amount = ex.trading.ticker(params.need("symbol")).instrument.symbol, params.number("amount")
    if ex.settings.lockstep:
        raise Refusal(-1020, "Position margin cannot be changed in lockstep.")
    if amount is None or params.need("type") not in ("1", "2"):
        raise Refusal(-1102, "Mandatory parameter 'amount' or 'type' was malformed.")
    leg = {name: leg for leg, name in LEGS.items()}.get(params.get("positionSide", "") or "BOTH")
    if leg is None or leg not in account.legs:
        raise Refusal(-4060 if leg is None else -4061)
    units = int(amount * UNIT) * (1 if params.need("type") == "1" else -1)
    if amount <= 0:
        raise Refusal(-4055)
    if account.terms[symbol].cross:
        raise Refusal(-4049)
    if account.holding(symbol, leg).steps == 0:
        raise Refusal(-4054)
    if units > balances(account, ex.market)["available"]:
        raise Refusal(-4050)
    if account.holding(symbol, leg).added + min(0, unrealized(account, ex.market, symbol, leg)) + units < 0 > units:
        raise Refusal(-4051)
    account.add_margin(symbol, leg, units, ex.now_ms)
    text = money_text(abs(units))
    return {"amount": text, "code": 200, "msg": "Successfully modify position margin.", "type": int(params["type"])}


def margin_history(ex: Context, account: Account, params: Params) -> Rows:
    """GET positionMargin/history: 500 by default."""
    symbol = ex.trading.ticker(params.need("symbol")).instrument.symbol
    kind, limit = params.whole("type", 0), min(params.whole("limit", 500), 500)
    start, end = params.whole("startTime", 0), params.whole("endTime", 0) or ex.now_ms
    rows = [
        {
            "amount": money_text(abs(one.amount)),
            "asset": "USDT",
            "symbol": one.symbol,
            "time": one.time_ms,
            "type": 1 if one.amount > 0 else 2,
            "positionSide": LEGS[one.leg],
        }
        for one in account.margin_changes
        if one.symbol == symbol and start <= one.time_ms <= end
    ]
    return [row for row in rows if kind in (0, row["type"])][-limit:]


def position_mode(ex: Context, account: Account, params: Params) -> dict[str, Any]:
    return {"dualSidePosition": account.hedged}


def set_position_mode(ex: Context, account: Account, params: Params) -> dict[str, Any]:
    """POST positionSide/dual: -4059 when it is so already, -4067 and -4068 with orders or positions."""
    params.need("dualSidePosition")
    hedged = params.flag("dualSidePosition")
    if hedged == account.hedged:
        raise Refusal(-4059)
    if account.open_orders():
        raise Refusal(-4067)
    if any(held.steps for held in account.holdings.values()):
        raise Refusal(-4068)
    account.set_hedged(hedged)
    account.changed.append(Happening(ex.now_ms, account.number, "CONFIG", detail="hedged"))
    return dict(_DONE)


def stp_mode(ex: Context, account: Account, params: Params) -> dict[str, Any]:
    return {"stpMode": account.stp_mode}


def set_stp_mode(ex: Context, account: Account, params: Params) -> dict[str, Any]:
    """POST stpMode. Orders of one account never meet here (each has the path's whole market), so none expires by it."""
    mode = params.need("stpMode")
    if mode not in STP_MODES:
        raise Refusal(-1130, "Data sent for parameter 'stpMode' is not valid.")
    account.stp_mode = mode
    return dict(_DONE)


def multi_assets(ex: Context, account: Account, params: Params) -> dict[str, Any]:
    return {"multiAssetsMargin": account.multi_assets}


def set_multi_assets(ex: Context, account: Account, params: Params) -> dict[str, Any]:
    params.need("multiAssetsMargin")
    account.multi_assets = params.flag("multiAssetsMargin")
    account.changed.append(Happening(ex.now_ms, account.number, "CONFIG", detail="multi_assets"))
    return dict(_DONE)


def leverage_brackets(ex: Context, account: Account, params: Params) -> Any:
    """GET leverageBracket: an object with a symbol, a list without (aster-api 7)."""
    asked = params.get("symbol", "")
    symbols = [ex.trading.ticker(asked).instrument.symbol] if asked else list(account.instruments)
    rows = [
        {
            "symbol": symbol,
            "brackets": [
                {
                    "bracket": number,
                    "initialLeverage": tier.max_leverage,
                    "notionalCap": int(money_text(tier.cap, 0)),
                    "notionalFloor": int(money_text(tier.floor, 0)),
                    "maintMarginRatio": float(money_text(tier.maintenance_e8)),
                    "cum": float(money_text(tier.deduction)),
                }
                for number, tier in enumerate(account.instruments[symbol].brackets, 1)
            ],
        }
        for symbol in symbols
    ]
    return rows[0] if asked else rows


def commission(ex: Context, account: Account, params: Params) -> dict[str, Any]:
    instrument = ex.trading.ticker(params.need("symbol")).instrument
    maker, taker, _ = ex.settings.model.fees.rates_e8(instrument)
    return {
        "symbol": instrument.symbol,
        "makerCommissionRate": rate_text(maker),
        "takerCommissionRate": rate_text(taker),
    }


def adl(ex: Context, account: Account, params: Params) -> Rows:
    """GET adlQuantile: 0..4 by unrealised profit; the quantile is made up."""
    rows = []
    for symbol in account.instruments:
        profit = sum(unrealized(account, ex.market, symbol, leg) for leg in account.legs)
        quantile = 0 if profit <= 0 else 2
        rows.append({"symbol": symbol, "adlQuantile": {"LONG": quantile, "SHORT": quantile, "BOTH": quantile}})
    return rows


def forced_orders(ex: Context, account: Account, params: Params) -> Rows:
    """GET forceOrders: liquidations and ADL of the account, by their client ids (aster-api 6, statuses)."""
    asked, kind = params.get("symbol", "").upper(), params.get("autoCloseType", "")
    prefixes = {"LIQUIDATION": ("autoclose-",), "ADL": ("adl_autoclose",)}.get(kind, ("autoclose-", "adl_autoclose"))
    limit = max(1, min(params.whole("limit", 50), 100))
    rows = [
        order
        for order in account.orders.values()
        if order.client_id.startswith(prefixes) and asked in ("", order.symbol)
    ]
    return [order_reply(order, account.instruments[order.symbol]) for order in rows[-limit:]]


def start_stream(ex: Context, account: Account, params: Params) -> dict[str, Any]:
    """POST listenKey: the same key while it lives, and longer (aster-api 9)."""
    if not account.listen_key or ex.now_ms >= account.listen_until_ms:
        account.listen_key = ex.new_listen_key(account)
    account.listen_until_ms = ex.now_ms + ex.settings.life_of_keys_ms
    return {"listenKey": account.listen_key}


def extend_stream(ex: Context, account: Account, params: Params) -> dict[str, Any]:
    if not account.listen_key or ex.now_ms >= account.listen_until_ms:
        raise Refusal(-1125)
    account.listen_until_ms = ex.now_ms + ex.settings.life_of_keys_ms
    return {}


def end_stream(ex: Context, account: Account, params: Params) -> dict[str, Any]:
    ex.drop_listen_key(account, tell=False)
    return {}
