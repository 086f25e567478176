import statistics

import pytest

from aister.core.council import Outcome
from aister.core.errors import SettingsError
from aister.council.latency import FixedLatency, LogNormalLatency
from aister.council.rules import RuleCouncil
from tests.council.questions import question


def test_rules_answer_after_a_quarter_of_a_second() -> None:
    assert RuleCouncil().latency_ms(question()) == 250


def test_drawn_latency_has_the_stated_median_and_tail() -> None:
    draws = [LogNormalLatency(seed=1, timeout_ms=10**9).draw_ms(f"q{n}") for n in range(4_000)]
    assert statistics.median(draws) == pytest.approx(10_000, rel=0.05)
    assert sorted(draws)[3_800] == pytest.approx(30_000, rel=0.10)


def test_a_draw_depends_on_seed_and_question_only() -> None:
    latency = LogNormalLatency(seed=5)
    assert latency.draw_ms("a") == LogNormalLatency(seed=5).draw_ms("a")
    assert len({latency.draw_ms("a"), latency.draw_ms("b"), LogNormalLatency(seed=6).draw_ms("a")}) == 3


def test_nobody_waits_beyond_the_timeout() -> None:
    assert max(LogNormalLatency(seed=2).draw_ms(f"q{n}") for n in range(2_000)) == 60_000


def test_too_late_is_an_absent_officer() -> None:
    council = RuleCouncil(latency=FixedLatency(60_000))
    decision = council.deliberate(question())
    assert (decision.outcome, decision.reason) == (Outcome.NO_TRADE, "officer_absent")
    assert decision.verdict.reasons == ("officer_absent",)
    assert decision.proposal is None


def test_a_tail_below_the_median_is_refused() -> None:
    with pytest.raises(SettingsError, match="median < p95"):
        LogNormalLatency(seed=1, median_ms=40_000)
