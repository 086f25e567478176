from aister.core.council import Outcome, Stance, Target
from aister.core.trade import Side
from aister.council.rules import RuleCouncil
from tests.council.questions import TUESDAY_MS, of, question

NEW_YORK_0945_MS = TUESDAY_MS + 6 * 3_600_000 + 15 * 60_000


def test_now_in_a_kill_zone() -> None:
    timing = RuleCouncil().deliberate(question()).timing
    assert (timing.stance, timing.not_before_ms) == (Stance.NOW, TUESDAY_MS)


def test_with_the_opening_move_it_waits_for_the_ten_o_clock_reversal() -> None:
    decision = RuleCouncil().deliberate(
        question(
            of(time_ms=NEW_YORK_0945_MS),
            session__new_york_minute=585.0,
            session__new_york_is_open=1.0,
            session__kill_zone_new_york_open=1.0,
        )
    )
    assert decision.timing.stance == Stance.WAIT
    assert decision.timing.not_before_ms == NEW_YORK_0945_MS + 15 * 60_000
    assert "10:00 New York reversal" in decision.timing.condition
    assert decision.outcome == Outcome.TRADE


def test_against_the_opening_move_it_does_not_wait() -> None:
    fields = {"session__new_york_minute": 585.0, "session__new_york_is_open": 1.0, "f15m__open": 105_100.0}
    assert RuleCouncil().deliberate(question(**fields)).timing.stance == Stance.NOW


def test_it_lets_a_settlement_pass_that_it_would_pay() -> None:
    timing = RuleCouncil().deliberate(question(funding__minutes_to_next=5.0, funding__rate=0.0001)).timing
    assert timing.stance == Stance.WAIT
    assert timing.not_before_ms == TUESDAY_MS + 6 * 60_000


def test_it_does_not_wait_for_a_settlement_that_pays_it() -> None:
    short = of(side=Side.SELL, stop_ticks=1_057_500, targets=(Target(1_038_750, 10_000),))
    timing = RuleCouncil().deliberate(question(short, funding__minutes_to_next=5.0, funding__rate=0.0001)).timing
    assert timing.stance != Stance.WAIT


def test_a_dead_week_end_range_is_avoided() -> None:
    dead = {
        "session__weekday": 6.0,
        "session__kill_zone_london_open": 0.0,
        "session__london_is_open": 0.0,
        "f15m__adx_14": 12.0,
    }
    decision = RuleCouncil().deliberate(question(**dead))
    assert decision.timing.stance == Stance.AVOID
    assert (decision.outcome, decision.reason) == (Outcome.NO_TRADE, "bad_moment")


def test_what_it_cannot_read_contributes_nothing_and_is_named() -> None:
    blind = RuleCouncil().deliberate(question(without=("15m.adx_14", "session.weekday")))
    statement = blind.statements[1]
    assert "cannot read session.weekday, 15m.adx_14" in statement.argument
    assert "15m.adx_14" not in {one.feature for one in statement.evidence}
