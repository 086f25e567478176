"""How orders fill under `stop_first`, read off docs/fills.md and written plainly: lists, loops, fractions.

It shares no code with the package. Where it and the compiled step differ, one of them misreads the page.
"""

from collections.abc import Iterable

from tests.reference.account import Account
from tests.reference.margin import Leg, book
from tests.reference.prices import DAY_MS, taker_price
from tests.reference.values import (
    LIMIT,
    MARKET,
    ONE,
    STOP,
    STOP_LIMIT,
    TAKE_LIMIT,
    TRAILING,
    TRIGGERED_BY_STOP,
    TRIGGERED_BY_TARGET,
    Bar,
    Order,
    Report,
    rate_of,
)

__all__ = ["Matcher"]


class Matcher(Account):
    """One account. Per slice of bars: settle, open, (orders), rest, (orders), rest(again=True), close."""

    def settle(self, symbol: str, rate_e8: int, ticks: int) -> None:
        """(1) Longs pay a positive rate, on the position held now."""
        for (name, _), held in self.legs.items():
            if name == symbol and held.steps:
                amount = rate_of(held.steps * ticks * self.terms[symbol].unit, rate_e8)
                self.wallet -= amount
                self.funding += amount
                self.reports.append(Report("funding", symbol, held.sign, abs(held.steps), ticks, amount))

    def open(self, bars: Iterable[Bar]) -> None:
        """(2) and (3)."""
        bars = sorted(bars, key=lambda bar: bar.symbol)
        self.inside, self.counted = True, set()
        for bar in bars:
            if bar.symbol in self.bars:
                self.tapes[bar.symbol].bars.append(self.bars[bar.symbol])
            self.bars[bar.symbol] = bar
            self.last[bar.symbol] = bar.open
            cap = self.terms[bar.symbol].cap_e8
            self.room[bar.symbol] = None if cap is None else bar.volume * cap // ONE
            for order in self.orders[bar.symbol]:
                order.absent, order.resting = order.passes > 0, True
            for leg in (0, 1, -1):
                self.legs[bar.symbol, leg].opened_inside = False
        for bar in bars:
            self._gap(bar)
            self._due(bar)
            for order in self.orders[bar.symbol]:
                order.passes = max(0, order.passes - 1)
                order.absent = order.passes > 0

    def rest(self, bars: Iterable[Bar], *, again: bool = False) -> None:
        """(4) to (7); `again`: (4) for positions opened inside this bar."""
        self.resting = True
        for bar in sorted(bars, key=lambda bar: bar.symbol):
            if not again:
                self.last[bar.symbol] = bar.close
                self._adverse(bar)
                self._limits(bar)
                self._favourable(bar)
                for order in self.orders[bar.symbol]:
                    order.fresh = order.fresh and order.absent
                    if order.kind == TRAILING and not order.absent:
                        self._advance(order, bar.high if order.side < 0 else bar.low)
            elif any(self.legs[bar.symbol, leg].opened_inside for leg in (0, 1, -1)):
                self._adverse(bar, again=True)
        self.resting = False

    def close(self) -> None:
        """The bar is over: what is sent from now on meets the next open."""
        self.inside = False
        for symbol, bar in self.bars.items():
            self.last[symbol] = bar.close

    # the steps of the page

    def _gap(self, bar: Bar) -> None:
        """(2) The one farthest from the open first, of equals the oldest, orders before liquidation."""
        while True:
            reached = [
                (-abs(bar.open - self._trigger(order)), 0, age, order)
                for age, order in enumerate(self._waiting(bar, *TRIGGERED_BY_STOP, *TRIGGERED_BY_TARGET))
                if self._reached(order, bar.open, bar.open)
            ]
            for leg in self._held(bar.symbol):
                tick = self._liquidation_in_gap(leg, bar)
                if tick is not None:
                    reached.append((-abs(bar.open - tick), 1, 0, leg))
            if not reached:
                return
            *_, first = min(reached, key=lambda entry: entry[:3])
            if isinstance(first, Order):
                self._trip(first, bar, bar.open, gap=True)
            else:
                self._liquidate(first, bar, bar.open, gap=True)

    def _due(self, bar: Bar) -> None:
        """(3) Oldest first."""
        for order in list(self.orders[bar.symbol]):
            if order.absent or order not in self.orders[bar.symbol]:
                continue
            terms, tape = self.terms[bar.symbol], self.tapes[bar.symbol]
            if order.kind == MARKET or order.begun:
                self._take(order, bar, bar.open, with_extra=self._lost(order, bar))
            elif order.kind == LIMIT and order.fresh:
                order.fresh = False
                paid = taker_price(terms, bar.open, order.side, 0, tape, bar, with_extra=False)
                if (paid - order.price) * order.side <= 0:
                    if order.post_only:
                        self._gone(order)
                    else:
                        self._take(order, bar, bar.open, with_extra=False)

    def _adverse(self, bar: Bar, *, again: bool = False) -> None:
        """(4) Nearest to the open first; `again`: for what protects a position opened inside this bar."""
        while True:
            reached = []
            for age, order in enumerate(self._waiting(bar, *TRIGGERED_BY_STOP)):
                if self._reached(order, bar.low, bar.high):
                    at = self._at(order, bar)
                    reached.append((abs(bar.open - at), 0, age, order, at))
            for leg in self._held(bar.symbol):
                tick = self.margins.first_tick(leg, bar.open, self._worst(leg, bar), self.wallet, self._others(bar))
                if tick is not None:
                    reached.append((abs(bar.open - tick), 1, 0, leg, tick))
            if not reached:
                return
            *_, first, at = min(reached, key=lambda entry: entry[:3])
            self._count_ambiguous(first, bar)
            if isinstance(first, Order):
                self._trip(first, bar, at)
            else:
                self._liquidate(first, bar, at, gap=False)

    def _limits(self, bar: Bar) -> None:
        """(5) Traded through by a tick; nearest to the open first, oldest among equals."""
        resting = [o for o in self._waiting(bar, LIMIT) if o.resting and self._through(o, bar)]
        for order in sorted(resting, key=lambda o: abs(bar.open - o.price)):
            if order in self.orders[bar.symbol] and not self._barred(order):
                self._make(order, bar)

    def _favourable(self, bar: Bar) -> None:
        """(6) Take-profits, and stops that add to a position; nearest to the open first."""
        tried: list[Order] = []
        while True:
            reached = [
                (abs(bar.open - self._at(order, bar)), age, order)
                for age, order in enumerate(self._waiting(bar, *TRIGGERED_BY_TARGET, *TRIGGERED_BY_STOP))
                if order not in tried
                and self._reached(order, bar.low, bar.high)
                and not self._barred(order)
                and (order.kind in TRIGGERED_BY_TARGET)
            ]
            if not reached:
                return
            order = min(reached, key=lambda entry: entry[:2])[2]
            tried.append(order)
            if order.kind == TAKE_LIMIT:
                order.kind, order.fresh = LIMIT, False
                if self._through(order, bar):
                    self._make(order, bar)
            else:
                self._trip(order, bar, order.trigger)

    # what orders do

    def _trip(self, order: Order, bar: Bar, at: int, *, gap: bool = False) -> None:
        if order.kind in (STOP_LIMIT, TAKE_LIMIT):
            order.kind, order.fresh, order.resting = LIMIT, gap, gap
            terms, tape = self.terms[bar.symbol], self.tapes[bar.symbol]
            paid = taker_price(terms, at, order.side, 0, tape, bar, with_extra=False)
            if not gap and (paid - order.price) * order.side <= 0:
                self._take(order, bar, at, with_extra=False)
        else:
            order.begun = True
            lost = gap and self._lost(order, bar)
            self._take(order, bar, at, with_extra=lost or order.kind in (STOP, TRAILING))

    def _take(self, order: Order, bar: Bar, at: int, *, with_extra: bool) -> None:
        """A taker's fill of as much as there is room for; a limit order never pays beyond its limit."""
        steps = self._wanted(order)
        if steps == 0:
            self._gone(order)
            return
        room = self.room[bar.symbol]
        steps = steps if room is None else min(steps, room)
        if steps == 0:
            return
        terms, tape = self.terms[bar.symbol], self.tapes[bar.symbol]
        ticks = taker_price(terms, at, order.side, steps, tape, bar, with_extra=with_extra)
        if order.kind == LIMIT and (ticks - order.price) * order.side > 0:
            ticks = order.price
        if order.worst and (ticks - order.worst) * order.side > 0:
            self._gone(order)
            return
        self.slippage[bar.symbol] += order.side * (ticks - at) * steps * terms.unit
        self._fill(order, bar, steps, ticks, maker=False)

    def _make(self, order: Order, bar: Bar) -> None:
        """A maker's fill at the order's own price."""
        steps = self._wanted(order)
        if steps == 0:
            self._gone(order)
            return
        room = self.room[bar.symbol]
        steps = steps if room is None else min(steps, room)
        if steps:
            self._fill(order, bar, steps, order.price, maker=True)

    def _fill(self, order: Order, bar: Bar, steps: int, ticks: int, *, maker: bool) -> None:
        terms, held = self.terms[bar.symbol], self.legs[order.symbol, order.leg]
        fee = rate_of(ticks * steps * terms.unit, self._fee_rates(terms, bar)[0 if maker else 1])
        self._book(order.symbol, order.leg, order.side, steps, ticks, fee, bar)
        if not order.close:
            order.steps -= steps
        room = self.room[bar.symbol]
        if room is not None:
            self.room[bar.symbol] = room - steps
        done = held.steps == 0 if order.reducing else False
        done = done or (order.steps == 0 and not order.close)
        if self.resting:
            self.last[bar.symbol] = ticks
        self.reports.append(Report("fill", order.id, order.side, steps, ticks, fee, maker, done))
        if done:
            self.orders[order.symbol].remove(order)
        for other in list(self.orders[order.symbol]):
            if other is not order and order.group and other.group == order.group:
                self._gone(other)

    def _liquidate(self, leg: Leg, bar: Bar, at: int, *, gap: bool) -> None:
        """At the liquidation fee, outside the volume cap; in the gap no better for us than bankruptcy price."""
        held, terms, tape = self.legs[leg], self.terms[bar.symbol], self.tapes[bar.symbol]
        side, steps = -held.sign, abs(held.steps)
        ticks = taker_price(terms, at, side, steps, tape, bar, with_extra=True)
        bankrupt = self.margins.bankruptcy(leg, self.wallet, self._others(bar, at_open=gap))
        ticks = max(1, min(ticks, bankrupt)) if side < 0 else max(ticks, bankrupt)
        self.slippage[bar.symbol] += side * (ticks - at) * steps * terms.unit
        fee = rate_of(ticks * steps * terms.unit, terms.liquidation_e8)
        self._book(leg[0], leg[1], side, steps, ticks, fee, bar)
        self.reports.append(Report("fill", "", side, steps, ticks, fee, liquidation=True))

    def _book(self, symbol: str, leg: int, side: int, steps: int, ticks: int, fee: int, bar: Bar) -> None:
        held, unit = self.legs[symbol, leg], self.terms[symbol].unit
        before = held.sign
        self.wallet += book(held, side, steps, ticks, unit) - fee
        self.fees += fee
        today = bar.open_ms // DAY_MS
        self.turnover[today] = self.turnover.get(today, 0) + steps * ticks * unit
        if self.resting and held.sign and held.sign != before:
            held.opened_inside = True
