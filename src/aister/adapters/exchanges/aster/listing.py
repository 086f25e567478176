"""One contract as exchangeInfo lists it: its filters in 1e-8 units, exactly (aster-api 5).

A filter of 0 is off. Price and size grids must begin at zero: the documents' rule ((price - minPrice) % tick) and the
plain one (price % tick) then say the same; a contract for which they do not is not tradable here.
"""

from collections.abc import Iterable

import msgspec

from aister.adapters.exchanges.aster.amounts import text, units
from aister.adapters.exchanges.aster.messages import Filter, SymbolName, SymbolRow, decoder
from aister.core.errors import DataError
from aister.core.money import UNIT

__all__ = ["Listing", "Listings", "Lot", "listing"]

_NAME, _ROW = decoder(SymbolName), decoder(SymbolRow)


class Lot(msgspec.Struct, frozen=True, array_like=True):
    """Bounds and step of sizes, in 1e-8 base units; `most` 0 = no bound."""

    least: int
    most: int
    step: int


class Listing(msgspec.Struct, frozen=True):
    """Filters of one contract. Prices and sizes in 1e-8; `up` and `down` bound prices as shares of mark in 1e-8
    (0 = no bound); `take_bound` and `trigger_protect` likewise."""

    symbol: str
    status: str
    base: str
    quote: str
    tick: int
    least_price: int
    most_price: int
    lot: Lot
    market_lot: Lot
    min_notional: int
    up: int
    down: int
    max_orders: int
    max_stops: int
    take_bound: int
    trigger_protect: int
    liquidation_fee: int
    order_types: tuple[str, ...]
    onboard_ms: int

    @property
    def unit(self) -> int:
        """Money of one tick x one step."""
        return self.tick * self.lot.step // UNIT


def listing(row: SymbolRow) -> Listing:
    """Of one symbol. Raises `DataError` saying why it cannot be traded exactly."""
    filters = {one.filterType: one for one in row.filters}
    none = Filter("")
    price, lot = filters.get("PRICE_FILTER"), filters.get("LOT_SIZE")
    if price is None or lot is None:
        raise DataError(f"{row.symbol} is listed without price or lot filter; not tradable here.")
    tick = units(price.tickSize) or 10 ** (8 - min(8, row.pricePrecision))
    size = Lot(units(lot.minQty), units(lot.maxQty), units(lot.stepSize) or 10 ** (8 - min(8, row.quantityPrecision)))
    market = filters.get("MARKET_LOT_SIZE", lot)
    market_size = Lot(units(market.minQty), units(market.maxQty), units(market.stepSize) or size.step)
    least, most = units(price.minPrice), units(price.maxPrice)
    if min(tick, size.step, market_size.step) <= 0 or min(least, most, size.least, market_size.least) < 0:
        raise DataError(f"{row.symbol} is listed with a negative filter; not tradable here.")
    if least % tick or size.least % size.step or market_size.least % market_size.step:
        raise DataError(
            f"{row.symbol}: its smallest price or size is not on its own grid of {text(tick)} and {text(size.step)}; "
            "not tradable here."
        )
    if market_size.step != size.step:
        raise DataError(f"{row.symbol}: market orders have another step than limits, so a part could not be closed.")
    if tick * size.step % UNIT:
        raise DataError(
            f"{row.symbol}: one tick x one step is no whole number of 1e-8 {row.quoteAsset}; not tradable here."
        )
    band = filters.get("PERCENT_PRICE", none)
    return Listing(
        symbol=row.symbol,
        status=row.status or row.contractStatus,
        base=row.baseAsset or row.symbol.removesuffix(row.quoteAsset),
        quote=row.quoteAsset,
        tick=tick,
        least_price=least,
        most_price=most,
        lot=size,
        market_lot=market_size,
        min_notional=units(filters.get("MIN_NOTIONAL", none).notional),
        up=units(band.multiplierUp),
        down=units(band.multiplierDown),
        max_orders=filters.get("MAX_NUM_ORDERS", none).limit,
        max_stops=filters.get("MAX_NUM_ALGO_ORDERS", none).limit,
        take_bound=units(row.marketTakeBound),
        trigger_protect=units(row.triggerProtect),
        liquidation_fee=units(row.liquidationFee),
        order_types=row.orderTypes or row.OrderType,
        onboard_ms=row.onboardDate,
    )


class Listings:
    """All rows of exchangeInfo by symbol; a row is read when it is asked for (reading all took tens of ms)."""

    def __init__(self, rows: Iterable[bytes | msgspec.Raw] = ()) -> None:
        self._rows: dict[str, bytes | msgspec.Raw] = {}
        self._read: dict[str, Listing] = {}
        for row in rows:
            try:
                self._rows[_NAME.decode(row).symbol] = row
            except msgspec.MsgspecError:
                continue  # a row without a name is nobody's

    def __contains__(self, symbol: str) -> bool:
        return symbol in self._rows

    def __getitem__(self, symbol: str) -> Listing:
        """Raises `KeyError` for a symbol that is not listed, `DataError` for one that cannot be traded exactly."""
        known = self._read.get(symbol)
        if known is None:
            try:
                row = _ROW.decode(self._rows[symbol])
            except msgspec.MsgspecError as error:
                raise DataError(f"{symbol} is listed in a form unknown here ({error}); not tradable here.") from None
            if row.contractType not in ("", "PERPETUAL"):
                raise DataError(f"{symbol} is no perpetual contract; not tradable here.")
            known = self._read[symbol] = listing(row)
        return known
