"""A journal made by hand: market, one symbol's trades, questions and answers, in the order in which the engine would
leave them."""

import msgspec

from aister.core.audit import AskCouncil, Audit, Output, PlaceOrder, PlanArmed, ProposalResolved, Reviewed, TradeClosed
from aister.core.commands import Transfer
from aister.core.council import (
    Agent,
    Ballot,
    Decision,
    Evidence,
    Odds,
    Outcome,
    Proposal,
    Question,
    Setup,
    Stance,
    Standing,
    Statement,
    Target,
    Timing,
    Verdict,
)
from aister.core.events import (
    BarClosed,
    CommandGiven,
    DecisionMade,
    Event,
    FundingPaid,
    FundingSettled,
    InstrumentListed,
    OrderFilled,
    RunEnded,
    RunStarted,
)
from aister.core.instrument import Bracket, Instrument
from aister.core.money import UNIT
from aister.core.permission import CapLine, Intent
from aister.core.trade import Fill, FillKind, Order, OrderType, Purpose, Side

START_MS = 1_746_403_200_000  # 2025-05-05 00:00 UTC
MINUTE_MS = 60_000
HOUR_MS = 3_600_000
DAY_MS = 86_400_000


def instrument(symbol: str = "BTCUSDT") -> Instrument:
    """Tick 0.1, step 0.001: one tick x one step is 1e-4 quote units."""
    return Instrument(
        symbol=symbol,
        base=symbol.removesuffix("USDT"),
        quote="USDT",
        status="TRADING",
        tick_e8=10_000_000,
        step_e8=100_000,
        unit=10_000,
        min_ticks=1,
        max_ticks=10_000_000,
        min_steps=1,
        max_steps=1_000_000,
        market_max_steps=1_000_000,
        min_notional=5 * UNIT,
        band_up_e8=105_000_000,
        band_down_e8=95_000_000,
        max_orders=200,
        maker_e8=10_000,
        taker_e8=35_000,
        liquidation_e8=100_000,
        funding_interval_ms=8 * HOUR_MS,
        brackets=(Bracket(0, 10**16, 500_000, 0, 125),),
        source="assumed (test)",
    )


class Tape:
    """Audits in order. Money given and taken in quote currency, prices in ticks of 0.1, sizes in steps of 0.001."""

    def __init__(self, symbol: str = "BTCUSDT", capital: float = 10_000.0) -> None:
        self.audits: list[Audit] = []
        self.symbol = symbol
        self._orders = 0
        self.add(
            RunStarted(START_MS, "owner", "t1", "simulated", "rules", "c" * 64, "d" * 64, 7, round(capital * UNIT))
        )
        self.add(InstrumentListed(START_MS, instrument(symbol)))

    def add(self, event: Event, *outputs: Output) -> None:
        self.audits.append(Audit(len(self.audits), event, outputs))

    def bar(
        self, minute: int, close: float, low: float | None = None, high: float | None = None, open: float | None = None
    ) -> None:
        """The bar that opens at this minute."""
        at = START_MS + minute * MINUTE_MS
        first = close if open is None else open
        ends = (low if low is not None else min(first, close), high if high is not None else max(first, close))
        self.add(BarClosed(at + MINUTE_MS, self.symbol, at, first, ends[1], ends[0], close, 1.0))

    def hours(self, first: int, last: int, close: float) -> None:
        """One bar at the end of each hour in [first, last)."""
        for hour in range(first, last):
            self.bar(hour * 60 + 59, close)

    def ask(
        self,
        minute: int,
        side: Side = Side.BUY,
        *,
        rule: str = "breakout",
        stance: Stance = Stance.APPROVE,
        reasons: tuple[str, ...] = (),
        trade: bool = True,
        argument: str = "the case",
        feature: str = "15m.rsi_14",
        granted: int | None = 10,
        limit: str = "kelly",
    ) -> str:
        """A question and its answer 250 ms later; with `granted` also the kernel's review a bar later. Returns the
        setup's id."""
        at = START_MS + minute * MINUTE_MS
        setup_id = f"{self.symbol}-{at}-{rule}-{side.word}"
        evidence = (Evidence(feature, 61.25),)
        targets = (Target(1_010_000, 6_000), Target(1_020_000, 4_000))
        setup = Setup(
            setup_id,
            self.symbol,
            rule,
            "15m",
            at,
            side,
            OrderType.MARKET,
            1_000_000,
            990_000,
            targets,
            DAY_MS,
            evidence,
        )
        standings = tuple(Standing(agent, 1.0, 1.0, 0.0, 0.0) for agent in Agent)
        question = Question(
            f"{setup_id}?", at, setup, 0.1, 100_000.0, {feature: 61.25}, {}, {"day_loss": 0.0}, standings, 80_000
        )
        self.add(BarClosed(at, self.symbol, at - MINUTE_MS, 1e5, 1e5, 1e5, 1e5, 1.0), AskCouncil(question))
        outcome = Outcome.TRADE if trade and stance is not Stance.VETO else Outcome.NO_TRADE
        reason = "trade" if outcome == "TRADE" else f"veto:{reasons[0]}" if reasons else "expected_value"
        odds = Odds(0.5, 0.45, 0.05)
        statements = (
            Statement(Agent.CONSULTANT, 1, Stance.PROPOSE, argument, odds, evidence),
            Statement(Agent.ANALYST, 1, Stance.NOW, argument, odds, ()),
            Statement(Agent.OFFICER, 1, stance, argument, odds, ()),
        )
        proposal = Proposal(
            setup_id, self.symbol, side, OrderType.MARKET, 1_000_000, 990_000, targets, DAY_MS, argument
        )
        ballot = Ballot(
            0.4, (1 / 3, 1 / 3, 1 / 3), (0.5, 0.5, 0.5), 0.4055, 0.5, 0.0, 0.4, 0.3, 0.1, 1.0, True, outcome, reason
        )
        decision = Decision(
            f"{setup_id}?",
            setup_id,
            self.symbol,
            "rules",
            outcome,
            reason,
            proposal,
            Timing(Stance.NOW, at, ""),
            Verdict(stance, 10_000 if stance is Stance.APPROVE else 0, reasons),
            statements,
            ballot,
        )
        armed = (PlanArmed(setup_id, self.symbol, side, UNIT, at, at + HOUR_MS),) if outcome == "TRADE" else ()
        self.add(DecisionMade(at + 250, decision), *armed)
        if outcome == "TRADE" and granted is not None:
            intent = Intent(
                f"{setup_id}-entry",
                self.symbol,
                Purpose.ENTRY,
                side,
                OrderType.MARKET,
                0,
                1_000_000,
                0,
                990_000,
                10_000,
                False,
                False,
            )
            caps = (CapLine("kelly", granted, 0.0, 0.005), CapLine("portfolio_heat", 50, 0.001, 0.02))
            said = Reviewed(intent, granted, limit, "" if granted else f"refused by {limit}", caps)
            self.add(BarClosed(at + MINUTE_MS, self.symbol, at, 1e5, 1e5, 1e5, 1e5, 1.0), said)
        return setup_id

    def fill(
        self,
        time_ms: int,
        purpose: Purpose,
        side: Side,
        steps: int,
        ticks: int,
        fee: float,
        setup_id: str,
        *,
        trigger: int = 0,
        client_id: str = "",
        outputs: tuple[Output, ...] = (),
        kind: FillKind = FillKind.TRADE,
    ) -> None:
        """An execution; its order is placed in the same breath unless `client_id` names one that was."""
        if not client_id and kind is FillKind.TRADE:
            client_id = self.place(time_ms, purpose, side, steps, trigger, setup_id)
        intent_id = f"{setup_id}-{purpose}"
        fill = Fill(
            time_ms, self.symbol, client_id, intent_id, str(purpose), side, steps, ticks, round(fee * UNIT), False, kind
        )
        self.add(OrderFilled(time_ms, fill, True), *outputs)

    def place(self, time_ms: int, purpose: Purpose, side: Side, steps: int, trigger: int, setup_id: str) -> str:
        """An order sent with the newest record of the tape."""
        self._orders += 1
        client_id = f"t1-{self._orders}"
        kinds = {Purpose.STOP: OrderType.STOP_MARKET, Purpose.TARGET: OrderType.TAKE_PROFIT_MARKET}
        order = Order(
            client_id,
            f"{setup_id}-{purpose}",
            self.symbol,
            side,
            kinds.get(purpose, OrderType.MARKET),
            purpose,
            steps,
            0,
            trigger,
            purpose is not Purpose.ENTRY,
            purpose is Purpose.STOP,
        )
        last = self.audits[-1]
        self.audits[-1] = msgspec.structs.replace(last, outputs=(*last.outputs, PlaceOrder(order)))
        return client_id

    def closed(
        self,
        setup_id: str,
        side: Side,
        opened_ms: int,
        closed_ms: int,
        steps: int,
        pnl: float,
        risk: float,
        reason: str,
    ) -> TradeClosed:
        """The engine's own word on a trade, for the outputs of the last fill."""
        return TradeClosed(
            setup_id,
            self.symbol,
            side,
            opened_ms,
            closed_ms,
            steps,
            0,
            0,
            0,
            0,
            round(pnl * UNIT),
            round(risk * UNIT),
            reason,
        )

    def funding(self, time_ms: int, amount: float) -> None:
        self.add(FundingSettled(time_ms, self.symbol, 10_000, 8 * HOUR_MS))
        self.add(FundingPaid(time_ms, self.symbol, round(amount * UNIT), 10_000, 10, 1_000_000, True))

    def transfer(self, time_ms: int, amount: float) -> None:
        self.add(CommandGiven(time_ms, Transfer("owner", round(amount * UNIT))))

    def resolved(self, time_ms: int, setup_id: str, label: str) -> None:
        at = self.audits[-1].event.time_ms
        self.add(
            BarClosed(time_ms, self.symbol, time_ms - MINUTE_MS, 1e5, 1e5, 1e5, 1e5, 1.0),
            ProposalResolved(setup_id, label, at, 0.4, ()),
        )

    def end(self) -> list[Audit]:
        self.add(RunEnded(self.audits[-1].event.time_ms))
        return self.audits


def one_trade(*, end: bool = True) -> Tape:
    """Two days: asked at 01:00, long 0.010 at 100,000 (open 99,999), stopped at 98,990 (trigger 99,000), funding 0.5
    paid."""
    tape = Tape()
    tape.hours(0, 1, 99_000.0)
    setup_id = tape.ask(60)
    at = START_MS + 61 * MINUTE_MS
    tape.fill(at, Purpose.ENTRY, Side.BUY, 10, 1_000_000, 0.35, setup_id)
    tape.place(at, Purpose.STOP, Side.SELL, 0, 990_000, setup_id)
    tape.place(at, Purpose.TARGET, Side.SELL, 6, 1_010_000, setup_id)
    tape.bar(61, 100_100.0, open=99_999.0)
    tape.hours(2, 8, 100_200.0)
    tape.funding(START_MS + 8 * HOUR_MS, 0.5)
    tape.hours(8, 30, 99_500.0)
    stopped = START_MS + 30 * HOUR_MS + MINUTE_MS - 1
    stop = next(
        o.order.client_id
        for a in tape.audits
        for o in a.outputs
        if isinstance(o, PlaceOrder) and o.order.purpose == "stop"
    )
    word = tape.closed(setup_id, Side.BUY, at, stopped, 10, -10.1 - 0.7 - 0.5, 10.0, "stop")
    tape.fill(stopped, Purpose.STOP, Side.SELL, 10, 989_900, 0.35, setup_id, client_id=stop, outputs=(word,))
    tape.bar(30 * 60, 98_900.0, low=98_800.0, open=99_500.0)
    tape.resolved(START_MS + 30 * HOUR_MS + 2 * MINUTE_MS, setup_id, "stop")
    tape.hours(31, 48, 98_900.0)
    if end:
        tape.end()
    return tape
