"""The account that the reference matcher works on, and every question it asks about it."""

from collections.abc import Callable
from math import floor

from tests.reference.margin import Leg, Margins, maintenance, unrealised
from tests.reference.prices import DAY_MS, Tape, trailing_trigger
from tests.reference.values import (
    LIMIT,
    TAKE,
    TRAILING,
    TRIGGERED_BY_STOP,
    TRIGGERED_BY_TARGET,
    Bar,
    Order,
    Position,
    Report,
    Terms,
)

__all__ = ["Account"]


class Account:
    """Wallet, positions by symbol and leg, working orders by age, bars so far, and what happened."""

    def __init__(
        self, terms: dict[str, Terms], *, interval_ms: int, cross: bool = False, wait: int = 0, ack_wait: int = 0
    ) -> None:
        self.terms, self.interval_ms, self.wait, self.ack_wait = terms, interval_ms, wait, ack_wait
        self.wallet = self.fees = self.funding = 0
        self.orders: dict[str, list[Order]] = {symbol: [] for symbol in terms}
        self.legs: dict[Leg, Position] = {(symbol, leg): Position() for symbol in sorted(terms) for leg in (0, 1, -1)}
        self.margins = Margins(terms, self.legs, cross)
        self.tapes = {symbol: Tape(interval_ms) for symbol in terms}
        self.bars: dict[str, Bar] = {}
        self.last: dict[Leg, int] = {}
        self.room: dict[str, int | None] = {}
        self.slippage = dict.fromkeys(terms, 0)
        self.ambiguous = dict.fromkeys(terms, 0)
        self.target_first = dict.fromkeys(terms, 0)
        self.turnover: dict[int, int] = {}
        self.begun: set[tuple[str, int]] = set()
        self.inside = self.resting = False
        self.reports: list[Report] = []

    # what comes from outside

    def place(self, order: Order, time_ms: int) -> None:
        """An order is there at once or after `wait` opens, and is acknowledged `ack_wait` opens after that. A trailing
        stop starts from the last price known."""
        order.passes, order.absent, order.ack_passes = self.wait, self.wait > 0, self.wait + self.ack_wait
        if not order.ack_passes:
            self.reports.append(Report("ack", order.id, time_ms=time_ms))
        self.orders[order.symbol].append(order)
        if order.kind == TRAILING:
            self._advance(order, self.last[order.symbol, order.leg])

    def _advance(self, order: Order, ticks: int) -> None:
        """A trailing stop sees a price: the first one that reaches its activation makes it active."""
        if not order.extreme:
            if not order.activation or (ticks - order.activation) * order.side <= 0:
                order.extreme = ticks
        else:
            order.extreme = max(order.extreme, ticks) if order.side < 0 else min(order.extreme, ticks)

    def withdraw(self, symbol: str, order_id: str) -> None:
        for order in [o for o in self.orders[symbol] if o.id == order_id]:
            self._gone(order)

    def _acknowledge(self, bar: Bar) -> None:
        """An open of its symbol is what an acknowledgement waits for. What is gone by then is not acknowledged."""
        for order in self.orders[bar.symbol]:
            order.ack_passes -= 1
            if order.ack_passes == 0:
                self.reports.append(Report("ack", order.id, time_ms=bar.open_ms))

    def take_reports(self) -> list[Report]:
        taken, self.reports = self.reports, []
        return taken

    def _gone(self, order: Order) -> None:
        self.orders[order.symbol].remove(order)
        self.reports.append(Report("gone", order.id))

    def _waiting(self, bar: Bar, *kinds: str) -> list[Order]:
        """Orders that have arrived, of these kinds and not yet on their way through the market, oldest first."""
        found = [o for o in self.orders[bar.symbol] if not o.absent and not o.tired]
        return [o for o in found if not kinds or o.kind in kinds]

    def _trigger(self, order: Order) -> int:
        if order.kind == TRAILING:
            return trailing_trigger(order.extreme, order.side, order.callback_e8)
        return order.trigger

    def _upward(self, order: Order) -> bool:
        """Does the trigger wait for a rise? A buy stop and a sell take-profit do."""
        return (order.side > 0) == (order.kind in TRIGGERED_BY_STOP)

    def _reached(self, order: Order, low: int, high: int) -> bool:
        if order.kind == TRAILING and not order.extreme:
            return False
        return high >= self._trigger(order) if self._upward(order) else low <= self._trigger(order)

    def _at(self, order: Order, bar: Bar) -> int:
        """The trigger, or the open where the open is beyond it."""
        trigger = self._trigger(order)
        return max(trigger, bar.open) if self._upward(order) else min(trigger, bar.open)

    def _through(self, order: Order, bar: Bar) -> bool:
        return bar.low <= order.price - 1 if order.side > 0 else bar.high >= order.price + 1

    def _barred(self, order: Order) -> bool:
        """A target of a position that was opened inside this bar waits for the next one."""
        inside = self.legs[order.symbol, order.leg].opened_inside
        return inside and (self._reduces(order) or order.kind in TRIGGERED_BY_TARGET)

    def _protects(self, order: Order) -> bool:
        """Is it a stop of a position opened inside this bar?"""
        held = self.legs[order.symbol, order.leg]
        return held.opened_inside and order.side == -held.sign

    def _lost(self, order: Order, bar: Bar) -> bool:
        """Is this an exit at the first open after data loss?"""
        leaving = self.legs[order.symbol, order.leg].sign == -order.side
        return leaving and self.tapes[bar.symbol].missing_before(bar)

    def _wanted(self, order: Order) -> int:
        held = self.legs[order.symbol, order.leg]
        there = abs(held.steps) if held.sign == -order.side else 0
        if order.close:
            return there
        return min(order.steps, there) if self._reduces(order) else order.steps

    def _reduces(self, order: Order) -> bool:
        """Flagged so, or against its leg in hedge mode."""
        return order.reducing or order.leg == -order.side

    def _fee_rates(self, terms: Terms, bar: Bar) -> tuple[int, int]:
        """(maker, taker) of the highest tier that the turnover of the 30 UTC days before today reaches."""
        today = bar.open_ms // DAY_MS
        volume = sum(self.turnover.get(day, 0) for day in range(today - 30, today))
        rates = (terms.maker_e8, terms.taker_e8)
        for least, maker, taker in terms.fee_tiers:
            if volume >= least:
                rates = (maker, taker)
        return rates

    def _held(self, symbol: str) -> list[Leg]:
        return [leg for leg, held in self.legs.items() if leg[0] == symbol and held.steps]

    def _worst(self, leg: Leg, bar: Bar) -> int:
        return bar.low if self.legs[leg].sign > 0 else bar.high

    def _others(self, bar: Bar, *, at_open: bool = False) -> dict[str, int]:
        """Every other symbol at that of its extremes which leaves least, in the gap at its open; without a bar now, at
        its last close."""
        found: dict[str, int] = {}
        for name, last in self.bars.items():
            if last.open_ms != bar.open_ms:
                found[name] = last.close
            elif at_open:
                found[name] = last.open
            else:
                found[name] = min((last.low, last.high), key=lambda ticks: self._left(name, ticks))
        return found

    def _left(self, symbol: str, ticks: int) -> int:
        """Unrealised less maintenance of a symbol's legs at a price."""
        terms = self.terms[symbol]
        held = [position for (name, _), position in self.legs.items() if name == symbol and position.steps]
        return sum(unrealised(one, ticks, terms.unit) - floor(maintenance(one, ticks, terms)) for one in held)

    def _liquidation_in_gap(self, leg: Leg, bar: Bar) -> int | None:
        """None unless the open liquidates; else the tick at which it would first have done so, sought backwards."""
        others, step = self._others(bar, at_open=True), self.legs[leg].sign
        broken: Callable[[int], bool] = lambda ticks: self.margins.broken(leg, ticks, self.wallet, others)  # noqa: E731
        if not broken(bar.open):
            return None
        tick = bar.open
        while tick + step > 0 and abs(tick - bar.open) < 4 * bar.open and broken(tick + step):
            tick += step
        return tick

    def _ambiguous_targets(self, bar: Bar, leg: Leg) -> list[Order]:
        """At the start of (4), where a stop or the liquidation of this position lies in the range: those of its targets
        that lie in it too, nearest the open first. Where there are any, the bar is counted."""
        held, low, high = self.legs[leg], bar.low, bar.high
        there = [o for o in self.orders[bar.symbol] if not o.absent and o.leg == leg[1] and o.side == -held.sign]
        mine = [o for o in there if self._wanted(o)]
        stopped = any(o.kind in TRIGGERED_BY_STOP and self._reached(o, low, high) for o in mine if not o.tired)
        if not stopped and self._liquidation(leg, bar) is None:
            return []
        targets = []
        for order in mine:
            if order.kind == LIMIT and self._reduces(order) and order.resting:
                aimed = self._through(order, bar)
            elif order.kind in TRIGGERED_BY_TARGET:
                aimed = self._reached(order, low, high) and (order.kind == TAKE or self._through(order, bar))
            else:
                aimed = False
            if aimed:
                targets.append(order)
        self.ambiguous[bar.symbol] += bool(targets)
        return sorted(targets, key=lambda o: abs(bar.open - (o.trigger if o.kind == TAKE else o.price)))

    def _liquidation(self, leg: Leg, bar: Bar) -> int | None:
        """The first tick from the open to the adverse extreme at which this leg is liquidated."""
        return self.margins.first_tick(leg, bar.open, self._worst(leg, bar), self.wallet, self._others(bar))
