"""One symbol at the simulated venue: its book, the orders behind the book's numbers, the bars it remembers."""

from collections import deque
from itertools import pairwise

import numpy as np

from aister.core.errors import DataError
from aister.core.events import BarClosed
from aister.core.instrument import Instrument
from aister.core.money import RATE_ONE
from aister.core.trade import Order, OrderType
from aister.kernels.book import BOOK, MAX_TIERS, NEVER_ABOVE
from aister.kernels.ledger import STEPS_LIMIT
from aister.kernels.state import allocate
from aister.sim.models import Fees, Slippage

__all__ = ["Desk", "write_book"]

_CLOSED_BARS = 15


def write_book(book: np.void, instrument: Instrument, leverage: int, fees: Fees, slippage: Slippage) -> None:
    """Write an instrument's grid, fees and maintenance tiers into a BOOK record; position and orders are left as they
    are.

    Raises `DataError` when the tiers are too many or not convex, or sizes could leave exact arithmetic.
    """
    tiers = instrument.brackets
    if len(tiers) > MAX_TIERS:
        raise DataError(
            f"{instrument.symbol} has {len(tiers)} maintenance brackets; merge the largest, {MAX_TIERS} fit."
        )
    for lower, upper in pairwise(tiers):
        if upper.maintenance_e8 < lower.maintenance_e8 or upper.deduction < lower.deduction:
            raise DataError(
                f"{instrument.symbol}: maintenance rate and deduction must rise from bracket to bracket;"
                " correct the instruments file."
            )
    if instrument.max_steps > STEPS_LIMIT:
        raise DataError(
            f"{instrument.symbol}: its largest order leaves exact arithmetic; lower maxQty in the instruments file."
        )
    maker, taker, liquidation = fees.rates_e8(instrument)
    half_spread = slippage.half_spread(instrument)
    book["costs"] = (maker, taker, liquidation, half_spread, slippage.stop_floor_e8, slippage.stop_range_percent)
    book["ticks_per_quote"] = instrument.ticks_per_quote
    book["unit"] = instrument.unit
    book["leverage"] = leverage
    book["tier_count"] = len(tiers)
    for i, tier in enumerate(tiers):
        book["tiers"][i] = (tier.maintenance_e8, tier.deduction)
    if book["order_count"] == 0 and book["position"]["steps"] == 0:
        book["watch_high"] = NEVER_ABOVE


class Desk:
    """`busy` while there is a position or an order; otherwise no bar needs looking at. `low` and `high` bound the
    prices strictly between which nothing can happen unless something is `due`: a superset, by half a tick, of what
    the book would act on."""

    __slots__ = (
        "books",
        "busy",
        "due",
        "filled",
        "high",
        "instrument",
        "low",
        "margin",
        "next_number",
        "numbers",
        "orders",
        "per_quote",
        "recent",
        "reserves",
    )

    def __init__(self, instrument: Instrument) -> None:
        self.instrument = instrument
        self.per_quote = instrument.ticks_per_quote
        self.books = allocate(BOOK)
        self.orders: dict[int, Order] = {}
        self.numbers: dict[str, int] = {}
        self.reserves: dict[int, int] = {}
        self.next_number = 1
        self.recent: deque[BarClosed] = deque(maxlen=_CLOSED_BARS + 1)
        self.busy = False
        self.due = False
        self.low = 0.0
        self.high = 0.0
        self.margin = 0
        self.filled: tuple[int, int] = (0, 0)
        """Close time of the bar and ticks of the newest fill inside a bar."""

    @property
    def steps(self) -> int:
        """Signed position."""
        return int(self.books["position"]["steps"][0])

    def refresh(self) -> None:
        """Read from the book what the next bars are compared with."""
        book = self.books[0]
        self.per_quote = per_quote = float(book["ticks_per_quote"])
        self.due = bool(book["due"]) or bool(book["opened_inside"])  # which the next open must clear
        self.low = (int(book["watch_low"]) + 1) / per_quote
        self.high = (int(book["watch_high"]) - 1) / per_quote
        self.margin = int(book["margin"])
        self.busy = bool(self.orders) or self.steps != 0

    def ticks(self, price: float) -> int:
        """The nearest tick of a canonical price, as the book converts it."""
        return round(price * self.per_quote)

    def last_ticks(self, time_ms: int) -> int:
        """The last price known at `time_ms`, 0 before the first bar: inside a bar its open, in its last millisecond
        the newest fill in it (else its close), from its end on its close."""
        if not self.recent:
            return 0
        bar = self.recent[-1]
        if time_ms < bar.time_ms - 1:
            return self.ticks(bar.open)
        if time_ms < bar.time_ms and self.filled[0] == bar.time_ms:
            return self.filled[1]
        return self.ticks(bar.close)

    def range_e8(self) -> int:
        """Mean true range of the (up to 15) bars closed before the newest, in 1e-8 ticks rounded up:
        `kernels.cost.mean_range_e8`."""
        total, count, last = 0, 0, None
        for bar in list(self.recent)[:-1]:
            if last is not None:
                total += max(self.ticks(bar.high), last) - min(self.ticks(bar.low), last)
                count += 1
            last = self.ticks(bar.close)
        return -(-total * RATE_ONE // count) if count else 0

    def lost(self) -> int:
        """1 if bars are missing just before the newest, else 0."""
        return int(len(self.recent) > 1 and self.recent[-2].time_ms != self.recent[-1].open_time_ms)

    def growth(self, order: Order) -> int:
        """Steps by which the order would enlarge exposure: all of an entry, what exceeds the position when it is
        opposite."""
        if order.reduce_only or order.close_position:
            return 0
        opposite = -self.steps * order.side
        return order.steps - max(0, min(opposite, order.steps))

    @property
    def reserved(self) -> int:
        """Isolated margin of the position, and initial margin of the entries on the book as they were accepted."""
        return self.margin + sum(self.reserves.values())

    def add(self, order: Order, reserve: int) -> int:
        """Remember an accepted order; return the number it goes by on the book."""
        number = self.next_number
        self.next_number += 1
        self.orders[number] = order
        self.numbers[order.client_id] = number
        if reserve:
            self.reserves[number] = reserve
        return number

    def drop(self, number: int) -> Order | None:
        """Forget an order; None for the number of a liquidation."""
        order = self.orders.pop(number, None)
        if order is not None:
            del self.numbers[order.client_id]
            self.reserves.pop(number, None)
        return order

    def refusal(self, order: Order, time_ms: int) -> str:
        """Why the venue would not take this order now, but for margin; empty when it would. Codes are the venue's."""
        last = self.last_ticks(time_ms)
        conditional = order.type in (OrderType.STOP_MARKET, OrderType.TAKE_PROFIT_MARKET)
        if order.client_id in self.numbers:
            return f"-4015 client order id {order.client_id} is already open"
        if last == 0:
            return "-4131 there is no market price yet"
        if order.close_position and not conditional:
            return "-4136 closePosition is for stop and take-profit market orders only"
        if order.close_position and (order.steps or order.reduce_only):
            return "-4137 closePosition goes with neither quantity nor reduceOnly"
        if order.reduce_only and self.steps * order.side >= 0:
            return "-2022 reduce-only, and there is nothing to reduce"
        if not order.close_position:
            refused = self.instrument.refusal(
                side=order.side,
                steps=order.steps,
                price_ticks=order.price_ticks,
                mark_ticks=last,
                market=order.type != OrderType.LIMIT,
                reduce_only=order.reduce_only,
            )
            if refused:
                return refused
        if conditional:
            rising = (order.type == OrderType.STOP_MARKET) == (order.side > 0)
            if (last >= order.trigger_ticks) if rising else (last <= order.trigger_ticks):
                return "-2021 the order would immediately trigger"
        return ""
