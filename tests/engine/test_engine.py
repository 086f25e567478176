"""What the engine does when things go as they should and when they do not: orders, plans, protection, reports."""

import pytest

from aister.core.audit import AskCouncil, Breaker, CancelOrder, PlaceOrder, PlanArmed, ProposalResolved, Reviewed
from aister.core.errors import DataError, SequenceError
from aister.core.events import BarClosed, InstrumentListed, OrderAccepted, OrderCanceled, OrderFilled, OrderRejected
from aister.core.trade import OrderType, Purpose, Side
from tests.engine.rig import BTC, START_MS, Rig, setup
from tests.fakes.minds import Willing
from tests.sim.market import MINUTE_MS, MONEY, instrument

LONG = setup(2, stop=99_000.0, targets=((101_000.0, 5_000), (103_000.0, 5_000)))
"""Asked at the close of bar 2, armed in bar 3, sent at its close, filled at the open of bar 4: 50 steps."""


def holding(minds: Willing | None = None) -> Rig:
    """A rig that has just filled `LONG`, at the open of bar 4."""
    rig = Rig(LONG, minds=minds).bars(5)
    assert rig.steps == 50
    return rig


def test_a_setup_becomes_a_question_a_plan_an_order_and_a_protected_position() -> None:
    rig = Rig(LONG).bars(2)
    assert rig.said(AskCouncil) == []
    rig.bar()
    assert [one.question.setup for one in rig.said_now(AskCouncil)] == [LONG]
    assert not rig.free
    rig.bar()
    (armed,) = rig.said_now(PlanArmed)
    assert armed.reserved_risk >= 50 * MONEY
    assert [(one.type, one.steps) for one in rig.placed] == [(OrderType.MARKET, 50)]
    assert rig.steps == 0
    rig.bar()
    assert rig.steps == 50
    assert [one.purpose for one in rig.placed] == [Purpose.STOP, Purpose.TARGET, Purpose.TARGET]
    assert rig.placed == rig.resting


def test_no_second_question_while_one_is_asked_planned_or_held() -> None:
    more = [setup(minute, stop=99_000.0, targets=((101_000.0, 10_000),)) for minute in (3, 4, 6)]
    rig = Rig(LONG, *more).bars(8)
    assert [one.question.setup for one in rig.said(AskCouncil)] == [LONG]


def test_a_stop_that_the_venue_rejects_closes_the_position_at_once() -> None:
    """The fill gapped beyond the stop: -2021. The close leaves in the pass that learns of it, reduce-only."""
    rig = Rig(LONG).bars(4)
    rig.bar(98_400.0, open=98_500.0)
    (rejected,) = [audit for audit in rig.new if isinstance(audit.event, OrderRejected)]
    assert rejected.event.reason.startswith("-2021")
    (close,) = [one.order for one in rejected.outputs if isinstance(one, PlaceOrder)]
    assert (close.purpose, close.type, close.reduce_only, close.steps) == (Purpose.CLOSE, OrderType.MARKET, True, 50)
    assert rejected.event.time_ms == START_MS + 4 * MINUTE_MS
    rig.bar(98_400.0)
    assert rig.steps == 0
    assert [one.reason for one in rig.closed] == ["close"]
    rig.bar(98_400.0)
    assert rig.resting == []
    assert rig.free


def test_an_entry_that_the_venue_rejects_is_given_up_and_the_desk_is_free() -> None:
    again = setup(4, stop=99_000.0, targets=((101_000.0, 10_000),))
    rig = Rig(LONG, again, at_venue=100 * MONEY).bars(4)
    (reason,) = rig.voided
    assert reason.startswith("the venue refused: -2019")
    assert rig.free
    rig.bar()
    assert [one.question.setup for one in rig.said_now(AskCouncil)] == [again]


def test_a_late_answer_is_void() -> None:
    again = setup(8, stop=99_000.0, targets=((101_000.0, 10_000),))
    rig = Rig(LONG, again, minds=Willing(latency_ms=250_000)).bars(5)
    assert rig.voided == ["the council did not answer in time"]
    assert rig.free
    rig.bars(3)
    assert rig.voided == ["the council did not answer in time", "the answer came too late"]
    assert rig.said(PlanArmed) == []
    rig.bar()
    assert len(rig.said(AskCouncil)) == 2


def test_a_plan_expires() -> None:
    """The next bar after a gap of forty minutes is too late for it."""
    rig = Rig(LONG).bars(3).bar(skip=40)
    assert len(rig.said(PlanArmed)) == 1
    assert rig.voided == ["the plan expired"]
    assert rig.said(Reviewed) == []
    assert rig.free


def test_waiting_holds_the_plan_until_the_time_the_analyst_named() -> None:
    rig = Rig(LONG, minds=Willing(wait_ms=5 * MINUTE_MS)).bars(7)
    (armed,) = rig.said(PlanArmed)
    assert armed.not_before_ms == START_MS + 8 * MINUTE_MS
    assert rig.said(PlaceOrder) == []
    rig.bar()
    assert rig.audits[-1].event.time_ms == START_MS + 8 * MINUTE_MS
    assert [one.purpose for one in rig.placed] == [Purpose.ENTRY]


def test_a_target_moves_the_stop_only_at_the_next_close_and_never_cancels_first() -> None:
    """Break-even: entry plus a round trip's cost, 7 bp of fees in this rig."""
    rig = holding().bar(100_900.0, open=100_000.0, high=101_200.0)
    hit = next(audit for audit in rig.new if isinstance(audit.event, OrderFilled))
    assert (hit.event.fill.purpose, hit.event.fill.steps, hit.outputs) == (Purpose.TARGET, 25, ())
    order = [(type(a.event), [type(o) for o in a.outputs if type(o) is not ProposalResolved]) for a in rig.new]
    assert order == [
        (OrderFilled, []),
        (BarClosed, [Reviewed, PlaceOrder]),
        (OrderAccepted, [CancelOrder]),
        (OrderCanceled, []),
    ]
    entry = next(a.event.fill for a in rig.audits if isinstance(a.event, OrderFilled))
    (stop,) = [one for one in rig.resting if one.purpose is Purpose.STOP]
    moved_to = entry.price_ticks + -(-entry.price_ticks * 70_000 // 10**8)
    assert stop.trigger_ticks == moved_to > entry.price_ticks
    assert rig.cancels() == [("rig-8-1", "replaced")]


def test_trailing_follows_the_best_close_and_never_goes_back() -> None:
    rig = holding().bar(101_100.0, open=100_000.0, high=101_200.0)
    triggers = []
    for close in (102_000.0, 102_500.0, 102_200.0, 102_800.0):
        rig.bar(close)
        (stop,) = [one for one in rig.resting if one.purpose is Purpose.STOP]
        triggers.append(stop.trigger_ticks)
        for audit in rig.new:
            if any(isinstance(one, CancelOrder) for one in audit.outputs):
                assert isinstance(audit.event, OrderAccepted)
                assert audit.event.client_id == stop.client_id
    risk = rig.engine.desks[BTC].bracket.risk_ticks
    assert triggers == [1_020_000 - risk, 1_025_000 - risk, 1_025_000 - risk, 1_028_000 - risk]


def test_a_spike_to_the_target_after_a_fall_from_the_best_close_leaves_break_even() -> None:
    """The trail behind the best close is beyond the price by then, break-even is not."""
    far = setup(2, stop=99_000.0, targets=((103_000.0, 5_000), (105_000.0, 5_000)))
    rig = Rig(far).bars(5).bar(102_900.0, open=100_000.0).bar(101_500.0, open=102_900.0, high=103_100.0)
    bracket = rig.engine.desks[BTC].bracket
    assert bracket.best_ticks == 1_029_000
    (stop,) = [one for one in rig.resting if one.purpose is Purpose.STOP]
    assert stop.trigger_ticks == bracket.entry_ticks + bracket.cost_ticks


def test_a_stop_ends_the_trade_and_clears_what_is_left() -> None:
    rig = holding().bar(98_950.0, open=100_000.0)
    (closed,) = rig.closed
    assert (closed.reason, closed.side, closed.steps) == ("stop", Side.BUY, 50)
    assert closed.pnl < -50 * MONEY
    assert len(rig.cancels()) == 2
    assert rig.resting == []
    assert rig.free
    assert rig.portfolio.wallet == rig.venue.wallet


def test_time_ends_a_trade() -> None:
    short_lived = setup(2, Side.SELL, stop=101_000.0, targets=((99_000.0, 10_000),), horizon=5)
    rig = Rig(short_lived).bars(8)
    assert rig.steps == -50
    rig.bar()
    assert [(one.purpose, one.side) for one in rig.placed] == [(Purpose.CLOSE, Side.BUY)]
    rig.bar()
    assert [one.reason for one in rig.closed] == ["time"]
    assert rig.free


def test_a_stop_that_vanishes_is_put_back_at_once_and_after_two_more_the_position_is_closed() -> None:
    rig = holding()
    for purpose in (Purpose.STOP, Purpose.STOP, Purpose.CLOSE):
        (stop,) = [one for one in rig.resting if one.purpose is Purpose.STOP]
        rig.venue.cancel(BTC, stop.client_id, rig.engine.time_ms)
        rig.bar()
        assert [one.purpose for one in rig.placed] == [purpose]
    rig.bar()
    assert rig.steps == 0


def test_a_limit_entry_rests_expires_and_is_given_up() -> None:
    resting = setup(2, entry=99_500.0, stop=99_000.0, targets=((101_000.0, 10_000),))
    rig = Rig(resting).bars(4)
    assert [(one.type, one.price_ticks) for one in rig.resting] == [(OrderType.LIMIT, 995_000)]
    rig.bars(29)
    assert len(rig.resting) == 1
    rig.bars(2)
    assert rig.resting == []
    assert rig.voided == ["entry cancelled: requested"]
    assert rig.free


def test_a_limit_entry_filled_inside_a_bar_can_be_stopped_in_it_but_takes_no_target() -> None:
    resting = setup(2, entry=99_500.0, stop=99_000.0, targets=((100_500.0, 10_000),))
    stopped = Rig(resting).bars(4).bar(99_600.0, open=100_000.0, low=98_900.0, high=100_900.0)
    fills = [audit.event.fill for audit in stopped.new if isinstance(audit.event, OrderFilled)]
    assert [(one.purpose, one.maker) for one in fills] == [(Purpose.ENTRY, True), (Purpose.STOP, False)]
    assert [one.reason for one in stopped.closed] == ["stop"]
    held = Rig(resting).bars(4).bar(99_600.0, open=100_000.0, low=99_400.0, high=100_900.0)
    assert held.steps > 0
    assert {one.purpose for one in held.resting} == {Purpose.STOP, Purpose.TARGET}


def test_a_liquidation_halts_until_a_person_resumes() -> None:
    far = setup(2, stop=50_000.0, targets=((200_000.0, 10_000),))
    again = setup(8, near=60_000.0, stop=59_000.0, targets=((70_000.0, 10_000),))
    rig = Rig(far, again).bars(5)
    assert rig.steps > 0
    rig.bar(60_000.0, open=60_000.0)
    (closed,) = rig.closed
    assert closed.reason == "liquidation"
    assert rig.risk.breaker is Breaker.HALTED
    rig.bars(5, 60_000.0)
    assert [one.granted_steps for one in rig.said(Reviewed) if one.intent.id.startswith(again.id)] == [0]
    assert rig.steps == 0
    assert rig.portfolio.wallet == rig.venue.wallet


def test_funding_is_paid_on_what_is_held_at_the_settlement() -> None:
    rig = holding()
    before = rig.portfolio.wallet
    rig.bar(funding=((5, 10_000),))
    due = 50 * 1_000_000 * 10_000 * 10_000 // 10**8
    assert before - rig.portfolio.wallet == due
    assert rig.portfolio.wallet == rig.venue.wallet
    rig.bar(98_900.0)
    flat = rig.portfolio.wallet
    rig.bar(98_900.0, funding=((7, 10_000),))
    assert rig.portfolio.wallet == flat
    assert rig.closed[0].funding == due


def test_answers_and_settlements_keep_their_order_over_missing_bars() -> None:
    """What was settled and answered meanwhile is told when bars resume, in the order in which it happened."""
    rig = Rig(LONG).bars(3).bar(skip=5, funding=((3, 10_000), (5, 20_000)))
    kinds = [(type(audit.event).__name__, audit.event.time_ms - START_MS) for audit in rig.new]
    assert kinds[:3] == [("FundingSettled", 180_000), ("DecisionMade", 180_250), ("FundingSettled", 300_000)]


def test_time_never_goes_backwards() -> None:
    rig = holding()
    sequence = rig.engine.sequence
    old = BarClosed(START_MS + MINUTE_MS, BTC, START_MS, 1e5, 1e5, 1e5, 1e5, 1.0)
    with pytest.raises(SequenceError, match="backwards"):
        rig.engine.process(old)
    assert rig.engine.sequence == sequence


def test_new_terms_bind_fees_filters_and_expectations_from_their_opening() -> None:
    dearer = instrument(taker_e8=70_000, brackets=Rig().instrument.brackets)
    rig = Rig(LONG, setup(8, stop=97_000.0, targets=((101_000.0, 10_000),))).bars(4)
    rig.bar(instruments=(dearer,))
    listed = [audit.event for audit in rig.new if isinstance(audit.event, InstrumentListed)]
    assert [(one.time_ms, one.instrument) for one in listed] == [(START_MS + 4 * MINUTE_MS, dearer)]
    fill = next(audit.event.fill for audit in rig.new if isinstance(audit.event, OrderFilled))
    assert fill.fee == fill.price_ticks * fill.steps * 10_000 * 70_000 // 10**8
    rig.bars(5, 98_900.0)
    first, second = rig.minds.asked
    assert (first.cost_e8, second.cost_e8) == (70_000, 140_000)


def test_a_new_price_grid_voids_what_was_counted_in_the_old_one() -> None:
    finer = instrument(tick_e8=1_000_000, unit=1_000, brackets=Rig().instrument.brackets)
    armed = Rig(LONG, minds=Willing(wait_ms=10 * MINUTE_MS)).bars(4).bar(instruments=(finer,))
    assert armed.voided == ["the grid of its prices or sizes changed"]
    assert armed.free
    asked = Rig(LONG).bars(3).bar(instruments=(finer,))
    assert asked.voided == ["the answer came too late"]
    resting = Rig(setup(2, entry=99_500.0, stop=99_000.0, targets=((101_000.0, 10_000),))).bars(4)
    resting.bar(instruments=(finer,))
    assert resting.resting == []
    assert resting.free


def test_terms_of_an_unknown_symbol_are_refused() -> None:
    rig = Rig()
    with pytest.raises(DataError, match="not one of this run's symbols"):
        rig.engine.process(InstrumentListed(START_MS, instrument("DOGEUSDT")))
