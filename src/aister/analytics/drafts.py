"""What is still being written while audits come in: one open trade, one decision, one symbol's candles."""

from aister.analytics.run_result import Candles, DecisionRecord, Leg, Review, StopMove, Trade, Voided
from aister.core.audit import TradeClosed
from aister.core.council import Decision, Question
from aister.core.events import BarClosed
from aister.core.instrument import Instrument
from aister.core.money import UNIT
from aister.core.trade import Fill, Order, OrderType, Purpose, Side

__all__ = ["CandleDraft", "DecisionDraft", "LegDraft", "TradeDraft"]

HOUR_MS = 3_600_000


class CandleDraft:
    """Bars merged by the hour as they come."""

    def __init__(self) -> None:
        self.bars = 0
        self.interval_ms = HOUR_MS
        self.open_ms: list[int] = []
        self.open: list[float] = []
        self.high: list[float] = []
        self.low: list[float] = []
        self.close: list[float] = []
        self._until_ms = -1

    def take(self, bar: BarClosed) -> None:
        self.bars += 1
        if bar.time_ms <= self._until_ms:
            self.high[-1] = max(self.high[-1], bar.high)
            self.low[-1] = min(self.low[-1], bar.low)
            self.close[-1] = bar.close
            return
        if not self.open_ms:
            self.interval_ms = max(HOUR_MS, bar.time_ms - bar.open_time_ms)
        start = bar.open_time_ms - bar.open_time_ms % self.interval_ms
        self._until_ms = start + self.interval_ms
        self.open_ms.append(start)
        self.open.append(bar.open)
        self.high.append(bar.high)
        self.low.append(bar.low)
        self.close.append(bar.close)

    def done(self) -> Candles:
        prices = [tuple(column) for column in (self.open, self.high, self.low, self.close)]
        return Candles(self.interval_ms, tuple(self.open_ms), *prices)


class LegDraft:
    """A fill waiting for the bar it happened in, which tells what its price should have been."""

    def __init__(self, fill: Fill, order: Order | None, instrument: Instrument) -> None:
        self.fill, self.order, self._instrument = fill, order, instrument
        self.slippage: int | None = None
        if order is None:
            return
        if order.type is OrderType.LIMIT:
            self.slippage = 0
        elif order.trigger_ticks:
            self.refer_to(order.trigger_ticks)

    def refer_to(self, ticks: int) -> None:
        """Slippage against this price: positive = worse than it."""
        fill = self.fill
        self.slippage = fill.side * (fill.price_ticks - ticks) * fill.steps * self._instrument.unit

    def seen_in(self, bar: BarClosed) -> None:
        """What filled at the bar's open is measured against the open, except a resting limit."""
        order = self.order
        if order is not None and self.fill.time_ms == bar.open_time_ms and not self.fill.maker:
            self.refer_to(self._instrument.to_ticks(bar.open))

    def done(self) -> Leg:
        f = self.fill
        price = self._instrument.price(f.price_ticks)
        return Leg(
            f.time_ms, str(f.purpose), f.side, f.steps, f.price_ticks, price, f.fee, f.maker, f.kind.value, f.client_id,
            f.intent_id, self.slippage,
        )  # fmt: skip


class TradeDraft:
    """A position being followed from its first fill."""

    def __init__(self, setup_id: str, fill: Fill, instrument: Instrument, stop_ticks: int) -> None:
        self.setup_id, self.side, self.instrument = setup_id, Side(fill.side), instrument
        self.symbol = fill.symbol
        self.legs: list[LegDraft] = []
        self.stops: list[tuple[int, int]] = []
        self.targets: dict[str, tuple[int, int]] = {}
        self.funding = 0
        self.closed: TradeClosed | None = None
        self.ambiguous = False
        self.target_first = 0
        self._asked_stop = stop_ticks

    def placed(self, time_ms: int, order: Order) -> None:
        """A protective order of this position was sent."""
        if order.purpose is Purpose.STOP:
            self.stops.append((time_ms, order.trigger_ticks))
        elif order.purpose is Purpose.TARGET:
            self.targets[order.client_id] = (order.trigger_ticks, order.steps)

    def filled(self, leg: LegDraft) -> None:
        self.legs.append(leg)

    def seen_in(self, bar: BarClosed, leg: LegDraft) -> None:
        """A stop that filled inside this bar: was a target in its range too (Q3)?"""
        if leg.order is None or leg.order.purpose is not Purpose.STOP or leg.fill.time_ms != bar.time_ms - 1:
            return
        if self.legs[0].fill.time_ms >= bar.time_ms - 1:  # entered inside this bar: its target cannot fill in it
            return
        taken = {one.fill.client_id for one in self.legs}
        best = self.instrument.to_ticks(bar.high if self.side > 0 else bar.low)
        reached = [
            ticks
            for client_id, (ticks, _) in self.targets.items()
            if client_id not in taken and self.side * (best - ticks) >= 0
        ]
        if reached:
            nearest = min(reached) if self.side > 0 else max(reached)
            self.ambiguous = True
            self.target_first += self.side * (nearest - leg.fill.price_ticks) * leg.fill.steps * self.instrument.unit

    def done(self, number: int, rule: str, end_ms: int, close: float) -> Trade:
        """The trade as it stands; one that is still open is valued at `close`."""
        one, unit = self.instrument, self.instrument.unit
        entries = [leg.fill for leg in self.legs if leg.fill.side == self.side]
        exits = [leg.fill for leg in self.legs if leg.fill.side != self.side]
        steps, left = sum(f.steps for f in entries), sum(f.steps for f in entries) - sum(f.steps for f in exits)
        paid, got = (sum(f.price_ticks * f.steps for f in fills) for fills in (entries, exits))
        out = got + left * one.to_ticks(close) if left else got
        fees = sum(leg.fill.fee for leg in self.legs)
        gross = int(self.side) * (out - paid) * unit
        pnl = gross - fees - self.funding
        stop_ticks = self.stops[0][1] if self.stops else self._asked_stop
        risk = (
            self.closed.initial_risk
            if self.closed
            else self.side * (paid - stop_ticks * steps) * unit
            if stop_ticks
            else 0
        )
        opened = entries[0].time_ms
        exit_ms = sum((f.time_ms - opened) * f.steps for f in exits) + max(0, left) * (end_ms - opened)
        last = self.legs[-1]
        hit = last.order.trigger_ticks if last.order and last.order.purpose is Purpose.STOP else None
        legs = tuple(leg.done() for leg in self.legs)
        return Trade(
            number=number,
            setup_id=self.setup_id,
            symbol=self.symbol,
            side=self.side,
            rule=rule,
            opened_ms=opened,
            closed_ms=self.closed.closed_ms if self.closed else None,
            steps=steps,
            entry_price=paid * one.tick_e8 / (UNIT * steps),
            exit_price=out * one.tick_e8 / (UNIT * steps),
            notional=paid * unit,
            turnover=(paid + got) * unit,
            stop_price=one.price(stop_ticks) if stop_ticks else None,
            hit_stop=None if hit is None else one.price(hit),
            targets=tuple(one.price(ticks) for ticks, _ in self.targets.values()),
            stops=tuple(StopMove(at, one.price(ticks)) for at, ticks in self.stops),
            gross=gross,
            fees=fees,
            funding=self.funding,
            pnl=pnl,
            initial_risk=risk,
            r=pnl / risk if risk > 0 else None,
            reason=self.closed.reason if self.closed else "open",
            held_ms=exit_ms // steps,
            stopped=hit is not None and hit == stop_ticks,
            slippage=sum(leg.slippage or 0 for leg in self.legs),
            slippage_known=all(leg.slippage is not None for leg in self.legs),
            ambiguous=self.ambiguous,
            target_first=self.target_first,
            legs=legs,
        )


class DecisionDraft:
    """A question and what has become of it so far."""

    def __init__(self, question: Question) -> None:
        self._question = question
        self.rule = question.setup.rule
        self.arrived_ms: int | None = None
        self.decision: Decision | None = None
        self.armed_ms: int | None = None
        self.reviews: list[Review] = []
        self.voided: list[Voided] = []
        self.label = ""
        self.label_ms: int | None = None

    def done(self, number: int, trade: int | None) -> DecisionRecord:
        q = self._question
        return DecisionRecord(
            number, q.setup, q.time_ms, self.arrived_ms, q.price, q.cost_e8, q.standings, q.account, self.decision,
            self.armed_ms, tuple(self.reviews), tuple(self.voided), trade, self.label, self.label_ms,
        )  # fmt: skip
