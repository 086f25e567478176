"""/api/v1/instruments."""

from typing import Annotated

from fastapi import FastAPI, Query

from aister.api.frame.access import signed_in
from aister.api.frame.paging import Cursor, Limit, Page, after, cursor
from aister.api.instruments.schemas import InstrumentTold, instrument_told
from aister.api.instruments.service import Listing
from aister.core.people import Role

__all__ = ["add"]

_READ = "instruments:read"
_Quote = Annotated[str | None, Query(pattern="^[A-Z0-9]{2,20}$", description="Only of this quote asset.")]


def add(api: FastAPI, listing: Listing) -> None:
    @api.get("/api/v1/instruments", dependencies=signed_in(Role.VIEWER, _READ))
    def list_instruments(quote: _Quote = None, limit: Limit = 100, cursor_: Cursor = None) -> Page[InstrumentTold]:
        """The packaged instruments, in order of symbol."""
        of = f"instruments/{quote or ''}"
        found = listing.after(after(cursor_, of, str), quote)
        items = [instrument_told(one) for one in found[:limit]]
        return Page(items=items, next=cursor(of, items[-1].symbol) if len(found) > limit else None)

    @api.get("/api/v1/instruments/{symbol}", dependencies=signed_in(Role.VIEWER, _READ))
    def show_instrument(symbol: str) -> InstrumentTold:
        """One instrument."""
        return instrument_told(listing.one(symbol))
