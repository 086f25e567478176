"""A real account towards the runner: it has a market of its own, so nothing moves it, and what was sent comes back as
reports."""

from collections.abc import Sequence

from aister.core.events import BarClosed, FundingSettled, VenueReport
from aister.core.instrument import Instrument
from aister.core.trade import Order
from aister.execution.courier import Courier
from aister.execution.traits import VenueTraits

__all__ = ["AccountFloor"]


class AccountFloor:
    """Ports `Floor` and `Venue` over a courier."""

    def __init__(self, courier: Courier, traits: VenueTraits) -> None:
        self._courier, self._traits = courier, traits

    def send(self, order: Order, time_ms: int) -> None:
        self._courier.send(order, time_ms)

    def cancel(self, symbol: str, client_id: str, time_ms: int) -> None:
        self._courier.cancel(symbol, client_id, time_ms)

    def take_reports(self) -> list[VenueReport]:
        return self._courier.take_reports()

    def assumptions(self) -> dict[str, str]:
        """Nothing is assumed of fills; how entries and targets are put is told."""
        return {
            "fills": "as the exchange told them, with its fees",
            "funding": "as the exchange booked it",
            "protection": f"stop {self._traits.protection} the entry",
            "targets": self._traits.targets,
        }

    def list_instrument(self, instrument: Instrument) -> None:
        """The exchange knows its contracts."""

    def deposit(self, amount: int) -> None:
        """Money is moved at the exchange, not from here."""

    def settle(self, event: FundingSettled, price: float) -> None:
        """The exchange charges funding by itself."""

    def open(self, bars: Sequence[BarClosed]) -> None:
        """The exchange has its own market."""

    def rest(self, bars: Sequence[BarClosed], *, again: bool = False) -> None:
        """The exchange has its own market."""
