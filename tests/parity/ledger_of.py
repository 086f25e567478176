"""A second bookkeeper: positions, wallet and working stops rebuilt from a journal's events alone, in plain integers.

It shares no code with the portfolio or the venue, so that agreeing with them means something.
"""

from collections import defaultdict

from aister.core.audit import Audit, PlaceOrder
from aister.core.events import (
    BarClosed,
    FundingPaid,
    InstrumentListed,
    OrderAccepted,
    OrderCanceled,
    OrderFilled,
    OrderRejected,
    RunStarted,
)
from aister.core.instrument import Instrument
from aister.core.trade import Order, Purpose

__all__ = ["Bookkeeper"]


class Bookkeeper:
    """`steps` signed and `flow` (money paid for what is held, minus money got) by symbol; `wallet` without what is
    held; `working` orders the venue has accepted, by client id."""

    def __init__(self) -> None:
        self.wallet = 0
        self.steps: dict[str, int] = defaultdict(int)
        self.flow: dict[str, int] = defaultdict(int)
        self.marks: dict[str, int] = {}
        self.instruments: dict[str, Instrument] = {}
        self.orders: dict[str, Order] = {}
        self.working: dict[str, Order] = {}

    def take(self, audit: Audit) -> None:
        """One record, in order."""
        event = audit.event
        if isinstance(event, BarClosed):
            self.marks[event.symbol] = self.instruments[event.symbol].to_ticks(event.close)
        elif isinstance(event, OrderFilled):
            self._fill(event)
        elif isinstance(event, FundingPaid):
            self.wallet -= event.amount
        elif isinstance(event, OrderAccepted):
            self.working[event.client_id] = self.orders[event.client_id]
        elif isinstance(event, OrderCanceled | OrderRejected):
            self.working.pop(event.client_id, None)
        elif isinstance(event, InstrumentListed):
            self.instruments[event.instrument.symbol] = event.instrument
        elif isinstance(event, RunStarted):
            self.wallet = event.capital
        for output in audit.outputs:
            if isinstance(output, PlaceOrder):
                self.orders[output.order.client_id] = output.order

    def _fill(self, event: OrderFilled) -> None:
        fill = event.fill
        self.wallet -= fill.fee
        self.steps[fill.symbol] += fill.side * fill.steps
        self.flow[fill.symbol] += fill.side * fill.steps * fill.price_ticks * self.instruments[fill.symbol].unit
        if event.done:
            self.working.pop(fill.client_id, None)
        if self.steps[fill.symbol] == 0:
            self.wallet -= self.flow.pop(fill.symbol)

    @property
    def equity(self) -> int:
        """The wallet, and every position at the newest close."""
        held = ((s, n) for s, n in self.steps.items() if n)
        return self.wallet + sum(n * self.marks[s] * self.instruments[s].unit - self.flow[s] for s, n in held)

    def stops(self, symbol: str) -> list[Order]:
        """Protective stops the venue has accepted and that are still there."""
        return [o for o in self.working.values() if o.symbol == symbol and o.purpose is Purpose.STOP]
