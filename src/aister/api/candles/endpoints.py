"""/api/v1/candles."""

from typing import Annotated

from fastapi import FastAPI, Query
from msgspec.structs import asdict

from aister.api.candles.schemas import CandlePage, CandleTold, SeriesListed
from aister.api.candles.service import CandleShelf
from aister.api.frame.access import signed_in
from aister.api.frame.paging import Cursor, Limit, Page, after, cursor
from aister.core.people import Role

__all__ = ["add"]

_READ = "candles:read"
_Start = Annotated[int | None, Query(ge=0, le=4_102_444_800_000, description="First open time, ms UTC.")]
_End = Annotated[int | None, Query(ge=0, le=4_102_444_800_000, description="End of open times, exclusive, ms UTC.")]


def add(api: FastAPI, shelf: CandleShelf) -> None:
    @api.get("/api/v1/candles", dependencies=signed_in(Role.VIEWER, _READ))
    def list_series(limit: Limit = 100, cursor_: Cursor = None) -> Page[SeriesListed]:
        """The series of bars there are: the packaged sample, and what was downloaded or imported."""
        last = after(cursor_, "candles", str)
        found = {f"{one.symbol}/{one.interval_ms:012}": one for one in shelf.series()}
        keys = [key for key in sorted(found) if last is None or key > last]
        items = [SeriesListed.model_validate(asdict(found[key])) for key in keys[:limit]]
        return Page(items=items, next=cursor("candles", keys[limit - 1]) if len(keys) > limit else None)

    @api.get("/api/v1/candles/{symbol}/{interval}", dependencies=signed_in(Role.VIEWER, _READ))
    def read_candles(
        symbol: str, interval: str, start_ms: _Start = None, end_ms: _End = None, limit: Limit = 500,
        cursor_: Cursor = None,
    ) -> CandlePage:  # fmt: skip
        """A stretch of one series by rising time."""
        of = f"candles/{symbol}/{interval}"
        rows, more = shelf.stretch(symbol, interval, start_ms, end_ms, after(cursor_, of, int), limit)
        items = [CandleTold.model_validate(asdict(row)) for row in rows]
        following = cursor(of, rows[-1].open_ms) if more else None
        return CandlePage(symbol=symbol, interval=interval, items=items, next=following)
