"""The result of a journal: every figure of one trade by hand, and the whole against the engine's own books."""

from pathlib import Path

import pytest

from aister.analytics.collect import collect
from aister.core.audit import Breaker, BreakerChanged
from aister.core.council import Stance
from aister.core.errors import DataError
from aister.core.money import UNIT
from aister.core.trade import FillKind, Purpose, Side
from tests.fakes.audits import HOUR_MS, MINUTE_MS, START_MS, Tape, one_trade


def test_one_trade_to_the_last_unit() -> None:
    result = collect(one_trade().audits)
    (trade,) = result.trades
    assert (trade.gross, trade.fees, trade.funding) == (round(-10.1 * UNIT), round(0.7 * UNIT), round(0.5 * UNIT))
    assert trade.pnl == round(-11.3 * UNIT)
    assert trade.r == pytest.approx(-1.13)
    assert (trade.entry_price, trade.exit_price, trade.stop_price, trade.targets) == (
        100_000.0,
        98_990.0,
        99_000.0,
        (101_000.0,),
    )
    assert (trade.rule, trade.side, trade.reason, trade.stopped) == ("breakout", Side.BUY, "stop", True)
    assert trade.held_ms == 30 * HOUR_MS + MINUTE_MS - 1 - 61 * MINUTE_MS
    # 0.010 bought one quote unit above the open, sold ten below the trigger
    assert [leg.slippage for leg in trade.legs] == [round(0.01 * UNIT), round(0.1 * UNIT)]
    assert result.slippage == trade.slippage == round(0.11 * UNIT) and result.slippage_known
    assert (result.fees, result.funding) == (trade.fees, trade.funding)


def test_equity_is_cash_and_what_is_held_at_the_newest_close() -> None:
    result = collect(one_trade().audits)
    points = dict(zip(result.equity.times_ms, result.equity.amounts, strict=True))
    assert points[START_MS] == 10_000 * UNIT
    assert points[START_MS + 3 * HOUR_MS] == round((10_000 - 0.35 + 0.01 * 200) * UNIT)
    assert points[START_MS + 9 * HOUR_MS] == round((10_000 - 0.35 - 0.5 - 0.01 * 500) * UNIT)
    assert result.equity.amounts[-1] == result.capital + result.trades[0].pnl
    assert list(result.equity.times_ms) == sorted(set(result.equity.times_ms))
    peak = max(a for t, a in points.items() if t <= START_MS + 30 * HOUR_MS)
    assert max(result.equity.drawdown) == pytest.approx(1 - result.equity.amounts[-1] / peak)


def test_a_decision_carries_its_whole_story() -> None:
    (decision,) = collect(one_trade().audits).decisions
    assert decision.arrived_ms == decision.asked_ms + 250
    assert decision.decision is not None and len(decision.decision.statements) == 3
    assert [review.reviewed.granted_steps for review in decision.reviews] == [10]
    assert (decision.trade, decision.label, decision.vetoed) == (1, "stop", False)
    assert decision.armed_ms == decision.arrived_ms


def test_counts_name_every_reason_of_a_veto() -> None:
    tape = Tape()
    tape.hours(0, 1, 1e5)
    tape.ask(60, stance=Stance.VETO, reasons=("cost_to_risk", "crowding"))
    tape.ask(75, Side.SELL, stance=Stance.VETO, reasons=("crowding",))
    tape.ask(90, trade=False)
    tape.ask(105, granted=0, limit="cooldown")
    counts = collect(tape.end()).counts
    assert counts.vetoes == {"crowding": 2, "cost_to_risk": 1} and counts.veto_total == 2
    assert counts.outcomes == {"expected_value": 1, "trade": 1, "veto:cost_to_risk": 1, "veto:crowding": 1}
    assert (counts.decisions, counts.proposals_to_trade, counts.refused) == (4, 1, {"cooldown": 1})


def test_partial_targets_weigh_the_holding_time_and_the_rule_is_read_from_the_id() -> None:
    tape = Tape()
    setup = f"BTCUSDT-{START_MS}-ema_cross-short"
    tape.bar(0, 1_000.0)
    at = START_MS + MINUTE_MS
    tape.fill(at, Purpose.ENTRY, Side.SELL, 10, 10_000, 0.1, setup)
    tape.bar(1, 1_000.0)
    tape.fill(at + HOUR_MS, Purpose.TARGET, Side.BUY, 6, 9_900, 0.1, setup, trigger=9_900)
    tape.bar(61, 990.0)
    word = tape.closed(setup, Side.SELL, at, at + 2 * HOUR_MS, 10, 1.0, 1.0, "target")
    tape.fill(at + 2 * HOUR_MS, Purpose.TARGET, Side.BUY, 4, 9_800, 0.1, setup, trigger=9_800, outputs=(word,))
    tape.bar(121, 980.0)
    (trade,) = collect(tape.end()).trades
    assert trade.rule == "ema_cross"
    assert trade.held_ms == round(1.4 * HOUR_MS)
    assert trade.exit_price == pytest.approx(986.0)
    assert trade.gross == round((0.006 * 10 + 0.004 * 20) * UNIT)


def test_a_stop_in_a_bar_that_reached_a_target_is_ambiguous() -> None:
    tape = Tape()
    tape.bar(0, 1_000.0)
    at = START_MS + MINUTE_MS
    tape.fill(at, Purpose.ENTRY, Side.BUY, 10, 10_000, 0.0, "s-1-r-long")
    stop = tape.place(at, Purpose.STOP, Side.SELL, 0, 9_900, "s-1-r-long")
    tape.place(at, Purpose.TARGET, Side.SELL, 10, 10_100, "s-1-r-long")
    tape.bar(1, 1_000.0)
    filled = START_MS + 3 * MINUTE_MS - 1
    word = tape.closed("s-1-r-long", Side.BUY, at, filled, 10, -0.1, 0.1, "stop")
    tape.fill(filled, Purpose.STOP, Side.SELL, 10, 9_900, 0.0, "s-1-r-long", client_id=stop, outputs=(word,))
    tape.bar(2, 1_000.0, low=989.0, high=1_011.0)
    (trade,) = collect(tape.end()).trades
    assert trade.ambiguous
    assert trade.target_first == round(0.010 * 20 * UNIT)


def test_an_open_trade_is_valued_and_a_liquidation_has_no_slippage() -> None:
    tape = Tape()
    tape.bar(0, 1_000.0)
    tape.fill(START_MS + MINUTE_MS, Purpose.ENTRY, Side.BUY, 10, 10_000, 0.0, "s-1-r-long")
    tape.bar(1, 1_100.0, open=1_000.0)
    opened = collect(tape.audits)
    assert not opened.finished and opened.trades == ()
    assert opened.open_trades[0].pnl == UNIT and opened.open_trades[0].closed_ms is None
    assert opened.equity.amounts[-1] == opened.capital + UNIT
    end = START_MS + 3 * MINUTE_MS - 1
    word = tape.closed("s-1-r-long", Side.BUY, START_MS + MINUTE_MS, end, 10, -9.0, 1.0, "liquidation")
    tape.fill(end, Purpose.CLOSE, Side.SELL, 10, 1_000, 0.0, "", kind=FillKind.LIQUIDATION, outputs=(word,))
    tape.bar(2, 100.0, open=1_100.0)
    assert not collect(tape.audits).slippage_known


def test_transfers_move_money_and_no_drawdown() -> None:
    tape = Tape()
    tape.hours(0, 2, 1_000.0)
    tape.transfer(START_MS + 2 * HOUR_MS, -5_000.0)
    tape.hours(2, 4, 1_000.0)
    tape.add(tape.audits[-1].event, BreakerChanged(Breaker.REDUCING, "a person asked"))
    result = collect(tape.end())
    assert result.equity.amounts[-1] == 5_000 * UNIT
    assert max(result.equity.drawdown) == 0.0
    assert [(b.state, b.reason) for b in result.breakers] == [("REDUCING", "a person asked")]
    assert result.commands == ((START_MS + 2 * HOUR_MS, "Transfer: owner, -500000000000"),)


def test_a_journal_without_a_start_is_refused_in_one_sentence() -> None:
    with pytest.raises(DataError, match=r"no start of a run.*aister journal show"):
        collect(one_trade().audits[3:])


def test_the_whole_agrees_with_the_engines_books(tmp_path: Path) -> None:
    from aister.app.build import build_run, open_data, open_run_journal
    from aister.app.settings import RunSettings
    from aister.engine.runner import run_sync

    settings = RunSettings(symbols=("BTCUSDT",), strategy="ema_cross", mind="none", end_ms=START_MS + 22 * 24 * HOUR_MS)
    feed = open_data(settings)
    journal = open_run_journal(tmp_path, settings, feed)
    built = build_run(settings, feed, journal)
    run_sync(built.run)
    result = collect(built.journal.records(), flags=feed.flags)
    books = built.engine.portfolio.account()
    assert len(result.trades) >= 5
    assert result.equity.amounts[-1] == built.engine.portfolio.equity
    assert (result.fees, result.funding) == (books["fees"], books["funding"])
    closed = [o for a in built.journal.records() for o in a.outputs if type(o).__name__ == "TradeClosed"]
    assert [(t.pnl, t.fees, t.funding, t.initial_risk) for t in result.trades] == [
        (o.pnl, o.fees, o.funding, o.initial_risk) for o in closed
    ]
    assert all(t.rule == "ema_cross" for t in result.trades)
    assert result.bars == {"BTCUSDT": 22 * 1440}
    assert len(result.candles["BTCUSDT"].open_ms) == 22 * 24
    journal.close()  # type: ignore[attr-defined]
