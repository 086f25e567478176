import pytest
from hypothesis import given
from hypothesis import strategies as st

from aister.core.council import Target
from aister.council.baseline import barrier_odds
from aister.council.payoff import expected_r, payoff
from tests.council.questions import LONG, of

SINGLE = of(targets=(Target(1_061_250, 10_000),))


@given(st.floats(0.3, 30.0), st.floats(0.0, 0.3), st.floats(0.0, 0.1))
def test_the_baseline_has_no_edge_to_give_away(deviation: float, cost_r: float, impact_r: float) -> None:
    impact_r = min(impact_r, cost_r)
    p0 = barrier_odds(1.5 + impact_r, 1.0 - impact_r, deviation)
    pay = payoff(SINGLE, p0, cost_r=cost_r, impact_r=impact_r, slip_r=0.0, funding_r=0.0)
    if p0.neither < 1e-6:
        assert expected_r(p0.target, p0, pay) == pytest.approx(-cost_r, abs=1e-5)
    else:
        assert expected_r(p0.target, p0, pay) == pytest.approx(-cost_r, abs=1e-9)


@given(st.floats(0.3, 30.0), st.floats(0.05, 0.9), st.floats(0.01, 0.09))
def test_better_odds_are_worth_more(deviation: float, p: float, more: float) -> None:
    p0 = barrier_odds(1.5, 1.0, deviation)
    pay = payoff(LONG, p0, cost_r=0.1, impact_r=0.0, slip_r=0.02, funding_r=0.0)
    assert expected_r(p + more, p0, pay) > expected_r(p, p0, pay)


def test_later_targets_are_worth_the_first_without_slippage_and_less_with_it() -> None:
    p0 = barrier_odds(1.5, 1.0, None)
    smooth = payoff(LONG, p0, cost_r=0.0, impact_r=0.0, slip_r=0.0, funding_r=0.0)
    rough = payoff(LONG, p0, cost_r=0.0, impact_r=0.0, slip_r=0.1, funding_r=0.0)
    assert smooth.target_r == pytest.approx(1.5)
    # half of it goes on to 3 R, reached with probability 2.5 / 4, else stopped 0.1 R worse
    assert rough.target_r == pytest.approx(1.5 - 0.5 * (1 - 2.5 / 4) * 0.1)
    assert rough.stop_r == pytest.approx(-1.1)


def test_a_share_without_a_target_is_worth_the_first() -> None:
    p0 = barrier_odds(1.5, 1.0, None)
    pay = payoff(of(targets=(Target(1_061_250, 4_000),)), p0, cost_r=0.0, impact_r=0.0, slip_r=0.0, funding_r=0.0)
    assert pay.target_r == pytest.approx(1.5)


def test_by_hand() -> None:
    p0 = barrier_odds(1.5, 1.0, None)
    pay = payoff(SINGLE, p0, cost_r=0.12, impact_r=0.02, slip_r=0.05, funding_r=0.03)
    assert expected_r(0.5, p0, pay) == pytest.approx(0.5 * 1.5 - 0.5 * 1.05 - 0.10 - 0.03)
