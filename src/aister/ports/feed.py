"""A source of market time: slices in order, each carrying everything that shares one open time."""

from collections.abc import Iterator
from typing import Protocol

import msgspec

from aister.core.events import BarClosed, FundingSettled
from aister.core.instrument import Instrument

__all__ = ["Feed", "MarketSlice"]


class MarketSlice(msgspec.Struct, frozen=True, gc=False):
    """All bars that open at `open_time_ms`, sorted by symbol, and the funding settled since the previous slice and at
    or before that time. A symbol with a gap here is simply absent. `instruments`: terms that changed, in force from
    this opening on."""

    open_time_ms: int
    funding: tuple[FundingSettled, ...]
    bars: tuple[BarClosed, ...]
    instruments: tuple[Instrument, ...] = ()


class Feed(Protocol):
    """Closed bars of one base interval for several symbols. `flags` names every assumption in the data
    ("funding: assumed"); `data_hash` identifies exactly what will be fed."""

    @property
    def base_interval_ms(self) -> int: ...
    @property
    def symbols(self) -> tuple[str, ...]: ...
    @property
    def instruments(self) -> dict[str, Instrument]: ...
    @property
    def data_hash(self) -> str: ...
    @property
    def flags(self) -> tuple[str, ...]: ...
    def slices(self) -> Iterator[MarketSlice]: ...
