"""One account: its orders as the venue tells of them, its trades and income, and the `SimVenue` that fills them."""

from typing import Literal

import msgspec

from aister.core.events import FundingPaid, OrderCanceled, OrderFilled
from aister.core.instrument import Instrument
from aister.core.money import divide_half_even
from aister.core.trade import Fill, FillKind, OrderType
from aister.exchange_sim.auth import Credentials
from aister.exchange_sim.records import (
    Chase,
    Happening,
    Holding,
    Income,
    MarginChange,
    OrderState,
    Strategy,
    Terms,
    UserTrade,
    made_by_venue,
)
from aister.exchange_sim.settings import Settings
from aister.sim import SimVenue

__all__ = ["Account"]


class Account:
    """Everything the exchange keeps of one user. `changed` collects what has happened and was not yet told."""

    def __init__(self, number: int, credentials: Credentials, settings: Settings, base_ms: int) -> None:
        self.number = number
        self.credentials = credentials
        self.hedged = settings.model.position_mode == "hedge"
        self.multi_assets = False
        self.settings = settings
        self.base_ms = base_ms
        self.instruments: dict[str, Instrument] = {}
        self.terms: dict[str, Terms] = {}
        self.orders: dict[int, OrderState] = {}
        self.open_by_client: dict[str, int] = {}
        self.parts: dict[str, int] = {}
        self.trades: list[UserTrade] = []
        self.income: list[Income] = []
        self.holdings: dict[tuple[str, int], Holding] = {}
        self.changed: list[Happening] = []
        self.listen_key = ""
        self.listen_until_ms = 0
        self.strategies: dict[int, Strategy] = {}
        self.undriven: list[Happening] = []
        self.countdowns: dict[str, int] = {}
        self.frozen = ""
        self.called: set[tuple[str, int]] = set()
        self.chases: dict[int, Chase] = {}
        self.margin_changes: list[MarginChange] = []
        self.stp_mode = "EXPIRE_TAKER"
        self.venue = self._new_venue()

    def _new_venue(self) -> SimVenue:
        mode: Literal["hedge", "one_way"] = "hedge" if self.hedged else "one_way"
        model = msgspec.structs.replace(self.settings.model, position_mode=mode)
        return SimVenue(base_interval_ms=self.base_ms, model=model)

    def list_instrument(self, instrument: Instrument) -> None:
        """Trade an instrument, or trade it under new terms."""
        symbol = instrument.symbol
        self.venue.list_instrument(self._matched(instrument))
        if symbol not in self.terms:
            margin = self.settings.model.margin
            kind = self.settings.margin_type or margin.mode
            self.terms[symbol] = Terms(min(margin.leverage, instrument.brackets[0].max_leverage), kind == "cross")
            self.apply_terms(symbol)
        self.instruments[symbol] = instrument

    def _matched(self, instrument: Instrument) -> Instrument:
        """The instrument as the matching is told of it: where the warden liquidates at mark, matching itself does so
        only when nothing at all is left."""
        if self.settings.lockstep:
            return instrument
        free = [msgspec.structs.replace(tier, maintenance_e8=0, deduction=0) for tier in instrument.brackets]
        return msgspec.structs.replace(instrument, brackets=tuple(free))

    def apply_terms(self, symbol: str) -> None:
        """A symbol with margin added is matched as one the whole account stands behind: the warden knows better."""
        terms = self.terms[symbol]
        added = any(held.added for (name, _), held in self.holdings.items() if name == symbol)
        self.venue.set_terms(symbol, leverage=terms.leverage, cross=terms.cross or added)

    def set_hedged(self, hedged: bool) -> None:
        """Change the position mode of an account without orders and positions: a new venue with the same money."""
        wallet, old = self.venue.wallet, self.venue
        self.hedged = hedged
        self.venue = self._new_venue()
        for instrument in self.instruments.values():
            self.venue.list_instrument(self._matched(instrument))
            self.venue.remember(old.newest(instrument.symbol))
            self.apply_terms(instrument.symbol)
        self.venue.deposit(wallet)
        self.holdings.clear()

    @property
    def legs(self) -> tuple[int, ...]:
        return (1, -1) if self.hedged else (0,)

    def holding(self, symbol: str, leg: int) -> Holding:
        found = self.holdings.get((symbol, leg))
        if found is None:
            found = self.holdings[symbol, leg] = Holding()
        return found

    def open_orders(self, symbol: str = "") -> list[OrderState]:
        """Working orders, oldest first."""
        orders = (self.orders[number] for number in sorted(self.open_by_client.values()))
        return [order for order in orders if not symbol or order.symbol == symbol]

    def find(self, symbol: str, order_id: int, client_id: str) -> OrderState | None:
        """By number, or the newest of that client id (an id may return once it is no longer open: corrections)."""
        if order_id:
            found = self.orders.get(order_id)
            return found if found and found.symbol == symbol else None
        if client_id in self.open_by_client:
            found = self.orders[self.open_by_client[client_id]]
            return found if found.symbol == symbol else None
        return next(
            (o for o in reversed(self.orders.values()) if o.client_id == client_id and o.symbol == symbol), None
        )

    def add(self, order: OrderState) -> None:
        self.orders[order.order_id] = order
        self.open_by_client[order.client_id] = order.order_id

    def finish(self, order: OrderState, status: str, now_ms: int) -> None:
        """The order is done: its client id is free again."""
        order.status, order.updated_ms = status, now_ms
        if self.open_by_client.get(order.client_id) == order.order_id:
            del self.open_by_client[order.client_id]
        for part in order.parts:
            self.parts.pop(part, None)

    def tell(self, what: str, now_ms: int, order: OrderState | None = None, trade: UserTrade | None = None) -> None:
        told = msgspec.structs.replace(order) if order else None
        happening = Happening(now_ms, self.number, what, told, trade, order.symbol if order else "")
        self.changed.append(happening)
        if order and order.strategy:
            self.undriven.append(happening)

    def transfer(self, amount: int, now_ms: int, number: int, kind: str = "TRANSFER") -> None:
        """Move money units in (negative: out)."""
        self.venue.deposit(amount)
        self.income.append(Income(number, kind, "", amount, now_ms))
        self.changed.append(Happening(now_ms, self.number, "TRANSFER", amount=amount))

    def charge(self, kind: str, symbol: str, amount: int, number: int, now_ms: int) -> None:
        """Change the wallet for a reason that no trade has (negative: less of it)."""
        self.venue.deposit(amount)
        self.income.append(Income(number, kind, symbol, amount, now_ms))
        self.changed.append(Happening(now_ms, self.number, kind, symbol=symbol, amount=amount))

    def add_margin(self, symbol: str, leg: int, amount: int, now_ms: int) -> None:
        """Move money units into (negative: out of) the isolated margin of a leg."""
        self.holding(symbol, leg).added += amount
        self.apply_terms(symbol)
        self.margin_changes.append(MarginChange(symbol, leg, amount, now_ms))
        self.changed.append(Happening(now_ms, self.number, "MARGIN_TRANSFER", symbol=symbol))

    def call_for_margin(self, legs: tuple[tuple[str, int], ...], now_ms: int) -> None:
        self.changed.append(Happening(now_ms, self.number, "MARGIN_CALL", legs=legs))

    # what the venue reports

    def execute(self, event: OrderFilled, number: int, now_ms: int) -> UserTrade:
        """Book an execution under trade `number`; liquidations get an order of their own. A reducing order that was
        clipped to the position is FILLED at what it filled."""
        fill = event.fill
        order = self._order_of(fill, number, now_ms)
        realized = self._book(fill, now_ms)
        order.filled += fill.steps
        order.quote += fill.steps * fill.price_ticks * self.instruments[fill.symbol].unit
        order.updated_ms = now_ms
        if order.kind != "LIMIT" or fill.kind is FillKind.LIQUIDATION:
            order.kind = "LIMIT" if order.original.limited else "MARKET"
        trade = UserTrade(
            number,
            order.order_id,
            order.client_id,
            fill.symbol,
            fill.side,
            fill.leg,
            fill.steps,
            fill.price_ticks,
            fill.fee,
            realized,
            fill.maker,
            now_ms,
        )
        self.trades.append(trade)
        if realized:
            self.income.append(Income(number, "REALIZED_PNL", fill.symbol, realized, now_ms, number))
        if fill.fee:
            self.income.append(Income(number, "COMMISSION", fill.symbol, -fill.fee, now_ms, number))
        liquidated = fill.kind is FillKind.LIQUIDATION or order.client_id.startswith("autoclose-")
        if event.done:
            self.parts.pop(fill.client_id, None)
        if event.done and not order.held_back and not self._left(order):
            order.steps = order.filled if order.reduce_only else order.steps
            self.finish(order, "FILLED", now_ms)
        else:
            order.status = "PARTIALLY_FILLED"
        self.tell("CALCULATED" if liquidated else "TRADE", now_ms, order, trade)
        return trade

    def expire(self, event: OrderCanceled, now_ms: int) -> None:
        """An order left the book by itself."""
        number = self.parts.get(event.client_id)
        if number is None:
            return
        order = self.orders[number]
        del self.parts[event.client_id]
        if not self._left(order):
            self.finish(order, "EXPIRED", now_ms)
            self.tell("EXPIRED", now_ms, order)

    def _left(self, order: OrderState) -> bool:
        """Whether a piece of the order is still on the book."""
        return any(part in self.parts for part in order.parts)

    def pay_funding(self, event: FundingPaid, number: int, now_ms: int) -> None:
        self.income.append(Income(number, "FUNDING_FEE", event.symbol, -event.amount, now_ms))
        self.changed.append(Happening(now_ms, self.number, "FUNDING_FEE", symbol=event.symbol, amount=-event.amount))

    def _order_of(self, fill: Fill, number: int, now_ms: int) -> OrderState:
        found = self.parts.get(fill.client_id)
        if found is not None:
            return self.orders[found]
        order = made_by_venue(number, fill.client_id, fill.symbol, fill.side, fill.leg, fill.steps, now_ms)
        order.kind, order.original, order.time_in_force = "LIMIT", OrderType.LIMIT, "IOC"
        order.price_ticks = fill.price_ticks
        self.orders[number] = order
        return order

    def _book(self, fill: Fill, now_ms: int) -> int:
        """Follow the ledger step: the profit realised, fee not deducted."""
        held = self.holding(fill.symbol, fill.leg)
        side, unit = int(fill.side), self.instruments[fill.symbol].unit
        closing, realized = 0, 0
        if held.steps * side < 0:
            closing = min(fill.steps, abs(held.steps))
            removed = divide_half_even(held.cost * closing, abs(held.steps))
            held.added = held.added * (abs(held.steps) - closing) // abs(held.steps)
            realized = -side * fill.price_ticks * closing * unit - removed
            held.cost -= removed
        held.cost += side * fill.price_ticks * (fill.steps - closing) * unit
        held.steps += side * fill.steps
        held.realized += realized
        held.updated_ms = now_ms
        return realized
