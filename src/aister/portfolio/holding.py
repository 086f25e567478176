"""One symbol's position and the trade it belongs to."""

import msgspec

from aister.core.instrument import Instrument
from aister.core.money import exact
from aister.core.trade import Position, Side
from aister.kernels.ledger import POSITION
from aister.kernels.state import allocate

__all__ = ["Closing", "Holding"]


class Closing(msgspec.Struct, frozen=True, array_like=True):
    """A trade that went flat: pnl = realised - fees - funding, where realised = exit_value - entry_cost for a long
    and the negative for a short, exactly. `steps` is the size entered over its life; costs and values are money
    units."""

    symbol: str
    side: Side
    opened_ms: int
    closed_ms: int
    steps: int
    entry_cost: int
    exit_value: int
    fees: int
    funding: int
    pnl: int


class Holding:
    """`positions` is the record the ledger step works on; the plain fields repeat it for speed, and sum up the trade
    at hand."""

    __slots__ = (
        "cost",
        "entered",
        "entry_cost",
        "exit_value",
        "fees",
        "funding",
        "instrument",
        "last_ticks",
        "opened_ms",
        "per_quote",
        "positions",
        "realised",
        "steps",
        "unit",
        "unrealised",
    )

    def __init__(self, instrument: Instrument) -> None:
        self.list(instrument)
        self.positions = allocate(POSITION)
        self.steps = 0
        self.cost = 0
        self.last_ticks = 0
        self.unrealised = 0
        self._start(0)

    def list(self, instrument: Instrument) -> None:
        """Take the instrument's terms."""
        self.instrument = instrument
        self.unit = instrument.unit
        self.per_quote = instrument.ticks_per_quote

    def _start(self, time_ms: int) -> None:
        self.opened_ms = time_ms
        self.entered = self.entry_cost = self.exit_value = 0
        self.fees = self.funding = self.realised = 0

    def take(self, time_ms: int, side: int, steps: int, ticks: int, fee: int, realised: int) -> Closing | None:
        """After the ledger step booked one fill that does not flip: sum up the trade; return it when it is over."""
        was = self.steps
        held = Side(1 if was > 0 else -1) if was else Side(side)
        value = self.instrument.notional(ticks, steps)
        if was == 0:
            self._start(time_ms)
        if held == side:
            self.entered += steps
            self.entry_cost += value
        else:
            self.exit_value += value
        self.fees += fee
        self.realised += realised
        self.steps = int(self.positions["steps"][0])
        self.cost = int(self.positions["cost"][0])
        self.mark(ticks)
        if self.steps:
            return None
        return Closing(
            symbol=self.instrument.symbol,
            side=held,
            opened_ms=self.opened_ms,
            closed_ms=time_ms,
            steps=self.entered,
            entry_cost=self.entry_cost,
            exit_value=self.exit_value,
            fees=self.fees,
            funding=self.funding,
            pnl=exact(self.realised - self.fees - self.funding),
        )

    def mark(self, ticks: int) -> int:
        """Revalue at a price; return by how much the unrealised profit changed."""
        before, self.last_ticks = self.unrealised, ticks
        self.unrealised = after = exact(ticks * self.steps * self.unit - self.cost)
        return after - before

    @property
    def notional(self) -> int:
        """|size| at the newest mark."""
        return abs(self.steps) * self.last_ticks * self.instrument.unit

    @property
    def position(self) -> Position:
        return Position(self.instrument.symbol, self.steps, self.cost, self.opened_ms if self.steps else 0)
