"""A market as it happens: slices when their bars have closed, and what is to be known about the way they come."""

from collections.abc import AsyncIterator
from enum import StrEnum
from typing import Protocol

import msgspec

from aister.core.instrument import Instrument
from aister.ports.feed import MarketSlice

__all__ = ["FeedEvent", "FeedNews", "LiveFeed"]


class FeedEvent(StrEnum):
    """DOWN/UP: a connection was lost or is there (again). STALE/FRESH: a stream that always speaks has fallen silent or
    is heard again. ABSENT: something of a slice could not be had and is not in it. UNREADABLE: a frame that is not what
    the documents say."""

    DOWN = "down"
    UP = "up"
    STALE = "stale"
    FRESH = "fresh"
    ABSENT = "absent"
    UNREADABLE = "unreadable"


class FeedNews(msgspec.Struct, frozen=True):
    """`time_ms` on the venue's clock as estimated here; `what` it is about (a stream, a symbol); one sentence why."""

    time_ms: int
    event: FeedEvent
    what: str
    why: str


class LiveFeed(Protocol):
    """Closed bars of one base interval for several symbols, as they close. A slice comes once every bar that can be had
    of it is there; a bar that cannot is absent from it, never made up."""

    @property
    def base_interval_ms(self) -> int: ...
    @property
    def symbols(self) -> tuple[str, ...]: ...
    @property
    def instruments(self) -> dict[str, Instrument]: ...
    @property
    def flags(self) -> tuple[str, ...]: ...
    def slices(self) -> AsyncIterator[MarketSlice]: ...
