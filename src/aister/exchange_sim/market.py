"""The one market all accounts trade in: bars of a feed cut into straight legs, and what is told of them in public.

A bar goes open, nearer extreme, other extreme, close (docs/fills.md), each of the three ways in equally many legs;
prices between are rounded to ticks. In lockstep a bar is one leg of its whole length. Mark and index are last itself
(a proxy) or follow it by a model of their own (`marks`). After the last bar of the feed the market stands still.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import pairwise

import msgspec

from aister.core.errors import DataError
from aister.core.events import BarClosed, FundingSettled
from aister.core.instrument import Instrument
from aister.exchange_sim.marks import Marks
from aister.ports.feed import MarketSlice

__all__ = ["Kline", "Leg", "Market", "Ticker", "Trade"]

_KEPT_BARS = 20_000
_KEPT_TRADES = 2_000


class Trade(msgspec.Struct, frozen=True, gc=False):
    """A printed trade; `buyer_maker` when the price fell."""

    number: int
    ticks: int
    steps: int
    time_ms: int
    buyer_maker: bool


class Kline(msgspec.Struct, gc=False):
    """A bar under way or closed; prices in ticks, volumes in base and quote units."""

    open_ms: int
    close_ms: int
    open: int
    high: int
    low: int
    close: int
    volume: float
    quote: float
    trades: int
    first_trade: int
    last_trade: int
    closed: bool

    def join(self, other: "Kline") -> None:
        """Take in a later bar of the same span."""
        self.high, self.low, self.close = max(self.high, other.high), min(self.low, other.low), other.close
        self.volume += other.volume
        self.quote += other.quote
        self.trades += other.trades
        self.last_trade = other.last_trade


class Ticker:
    """One symbol as the public sees it. `marks`: a model of mark and index; None: they are last. Shifts are a fault's
    word on either."""

    def __init__(self, instrument: Instrument, marks: Marks | None = None) -> None:
        self.instrument, self.marks = instrument, marks
        self.older: list[tuple[int, Instrument]] = []
        self.last_ticks = 0
        self.klines: deque[Kline] = deque(maxlen=_KEPT_BARS)
        self.mark_klines: deque[Kline] = deque(maxlen=_KEPT_BARS if marks else 0)
        self.index_klines: deque[Kline] = deque(maxlen=_KEPT_BARS if marks else 0)
        self.trades: deque[Trade] = deque(maxlen=_KEPT_TRADES)
        self.next_trade = 1
        self.update_id = 1
        self.funding_e8 = 0
        self.settlements: deque[FundingSettled] = deque(maxlen=5_000)
        self.mark_shift_ticks = 0
        self.index_shift_ticks = 0

    def relist(self, instrument: Instrument, now_ms: int) -> None:
        """New terms from now on. The market's prices and sizes are counted on the new grid; what accounts traded is
        told on that of its time (`at`)."""
        old, self.instrument = self.instrument, instrument
        if (old.tick_e8, old.step_e8) == (instrument.tick_e8, instrument.step_e8):
            return
        self.older.append((now_ms, old))

        def ticks(count: int) -> int:
            return max(1, round(count * old.tick_e8 / instrument.tick_e8)) if count else 0

        self.last_ticks = ticks(self.last_ticks)
        for bar in (*self.klines, *self.mark_klines, *self.index_klines):
            bar.open, bar.high, bar.low, bar.close = map(ticks, (bar.open, bar.high, bar.low, bar.close))
        shown = [
            msgspec.structs.replace(
                one, ticks=ticks(one.ticks), steps=max(1, round(one.steps * old.step_e8 / instrument.step_e8))
            )
            for one in self.trades
        ]
        self.trades = deque(shown, maxlen=_KEPT_TRADES)

    def at(self, time_ms: int) -> Instrument:
        """The terms of a moment."""
        return next((one for until_ms, one in self.older if time_ms < until_ms), self.instrument)

    @property
    def mark_ticks(self) -> int:
        modelled = self.marks.mark_ticks if self.marks else self.last_ticks
        return max(1, modelled + self.mark_shift_ticks)

    @property
    def index_ticks(self) -> int:
        modelled = self.marks.index_ticks if self.marks else self.last_ticks
        return max(1, modelled + self.index_shift_ticks)

    def klines_of(self, price: str) -> deque[Kline]:
        """Bars of "last", "mark" or "index"."""
        if self.marks is None or price == "last":
            return self.klines
        return self.mark_klines if price == "mark" else self.index_klines

    def move(self, ticks: int, steps: int, time_ms: int) -> Trade:
        """The market trades at a price."""
        trade = Trade(self.next_trade, ticks, steps, time_ms, ticks < self.last_ticks)
        self.next_trade += 1
        self.update_id += 1
        self.last_ticks = ticks
        self.trades.append(trade)
        if self.marks:
            self._follow(self.marks, ticks, time_ms)
        if self.klines:
            bar = self.klines[-1]
            bar.high, bar.low, bar.close = max(bar.high, ticks), min(bar.low, ticks), ticks
            size = self.instrument.size(trade.steps)
            bar.volume += size
            bar.quote += size * self.instrument.price(ticks)
            bar.trades += 1
            bar.last_trade = trade.number
        return trade

    def start_bar(self, open_ms: int, close_ms: int, ticks: int) -> None:
        if self.marks:
            self.marks.follow(ticks, open_ms)
            for bars, at in ((self.mark_klines, self.mark_ticks), (self.index_klines, self.index_ticks)):
                if bars:
                    bars[-1].closed = True
                bars.append(_flat(open_ms, close_ms, at, 0))
        self.klines.append(_flat(open_ms, close_ms, ticks, self.next_trade))

    def remember(self, open_ms: int, close_ms: int, ticks: tuple[int, int, int, int], volume: float) -> None:
        """A bar of the past (open, high, low, close): it can be read."""
        o, high, low, c = ticks
        number, quote = self.next_trade, volume * self.instrument.price(c)
        self.next_trade += 1
        self.klines.append(Kline(open_ms, close_ms, o, high, low, c, volume, quote, 1, number, number, True))
        if self.marks:
            self.marks.follow(o, open_ms)
            for bars, at in ((self.mark_klines, self.mark_ticks), (self.index_klines, self.index_ticks)):
                bars.append(_flat(open_ms, close_ms, at, 0))
            self._follow(self.marks, c, close_ms)

    def _follow(self, marks: Marks, ticks: int, time_ms: int) -> None:
        marks.follow(ticks, time_ms)
        for bars, at in ((self.mark_klines, self.mark_ticks), (self.index_klines, self.index_ticks)):
            if bars:
                bar = bars[-1]
                bar.high, bar.low, bar.close = max(bar.high, at), min(bar.low, at), at

    def newest(self, interval_ms: int, offset_ms: int = 0) -> Kline | None:
        """The newest bar of an interval, perhaps unfinished; None before the first."""
        if not self.klines:
            return None
        last = self.klines[-1]
        start = (last.open_ms - offset_ms) // interval_ms * interval_ms + offset_ms
        return self._joined(start, start + interval_ms)

    def over(self, since_ms: int) -> Kline | None:
        """Everything since a moment as one bar."""
        return self._joined(since_ms, self.klines[-1].close_ms) if self.klines else None

    def _joined(self, start_ms: int, end_ms: int) -> Kline | None:
        bars: list[Kline] = []
        for bar in reversed(self.klines):
            if bar.open_ms < start_ms:
                break
            bars.append(bar)
        if not bars:
            return None
        joined = msgspec.structs.replace(bars[-1])
        for bar in bars[-2::-1]:
            joined.join(bar)
        joined.open_ms, joined.close_ms = start_ms, end_ms
        joined.closed = bars[0].closed and bars[0].close_ms == end_ms
        return joined

    def spans(self, interval_ms: int, offset_ms: int = 0, price: str = "last") -> list[Kline]:
        """Bars of a longer interval, the last one perhaps unfinished; of last, mark or index."""
        spans: list[Kline] = []
        for bar in self.klines_of(price):
            start = (bar.open_ms - offset_ms) // interval_ms * interval_ms + offset_ms
            if spans and spans[-1].open_ms == start:
                spans[-1].join(bar)
            else:
                spans.append(msgspec.structs.replace(bar, open_ms=start, close_ms=start + interval_ms))
            spans[-1].closed = bar.closed and bar.close_ms == spans[-1].close_ms
        return spans


def _flat(open_ms: int, close_ms: int, ticks: int, number: int) -> Kline:
    return Kline(open_ms, close_ms, ticks, ticks, ticks, ticks, 0.0, 0.0, 0, number, number - 1, False)


class Leg(msgspec.Struct, frozen=True):
    """A stretch of market time: a straight piece of every symbol's way (in lockstep: its whole bar). `opens`: it is
    the first of its bar, `closes`: the last."""

    start_ms: int
    end_ms: int
    bars: tuple[BarClosed, ...]
    opens: bool
    closes: bool
    market: MarketSlice


class Market:
    """Tickers by symbol, and the legs to come. `shift_ms` is added to every time of the feed;
    `history` lies before what the slices play. With `marks_seed` mark and index follow the model.

    Raises `DataError` when the feed holds no bar."""

    def __init__(
        self,
        instruments: dict[str, Instrument],
        slices: Iterator[MarketSlice],
        interval_ms: int,
        legs: int,
        shift_ms: int = 0,
        history: Iterable[MarketSlice] = (),
        marks_seed: int | None = None,
    ) -> None:
        self.interval_ms = interval_ms
        self.tickers = {
            symbol: Ticker(instrument, None if marks_seed is None else Marks(marks_seed, symbol))
            for symbol, instrument in instruments.items()
        }
        self._slices, self._legs, self.shift_ms = slices, legs, shift_ms
        self.taken = 0
        self.history = tuple(_shifted(market, shift_ms) for market in history)
        for market in self.history:
            self._remember(market)
        self.ready: deque[Leg] = deque()
        if not self.next_leg():
            raise DataError("The feed of the simulated exchange holds no bar; choose a longer span.")
        for bar in self.ready[0].market.bars:
            self.tickers[bar.symbol].last_ticks = instruments[bar.symbol].to_ticks(bar.open)

    @property
    def base_leg_ms(self) -> int:
        return self.interval_ms // self._legs

    def next_leg(self) -> Leg | None:
        """The leg that comes next, without taking it; None when the feed has ended."""
        if not self.ready:
            market = next(self._slices, None)
            if market is None:
                return None
            self.taken += 1
            self.ready.extend(self._cut(_shifted(market, self.shift_ms)))
        return self.ready[0]

    def _remember(self, market: MarketSlice) -> None:
        """A slice of the past: its bars and settlements can be read."""
        for bar in market.bars:
            ticker = self.tickers[bar.symbol]
            o, high, low, c = (ticker.instrument.to_ticks(price) for price in (bar.open, bar.high, bar.low, bar.close))
            ticker.remember(bar.open_time_ms, bar.time_ms, (o, high, low, c), bar.volume)
        for settled in market.funding:
            self.tickers[settled.symbol].funding_e8 = settled.rate_e8
            self.tickers[settled.symbol].settlements.append(settled)

    def take_leg(self) -> Leg:
        return self.ready.popleft()

    def skip_to(self, taken: int, ready: Iterable[Leg]) -> None:
        """Go on where another market on the same feed was: `taken` slices read, these legs to come."""
        while self.taken < taken and next(self._slices, None) is not None:
            self.taken += 1
        self.ready = deque(ready)

    def _cut(self, market: MarketSlice) -> Iterator[Leg]:
        count, start = self._legs, market.open_time_ms
        if count == 1:
            yield Leg(start, start + self.interval_ms, market.bars, True, True, market)
            return
        paths = [self._path(bar) for bar in market.bars]
        times = [start + self.interval_ms * i // count for i in range(count + 1)]
        for i in range(count):
            bars = tuple(
                _straight(bar, times[i], times[i + 1], path[i], path[i + 1], count)
                for bar, path in zip(market.bars, paths, strict=True)
            )
            yield Leg(times[i], times[i + 1], bars, i == 0, i == count - 1, market)

    def _path(self, bar: BarClosed) -> list[float]:
        """The bar's prices at the ends of its legs, on the grid."""
        instrument = self.tickers[bar.symbol].instrument
        o, high, low, c = (instrument.to_ticks(price) for price in (bar.open, bar.high, bar.low, bar.close))
        corners = (o, low, high, c) if o - low <= high - o else (o, high, low, c)
        each = self._legs // 3
        ticks = [corners[0]]
        for start, end in pairwise(corners):
            ticks += [start + round((end - start) * i / each) for i in range(1, each + 1)]
        return [instrument.price(at) for at in ticks]


def _straight(bar: BarClosed, start_ms: int, end_ms: int, start: float, end: float, count: int) -> BarClosed:
    return BarClosed(end_ms, bar.symbol, start_ms, start, max(start, end), min(start, end), end, bar.volume / count)


def _shifted(market: MarketSlice, by_ms: int) -> MarketSlice:
    if by_ms == 0:
        return market
    funding = tuple(msgspec.structs.replace(f, time_ms=f.time_ms + by_ms) for f in market.funding)
    bars = tuple(
        msgspec.structs.replace(bar, time_ms=bar.time_ms + by_ms, open_time_ms=bar.open_time_ms + by_ms)
        for bar in market.bars
    )
    return MarketSlice(market.open_time_ms + by_ms, funding, bars, market.instruments)
