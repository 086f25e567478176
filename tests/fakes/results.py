"""Trades and results made by hand, for what is computed from them."""

from typing import Any

import msgspec

from aister.analytics.collect import collect
from aister.analytics.run_result import RunResult, Trade
from aister.core.money import UNIT
from aister.core.trade import Side
from tests.fakes.audits import START_MS, Tape

_TRADE = Trade(
    number=1,
    setup_id="s",
    symbol="BTCUSDT",
    side=Side.BUY,
    rule="rule",
    opened_ms=START_MS,
    closed_ms=START_MS + 1,
    steps=10,
    entry_price=100.0,
    exit_price=100.0,
    notional=1_000 * UNIT,
    turnover=2_000 * UNIT,
    stop_price=None,
    hit_stop=None,
    targets=(),
    stops=(),
    gross=0,
    fees=0,
    funding=0,
    pnl=0,
    initial_risk=10 * UNIT,
    r=0.0,
    reason="time",
    held_ms=1,
    stopped=False,
    slippage=0,
    slippage_known=True,
    ambiguous=False,
    target_first=0,
    legs=(),
)


def trade(**fields: Any) -> Trade:
    """A trade with these fields and plain ones otherwise."""
    return msgspec.structs.replace(_TRADE, **fields)


def result(trades: list[Trade], **fields: Any) -> RunResult:
    """A flat run of one day with these trades written over it."""
    tape = Tape()
    tape.hours(0, 24, 100.0)
    return msgspec.structs.replace(collect(tape.end()), trades=tuple(trades), **fields)
