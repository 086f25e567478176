"""Market data as columns: what a backtest, a sweep and a bench are handed, read once and shared by all of them."""

import msgspec
import numpy as np
import numpy.typing as npt

from aister.core.instrument import Instrument

__all__ = ["Market", "Series"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class Series(msgspec.Struct, frozen=True, eq=False):
    """One symbol's closed bars of one base interval, by rising open time, and its funding settlements.

    open_ms: open times (UTC ms), shape (n,); open, high, low, close in quote per base, volume in base units, float64
    (n,). A bar is known from open_ms + interval_ms on. funding_ms, funding_e8: settlement times and rates in 1e-8 per
    settlement, shape (m,), rising; funding_interval_ms: what each covers, (m,), the instrument's own interval where it
    is None; funding_assumed: which of them nobody recorded and whatever is held pays, (m,), none where it is None.
    start: index of the first bar of the span; bars before it are history that features may warm up on and that nothing
    may trade on.
    """

    instrument: Instrument
    interval_ms: int
    open_ms: Ints
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    funding_ms: Ints
    funding_e8: Ints
    start: int = 0
    funding_interval_ms: Ints | None = None
    funding_assumed: npt.NDArray[np.bool_] | None = None

    @property
    def symbol(self) -> str:
        return self.instrument.symbol


class Market(msgspec.Struct, frozen=True, eq=False):
    """Several symbols' series of one base interval, in order of symbol. `span_ms` = open of the first bar, close of the
    last; `data_hash` and `flags` are the feed's own."""

    series: tuple[Series, ...]
    span_ms: tuple[int, int]
    data_hash: str
    flags: tuple[str, ...] = ()

    @property
    def interval_ms(self) -> int:
        return self.series[0].interval_ms

    @property
    def symbols(self) -> tuple[str, ...]:
        return tuple(one.symbol for one in self.series)
