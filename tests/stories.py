"""Small journals to test with: bars that only pass, and one trade's whole life from setup to close."""

from collections.abc import Iterable

import msgspec

from aister.core.audit import AskCouncil, Audit, Output, PlaceOrder, Reviewed, TradeClosed
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
    DecisionMade,
    Event,
    FundingPaid,
    OrderAccepted,
    OrderFilled,
    RunEnded,
    RunStarted,
)
from aister.core.permission import Intent
from aister.core.trade import Fill, FillKind, Order, OrderType, Purpose, Side

START_MS = 1_746_403_200_000
MINUTE_MS = 60_000
SETUP = "BTCUSDT-1746403500000-breakout-long"
ENTRY = f"{SETUP}-entry"


def bar(minute: int, close: float = 94_000.5, symbol: str = "BTCUSDT") -> BarClosed:
    opened = START_MS + minute * MINUTE_MS
    return BarClosed(opened + MINUTE_MS, symbol, opened, close - 1, close + 10, close - 10, close, 1.5 + minute)


def started(seed: int = 1) -> RunStarted:
    return RunStarted(START_MS, "local", "trader", "simulated", "rules", "c" * 64, "d" * 64, seed, 10_000 * 10**8)


def audits(events: Iterable[Event | tuple[Event, tuple[Output, ...]]], first: int = 0) -> list[Audit]:
    """Events (with outputs or without) as numbered audits."""
    parts = [one if isinstance(one, tuple) else (one, ()) for one in events]
    return [Audit(number, event, outputs) for number, (event, outputs) in enumerate(parts, first)]


def bars(count: int, first: int = 0) -> list[Audit]:
    """`count` numbered audits of plain bars."""
    return audits((bar(number) for number in range(first, first + count)), first)


def intent(id_: str = ENTRY, purpose: Purpose = Purpose.ENTRY) -> Intent:
    return Intent(id_, "BTCUSDT", purpose, Side.BUY, OrderType.MARKET, 0, 940_005, 0, 935_000, 10_000, False, False)


def fill(client_id: str = "A-1", **changes: object) -> Fill:
    made = Fill(
        START_MS + 6 * MINUTE_MS,
        "BTCUSDT",
        client_id,
        ENTRY,
        "entry",
        Side.BUY,
        12,
        940_010,
        4_512,
        False,
        FillKind.TRADE,
    )
    return msgspec.structs.replace(made, **changes)


def decision(argument: str = "momentum holds", rsi: float = 0.1 + 0.2) -> Decision:
    evidence = (Evidence("15m.rsi_14", rsi),)
    odds = Odds(0.5, 0.3, 0.2)
    return Decision(
        question_id=f"{SETUP}?",
        setup_id=SETUP,
        symbol="BTCUSDT",
        mind="rules/1",
        outcome=Outcome.TRADE,
        reason="expected value above threshold",
        proposal=Proposal(
            SETUP,
            "BTCUSDT",
            Side.BUY,
            OrderType.MARKET,
            940_005,
            935_000,
            (Target(950_000, 10_000),),
            3_600_000,
            "a breakout",
        ),
        timing=Timing(Stance.NOW, 0, ""),
        verdict=Verdict(Stance.APPROVE, 10_000, ("within limits",)),
        statements=(Statement(Agent.CONSULTANT, 1, Stance.PROPOSE, argument, odds, evidence),),
        ballot=Ballot(0.4, (1.0,), (0.5,), 0.4, 0.5, 0.0, 0.35, 0.3, 0.1, 1.0, True, Outcome.TRADE, "quorum and value"),
    )


def question() -> Question:
    setup = Setup(
        SETUP,
        "BTCUSDT",
        "breakout",
        "15m",
        START_MS + 5 * MINUTE_MS,
        Side.BUY,
        OrderType.MARKET,
        940_005,
        935_000,
        (Target(950_000, 10_000),),
        3_600_000,
        (Evidence("15m.rsi_14", 61.5),),
    )
    standing = Standing(Agent.CONSULTANT, 1.0, 1.0, 0.0, 0.0)
    features = {"15m.rsi_14": 61.5, "5m.atr_14": 40.25}
    return Question(
        f"{SETUP}?",
        setup.time_ms,
        setup,
        0.1,
        94_000.5,
        features,
        {"4h.ema_200": "warming up"},
        {},
        (standing,),
        120_000,
    )


def trade(before: int = 4, client_id: str = "A-1", argument: str = "momentum holds") -> list[Audit]:
    """One trade from feature to close, after `before` plain bars, and the end of the run."""
    order = Order(client_id, ENTRY, "BTCUSDT", Side.BUY, OrderType.MARKET, Purpose.ENTRY, 12, 0, 0, False, False)
    out = Order(
        "A-2",
        f"{SETUP}-stop@935000",
        "BTCUSDT",
        Side.SELL,
        OrderType.STOP_MARKET,
        Purpose.STOP,
        0,
        0,
        935_000,
        True,
        True,
    )
    closing = fill("A-2", time_ms=START_MS + 20 * MINUTE_MS, intent_id=out.intent_id, purpose="stop", side=Side.SELL)
    closed = TradeClosed(
        SETUP,
        "BTCUSDT",
        Side.BUY,
        START_MS + 6 * MINUTE_MS,
        START_MS + 20 * MINUTE_MS,
        12,
        1,
        2,
        9_024,
        7,
        -5,
        100,
        "stop",
    )
    return audits(
        [
            started(),
            *(bar(number) for number in range(before)),
            (bar(before), (AskCouncil(question()),)),
            DecisionMade(START_MS + 5 * MINUTE_MS + 250, decision(argument)),
            (bar(before + 1), (Reviewed(intent(), 12, "risk per trade", "", ()), PlaceOrder(order))),
            OrderAccepted(START_MS + 6 * MINUTE_MS, "BTCUSDT", client_id),
            (OrderFilled(START_MS + 6 * MINUTE_MS, fill(client_id), True), (PlaceOrder(out),)),
            OrderAccepted(START_MS + 6 * MINUTE_MS, "BTCUSDT", "A-2"),
            FundingPaid(START_MS + 10 * MINUTE_MS, "BTCUSDT", 7, 10_000, 12, 940_010, True),
            (OrderFilled(START_MS + 20 * MINUTE_MS, closing, True), (closed,)),
            bar(before + 2),
            RunEnded(START_MS + 30 * MINUTE_MS),
        ]
    )
