"""Decimals of the wire to exact integers of 1e-8: no float stands between a venue's text and ticks."""

from decimal import ROUND_HALF_EVEN, Context, Decimal, DecimalException, Inexact, InvalidOperation

from aister.core.errors import DataError
from aister.core.money import divide_half_even

__all__ = ["product", "rounded", "text", "units", "whole"]

_EXACT = Context(prec=80, traps=[Inexact, InvalidOperation])
_NEAREST = Context(prec=80, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation])
_MOST = 10**30


def units(value: Decimal) -> int:
    """The value in 1e-8, exactly. Raises `DataError` for more decimals, for NaN and infinity."""
    return _scaled(value, _EXACT)


def rounded(value: Decimal) -> int:
    """The value in 1e-8, half-even: for figures that are only told (mark, mean entry, liquidation price)."""
    return _scaled(value, _NEAREST)


def _scaled(value: Decimal, context: Context) -> int:
    try:
        scaled = int(context.to_integral_exact(context.scaleb(value, 8)))
    except (DecimalException, ValueError, OverflowError):
        raise DataError(
            f"The venue sent {str(value)[:40]}, no number of at most 8 decimals; nothing is done with it."
        ) from None
    if abs(scaled) > _MOST:
        raise DataError(f"The venue sent {str(value)[:40]}, too large to be true; nothing is done with it.")
    return scaled


def whole(amount_e8: int, grid_e8: int) -> int:
    """How many grid units an amount is. Raises `DataError` when it is not a whole number of them."""
    count, rest = divmod(amount_e8, grid_e8)
    if rest:
        raise DataError(
            f"{text(amount_e8)} is no whole number of {text(grid_e8)}: the venue changed its grid; restart the trader."
        )
    return count


def product(size_e8: int, price: Decimal) -> int:
    """Signed size x price in money units, rounded once, half-even."""
    price_e16 = int(_NEAREST.to_integral_exact(_NEAREST.scaleb(price, 16)))
    return divide_half_even(size_e8 * price_e16, 10**16)


def text(amount_e8: int) -> str:
    """A plain decimal without trailing zeros, as the venue takes it; never an exponent."""
    sign, digits = ("-" if amount_e8 < 0 else ""), f"{abs(amount_e8):09d}"
    decimals = digits[-8:].rstrip("0")
    return f"{sign}{digits[:-8]}.{decimals}" if decimals else f"{sign}{digits[:-8]}"
