"""A feed whose past is a recorded feed's and whose future is noise: the world in which look-ahead betrays itself."""

import hashlib
from collections.abc import Iterator

import msgspec
import numpy as np

from aister.adapters.feeds.recorded import RecordedFeed
from aister.core.events import BarClosed, FundingSettled
from aister.core.instrument import Instrument
from aister.ports.feed import MarketSlice

__all__ = ["OtherFuture"]

TERMS_EVERY = 240
"""Slices between two changes of every instrument's terms."""


class OtherFuture:
    """What is known at `cut_ms` is the recording's: bars closed by then, the open of a bar that has opened by then,
    settlements and terms up to then. The inside of a bar counts as known 1 ms before its close, which is when the venue
    reports what was filled in it. Everything later is drawn from `seed`: a random walk on the price grid, funding
    rates up to 0.3 %, other filters, fees and brackets. It ends `beyond_ms` after the cut. Implements `ports.Feed`."""

    def __init__(self, feed: RecordedFeed, cut_ms: int, seed: int, beyond_ms: int) -> None:
        self._feed, self.cut_ms, self._seed, self._end_ms = feed, cut_ms, seed, cut_ms + beyond_ms
        self.base_interval_ms, self.symbols, self.instruments = feed.base_interval_ms, feed.symbols, feed.instruments
        self.flags, self.span_ms, self.history = feed.flags, feed.span_ms, feed.history
        self.data_hash = hashlib.sha256(f"{feed.data_hash} {cut_ms} {seed}".encode()).hexdigest()

    def slices(self) -> Iterator[MarketSlice]:
        last_known_ms = self.cut_ms + 1 - self.base_interval_ms
        noise = _Noise(self.instruments, np.random.default_rng((self._seed, self.cut_ms)))
        for market in self._feed.slices():
            if market.open_time_ms > self._end_ms:
                return
            if market.open_time_ms <= last_known_ms:
                noise.closes.update((bar.symbol, bar.close) for bar in market.bars)
                yield market
            else:
                yield noise.instead_of(market, self.cut_ms)


class _Noise:
    def __init__(self, instruments: dict[str, Instrument], rng: np.random.Generator) -> None:
        self.instruments, self.rng = instruments, rng
        self.closes: dict[str, float] = {}
        self._slices = 0

    def instead_of(self, market: MarketSlice, cut_ms: int) -> MarketSlice:
        opened = market.open_time_ms <= cut_ms
        bars = tuple(self._bar(bar, opened) for bar in market.bars)
        funding = tuple(one if one.time_ms <= cut_ms else self._settled(one) for one in market.funding)
        if opened:
            return MarketSlice(market.open_time_ms, funding, bars)
        terms = tuple(map(self._terms, self.instruments.values())) if self._slices % TERMS_EVERY == 0 else ()
        self._slices += 1
        return MarketSlice(market.open_time_ms, funding, bars, terms)

    def _bar(self, bar: BarClosed, opened: bool) -> BarClosed:
        """0.3 % a bar, gaps of a fifth of that, all on the grid."""
        grid, rng = self.instruments[bar.symbol], self.rng
        gap, move, up, down, volume = np.abs(rng.normal(size=5)).tolist()
        signs = rng.integers(0, 2, 2) * 2 - 1
        last = self.closes.get(bar.symbol, bar.open)
        first = bar.open if opened else self._on(grid, last * (1 + 0.000_6 * gap * signs[0]))
        close = self._on(grid, first * (1 + 0.003 * move * signs[1]))
        high = self._on(grid, max(first, close) * (1 + 0.001 * up))
        low = self._on(grid, min(first, close) * (1 - 0.001 * down))
        self.closes[bar.symbol] = close
        high, low = max(high, first), min(low, first)
        return msgspec.structs.replace(bar, open=first, high=high, low=low, close=close, volume=100 * volume)

    def _settled(self, settled: FundingSettled) -> FundingSettled:
        return msgspec.structs.replace(settled, rate_e8=int(self.rng.integers(-300_000, 300_001)))

    def _terms(self, now: Instrument) -> Instrument:
        """Other fees, filters and brackets on the same grid; still convex."""
        rng = self.rng
        times = int(rng.integers(2, 4))
        return msgspec.structs.replace(
            now,
            min_steps=now.min_steps * int(rng.integers(1, 4)),
            market_max_steps=now.market_max_steps // int(rng.integers(2, 5)),
            min_notional=now.min_notional * int(rng.integers(2, 10)),
            band_up_e8=int(rng.integers(102_000_000, 104_000_000)),
            band_down_e8=int(rng.integers(96_000_000, 98_000_000)),
            maker_e8=int(rng.integers(0, 30_000)),
            taker_e8=int(rng.integers(36_000, 80_000)),
            liquidation_e8=now.liquidation_e8 // times,
            brackets=tuple(
                msgspec.structs.replace(one, maintenance_e8=one.maintenance_e8 * times, deduction=one.deduction * times)
                for one in now.brackets
            ),
            source="noise",
        )

    @staticmethod
    def _on(grid: Instrument, price: float) -> float:
        return grid.price(max(1, grid.to_ticks(price)))
