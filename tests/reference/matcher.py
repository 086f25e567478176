"""How orders fill under `stop_first`, read off docs/fills.md and written plainly: lists, loops, fractions.

It shares no code with the package. Where it and the compiled step differ, one of them misreads the page.
"""

from collections.abc import Iterable

from tests.reference.account import Account
from tests.reference.margin import Leg, book
from tests.reference.prices import DAY_MS, bare_price, taker_price
from tests.reference.values import (
    LIMIT,
    MARKET,
    ONE,
    STOP,
    STOP_LIMIT,
    TAKE,
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
        self.inside = True
        for bar in bars:
            self._acknowledge(bar)
            if bar.symbol in self.bars:
                self.tapes[bar.symbol].bars.append(self.bars[bar.symbol])
            self.bars[bar.symbol] = bar
            self.last.update({(bar.symbol, leg): bar.open for leg in (0, 1, -1)})
            cap = self.terms[bar.symbol].cap_e8
            self.room[bar.symbol] = None if cap is None else bar.volume * cap // ONE
            for order in self.orders[bar.symbol]:
                order.absent, order.resting, order.tired = order.passes > 0, True, False
                order.opened = not order.absent
            for leg in (0, 1, -1):
                self.legs[bar.symbol, leg].opened_inside = False
        for bar in bars:
            for leg in (0, 1, -1):
                self._gap(bar, leg)
                self._due(bar, leg)
            for order in self.orders[bar.symbol]:
                order.passes = max(0, order.passes - 1)
                order.absent = order.passes > 0

    def rest(self, bars: Iterable[Bar], *, again: bool = False) -> None:
        """(4) to (7); `again`: (4) for positions opened inside this bar."""
        self.resting = True
        for bar in sorted(bars, key=lambda bar: bar.symbol):
            if not again:
                self.last.update({(bar.symbol, leg): bar.close for leg in (0, 1, -1)})
            for leg in (0, 1, -1):
                if not again:
                    self._adverse(bar, leg)
                    self._limits(bar, leg)
                    self._favourable(bar, leg)
                elif self.legs[bar.symbol, leg].opened_inside and self.legs[bar.symbol, leg].steps:
                    self._adverse(bar, leg, again=True)
            for order in self.orders[bar.symbol]:
                order.fresh = order.fresh and (again or order.absent)
        self.resting = False

    def close(self) -> None:
        """The bar is over: (7); what is sent from now on meets the next open."""
        self.inside = False
        now = max(bar.open_ms for bar in self.bars.values())
        for symbol, bar in self.bars.items():
            self.last.update({(symbol, leg): bar.close for leg in (0, 1, -1)})
            for order in self.orders[symbol] if bar.open_ms == now else ():
                if order.kind == TRAILING and order.opened:
                    self._advance(order, bar.high if order.side < 0 else bar.low)

    # the steps of the page

    def _gap(self, bar: Bar, leg: int) -> None:
        """(2) The one farthest from the open first, of equals the oldest, orders before liquidation."""
        while True:
            reached: list[tuple[int, int, int, Order | Leg]] = [
                (-abs(bar.open - self._trigger(order)), 0, age, order)
                for age, order in enumerate(self._waiting(bar, *TRIGGERED_BY_STOP, *TRIGGERED_BY_TARGET))
                if order.leg == leg and self._reached(order, bar.open, bar.open)
            ]
            here: Leg = (bar.symbol, leg)
            tick = self._liquidation_in_gap(here, bar)
            if tick is not None:
                reached.append((-abs(bar.open - tick), 1, 0, here))
            if not reached:
                return
            *_, first = min(reached, key=lambda entry: entry[:3])
            if isinstance(first, Order):
                self._trip(first, bar, bar.open, gap=True)
            else:
                self._liquidate(first, bar, bar.open, gap=True)

    def _due(self, bar: Bar, leg: int) -> None:
        """(3) Oldest first."""
        for order in self._waiting(bar, MARKET, LIMIT):
            if order not in self.orders[bar.symbol] or order.tired or order.leg != leg:
                continue
            bare = bare_price(self.terms[bar.symbol], bar.open, order.side)
            if order.kind == MARKET and order.worst and (bare - order.worst) * order.side > 0:
                self._gone(order)
            elif order.kind == MARKET:
                self._take(order, bar, bar.open, with_extra=self._lost(order, bar))
            elif order.fresh:
                order.fresh = False
                self._arrive(order, bar, bar.open)

    def _arrive(self, order: Order, bar: Bar, at: int) -> None:
        """A limit meets the market: it takes, expires if it may not, or rests."""
        bare = bare_price(self.terms[bar.symbol], at, order.side)
        if (bare - order.price) * order.side <= 0:
            if order.post_only:
                self._gone(order)
            else:
                self._take(order, bar, at, with_extra=False)

    def _adverse(self, bar: Bar, leg: int, *, again: bool = False) -> None:
        """(4) Nearest to the open first, oldest among equals, orders before liquidation."""
        here: Leg = (bar.symbol, leg)
        targets = self._ambiguous_targets(bar, here) if not again and self.legs[here].steps else []
        instead = self._had_they_come_first(targets, bar, here)
        said, sign = len(self.reports), self.legs[here].sign
        self._work_adverse(bar, here)
        cut = [report for report in self.reports[said:] if report.what == "fill" and report.side == -sign]
        if targets and cut:
            self.target_first[bar.symbol] += self._gained(instead, cut[0], bar)

    def _work_adverse(self, bar: Bar, here: Leg) -> None:
        leg = here[1]
        while True:
            reached: list[tuple[int, int, int, Order | Leg, int]] = []
            for age, order in enumerate(self._waiting(bar, *TRIGGERED_BY_STOP)):
                if order.leg == leg and self._reached(order, bar.low, bar.high):
                    reached.append((abs(bar.open - self._trigger(order)), 0, age, order, self._at(order, bar)))
            tick = self._liquidation(here, bar) if self.legs[here].steps else None
            if tick is not None:
                reached.append((abs(bar.open - tick), 1, 0, here, tick))
            if not reached:
                return
            *_, first, at = min(reached, key=lambda entry: entry[:3])
            if isinstance(first, Order):
                self._trip(first, bar, at)
            else:
                self._liquidate(first, bar, at, gap=False)

    def _had_they_come_first(self, targets: list[Order], bar: Bar, here: Leg) -> list[tuple[int, int, bool]]:
        """(steps, ticks, maker) of the targets, clipped to the position, volume cap aside."""
        left, found = abs(self.legs[here].steps), []
        for order in targets:
            steps = left if order.close else min(left, order.steps)
            maker, ticks = order.kind != TAKE, order.price
            if not maker:
                terms, tape = self.terms[bar.symbol], self.tapes[bar.symbol]
                ticks = taker_price(terms, order.trigger, order.side, steps, tape, bar, with_extra=False)
            if steps:
                found.append((steps, ticks, maker))
            left -= steps
        return found

    def _gained(self, instead: list[tuple[int, int, bool]], cut: Report, bar: Bar) -> int:
        """What the targets would have brought more than the same steps at price and fee rate of the first cut."""
        terms, rates, gained = self.terms[bar.symbol], self._fee_rates(self.terms[bar.symbol], bar), 0
        paid = terms.liquidation_e8 if cut.liquidation else rates[1]
        for steps, ticks, maker in instead:
            gained += -cut.side * (ticks - cut.ticks) * steps * terms.unit
            gained -= rate_of(ticks * steps * terms.unit, rates[0 if maker else 1])
            gained += rate_of(cut.ticks * steps * terms.unit, paid)
        return gained

    def _limits(self, bar: Bar, leg: int) -> None:
        """(5) Traded through by a tick; nearest to the open first, oldest among equals."""
        resting = [o for o in self._waiting(bar, LIMIT) if o.leg == leg and o.resting and self._through(o, bar)]
        for order in sorted(resting, key=lambda o: abs(bar.open - o.price)):
            if order in self.orders[bar.symbol] and not self._barred(order):
                self._make(order, bar)

    def _favourable(self, bar: Bar, leg: int) -> None:
        """(6) Take-profits, nearest trigger first."""
        while True:
            reached = [
                (abs(bar.open - order.trigger), age, order)
                for age, order in enumerate(self._waiting(bar, *TRIGGERED_BY_TARGET))
                if order.leg == leg and self._reached(order, bar.low, bar.high) and not self._barred(order)
            ]
            if not reached:
                return
            order = min(reached, key=lambda entry: entry[:2])[2]
            if order.kind == TAKE_LIMIT:
                order.kind, order.fresh, order.resting = LIMIT, False, False
                if self._through(order, bar):
                    self._make(order, bar)
            else:
                self._trip(order, bar, order.trigger)

    # what orders do

    def _trip(self, order: Order, bar: Bar, at: int, *, gap: bool = False) -> None:
        """A trigger is reached with the market at `at`. What is left of a market type is a market order from now on."""
        if order.kind in (STOP_LIMIT, TAKE_LIMIT):
            order.kind, order.fresh, order.resting = LIMIT, gap, gap
            if not gap:
                self._arrive(order, bar, at)
        else:
            hurried = order.kind in (STOP, TRAILING)
            order.kind = MARKET
            self._take(order, bar, at, with_extra=hurried or (gap and self._lost(order, bar)))

    def _take(self, order: Order, bar: Bar, at: int, *, with_extra: bool) -> None:
        """A taker's fill of as much as there is room for; a limit order never pays beyond its limit."""
        steps = self._allowed(order, bar)
        if steps == 0:
            return
        terms, tape = self.terms[bar.symbol], self.tapes[bar.symbol]
        ticks = taker_price(terms, at, order.side, steps, tape, bar, with_extra=with_extra)
        if order.kind == LIMIT and (ticks - order.price) * order.side > 0:
            ticks = order.price
        self.slippage[bar.symbol] += order.side * (ticks - at) * steps * terms.unit
        self._fill(order, bar, steps, ticks, maker=False)

    def _allowed(self, order: Order, bar: Bar) -> int:
        """Steps to fill: what is wanted, cut to the room the bar's volume leaves. With nothing to reduce it is gone."""
        wanted, room = self._wanted(order), self.room[bar.symbol]
        if wanted == 0:
            self._gone(order)
            return 0
        steps = wanted if room is None else min(wanted, room)
        order.tired = steps < wanted
        return steps

    def _make(self, order: Order, bar: Bar) -> None:
        """A maker's fill at the order's own price."""
        steps = self._allowed(order, bar)
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
        done = held.steps == 0 if self._reduces(order) else False
        done = done or (order.steps == 0 and not order.close)
        self.reports.append(Report("fill", order.id, order.side, steps, ticks, fee, maker, done))
        if done:
            self.orders[order.symbol].remove(order)
        for other in list(self.orders[order.symbol]):
            if other is not order and order.group and (other.group, other.leg) == (order.group, order.leg):
                self._gone(other)
        self.begun.add((order.symbol, order.group))

    def _liquidate(self, leg: Leg, bar: Bar, at: int, *, gap: bool) -> None:
        """At the liquidation fee, outside the volume cap; in the gap no better for us than bankruptcy price."""
        held, terms, tape = self.legs[leg], self.terms[bar.symbol], self.tapes[bar.symbol]
        side, steps = -held.sign, abs(held.steps)
        ticks = taker_price(terms, at, side, steps, tape, bar, with_extra=True)
        bankrupt = self.margins.bankruptcy(leg, self.wallet, self._others(bar, at_open=gap))
        if bankrupt is not None:
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
        if self.resting:
            self.last[symbol, leg] = ticks
        if self.resting and held.sign and held.sign != before:
            held.opened_inside = True
