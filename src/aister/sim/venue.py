"""The simulated venue: `ports.venue.Venue` over the matching step, moved bar by bar by the runner.

Per slice, in this order: `settle` for each funding event, `open`, (orders), `rest`, (orders), `rest(again=True)` if
anything filled. Reports of the open are stamped with the bar's open time, those of the rest with its close time - 1
ms. A symbol without position and orders costs nothing but remembering its bar; one with them is looked into only when
the bar reaches a price at which its book would act (an exact shortcut: `skip=False` never takes it and reports the
same)."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from aister.core.errors import MoneyOverflow, SettingsError, UsageError
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
from aister.core.money import RATE_ONE, money_text
from aister.core.trade import Fill, FillKind, Order, OrderType, Position, Side
from aister.kernels import entry
from aister.kernels.book import BOOK, MAX_ORDERS, place_order, withdraw_order
from aister.kernels.ledger import ACCOUNT, book_transfer
from aister.kernels.matching import open_bar, rest_bar, settle_funding
from aister.kernels.state import allocate
from aister.sim.desk import Desk, write_book
from aister.sim.models import Fees, Latency, Slippage

__all__ = ["SimVenue"]


class _Calls:
    """The compiled steps, behind their fast entry points."""

    def __init__(self) -> None:
        books, accounts = allocate(BOOK), allocate(ACCOUNT)
        self.place: Callable[..., Any] = entry(place_order, books, *[0] * 9)
        self.withdraw: Callable[..., Any] = entry(withdraw_order, books, 0)
        self.settle: Callable[..., Any] = entry(settle_funding, books, accounts, 0, 0.0)
        self.open: Callable[..., Any] = entry(open_bar, books, accounts, 0.0, 0, 0)
        self.rest: Callable[..., Any] = entry(rest_bar, books, accounts, 0.0, 0.0, 0.0, 0, 0)
        self.deposit: Callable[..., Any] = entry(book_transfer, accounts, 0)


class SimVenue:
    """One account in one-way mode with isolated margin at one leverage, one book per listed instrument.

    Raises `SettingsError` for a leverage below 1 or a base interval not positive, `UsageError` for a symbol that was
    not listed, `MoneyOverflow` as soon as an amount leaves the int64 range."""

    def __init__(
        self,
        *,
        base_interval_ms: int,
        leverage: int = 3,
        fees: Fees | None = None,
        slippage: Slippage | None = None,
        latency: Latency | None = None,
        skip: bool = True,
    ) -> None:
        if leverage < 1:
            raise SettingsError(f"A leverage of {leverage} is not possible; give 1 or more.")
        if base_interval_ms <= 0:
            raise SettingsError(f"A base interval of {base_interval_ms} ms is not possible; give the bars' own.")
        self.leverage = leverage
        self.fees = fees or Fees()
        self.slippage = slippage or Slippage()
        self.latency = latency or Latency()
        self._wait = self.latency.bars(base_interval_ms)
        self._skip = skip
        self._desks: dict[str, Desk] = {}
        self._accounts = allocate(ACCOUNT)
        self._reports: list[VenueReport] = []
        self._call = _Calls()

    def list_instrument(self, instrument: Instrument) -> None:
        """Open trading in an instrument, or change its filters, fees and brackets from now on. Raises `DataError`."""
        desk = self._desks.get(instrument.symbol)
        if desk is None:
            desk = self._desks[instrument.symbol] = Desk(instrument)
        write_book(desk.books[0], instrument, self.leverage, self.fees, self.slippage)
        desk.instrument = instrument
        desk.refresh()

    def deposit(self, amount: int) -> None:
        """Move money units into the account (negative: out)."""
        self._call.deposit(self._accounts, amount)
        self._check()

    # orders

    def send(self, order: Order, time_ms: int) -> None:
        """Take an order or refuse it: `OrderAccepted` or `OrderRejected`, stamped `time_ms`."""
        desk = self._desk(order.symbol)
        reason = desk.refusal(order, time_ms)
        reserve = 0
        if not reason:
            reserve, reason = self._reserve(desk, order, time_ms)
        if reason:
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
        desk.refresh()
        self._reports.append(OrderAccepted(time_ms, order.symbol, order.client_id))

    def cancel(self, symbol: str, client_id: str, time_ms: int, reason: str = "requested") -> None:
        """Take an order off the book: `OrderCanceled`. One that is not there says nothing: its own last report is
        under way."""
        desk = self._desk(symbol)
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

    def settle(self, event: FundingSettled, price: float, *, proxy: bool = True) -> None:
        """Charge funding on the position held now at `price` (`proxy`: not a mark price): `FundingPaid` at the
        settlement's time."""
        desk = self._desk(event.symbol)
        if not desk.busy or (steps := desk.steps) == 0:
            return
        amount, ticks = self._call.settle(desk.books, self._accounts, event.rate_e8, price)
        self._check()
        self._reports.append(FundingPaid(event.time_ms, event.symbol, amount, event.rate_e8, steps, ticks, proxy))

    def open(self, bars: Iterable[BarClosed]) -> None:
        """These bars open: what a gap crossed, then market orders. Only their open is looked at."""
        desks = self._desks
        for bar in bars:
            desk = desks.get(bar.symbol) or self._desk(bar.symbol)
            desk.recent.append(bar)
            if desk.due:
                self._expire(desk, bar)
            if desk.busy and (desk.due or not self._skip or not desk.low < bar.open < desk.high):
                if self._call.open(desk.books, self._accounts, bar.open, desk.range_e8(), desk.lost()):
                    self._report(desk, bar.open_time_ms)
                desk.refresh()

    def rest(self, bars: Iterable[BarClosed], *, again: bool = False) -> None:
        """The rest of these bars: adverse extreme, limits, targets; with `again` only the stops (and liquidation) of
        positions that a resting order opened in this very bar."""
        desks = self._desks
        for bar in bars:
            desk = desks[bar.symbol]
            if desk.busy and (desk.due or not self._skip or bar.low <= desk.low or bar.high >= desk.high):
                books, range_e8 = desk.books, desk.range_e8()
                if self._call.rest(books, self._accounts, bar.open, bar.high, bar.low, range_e8, int(again)):
                    self._report(desk, bar.time_ms - 1, bar.time_ms)
                desk.refresh()

    # figures

    @property
    def wallet(self) -> int:
        """Money units in the account, unrealised profit not counted."""
        return int(self._accounts["wallet"][0])

    def account(self) -> dict[str, int]:
        """Every sum of the account, by name."""
        return {name: int(self._accounts[name][0]) for name in ACCOUNT.names or ()}

    def position(self, symbol: str) -> Position:
        """What the venue holds for us: `opened_ms` is 0, venues do not say."""
        book = self._desk(symbol).books[0]["position"]
        return Position(symbol, int(book["steps"]), int(book["cost"]), 0)

    def open_orders(self, symbol: str) -> list[Order]:
        """Working orders, oldest first."""
        return list(self._desk(symbol).orders.values())

    def liquidation_ticks(self, symbol: str) -> int:
        """Where the position would be liquidated; 0 when nowhere."""
        return int(self._desk(symbol).books[0]["liquidation"])

    def ambiguous_bars(self, symbol: str) -> int:
        """Bars so far that held a stop and a target of the position alike (the stop was taken)."""
        return int(self._desk(symbol).books[0]["ambiguous"])

    def slippage_paid(self, symbol: str) -> int:
        """Money units given up so far between the market's price and the fills'."""
        return int(self._desk(symbol).books[0]["slippage"])

    def assumptions(self) -> dict[str, str]:
        """Every modelling choice behind the fills, in words, for results to print."""
        sources = sorted({desk.instrument.source for desk in self._desks.values()})
        return {
            "fees": str(self.fees),
            "filters and brackets": "; ".join(sources),
            "funding price": "the bar's open (proxy for mark)",
            "inside a bar": "stops and liquidation, then limits traded through by a tick, then targets",
            "latency": str(self.latency),
            "liquidation": "at its trigger worsened, never better than bankruptcy; no insurance fund pays the rest",
            "margin": f"isolated, leverage {self.leverage}, one-way",
            "mark": "last price (proxy)",
            "slippage": str(self.slippage),
        }

    # inside

    def _desk(self, symbol: str) -> Desk:
        try:
            return self._desks[symbol]
        except KeyError:
            raise UsageError(f"{symbol} is not listed at this venue; list its instrument first.") from None

    def _reserve(self, desk: Desk, order: Order, time_ms: int) -> tuple[int, str]:
        """Initial margin the order needs, and why there is no room or margin for it; empty when there is."""
        if len(desk.orders) >= min(MAX_ORDERS, desk.instrument.max_orders):
            return 0, f"-2025 there are already {len(desk.orders)} open orders on {order.symbol}"
        growth = desk.growth(order)
        if growth == 0:
            return 0, ""
        ticks = order.price_ticks or order.trigger_ticks or desk.last_ticks(time_ms)
        notional = desk.instrument.notional(ticks, growth)
        if desk.instrument.bracket(notional).max_leverage < self.leverage:
            return 0, f"-2027 a position of this size is not allowed at leverage {self.leverage}"
        free = self.wallet - sum(other.reserved for other in self._desks.values() if other.busy)
        needed = -(-notional // self.leverage)
        if needed > free:
            return 0, f"-2019 margin is insufficient: {money_text(needed, 2)} needed, {money_text(free, 2)} free"
        return needed, ""

    def _expire(self, desk: Desk, bar: BarClosed) -> None:
        """Market orders whose fill at this open would lie beyond their worst price leave unfilled."""
        opened = desk.instrument.to_ticks(bar.open)
        spread = -(-opened * self.slippage.half_spread(desk.instrument) // RATE_ONE)
        for order in [o for o in desk.orders.values() if o.type is OrderType.MARKET and o.worst_ticks]:
            if (opened + order.side * spread - order.worst_ticks) * order.side > 0:
                self.cancel(
                    order.symbol, order.client_id, bar.open_time_ms, "expired: the open lies beyond its worst price"
                )

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
        for number, side, steps, ticks, fee, maker in book["reports"][: int(book["report_count"])].tolist():
            order = desk.drop(number)
            client_id = order.client_id if order else f"autoclose-{symbol}-{time_ms}"
            if steps == 0:
                self._reports.append(OrderCanceled(time_ms, symbol, client_id, "expired: nothing to reduce"))
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
            )
            self._reports.append(OrderFilled(time_ms, fill, True))
