"""Unitised net asset value (quant Q23): what one unit of the account is worth, whatever is paid in or out."""

from aister.core.errors import UsageError

__all__ = ["Nav"]


class Nav:
    """NAV per unit = base x equity / equity at base, where the base is re-set by every transfer.

    Right after a transfer of A at equity E the base is (NAV, E + A), so NAV is the very same float as before; units,
    equity / NAV, have changed by A / NAV. It starts at 1. Equity in money units, marked; NAV is a plain number."""

    __slots__ = ("_base_equity", "_base_nav")

    def __init__(self, capital: int) -> None:
        if capital <= 0:
            raise UsageError(f"A starting capital of {capital} buys no units; give a positive amount.")
        self._base_nav = 1.0
        self._base_equity = capital

    def per_unit(self, equity: int) -> float:
        """NAV per unit at this equity."""
        return self._base_nav * (equity / self._base_equity)

    @property
    def units(self) -> float:
        """Units outstanding, in money units of the day it started."""
        return self._base_equity / self._base_nav

    def transfer(self, equity: int, amount: int) -> None:
        """Issue or redeem units for `amount`, at the NAV of `equity` before it. Raises `UsageError` when nothing
        would be left, or when the account is worth nothing and so no unit has a price."""
        if equity <= 0:
            raise UsageError("Equity is not positive, so units have no price; start a new trader with new capital.")
        if equity + amount <= 0:
            raise UsageError(f"A withdrawal of {-amount} leaves nothing of an equity of {equity}; withdraw less.")
        self._base_nav = self.per_unit(equity)
        self._base_equity = equity + amount
