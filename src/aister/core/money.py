"""Exact money: int64 amounts of 1e-8 quote units, rounded half-even, in one function.

A rate (fee, funding, maintenance margin) is an int of 1e-8 too, so 0.00035 is 35_000.
"""

from decimal import Decimal, InvalidOperation

from aister.core.errors import MoneyOverflow, UsageError

__all__ = ["RATE_ONE", "UNIT", "apply_rate", "divide_half_even", "exact", "money", "money_text", "rate"]

UNIT = 100_000_000
RATE_ONE = 100_000_000
_LIMIT = 2**63


def exact(amount: int) -> int:
    """The amount itself, if it fits in int64; raises `MoneyOverflow` otherwise (never wraps, never saturates)."""
    if -_LIMIT < amount < _LIMIT:
        return amount
    raise MoneyOverflow(f"The amount {amount} does not fit in 64 bits; reduce the position or the price.")


def divide_half_even(numerator: int, denominator: int) -> int:
    """numerator / denominator rounded to the nearest integer, ties to even; denominator > 0."""
    quotient, remainder = divmod(numerator, denominator)
    twice = 2 * remainder
    if twice > denominator or (twice == denominator and quotient & 1):
        quotient += 1
    return quotient


def apply_rate(amount: int, rate_e8: int) -> int:
    """amount x rate, rounded half-even to 1e-8 quote units. The one place where money is rounded."""
    return exact(divide_half_even(amount * rate_e8, RATE_ONE))


def _scaled(value: Decimal | int | str, what: str) -> int:
    try:
        scaled = Decimal(value) * UNIT
    except InvalidOperation:
        raise UsageError(f"{value!r} is not a number; give the {what} as a plain decimal such as 100.25.") from None
    if not scaled.is_finite() or scaled != scaled.to_integral_value():
        raise UsageError(f"{value} has more than 8 decimals or is not finite; give the {what} with at most 8.")
    return exact(int(scaled))


def money(value: Decimal | int | str) -> int:
    """A decimal amount in quote currency as exact units; raises `UsageError` when it has more than 8 decimals."""
    return _scaled(value, "amount")


def rate(value: Decimal | int | str) -> int:
    """A decimal rate (0.00035) as an int of 1e-8; raises `UsageError` when it has more than 8 decimals."""
    return _scaled(value, "rate")


def money_text(amount: int, decimals: int = 8) -> str:
    """The amount with a point, exact at 8 decimals, half-even at fewer."""
    shown = divide_half_even(amount, 10 ** (8 - decimals))
    sign, digits = ("-" if shown < 0 else ""), f"{abs(shown):0{decimals + 1}d}"
    return f"{sign}{digits[:-decimals]}.{digits[-decimals:]}" if decimals else f"{sign}{digits}"
