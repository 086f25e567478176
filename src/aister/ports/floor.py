"""A simulated trading floor: a venue that is told of the market because it has none of its own."""

from collections.abc import Sequence
from typing import Protocol

from aister.core.events import BarClosed, FundingSettled, VenueReport
from aister.core.instrument import Instrument

__all__ = ["Floor"]


class Floor(Protocol):
    """Moves with the feed, in the order of a bar (Q3): `settle`, `open`, `rest`. Each leaves reports to be taken."""

    def list_instrument(self, instrument: Instrument) -> None: ...
    def deposit(self, amount: int) -> None:
        """Money units moved into the account (negative: out of it)."""
        ...

    def settle(self, event: FundingSettled, price: float) -> None:
        """Funding due: charged on the position held, at `price` (the opening price, a proxy for mark)."""
        ...

    def open(self, bars: Sequence[BarClosed]) -> None:
        """The opening gap, then market orders due, all at the open."""
        ...

    def rest(self, bars: Sequence[BarClosed], *, again: bool = False) -> None:
        """What happens inside the bars. With `again`, only stops placed since for a position that a resting order
        opened in
        this very bar (it can be stopped in it, but cannot take its target in it)."""
        ...

    def take_reports(self) -> list[VenueReport]: ...
    def assumptions(self) -> dict[str, str]:
        """Every realism assumption by name, for the result that rests on it."""
        ...
