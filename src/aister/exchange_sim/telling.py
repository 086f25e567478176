"""What the market streams carry (aster-api 8), made only where somebody listens."""

from typing import Any

from aister.core.instrument import Instrument
from aister.core.money import money_text
from aister.exchange_sim.depth import Depth
from aister.exchange_sim.forms import plain
from aister.exchange_sim.market import Kline, Market, Ticker, Trade
from aister.exchange_sim.streams import Hub

__all__ = ["INTERVALS", "Teller", "day_row"]

INTERVALS = {
    "1m": 60_000,
    "3m": 180_000,
    "5m": 300_000,
    "15m": 900_000,
    "30m": 1_800_000,
    "1h": 3_600_000,
    "2h": 7_200_000,
    "4h": 14_400_000,
    "6h": 21_600_000,
    "8h": 28_800_000,
    "12h": 43_200_000,
    "1d": 86_400_000,
    "3d": 259_200_000,
    "1w": 604_800_000,
}
_DAY_MS = 86_400_000
_WEEK_OFFSET_MS = 345_600_000
"""The first Monday after the epoch."""


def offset_ms(interval: str) -> int:
    """Where spans of an interval begin: weeks on Monday."""
    return _WEEK_OFFSET_MS if interval == "1w" else 0


class Teller:
    """Publishes what happened on the market to those who listen."""

    def __init__(self, hub: Hub, market: Market, depth: Depth) -> None:
        self.hub, self.market, self.depth = hub, market, depth

    def traded(self, symbol: str, trade: Trade, now_ms: int) -> None:
        """A trade printed: everything that follows from it."""
        heard = self.hub.listeners
        if not heard:
            return
        ticker = self.market.tickers[symbol]
        s, price = symbol.lower(), ticker.instrument.price_text
        if f"{s}@aggTrade" in heard:
            self.hub.publish(f"{s}@aggTrade", _agg_trade(ticker, trade, now_ms))
        if f"{s}@tradepro" in heard:
            row = {"e": "tradepro", "E": now_ms, "T": trade.time_ms, "s": symbol, "t": trade.number}
            row |= {"p": price(trade.ticks), "q": ticker.instrument.size_text(trade.steps), "h": "hidden"}
            self.hub.publish(f"{s}@tradepro", row | {"m": ["hidden", "hidden"]})
        for stream in (f"{s}@bookTicker", "!bookTicker"):
            if stream in heard:
                self.hub.publish(stream, self.book_ticker(ticker, now_ms))
        self._depth(s, ticker, now_ms)
        for stream in (f"{s}@markPrice", f"{s}@markPrice@1s"):
            if stream in heard:
                self.hub.publish(stream, self.mark_price(ticker, now_ms))
        for stream in ("!markPrice@arr", "!markPrice@arr@1s"):
            if stream in heard:
                self.hub.publish(stream, [self.mark_price(one, now_ms) for one in self.market.tickers.values()])
        for name in ("miniTicker", "ticker"):
            for stream in (f"{s}@{name}", f"!{name}@arr"):
                if stream in heard:
                    row = day_stream(ticker, now_ms, name)
                    self.hub.publish(stream, [row] if stream.startswith("!") else row)
        self.bar_moved(symbol, now_ms)

    def bar_moved(self, symbol: str, now_ms: int) -> None:
        """The bar at hand changed or closed."""
        ticker, s = self.market.tickers[symbol], symbol.lower()
        for name, length in INTERVALS.items():
            stream = f"{s}@kline_{name}"
            if length >= self.market.interval_ms and stream in self.hub.listeners:
                bar = ticker.newest(length, offset_ms(name))
                if bar:
                    self.hub.publish(stream, _kline(ticker.instrument, name, bar, now_ms))

    def liquidated(self, symbol: str, row: dict[str, Any], now_ms: int) -> None:
        payload = {"e": "forceOrder", "E": now_ms, "o": row}
        for stream in (f"{symbol.lower()}@forceOrder", "!forceOrder@arr"):
            self.hub.publish(stream, payload)

    def mark_price(self, ticker: Ticker, now_ms: int) -> dict[str, Any]:
        """A frame of markPrice: p mark, i index, P settle estimate, r rate, T next funding."""
        instrument = ticker.instrument
        return {
            "e": "markPriceUpdate",
            "E": now_ms,
            "s": instrument.symbol,
            "p": instrument.price_text(ticker.mark_ticks),
            "i": instrument.price_text(ticker.index_ticks),
            "P": instrument.price_text(ticker.index_ticks),
            "r": rate_text(ticker.funding_e8),
            "T": next_funding_ms(instrument, now_ms),
        }

    def book_ticker(self, ticker: Ticker, now_ms: int) -> dict[str, Any]:
        instrument = ticker.instrument
        bids, asks = self.depth.best(ticker)
        row: dict[str, Any] = {"e": "bookTicker", "u": ticker.update_id, "E": now_ms, "T": now_ms}
        row |= {"s": instrument.symbol, "b": instrument.price_text(bids[0]), "B": instrument.size_text(bids[1])}
        return row | {"a": instrument.price_text(asks[0]), "A": instrument.size_text(asks[1])}

    def _depth(self, s: str, ticker: Ticker, now_ms: int) -> None:
        heard, instrument = self.hub.listeners, ticker.instrument
        diffs = [name for name in _diff_streams(s) if name in heard]
        if diffs or ticker.instrument.symbol in self.depth.followed:
            before, bids, asks = self.depth.difference(ticker)
            row = {"e": "depthUpdate", "E": now_ms, "T": now_ms, "s": instrument.symbol}
            row |= {"U": before + 1, "u": ticker.update_id, "pu": before}
            row |= {"b": _levels(instrument, bids), "a": _levels(instrument, asks)}
            for name in diffs:
                self.hub.publish(name, row)
        for count in (5, 10, 20):
            for name in _diff_streams(s, str(count)):
                if name in heard:
                    all_bids, all_asks = self.depth.levels(ticker, count)
                    row = {"e": "depthUpdate", "E": now_ms, "T": now_ms, "s": instrument.symbol}
                    row |= {"U": ticker.update_id, "u": ticker.update_id, "pu": ticker.update_id - 1}
                    row |= {"b": _levels(instrument, all_bids), "a": _levels(instrument, all_asks)}
                    self.hub.publish(name, row)


def _diff_streams(s: str, count: str = "") -> tuple[str, ...]:
    return (f"{s}@depth{count}", f"{s}@depth{count}@100ms", f"{s}@depth{count}@500ms")


def _levels(instrument: Instrument, levels: list[tuple[int, int]]) -> list[list[str]]:
    return [[instrument.price_text(ticks), instrument.size_text(steps)] for ticks, steps in levels]


def _agg_trade(ticker: Ticker, trade: Trade, now_ms: int) -> dict[str, Any]:
    instrument = ticker.instrument
    row: dict[str, Any] = {"e": "aggTrade", "E": now_ms, "s": instrument.symbol, "a": trade.number}
    row |= {"p": instrument.price_text(trade.ticks), "q": instrument.size_text(trade.steps)}
    return row | {"f": trade.number, "l": trade.number, "T": trade.time_ms, "m": trade.buyer_maker}


def _kline(instrument: Instrument, interval: str, bar: Kline, now_ms: int) -> dict[str, Any]:
    price = instrument.price_text
    return {
        "e": "kline",
        "E": now_ms,
        "s": instrument.symbol,
        "k": {
            "t": bar.open_ms,
            "T": bar.close_ms - 1,
            "s": instrument.symbol,
            "i": interval,
            "f": bar.first_trade,
            "L": bar.last_trade,
            "o": price(bar.open),
            "c": price(bar.close),
            "h": price(bar.high),
            "l": price(bar.low),
            "v": plain(bar.volume),
            "n": bar.trades,
            "x": bar.closed,
            "q": plain(bar.quote),
            "V": plain(bar.volume / 2),
            "Q": plain(bar.quote / 2),
            "B": "0",
        },
    }


def rate_text(rate_e8: int) -> str:
    return money_text(rate_e8)


def next_funding_ms(instrument: Instrument, now_ms: int) -> int:
    """The next multiple of the symbol's own interval (aster-api 7)."""
    return (now_ms // instrument.funding_interval_ms + 1) * instrument.funding_interval_ms


def _day(ticker: Ticker, now_ms: int) -> Kline | None:
    """The last 24 hours as one bar."""
    return ticker.over(now_ms - _DAY_MS)


def day_row(ticker: Ticker, now_ms: int) -> dict[str, Any]:
    """A row of ticker/24hr."""
    bar, instrument = _day(ticker, now_ms), ticker.instrument
    if bar is None:
        return {"symbol": instrument.symbol, "lastPrice": instrument.price_text(ticker.last_ticks)}
    price, change = instrument.price_text, bar.close - bar.open
    return {
        "symbol": instrument.symbol,
        "priceChange": price(change),
        "priceChangePercent": f"{100 * change / bar.open:.3f}",
        "weightedAvgPrice": price(bar.close),
        "lastPrice": price(ticker.last_ticks),
        "lastQty": instrument.size_text(ticker.trades[-1].steps if ticker.trades else 0),
        "openPrice": price(bar.open),
        "highPrice": price(bar.high),
        "lowPrice": price(bar.low),
        "volume": plain(bar.volume),
        "quoteVolume": plain(bar.quote),
        "openTime": bar.open_ms,
        "closeTime": now_ms,
        "firstId": bar.first_trade,
        "lastId": bar.last_trade,
        "count": bar.trades,
    }


def day_stream(ticker: Ticker, now_ms: int, name: str) -> dict[str, Any]:
    """A frame of miniTicker or ticker."""
    row = day_row(ticker, now_ms)
    mini = {"s": row["symbol"], "c": row["lastPrice"], "o": row.get("openPrice"), "h": row.get("highPrice")}
    mini |= {"l": row.get("lowPrice"), "v": row.get("volume"), "q": row.get("quoteVolume")}
    if name == "miniTicker":
        return {"e": "24hrMiniTicker", "E": now_ms, **mini}
    full = {"p": row.get("priceChange"), "P": row.get("priceChangePercent"), "w": row.get("weightedAvgPrice")}
    full |= {"Q": row.get("lastQty"), "O": row.get("openTime"), "C": now_ms, "F": row.get("firstId")}
    return {"e": "24hrTicker", "E": now_ms, **mini, **full, "L": row.get("lastId"), "n": row.get("count")}
