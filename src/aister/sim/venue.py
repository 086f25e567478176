"""The simulated venue: `ports.venue.Venue` over the matching step, moved bar by bar by the runner.

Per slice, in this order: `settle` for each funding event, `open`, (orders), `rest`, (orders), `rest(again=True)` as
long as anything is reported. Reports of the open are stamped with the bar's open time, those of the rest with its close
time - 1 ms. A symbol without position and orders costs nothing but remembering its bar; one with them is looked into
only when the bar reaches a price at which its book would act (an exact shortcut: `skip=False` never takes it and
reports the same)."""

from collections.abc import Iterable
from typing import Any

import msgspec
import numpy as np

from aister.core.errors import MoneyOverflow, SettingsError
from aister.core.events import (
    BarClosed,
    FundingPaid,
    FundingSettled,
    OrderAccepted,
    OrderCanceled,
    OrderFilled,
    OrderRejected,
    VenueReport,
)
from aister.core.instrument import Instrument
from aister.core.trade import Fill, FillKind, Order, OrderType, Side
from aister.kernels.book import BEYOND, CROSSING, EMPTY, FILLED, PATH_OVER, WITHDRAWN
from aister.sim.account import SimAccount
from aister.sim.desk import Desk
from aister.sim.models import FillModel, Margin
from aister.sim.tape import Tape

__all__ = ["SimVenue"]

_GONE = {
    EMPTY: "expired: nothing to reduce",
    CROSSING: "expired: post-only, and it would have taken",
    WITHDRAWN: "withdrawn: another of its group began to fill",
    BEYOND: "expired: the open lies beyond its worst price",
}


class SimVenue(SimAccount):
    """An account that trades: orders in, reports out, bar by bar.

    Raises `SettingsError` for a model that cannot be or a base interval not positive, `UsageError` for a symbol that
    was not listed, `MoneyOverflow` as soon as an amount leaves the int64 range."""

    def __init__(self, *, base_interval_ms: int, model: FillModel | None = None, skip: bool = True) -> None:
        if base_interval_ms <= 0:
            raise SettingsError(f"A base interval of {base_interval_ms} ms is not possible; give the bars' own.")
        super().__init__((model or FillModel()).check())
        self._wait = self.model.latency.bars(base_interval_ms)
        self._ack_wait = self._wait + self.model.latency.ack_bars(base_interval_ms)
        self._skip = skip
        self._on_path = self.model.intrabar == "ohlc_path"
        self._models: dict[str, FillModel] = {}
        self._reports: list[VenueReport] = []
        self._acks: list[tuple[int, OrderAccepted]] = []

    def list_instrument(self, instrument: Instrument) -> None:
        """Open trading in an instrument, or change its filters, fees and brackets from now on. Raises `DataError`."""
        symbol = instrument.symbol
        if symbol not in self._desks:
            tape = self._tapes[symbol] = Tape(instrument, self.model.impact)
            self._desks[symbol] = tuple(Desk(instrument, tape, leg) for leg in self._legs)
        self._tapes[symbol].relist(instrument)
        for desk in self._desks[symbol]:
            desk.relist(instrument, self._models.get(symbol, self.model))

    def set_terms(self, symbol: str, *, leverage: int, cross: bool) -> None:
        """Trade a symbol under a leverage and margin mode of its own from now on; what is held is margined anew.
        Raises `SettingsError` for a leverage below 1."""
        terms = msgspec.structs.replace(
            self.model, margin=Margin(mode="cross" if cross else "isolated", leverage=leverage)
        ).check()
        for desk in self._desks_of(symbol):
            self._models[symbol] = terms
            desk.relist(desk.instrument, terms)
            if desk.steps:
                self._margins.weigh(desk, desk.tape.recent[-1].open, self._margins.now())
                desk.refresh()

    def deposit(self, amount: int) -> None:
        """Move money units into the account (negative: out)."""
        self._call.deposit(self._accounts, amount)
        self._check()

    # orders

    def send(self, order: Order, time_ms: int) -> None:
        """Take an order or refuse it: `OrderAccepted` (the acknowledgement's latency later) or `OrderRejected`, stamped
        `time_ms`."""
        desk = self._desk_of(order.symbol, order.leg)
        reason = "" if desk else "-4061 the order's position side does not match the account's mode"
        reserve = 0
        if desk and not (reason := desk.refusal(order, time_ms)):
            reserve, reason = self._margins.reserve(desk, order, time_ms)
        if desk is None or reason:
            self._reports.append(OrderRejected(time_ms, order.symbol, order.client_id, reason))
            return
        self._call.place(
            desk.books,
            desk.add(order, reserve),
            int(order.type),
            int(order.side),
            order.steps,
            order.price_ticks,
            order.trigger_ticks,
            int(order.reduce_only),
            int(order.close_position),
            self._wait,
        )
        if order.post_only or order.oco_group or order.worst_ticks:
            self._call.refine(desk.books, int(order.post_only), order.oco_group, order.worst_ticks)
        if order.type is OrderType.TRAILING_STOP_MARKET:
            self._call.trail(desk.books, order.callback_e8, order.activation_ticks, desk.last_ticks(time_ms))
        desk.refresh()
        accepted = OrderAccepted(time_ms, order.symbol, order.client_id)
        if self._ack_wait:
            self._acks.append((self._ack_wait, accepted))
        else:
            self._reports.append(accepted)

    def cancel(self, symbol: str, client_id: str, time_ms: int, reason: str = "requested") -> None:
        """Take an order off the book: `OrderCanceled`. One that is not there says nothing: its own last report is
        under way."""
        for desk in self._desks_of(symbol):
            number = desk.numbers.get(client_id)
            if number is not None:
                desk.drop(number)
                self._call.withdraw(desk.books, number)
                desk.refresh()
                self._reports.append(OrderCanceled(time_ms, symbol, client_id, reason))

    def take_reports(self) -> list[VenueReport]:
        """What has happened since the last call, in order."""
        if not self._reports:
            return []
        taken, self._reports = self._reports, []
        return taken

    # market time

    def remember(self, bars: Iterable[BarClosed]) -> None:
        """Bars from before the run: what the mean range and the impact of its first days are known from."""
        for bar in bars:
            self._tapes[bar.symbol].take(bar)

    def settle(self, event: FundingSettled, price: float, *, proxy: bool = True) -> None:
        """Charge funding on the position held now at `price` (`proxy`: not a mark price): `FundingPaid` at the
        settlement's time, for each leg."""
        for desk in self._desks_of(event.symbol):
            if not desk.busy or (steps := desk.steps) == 0:
                continue
            rate_e8 = event.charged_e8(steps)
            amount, ticks = self._call.settle(desk.books, self._accounts, rate_e8, price)
            self._check()
            if desk.cross:
                desk.refresh()
            self._reports.append(FundingPaid(event.time_ms, event.symbol, amount, rate_e8, steps, ticks, proxy))

    def open(self, bars: Iterable[BarClosed]) -> None:
        """These bars open: what a gap crossed, then market orders. Only their open is looked at."""
        desks, tapes = self._desks, self._tapes
        bars = tuple(bars)
        for bar in bars:
            tape = tapes.get(bar.symbol)
            if tape is None:
                self._desks_of(bar.symbol)
                continue
            tape.take(bar)
        if self._acks:
            self._acknowledge({bar.symbol: bar.open_time_ms for bar in bars})
        for bar in bars:
            legs = desks[bar.symbol]
            for desk in legs:
                if desk.busy and (desk.due or desk.cross or not self._skip or not desk.low < bar.open < desk.high):
                    self._begin(legs, bar)
                    if desk.cross:
                        self._margins.weigh(desk, bar.open, [(other, (other.open,)) for other in bars])
                    if self._call.open(desk.books, self._accounts, bar.open):
                        self._report(desk, bar.open_time_ms)
                    self._share(legs, desk)
                    desk.refresh()

    def rest(self, bars: Iterable[BarClosed], *, again: bool = False) -> None:
        """The rest of these bars. With `again`, after the reports of the call before were answered: what the answers
        make happen in these very bars (the stops of positions opened in them; on a path, all that follows)."""
        desks = self._desks
        bars = tuple(bars)
        for bar in bars:
            legs = desks[bar.symbol]
            for desk in legs:
                if desk.busy and (
                    desk.due or desk.cross or not self._skip or bar.low <= desk.low or bar.high >= desk.high
                ):
                    self._begin(legs, bar)
                    if desk.cross:
                        at = (
                            desk.tape.price(int(desk.books["at"][0])) if again else bar.open
                        )  # where its path has got to
                        self._margins.weigh(desk, at, [(other, (other.low, other.high)) for other in bars])
                    if self._call.rest(desk.books, self._accounts, bar.open, bar.high, bar.low, bar.close, int(again)):
                        self._report(desk, bar.time_ms - 1, bar.time_ms)
                    self._share(legs, desk)
                    desk.refresh()
                elif self._on_path and again:
                    desk.books["leg_of_path"][0] = PATH_OVER

    def touch(self, symbol: str, price: float, time_ms: int) -> None:
        """The market stands at `price` inside the bar that opened last: what has been placed since acts now as it
        would at an opening (triggers reached, market orders, limits that would take); reports are stamped `time_ms`."""
        legs = self._desks_of(symbol)
        if not legs[0].tape.recent:
            return
        bar = legs[0].tape.recent[-1]
        for desk in legs:
            if desk.busy:
                self._begin(legs, bar)
                if desk.cross:
                    self._margins.weigh(desk, price, self._margins.now())
                if self._call.open(desk.books, self._accounts, price):
                    self._report(desk, time_ms, bar.time_ms)
                self._share(legs, desk)
                desk.refresh()

    def room(self, symbol: str) -> int:
        """Steps that may still fill in the bar at hand."""
        legs = self._desks_of(symbol)
        if legs[0].tape.recent:
            self._begin(legs, legs[0].tape.recent[-1])
        return int(legs[0].books["room"][0])

    # to be stored

    def parts(self) -> tuple[Any, list[tuple[int, OrderAccepted]], dict[str, Any], dict[str, Tape], int]:
        """(account, acknowledgements under way, desks, tapes, reports not taken): what `sim.keeping` stores."""
        return self._accounts, self._acks, self._desks, self._tapes, len(self._reports)

    # inside

    def _acknowledge(self, opened_ms: dict[str, int]) -> None:
        """Symbols open at these times: what is due there is acknowledged, if it still works."""
        waiting = []
        for left, accepted in self._acks:
            time_ms = opened_ms.get(accepted.symbol)
            if time_ms is None or left > 1:
                waiting.append((left - (time_ms is not None), accepted))
            elif any(accepted.client_id in desk.numbers for desk in self._desks[accepted.symbol]):
                self._reports.append(OrderAccepted(time_ms, accepted.symbol, accepted.client_id))
        self._acks = waiting

    def _begin(self, legs: tuple[Desk, ...], bar: BarClosed) -> None:
        """Tell the books of a bar that is looked into what it allows, once."""
        if legs[0].begun_ms == bar.time_ms:
            return
        tape = legs[0].tape
        range_e8, lost = tape.range_e8(), tape.lost()
        for desk in legs:
            desk.begun_ms = bar.time_ms
            self._call.start(desk.books, self._accounts, bar.open_time_ms, range_e8, lost, bar.volume, tape.impact)
            desk.refresh()

    @staticmethod
    def _share(legs: tuple[Desk, ...], desk: Desk) -> None:
        """Hedged legs share the bar's volume."""
        for other in legs:
            if other is not desk:
                other.books["room"][0] = desk.books["room"][0]

    def _check(self) -> None:
        if self._accounts["overflow"][0]:
            raise MoneyOverflow(
                "An amount at the simulated venue does not fit in 64 bits; reduce the position or the capital."
            )

    def _report(self, desk: Desk, time_ms: int, inside_ms: int = 0) -> None:
        """Turn the book's reports into events; `inside_ms` is the bar's close time when they happened inside it."""
        self._check()
        book: np.void = desk.books[0]
        symbol = desk.instrument.symbol
        rows = book["reports"][: int(book["report_count"])].tolist()
        for number, side, steps, ticks, fee, maker, left, why, _ in rows:
            order = desk.shrink(number, steps, left) if left else desk.drop(number)
            client_id = order.client_id if order else f"autoclose-{symbol}-{time_ms}"
            if why != FILLED:
                self._reports.append(OrderCanceled(time_ms, symbol, client_id, _GONE[why]))
                continue
            if inside_ms:
                desk.filled = (inside_ms, ticks)
            fill = Fill(
                time_ms=time_ms,
                symbol=symbol,
                client_id=client_id,
                intent_id=order.intent_id if order else "",
                purpose=str(order.purpose) if order else "",
                side=Side(side),
                steps=steps,
                price_ticks=ticks,
                fee=fee,
                maker=bool(maker),
                kind=FillKind.TRADE if order else FillKind.LIQUIDATION,
                leg=desk.leg,
            )
            self._reports.append(OrderFilled(time_ms, fill, left == 0))
