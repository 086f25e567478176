"""Where orders rest and fill. Answers never return from a call: they come back as events in the queue."""

from typing import Protocol

from aister.core.events import VenueReport
from aister.core.trade import Order

__all__ = ["Venue"]


class Venue(Protocol):
    """A place that takes orders. Only `aister.execution.gateway` calls `send` and `cancel`."""

    def send(self, order: Order, time_ms: int) -> None: ...
    def cancel(self, symbol: str, client_id: str, time_ms: int) -> None: ...
    def take_reports(self) -> list[VenueReport]:
        """What has happened since the last call, in order; empty most of the time."""
        ...
