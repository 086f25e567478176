"""Growth-optimal fractions against the textbook, the bound below them, and the road from UNPROVEN to proven."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aister.core.money import money, rate
from aister.risk.kelly import Outcome, assess, effective, growth_optimal, lower_bound, remember
from aister.risk.profile import Limits
from tests.risk.world import DAY, HOUR, MONDAY, closed, entry, kernel, quiet


@pytest.mark.parametrize(("wins", "losses", "payoff"), [(60, 40, 1.0), (50, 50, 2.0), (40, 60, 3.0), (55, 45, 0.9)])
def test_two_outcomes_give_the_binary_formula(wins: int, losses: int, payoff: float) -> None:
    """f* = p - q / b."""
    r = np.array([payoff] * wins + [-1.0] * losses)
    p = wins / (wins + losses)
    assert growth_optimal(r)[0] == pytest.approx(p - (1 - p) / payoff, abs=1e-9)


def test_no_edge_is_no_bet_and_no_loss_is_all_of_it() -> None:
    assert growth_optimal(np.array([1.0, -1.0]))[0] == 0
    assert growth_optimal(np.array([0.5, -1.0]))[0] == 0
    assert growth_optimal(np.array([0.5, 1.0]))[0] == pytest.approx(1, abs=1e-9)


@settings(max_examples=60)
@given(st.lists(st.floats(-2.5, 4), min_size=2, max_size=40))
def test_no_other_fraction_grows_faster(values: list[float]) -> None:
    """A gap loss below -1 R is kept as it is, so the fraction stays below what it would ruin."""
    r = np.array(values)
    best = growth_optimal(r)[0]
    top = min(1.0, 0.999 / max(1e-9, -float(r.min()))) if r.min() < 0 else 1.0
    growth = np.array([np.log1p(f * r).mean() for f in np.linspace(0, top, 200)])
    assert np.log1p(best * r).mean() >= growth.max() - 1e-9


def outcomes(r: list[float], per_day: int = 4) -> list[Outcome]:
    return [
        Outcome(
            MONDAY + i // per_day * DAY + i % per_day * HOUR, MONDAY + i // per_day * DAY + i % per_day * HOUR + 1, x
        )
        for i, x in enumerate(r)
    ]


def test_the_bound_lies_below_the_estimate_and_repeats_with_its_seed() -> None:
    r = np.random.default_rng(3).choice([1.5, -1.0], p=[0.5, 0.5], size=400)
    record = outcomes(list(r))
    bound = lower_bound(record, 1_000, seed=1)
    assert 0 < bound < growth_optimal(r)[0]
    assert bound == lower_bound(record, 1_000, seed=1) != lower_bound(record, 1_000, seed=2)


def test_losses_that_come_together_lower_the_bound() -> None:
    """Day blocks: the same outcomes, sorted into good and bad days, prove less."""
    r = [1.5, -1.0] * 100
    together = [1.5] * 4 + [-1.0] * 4
    assert lower_bound(outcomes(together * 25), 1_000, seed=1) < lower_bound(outcomes(r), 1_000, seed=1)


def test_trades_open_at_the_same_time_count_as_one() -> None:
    record: list[Outcome] = []
    for minute in (0, 1, 2):
        remember(record, closed(money(1), MONDAY + minute * 60_000))
    assert effective(record) == pytest.approx(1)
    remember(record, closed(money(1), MONDAY + 5 * HOUR))
    assert effective(record) == pytest.approx(2)
    remember(record, closed(money(1), MONDAY + 9 * HOUR, initial_risk=0))
    assert len(record) == 4


@pytest.mark.parametrize(("n", "certified", "proven"), [(99, True, False), (100, True, True), (100, False, False)])
def test_proven_needs_a_certificate_and_a_hundred_outcomes(n: int, certified: bool, proven: bool) -> None:
    kelly = assess(outcomes([1.5, -1.0] * 50)[:n], certified=certified, needed=100, draws=200, seed=0)
    assert (kelly.proven, kelly.outcomes, kelly.bound_e8 is not None) == (proven, n, proven)


def test_the_kernel_counts_towards_proof_and_then_lets_the_record_speak() -> None:
    one = kernel(certified=True)
    limits = Limits()
    _, reviewed = one.review(entry(), quiet())
    assert reviewed.limit == "kelly" and not one.kelly.proven
    for i in range(100):
        one.trade_closed(closed(money(-10 if i % 4 == 0 else 15), MONDAY - (101 - i) * DAY))
    assert one.kelly.proven and one.kelly.effective_n == pytest.approx(100)
    bound = one.kelly.bound_e8
    assert bound is not None and rate("0.1") < bound < rate("0.6")
    _, reviewed = one.review(entry(), quiet())
    line = next(line for line in reviewed.caps if line.limit == "kelly")
    assert line.bound == pytest.approx(limits.kelly_e8 / 1e8 * bound / 1e8, rel=1e-6)
    assert reviewed.limit == "risk_per_trade"


def test_a_losing_record_ends_it() -> None:
    one = kernel(certified=True)
    for i in range(100):
        one.trade_closed(closed(money(10 if i % 4 == 0 else -10), MONDAY - (101 - i) * DAY))
    _, reviewed = one.review(entry(), quiet())
    assert (one.kelly.bound_e8, reviewed.granted_steps, reviewed.limit) == (0, 0, "kelly")
