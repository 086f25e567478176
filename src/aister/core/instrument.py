"""One tradable contract: its grid, its filters, its fees, and the arithmetic on them."""

import math
from functools import cache
from typing import Any

import msgspec

from aister.core.errors import DataError
from aister.core.money import UNIT, exact, money, money_text, rate

__all__ = ["Bracket", "Instrument", "instrument_from_venue"]


class Bracket(msgspec.Struct, frozen=True, array_like=True):
    """One maintenance-margin tier. Maintenance margin = notional x maintenance rate - deduction (venue's `cum`).

    `floor` and `cap` bound the notional in money units; the rate is an int of 1e-8.
    """

    floor: int
    cap: int
    maintenance_e8: int
    deduction: int
    max_leverage: int


class Instrument(msgspec.Struct, frozen=True):
    """A linear perpetual contract.

    Prices are int ticks of `tick_e8` (1e-8 quote units), sizes int steps of `step_e8` (1e-8 base units);
    `unit` = money of one tick x one step, in 1e-8 quote units, so notional = ticks x steps x unit exactly.
    `source` says where the filters come from and is shown wherever they are ("assumed (AsterDex form)").
    """

    symbol: str
    base: str
    quote: str
    status: str
    tick_e8: int
    step_e8: int
    unit: int
    min_ticks: int
    max_ticks: int
    min_steps: int
    max_steps: int
    market_max_steps: int
    min_notional: int
    band_up_e8: int
    band_down_e8: int
    max_orders: int
    maker_e8: int
    taker_e8: int
    liquidation_e8: int
    funding_interval_ms: int
    brackets: tuple[Bracket, ...]
    source: str

    @property
    def price_decimals(self) -> int:
        return _decimals(self.tick_e8)

    @property
    def size_decimals(self) -> int:
        return _decimals(self.step_e8)

    @property
    def ticks_per_quote(self) -> float:
        """Multiply a canonical float price by this and `rint` to get ticks."""
        return UNIT / self.tick_e8

    def to_ticks(self, price: float) -> int:
        """The nearest tick of a canonical price (one read off a feed on this grid)."""
        return round(price * UNIT / self.tick_e8)

    def ticks_below(self, price: float) -> int:
        """The last tick at or below a computed price (outward for a long's stop)."""
        return math.floor(price * UNIT / self.tick_e8 + 1e-9)

    def ticks_above(self, price: float) -> int:
        """The first tick at or above a computed price (outward for a short's stop)."""
        return math.ceil(price * UNIT / self.tick_e8 - 1e-9)

    def price(self, ticks: int) -> float:
        """The canonical double of a tick price."""
        return ticks * self.tick_e8 / UNIT

    def size(self, steps: int) -> float:
        return steps * self.step_e8 / UNIT

    def price_text(self, ticks: int) -> str:
        return money_text(ticks * self.tick_e8, _decimals(self.tick_e8))

    def size_text(self, steps: int) -> str:
        return money_text(steps * self.step_e8, _decimals(self.step_e8))

    def notional(self, ticks: int, steps: int) -> int:
        """|size| x price in money units, exact; raises `MoneyOverflow`."""
        return exact(ticks * abs(steps) * self.unit)

    def bracket(self, notional: int) -> Bracket:
        """The maintenance tier of a position notional; the last tier beyond the table."""
        for bracket in self.brackets:
            if notional < bracket.cap:
                return bracket
        return self.brackets[-1]

    def refusal(
        self, *, side: int, steps: int, price_ticks: int, mark_ticks: int, market: bool, reduce_only: bool
    ) -> str:
        """Why the venue's filters would refuse this order, or an empty string. Codes are the venue's."""
        largest = self.market_max_steps if market else self.max_steps
        if self.status != "TRADING":
            return f"-4140 {self.symbol} is {self.status}"
        if steps < self.min_steps:
            return f"-4004 quantity {self.size_text(steps)} below the minimum {self.size_text(self.min_steps)}"
        if steps > largest:
            return f"-4005 quantity {self.size_text(steps)} above the maximum {self.size_text(largest)}"
        if not market and not self.min_ticks <= price_ticks <= self.max_ticks:
            return f"-4013 price {self.price_text(price_ticks)} outside the venue's bounds"
        if not market and side > 0 and price_ticks * UNIT > mark_ticks * self.band_up_e8:
            return f"-4016 buy price {self.price_text(price_ticks)} above the band over mark"
        if not market and side < 0 and price_ticks * UNIT < mark_ticks * self.band_down_e8:
            return f"-4024 sell price {self.price_text(price_ticks)} below the band under mark"
        if not reduce_only and self.notional(mark_ticks if market else price_ticks, steps) < self.min_notional:
            return "-4164 notional below the minimum"
        return ""


@cache
def _decimals(unit_e8: int) -> int:
    """Decimals that a number of these units needs."""
    decimals = 8
    while decimals and unit_e8 % 10 == 0:
        unit_e8, decimals = unit_e8 // 10, decimals - 1
    return decimals


def _grid(value: str, grid_e8: int, symbol: str, what: str) -> int:
    count, rest = divmod(rate(value), grid_e8)
    if rest:
        raise DataError(f"{symbol}: {what} {value} is not a multiple of its own grid; correct the instruments file.")
    return count


def instrument_from_venue(row: dict[str, Any], source: str) -> Instrument:
    """An `Instrument` from one symbol in exchangeInfo form extended with fees, funding interval and brackets.

    Raises `DataError` naming the symbol when a field is missing, a grid is not positive, money per tick and step is
    not a whole number of 1e-8 units, or the largest order could overflow exact arithmetic.
    """
    symbol = str(row.get("symbol", "?"))
    try:
        filters = {f["filterType"]: f for f in row["filters"]}
        price, lot = filters["PRICE_FILTER"], filters["LOT_SIZE"]
        market, band = filters.get("MARKET_LOT_SIZE", lot), filters["PERCENT_PRICE"]
        tick_e8, step_e8 = rate(price["tickSize"]), rate(lot["stepSize"])
        if tick_e8 <= 0 or step_e8 <= 0:
            raise DataError(f"{symbol}: tick and step must be positive; correct the instruments file.")
        unit, rest = divmod(tick_e8 * step_e8, UNIT)
        if rest or unit == 0:
            raise DataError(
                f"{symbol}: one tick x one step is not a whole number of 1e-8 {row['quoteAsset']}; not tradable here."
            )
        if not row["brackets"]:
            raise DataError(
                f"{symbol} has no maintenance brackets; add them to the instruments file before trading it."
            )
        return Instrument(
            symbol=symbol,
            base=row["baseAsset"],
            quote=row["quoteAsset"],
            status=row["status"],
            tick_e8=tick_e8,
            step_e8=step_e8,
            unit=unit,
            min_ticks=_grid(price["minPrice"], tick_e8, symbol, "minPrice"),
            max_ticks=_grid(price["maxPrice"], tick_e8, symbol, "maxPrice"),
            min_steps=_grid(lot["minQty"], step_e8, symbol, "minQty"),
            max_steps=_grid(lot["maxQty"], step_e8, symbol, "maxQty"),
            market_max_steps=_grid(market["maxQty"], step_e8, symbol, "market maxQty"),
            min_notional=money(filters["MIN_NOTIONAL"]["notional"]),
            band_up_e8=rate(band["multiplierUp"]),
            band_down_e8=rate(band["multiplierDown"]),
            max_orders=int(filters["MAX_NUM_ORDERS"]["limit"]),
            maker_e8=rate(row["makerFee"]),
            taker_e8=rate(row["takerFee"]),
            liquidation_e8=rate(row["liquidationFee"]),
            funding_interval_ms=int(row["fundingIntervalHours"]) * 3_600_000,
            brackets=tuple(
                Bracket(
                    money(b["notionalFloor"]),
                    money(b["notionalCap"]),
                    rate(b["maintMarginRatio"]),
                    money(b["cum"]),
                    int(b["initialLeverage"]),
                )
                for b in row["brackets"]
            ),
            source=source,
        )
    except KeyError as missing:
        raise DataError(
            f"{symbol}: the instruments file lacks {missing}; take it from the venue's exchangeInfo."
        ) from None
