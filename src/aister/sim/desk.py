"""One position at the simulated venue (a symbol's, or hedged one leg of it): its book and the orders behind the book's
numbers."""

from itertools import pairwise

import numpy as np

from aister.core.errors import DataError
from aister.core.instrument import Instrument
from aister.core.money import UNIT
from aister.core.trade import Order, OrderType
from aister.kernels.book import BOOK, CROSS, ISOLATED, MAX_TIERS, NEVER_ABOVE, OHLC_PATH, STOP_FIRST
from aister.kernels.cost import MAX_FEE_TIERS
from aister.kernels.ledger import STEPS_LIMIT
from aister.kernels.state import allocate
from aister.sim.models import FillModel
from aister.sim.tape import Tape

__all__ = ["Desk", "write_book"]

_CALLBACKS_E8 = (100_000, 10_000_000)
"""Callback rates of trailing stops the venue takes: 0.1 % to 10 %."""


def write_book(book: np.void, instrument: Instrument, model: FillModel, leg: int = 0) -> None:
    """Write an instrument's grid and tiers, and what the fill model makes of them, into a BOOK record; position and
    orders are left as they are. `leg`: 0 one-way, 1 and -1 for the legs of a hedged symbol.

    Raises `DataError` when the tiers are too many or not convex, or sizes could leave exact arithmetic.
    """
    tiers, fees, slippage, impact = instrument.brackets, model.fees, model.slippage, model.impact
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
    if len(fees.tiers) > MAX_FEE_TIERS:
        raise DataError(f"{len(fees.tiers)} fee tiers are too many; {MAX_FEE_TIERS} fit.")
    costs = book["costs"]
    costs["maker_e8"], costs["taker_e8"], costs["liquidation_e8"] = fees.rates_e8(instrument)
    costs["half_spread_e8"] = slippage.half_spread(instrument)
    costs["stop_floor_e8"], costs["stop_range_percent"] = slippage.stop_floor_e8, slippage.stop_range_percent
    costs["unknown_impact_e8"] = impact.unknown_e8 if impact else 0
    costs["share_e4"] = model.volume_share_e4
    book["fee_tier_count"] = len(fees.tiers)
    for i, fee_tier in enumerate(fees.tiers):
        book["fee_tiers"][i] = (fee_tier.volume, fees.scaled(fee_tier.maker_e8), fees.scaled(fee_tier.taker_e8))
    book["ticks_per_quote"] = instrument.ticks_per_quote
    book["steps_per_base"] = UNIT / instrument.step_e8
    book["unit"] = instrument.unit
    book["leg"] = leg
    book["policy"] = OHLC_PATH if model.intrabar == "ohlc_path" else STOP_FIRST
    book["margin_mode"] = CROSS if model.margin.mode == "cross" else ISOLATED
    book["leverage"] = model.margin.leverage
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
        "begun_ms",
        "books",
        "busy",
        "cross",
        "due",
        "filled",
        "high",
        "instrument",
        "leg",
        "leverage",
        "low",
        "margin",
        "next_number",
        "numbers",
        "orders",
        "reserves",
        "tape",
    )

    def __init__(self, instrument: Instrument, tape: Tape, leg: int = 0) -> None:
        self.instrument, self.tape, self.leg = instrument, tape, leg
        self.books = allocate(BOOK)
        self.orders: dict[int, Order] = {}
        self.numbers: dict[str, int] = {}
        self.reserves: dict[int, int] = {}
        self.next_number = 1
        self.busy = False
        self.cross = False
        self.leverage = 1
        self.due = False
        self.low = 0.0
        self.high = 0.0
        self.margin = 0
        self.begun_ms = 0
        """Close time of the bar that the book has begun last."""
        self.filled: tuple[int, int] = (0, 0)
        """Close time of the bar and ticks of the newest fill inside a bar."""

    @property
    def steps(self) -> int:
        """Signed position."""
        return int(self.books["position"]["steps"][0])

    def relist(self, instrument: Instrument, model: FillModel) -> None:
        """Trade under these terms from now on. Raises `DataError`."""
        write_book(self.books[0], instrument, model, self.leg)
        self.instrument = instrument
        self.cross, self.leverage = model.margin.mode == "cross", model.margin.leverage
        self.refresh()

    def refresh(self) -> None:
        """Read from the book what the next bars are compared with."""
        book = self.books[0]
        per_quote = float(book["ticks_per_quote"])
        self.due = bool(book["due"])
        self.low = (int(book["watch_low"]) + 1) / per_quote
        self.high = (int(book["watch_high"]) - 1) / per_quote
        self.margin = int(book["margin"])
        self.busy = bool(self.orders) or self.steps != 0

    def last_ticks(self, time_ms: int) -> int:
        """The last price known at `time_ms`, 0 before the first bar: inside a bar its open, in its last millisecond
        the newest fill in it (else its close), from its end on its close."""
        if not self.tape.recent:
            return 0
        bar = self.tape.recent[-1]
        if time_ms < bar.time_ms - 1:
            return self.tape.ticks(bar.open)
        if time_ms < bar.time_ms and self.filled[0] == bar.time_ms:
            return self.filled[1]
        return self.tape.ticks(bar.close)

    def growth(self, order: Order) -> int:
        """Steps by which the order would enlarge exposure: all of an entry, what exceeds the position when it is
        opposite."""
        if order.reduce_only or order.close_position or self.leg * order.side < 0:
            return 0
        opposite = -self.steps * order.side
        return order.steps - max(0, min(opposite, order.steps))

    @property
    def reserved(self) -> int:
        """Initial margin of the position, and of the entries on the book as they were accepted."""
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

    def shrink(self, number: int, steps: int, left: int) -> Order:
        """`steps` of an order have filled and `left` remain on the book."""
        if number in self.reserves:
            self.reserves[number] = -(-self.reserves[number] * left // (steps + left))
        return self.orders[number]

    def refusal(self, order: Order, time_ms: int) -> str:
        """Why the venue would not take this order now, but for margin; empty when it would. Codes are the venue's."""
        last = self.last_ticks(time_ms)
        kind = order.type
        if order.client_id in self.numbers:
            return f"-4015 client order id {order.client_id} is already open"
        if last == 0:
            return "-4131 there is no market price yet"
        if order.close_position and kind not in (OrderType.STOP_MARKET, OrderType.TAKE_PROFIT_MARKET):
            return "-4136 closePosition is for stop and take-profit market orders only"
        if order.close_position and (order.steps or order.reduce_only):
            return "-4137 closePosition goes with neither quantity nor reduceOnly"
        if self.leg and order.reduce_only:
            return "-1106 reduceOnly is not for hedge mode; the leg says it"
        reduces = order.reduce_only or (self.leg * order.side < 0 and not order.close_position)
        if reduces and self.steps * order.side >= 0:
            return "-2022 reduce-only, and there is nothing to reduce"
        if order.post_only and not kind.limited:
            return "-1106 post-only is for limit orders only"
        if not order.close_position:
            refused = self.instrument.refusal(
                side=order.side,
                steps=order.steps,
                price_ticks=order.price_ticks,
                mark_ticks=order.trigger_ticks if kind.limited and order.trigger_ticks else last,
                market=not kind.limited,
                reduce_only=order.reduce_only or self.leg * order.side < 0,
            )
            if refused:
                return refused
        return _refused_trigger(order, last) if kind.conditional else ""


def _refused_trigger(order: Order, last: int) -> str:
    """Why a trigger makes no sense with the market at `last`; empty when it does."""
    if order.type is OrderType.TRAILING_STOP_MARKET:
        if not _CALLBACKS_E8[0] <= order.callback_e8 <= _CALLBACKS_E8[1]:
            return "-2007 the callback rate lies between 0.1 % and 10 %"
        if order.activation_ticks and (order.activation_ticks - last) * order.side >= 0:
            return "-2021 the order would be active at once; send it without activation price"
        return ""
    rising = (order.type in (OrderType.STOP_MARKET, OrderType.STOP)) == (order.side > 0)
    if order.trigger_ticks <= 0:
        return "-1102 a trigger price is needed"
    if (last >= order.trigger_ticks) if rising else (last <= order.trigger_ticks):
        return "-2021 the order would immediately trigger"
    return ""
