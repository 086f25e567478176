"""A simulated trading floor: a venue that is told of the market because it has none of its own."""

from collections.abc import Sequence
from typing import Protocol

from aister.core.events import BarClosed, FundingSettled, InstrumentListed, VenueReport

__all__ = ["Floor"]


class Floor(Protocol):
    """Moves with the feed, in the order of a bar (Q3): `settle`, `open`, `rest`. Each leaves reports to be taken."""

    def list_instrument(self, event: InstrumentListed) -> None: ...
    def settle(self, event: FundingSettled, bars: Sequence[BarClosed]) -> None:
        """Funding due: charged on the position held, at the opening price of the symbol's bar where there is one."""
        ...

    def open(self, bars: Sequence[BarClosed]) -> None:
        """The opening gap, then market orders due, all at the open."""
        ...

    def rest(self, bars: Sequence[BarClosed]) -> None:
        """What happens inside the bars. Called again for the same bars, it only tests stops placed since (a limit entry
        filled inside a bar can be stopped in that bar)."""
        ...

    def take_reports(self) -> list[VenueReport]: ...
    def assumptions(self) -> dict[str, str]:
        """Every realism assumption by name, for the result that rests on it."""
        ...
