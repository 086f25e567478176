"""What may be done to orders: place, cancel, amend; and what the venue of an account reports of them."""

from collections.abc import Callable

import msgspec

from aister.core.events import FundingPaid, OrderCanceled, OrderFilled, OrderRejected
from aister.core.money import UNIT
from aister.core.trade import Order, OrderType, Purpose, Side
from aister.exchange_sim.accounts import Account
from aister.exchange_sim.market import Market, Ticker
from aister.exchange_sim.orders import Best, amended, read_order
from aister.exchange_sim.parking import FULL, ROOM, distance, may_wait
from aister.exchange_sim.records import OrderState, SubOrder, made_by_venue
from aister.exchange_sim.settings import Settings
from aister.exchange_sim.triggers import watched
from aister.exchange_sim.wire import Params, Refusal

__all__ = ["OrderFault", "Trading"]


class OrderFault(msgspec.Struct, frozen=True):
    """What a fault does to an order that would be taken: refused with a code, cancelled silently after some ms, or
    filled in part (`share_e4` of it may fill now, the rest is on the book `rest_ms` later)."""

    refuse: int = 0
    cancel_after_ms: int = -1
    share_e4: int = 10_000
    rest_ms: int = 0


class Trading:
    """Orders of all accounts on one market. `number` gives the next order, trade or income number, `ask` the fault an
    order meets, `later(due_ms, what, account, order)` asks to be called back. `inside`: a leg is being walked, orders
    placed now wait for the rest of it; `after` is told that orders of strategies have moved."""

    def __init__(
        self,
        market: Market,
        settings: Settings,
        number: Callable[[], int],
        ask: Callable[[Account, OrderState], OrderFault | None],
        later: Callable[[int, str, int, int], None],
        best: Best,
    ) -> None:
        self.market, self.settings, self._best = market, settings, best
        self.number, self._ask, self._later = number, ask, later
        self.inside = False
        self.after: Callable[[Account, int], None] = lambda account, now_ms: None

    def ticker(self, symbol: str) -> Ticker:
        """Raises `Refusal` -1121."""
        try:
            return self.market.tickers[symbol.upper()]
        except KeyError:
            raise Refusal(-1121) from None

    # orders

    def place(
        self, account: Account, params: Params, now_ms: int, strategy: int = 0, sub: SubOrder | None = None
    ) -> OrderState:
        """Take an order (perhaps as part of a strategy) or raise `Refusal`; in a market that runs by itself what can
        act has acted."""
        ticker = self.ticker(params.need("symbol"))
        order = read_order(params, account, ticker, self._best, self.settings.readings, self.number(), now_ms)
        order.strategy, order.watched = strategy, watched(order, self.settings)
        self._afford(account, order, ticker)
        fault = self._ask(account, order)
        if fault and fault.refuse:
            raise Refusal(fault.refuse)
        if fault and fault.share_e4 < 10_000 and order.steps > 1:
            order.held_back = min(order.steps - 1, order.steps * (10_000 - fault.share_e4) // 10_000)
        if not order.watched:
            self._send(account, order, order.steps - order.held_back, now_ms)
        account.add(order)
        if sub:
            sub.order_id = order.order_id
        account.tell("NEW", now_ms, order)
        if fault and fault.cancel_after_ms >= 0:
            self._later(now_ms + fault.cancel_after_ms, "cancel", account.number, order.order_id)
        if order.watched:
            return order
        if order.held_back and fault:
            self._later(now_ms + fault.rest_ms, "rest", account.number, order.order_id)
        if not (self.settings.lockstep or self.inside):
            self.settle_now(account, order, ticker, now_ms)
        return order

    def _afford(self, account: Account, order: OrderState, ticker: Ticker) -> None:
        """What was added to isolated margins is bound, of which the matching knows nothing. Raises `Refusal` -2019."""
        added = sum(held.added for held in account.holdings.values())
        reduces = order.reduce_only or order.close_position or order.leg * order.side < 0
        if not added or reduces:
            return
        at = order.price_ticks or order.stop_ticks or ticker.last_ticks
        needed = -(-ticker.instrument.notional(at, order.steps) // account.terms[order.symbol].leverage)
        if needed > account.venue.wallet - account.venue.reserved() - added:
            raise Refusal(-2019)

    def trigger(self, account: Account, order: OrderState, now_ms: int) -> None:
        """A watched order's price was reached: it comes to the book as what it is then."""
        held = account.holding(order.symbol, order.leg).steps
        order.watched, order.triggered = False, True
        steps = (abs(held) if held * order.side < 0 else 0) if order.close_position else order.steps
        try:
            if steps:
                self._send(account, order, steps, now_ms)
        except Refusal:
            steps = 0
        if steps == 0:
            self._remove(account, order, "EXPIRED", now_ms)
        else:
            self.settle_now(account, order, self.ticker(order.symbol), now_ms)

    def settle_now(self, account: Account, order: OrderState, ticker: Ticker, now_ms: int) -> None:
        """What has just come to the book acts at the price the market is at; IOC and FOK leave nothing behind."""
        if order.time_in_force == "FOK" and order.steps > account.venue.room(order.symbol):
            self._remove(account, order, "EXPIRED", now_ms)
            return
        account.venue.touch(order.symbol, ticker.instrument.price(ticker.last_ticks), now_ms)
        self.collect(account, now_ms)
        if order.status == "EXPIRED" and order.time_in_force == "GTX":
            if self.settings.readings.post_only_crossing == "rejected":
                del account.orders[order.order_id]
                account.changed = [
                    told for told in account.changed if not told.order or told.order.order_id != order.order_id
                ]
                raise Refusal(-2010, "Post-only order would take.")
            return
        at_once = order.time_in_force in ("IOC", "FOK") and not order.original.conditional
        if order.working and at_once and not order.held_back:
            self._remove(account, order, "EXPIRED", now_ms)

    def cancel(self, account: Account, order: OrderState | None, now_ms: int, *, silent: bool = False) -> OrderState:
        """Raises `Refusal` -2011 when there is nothing to cancel. `silent`: the user stream does not tell."""
        if order is None or not order.working:
            raise Refusal(-2011)
        self._remove(account, order, "CANCELED", now_ms, silent=silent)
        return order

    def cancel_all(self, account: Account, symbol: str, now_ms: int) -> int:
        """Every order of a symbol, stops too (corrections); how many."""
        orders = account.open_orders(symbol)
        for order in orders:
            self._remove(account, order, "CANCELED", now_ms)
        return len(orders)

    def amend(self, account: Account, order: OrderState | None, params: Params, now_ms: int) -> OrderState:
        """Change price and quantity; a failure keeps the original (aster-api 6). Raises `Refusal`."""
        if order is None or not order.working:
            raise Refusal(-2013)
        ticker = self.ticker(order.symbol)
        wanted = amended(order, params, ticker)
        old = list(order.parts)
        wanted.parts = list(old)
        self._send(account, wanted, wanted.steps - wanted.filled, now_ms)
        for part in old:
            account.parts.pop(part, None)
            account.venue.cancel(order.symbol, part, now_ms)
        order.steps, order.price_ticks = wanted.steps, wanted.price_ticks
        order.parts, order.updated_ms, order.held_back = wanted.parts, now_ms, 0
        order.parked = wanted.parked
        order.amends += 1
        account.tell("AMENDMENT", now_ms, order)
        if not (self.settings.lockstep or self.inside):
            self.settle_now(account, order, ticker, now_ms)
        return order

    def bring_rest(self, account: Account, order: OrderState, now_ms: int) -> None:
        """The part of an order that a fault held back comes to the book."""
        steps, order.held_back = order.held_back, 0
        if not order.working or steps == 0:
            return
        try:
            self._send(account, order, steps, now_ms)
        except Refusal:
            self._remove(account, order, "EXPIRED", now_ms)
            return
        if not (self.settings.lockstep or self.inside):
            self.settle_now(account, order, self.ticker(order.symbol), now_ms)

    def force_close(self, account: Account, symbol: str, leg: int, share_e4: int, prefix: str, now_ms: int) -> None:
        """Close a share of a position whatever any filter says, as liquidation and auto-deleveraging do (aster-api 6,
        statuses; C16). `prefix`: what the client id of the venue's own order begins with."""
        ticker = self.ticker(symbol)
        held = account.holding(symbol, leg).steps
        left = max(1, abs(held) * share_e4 // 10_000) if held else 0
        while left > 0:
            take = min(left, ticker.instrument.market_max_steps)
            number, side = self.number(), Side.SELL if held > 0 else Side.BUY
            client_id = prefix if prefix == "adl_autoclose" else f"{prefix}{number}"
            order = made_by_venue(number, client_id, symbol, side, leg, take, now_ms)
            try:
                self._send(account, order, take, now_ms)
            except Refusal:
                return
            account.add(order)
            account.tell("NEW", now_ms, order)
            if not (self.settings.lockstep or self.inside):
                self.settle_now(account, order, ticker, now_ms)
            left -= take

    # the book

    def _send(self, account: Account, order: OrderState, steps: int, now_ms: int) -> None:
        """Bring a piece of an order to the book, or beside it when it is full. Raises `Refusal` with the venue's own
        code."""
        self.collect(account, now_ms)
        part = f"{order.order_id}.{len(order.parts)}"
        refused = self._offer(account, order, steps, part, now_ms)
        if refused and refused.code == FULL and not self.settings.lockstep:
            refused = self._crowd(account, order, steps, part, now_ms)
        if refused:
            raise refused
        order.parts.append(part)
        account.parts[part] = order.order_id

    def _offer(self, account: Account, order: OrderState, steps: int, part: str, now_ms: int) -> Refusal | None:
        account.venue.send(self._as_sent(account, order, steps, part), now_ms)
        for report in account.venue.take_reports():
            if isinstance(report, OrderRejected):
                code, _, words = report.reason.partition(" ")
                return Refusal(int(code), f"{words[:1].upper()}{words[1:]}." if words else "")
        return None

    def _crowd(self, account: Account, order: OrderState, steps: int, part: str, now_ms: int) -> Refusal | None:
        """The book is full: the farthest waits, be it this one."""
        at = self.market.tickers[order.symbol].last_ticks
        booked = [
            one
            for one in account.open_orders(order.symbol)
            if one.leg == order.leg and one.parts and not one.parked and may_wait(one)
        ]
        farthest = max(booked, key=lambda one: distance(one, at, at), default=None)
        if may_wait(order) and (farthest is None or distance(order, at, at) >= distance(farthest, at, at)):
            order.parked = True
            return None
        if farthest is None:
            return Refusal(FULL)
        self._park(account, farthest, now_ms)
        return self._offer(account, order, steps, part, now_ms)

    def _park(self, account: Account, order: OrderState, now_ms: int) -> None:
        (part,) = order.parts
        del account.parts[part]  # so that its leaving is nobody's end
        account.venue.cancel(order.symbol, part, now_ms)
        self.collect(account, now_ms)
        account.parts[part] = order.order_id
        order.parked = True

    def arrange(self, account: Account, symbol: str, low: int, high: int, now_ms: int) -> None:
        """A leg of the market over this range of prices is about to begin: the orders it can reach come to the book,
        those that it reaches first before others."""
        at = self.market.tickers[symbol].last_ticks
        orders = account.open_orders(symbol)
        if not any(order.parked for order in orders):
            return
        for leg in account.legs:
            mine = [order for order in orders if order.leg == leg and order.parts]
            mine.sort(key=lambda order: (distance(order, low, high), distance(order, at, at), order.order_id))
            for order in mine[ROOM:]:
                if not order.parked and may_wait(order):
                    self._park(account, order, now_ms)
            for order in mine[:ROOM]:
                if order.parked:
                    self._fetch(account, order, now_ms)

    def _fetch(self, account: Account, order: OrderState, now_ms: int) -> None:
        refused = self._offer(account, order, order.steps - order.filled, order.parts[0], now_ms)
        order.parked = refused is not None and refused.code == FULL
        if refused and not order.parked:
            self._remove(account, order, "EXPIRED", now_ms)

    def _as_sent(self, account: Account, order: OrderState, steps: int, part: str) -> Order:
        """In lockstep an IOC limit is a market order with a worst price: what the bar's volume leaves of it goes on at
        the next open, as in a recorded run."""
        kind, limit, worst = order.original, order.price_ticks, 0
        if order.triggered:
            kind = OrderType.LIMIT if kind.limited else OrderType.MARKET
        if self.settings.lockstep and kind is OrderType.LIMIT and order.time_in_force in ("IOC", "FOK"):
            kind, limit, worst = OrderType.MARKET, 0, limit
        elif kind is OrderType.MARKET and not (self.settings.lockstep or order.forced):
            bound = UNIT + int(order.side) * self.settings.take_bound_e8
            worst = self.market.tickers[order.symbol].mark_ticks * bound // UNIT
        return Order(
            client_id=part,
            intent_id="",
            symbol=order.symbol,
            side=order.side,
            type=kind,
            purpose=Purpose.ENTRY,
            steps=0 if order.close_position and not order.triggered else steps,
            price_ticks=limit,
            trigger_ticks=0 if order.triggered else order.stop_ticks,
            reduce_only=order.reduce_only or (order.triggered and order.close_position and not order.leg),
            close_position=order.close_position and not order.triggered,
            worst_ticks=worst,
            post_only=order.time_in_force == "GTX",
            callback_e8=round(float(order.callback) * UNIT / 100) if order.callback else 0,
            activation_ticks=order.activation_ticks,
            leg=order.leg,
        )

    def _remove(self, account: Account, order: OrderState, status: str, now_ms: int, *, silent: bool = False) -> None:
        parts = list(order.parts)
        order.parked = False
        account.finish(order, status, now_ms)
        for part in parts:
            account.venue.cancel(order.symbol, part, now_ms)
        if not silent:
            account.tell(status, now_ms, order)
        self.collect(account, now_ms)

    def collect(self, account: Account, now_ms: int) -> bool:
        """Take in what the account's venue reports; whether anything had happened."""
        reports = account.venue.take_reports()
        for event in reports:
            if isinstance(event, OrderFilled):
                account.execute(event, self.number(), now_ms)
            elif isinstance(event, OrderCanceled):
                account.expire(event, now_ms)
            elif isinstance(event, FundingPaid):
                account.pay_funding(event, self.number(), now_ms)
        if account.undriven:
            self.after(account, now_ms)
        return bool(reports)

    def find(self, account: Account, params: Params) -> OrderState | None:
        """The order meant by orderId or origClientOrderId. Raises `Refusal` -1102 when neither is given."""
        symbol = self.ticker(params.need("symbol")).instrument.symbol
        number, client_id = params.whole("orderId", 0), params.get("origClientOrderId", "")
        if not number and not client_id:
            raise Refusal(-1102, "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!")
        return account.find(symbol, number, client_id)
