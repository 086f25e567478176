"""Unsigned calls: time, instruments, market data (aster-api 5 and 7). Each handler takes the exchange and the
parameters and returns the JSON value of its reply, or raises `Refusal`."""

from typing import Any

from aister.core.instrument import Instrument
from aister.core.money import UNIT, money_text
from aister.exchange_sim.context import Context
from aister.exchange_sim.forms import kline_row
from aister.exchange_sim.market import Ticker
from aister.exchange_sim.telling import INTERVALS, day_row, next_funding_ms, offset_ms, rate_text
from aister.exchange_sim.wire import Params, Refusal

_DEPTHS = (5, 10, 20, 50, 100, 500, 1000)
Rows = list[dict[str, Any]]


def ping(ex: Context, params: Params) -> dict[str, Any]:
    return {}


def time(ex: Context, params: Params) -> dict[str, Any]:
    return {"serverTime": ex.now_ms + ex.skew_ms}


def exchange_info(ex: Context, params: Params) -> dict[str, Any]:
    limits = ex.settings.limits
    return {
        "timezone": "UTC",
        "serverTime": ex.now_ms,
        "futuresType": "U_MARGINED",
        "rateLimits": [
            _limit("REQUEST_WEIGHT", limits.weight_per_minute),
            _limit("ORDERS", limits.orders_per_minute),
        ],
        "exchangeFilters": [],
        "assets": [{"asset": "USDT", "marginAvailable": True, "autoAssetExchange": "0"}],
        "symbols": [_symbol_row(ex, ticker.instrument) for ticker in ex.market.tickers.values()],
    }


def spot_exchange_info(ex: Context, params: Params) -> dict[str, Any]:
    """ccxt loads it before any futures call (aster-api 13): no spot market is listed here."""
    return {
        "timezone": "UTC",
        "serverTime": ex.now_ms,
        "rateLimits": [],
        "exchangeFilters": [],
        "assets": [],
        "symbols": [],
    }


def _limit(kind: str, limit: int) -> dict[str, Any]:
    return {"rateLimitType": kind, "interval": "MINUTE", "intervalNum": 1, "limit": limit}


def _symbol_row(ex: Context, instrument: Instrument) -> dict[str, Any]:
    price, size = instrument.price_text, instrument.size_text
    lot = {"minQty": size(instrument.min_steps), "stepSize": size(1)}
    return {
        "symbol": instrument.symbol,
        "pair": instrument.symbol,
        "contractType": "PERPETUAL",
        "deliveryDate": 4_133_404_800_000,
        "onboardDate": 1_569_398_400_000,
        "status": instrument.status,
        "maintMarginPercent": "2.5000",
        "requiredMarginPercent": "5.0000",
        "baseAsset": instrument.base,
        "quoteAsset": instrument.quote,
        "marginAsset": instrument.quote,
        "pricePrecision": instrument.price_decimals,
        "quantityPrecision": instrument.size_decimals,
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "underlyingType": "COIN",
        "underlyingSubType": [],
        "settlePlan": 0,
        "triggerProtect": money_text(ex.settings.trigger_protect_e8, 4),
        "liquidationFee": money_text(instrument.liquidation_e8),
        "marketTakeBound": money_text(ex.settings.take_bound_e8, 2),
        "filters": [
            {
                "filterType": "PRICE_FILTER",
                "minPrice": price(instrument.min_ticks),
                "maxPrice": price(instrument.max_ticks),
                "tickSize": price(1),
            },
            {"filterType": "LOT_SIZE", "maxQty": size(instrument.max_steps), **lot},
            {"filterType": "MARKET_LOT_SIZE", "maxQty": size(instrument.market_max_steps), **lot},
            {"filterType": "MAX_NUM_ORDERS", "limit": instrument.max_orders},
            {"filterType": "MAX_NUM_ALGO_ORDERS", "limit": 100},
            {"filterType": "MIN_NOTIONAL", "notional": _plain(instrument.min_notional)},
            {
                "filterType": "PERCENT_PRICE",
                "multiplierUp": f"{instrument.band_up_e8 / UNIT:.4f}",
                "multiplierDown": f"{instrument.band_down_e8 / UNIT:.4f}",
                "multiplierDecimal": "4",
            },
        ],
        "orderTypes": [
            "LIMIT",
            "MARKET",
            "STOP",
            "STOP_MARKET",
            "TAKE_PROFIT",
            "TAKE_PROFIT_MARKET",
            "TRAILING_STOP_MARKET",
        ],
        "timeInForce": ["GTC", "IOC", "FOK", "GTX", "HIDDEN"],
    }


def _plain(amount: int) -> str:
    return money_text(amount).rstrip("0").rstrip(".")


def depth(ex: Context, params: Params) -> dict[str, Any]:
    ticker = ex.trading.ticker(params.need("symbol"))
    limit = params.whole("limit", 500)
    if limit not in _DEPTHS:
        raise Refusal(-4021, f"'{limit}' is not valid depth limit.")
    bids, asks = ex.depth.snapshot(ticker, limit)
    price, size = ticker.instrument.price_text, ticker.instrument.size_text
    return {
        "lastUpdateId": ticker.update_id,
        "E": ex.now_ms,
        "T": ex.now_ms,
        "bids": [[price(ticks), size(steps)] for ticks, steps in bids],
        "asks": [[price(ticks), size(steps)] for ticks, steps in asks],
    }


def trades(ex: Context, params: Params) -> Rows:
    ticker = ex.trading.ticker(params.need("symbol"))
    instrument, limit = ticker.instrument, min(params.whole("limit", 500), 1000)
    first = params.whole("fromId", 0)
    rows = [trade for trade in ticker.trades if trade.number >= first]
    return [
        {
            "id": trade.number,
            "price": instrument.price_text(trade.ticks),
            "qty": instrument.size_text(trade.steps),
            "quoteQty": money_text(trade.steps * trade.ticks * instrument.unit),
            "time": trade.time_ms,
            "isBuyerMaker": trade.buyer_maker,
        }
        for trade in (rows[:limit] if first else rows[-limit:])
    ]


def agg_trades(ex: Context, params: Params) -> Rows:
    """GET aggTrades: at most 1000, a window under an hour."""
    ticker = ex.trading.ticker(params.need("symbol"))
    instrument, limit = ticker.instrument, min(params.whole("limit", 500), 1000)
    first, start, end = params.whole("fromId", 0), params.whole("startTime", 0), params.whole("endTime", 0)
    if start and end and end - start >= 3_600_000:
        raise Refusal(-1127, "More than 1 hours between startTime and endTime.")
    rows = [
        trade
        for trade in ticker.trades
        if trade.number >= first and trade.time_ms >= start and (not end or trade.time_ms <= end)
    ]
    return [
        {
            "a": trade.number,
            "p": instrument.price_text(trade.ticks),
            "q": instrument.size_text(trade.steps),
            "f": trade.number,
            "l": trade.number,
            "T": trade.time_ms,
            "m": trade.buyer_maker,
        }
        for trade in (rows[:limit] if first or start else rows[-limit:])
    ]


def klines(ex: Context, params: Params) -> list[list[Any]]:
    """GET klines: at most 1500 rows of 12, the last one open."""
    return _klines(ex, params, ex.trading.ticker(params.need("symbol")), "last")


def mark_klines(ex: Context, params: Params) -> list[list[Any]]:
    """GET markPriceKlines, by symbol."""
    return _klines(ex, params, ex.trading.ticker(params.need("symbol")), "mark")


def index_klines(ex: Context, params: Params) -> list[list[Any]]:
    """GET indexPriceKlines, by pair. Raises `Refusal` -4144 for one there is not."""
    pair = params.need("pair").upper()
    if pair not in ex.market.tickers:
        raise Refusal(-4144)
    return _klines(ex, params, ex.market.tickers[pair], "index")


def _klines(ex: Context, params: Params, ticker: Ticker, price: str) -> list[list[Any]]:
    name, limit = params.need("interval"), min(params.whole("limit", 500), 1500)
    if name not in INTERVALS or INTERVALS[name] < ex.market.interval_ms:
        raise Refusal(-1120, "Invalid interval, or one shorter than the feed's.")
    start, end = params.whole("startTime", 0), params.whole("endTime", 0)
    rows = [
        bar
        for bar in ticker.spans(INTERVALS[name], offset_ms(name), price)
        if bar.open_ms >= start and (not end or bar.open_ms <= end)
    ]
    return [kline_row(bar, ticker.instrument) for bar in (rows[:limit] if start else rows[-limit:])]


def premium_index(ex: Context, params: Params) -> Any:
    def row(ticker: Ticker) -> dict[str, Any]:
        instrument = ticker.instrument
        return {
            "symbol": instrument.symbol,
            "markPrice": instrument.price_text(ticker.mark_ticks),
            "indexPrice": instrument.price_text(ticker.index_ticks),
            "estimatedSettlePrice": instrument.price_text(ticker.index_ticks),
            "lastFundingRate": rate_text(ticker.funding_e8),
            "interestRate": "0.00010000",
            "nextFundingTime": next_funding_ms(instrument, ex.now_ms),
            "time": ex.now_ms,
        }

    return _one_or_all(ex, params, row)


def funding_rate(ex: Context, params: Params) -> Rows:
    """GET fundingRate: ascending, 100 by default, at most 1000."""
    asked = params.get("symbol", "")
    tickers = [ex.trading.ticker(asked)] if asked else list(ex.market.tickers.values())
    start, end = params.whole("startTime", 0), params.whole("endTime", 0)
    limit = min(params.whole("limit", 100), 1000)
    rows = sorted(
        (settled for ticker in tickers for settled in ticker.settlements),
        key=lambda settled: (settled.time_ms, settled.symbol),
    )
    rows = [r for r in rows if r.time_ms >= start and (not end or r.time_ms <= end)]
    return [
        {"symbol": r.symbol, "fundingRate": rate_text(r.rate_e8), "fundingTime": r.time_ms}
        for r in (rows[:limit] if start else rows[-limit:])
    ]


def funding_info(ex: Context, params: Params) -> Rows:
    """GET fundingInfo: the interval is the symbol's own (aster-api 7)."""
    return [
        {
            "symbol": ticker.instrument.symbol,
            "interestRate": "0.00010000",
            "time": ex.now_ms,
            "fundingIntervalHours": ticker.instrument.funding_interval_ms // 3_600_000,
            "fundingFeeCap": "0.02000000",
            "fundingFeeFloor": "-0.02000000",
        }
        for ticker in ex.market.tickers.values()
    ]


def price(ex: Context, params: Params) -> Any:
    def row(ticker: Ticker) -> dict[str, Any]:
        instrument = ticker.instrument
        return {"symbol": instrument.symbol, "price": instrument.price_text(ticker.last_ticks), "time": ex.now_ms}

    return _one_or_all(ex, params, row)


def book_ticker(ex: Context, params: Params) -> Any:
    def row(ticker: Ticker) -> dict[str, Any]:
        frame = ex.teller.book_ticker(ticker, ex.now_ms)
        names = {"s": "symbol", "b": "bidPrice", "B": "bidQty", "a": "askPrice", "A": "askQty", "T": "time"}
        return {name: frame[key] for key, name in names.items()}

    return _one_or_all(ex, params, row)


def day(ex: Context, params: Params) -> Any:
    return _one_or_all(ex, params, lambda ticker: day_row(ticker, ex.now_ms))


def _one_or_all(ex: Context, params: Params, row: Any) -> Any:
    symbol = params.get("symbol", "")
    if symbol:
        return row(ex.trading.ticker(symbol))
    return [row(ticker) for ticker in ex.market.tickers.values()]
