import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aister.core.audit import ProposalResolved
from aister.core.council import Agent, Odds, Standing
from aister.core.errors import SequenceError
from aister.council.calibration import Calibration, uniqueness
from aister.council.odds import logit, probability
from aister.council.priors import packaged_priors

HOUR_MS = 3_600_000
RULES = packaged_priors().calibration


def label(hour: float, p0: float, hit: bool, **stated: float) -> ProposalResolved:
    odds = tuple((agent, Odds(p, 1 - p, 0.0)) for agent, p in stated.items())
    return ProposalResolved(f"s{hour}", "target" if hit else "stop", int(hour * HOUR_MS), p0, odds)


def standing(calibration: Calibration, agent: Agent) -> Standing:
    return next(one for one in calibration.standings() if one.agent == agent)


def history(outcomes: int, edge: float, seed: int = 1) -> Calibration:
    """Labels one after the other. The truth lies `edge` to either side of the baseline and the Consultant knows it; the
    Analyst says the baseline; the Officer knows the truth's opposite.
    """
    calibration, chance = Calibration(packaged_priors()), np.random.default_rng(seed)
    for n in range(outcomes):
        p0 = 0.4
        truth = p0 + edge * (1 if n % 2 else -1)
        hit = bool(chance.random() < truth)
        said = label(4 * n, p0, hit, consultant=truth, analyst=p0, officer=2 * p0 - truth)
        calibration.record(said, 4 * (n + 1) * HOUR_MS)
    return calibration


def unique(spans: list[tuple[int, int]]) -> list[float]:
    starts, ends = np.array(spans, dtype=np.int64).T
    return uniqueness(starts, ends).tolist()


def test_before_any_outcome_everybody_has_the_prior() -> None:
    for one in Calibration(packaged_priors()).standings():
        assert (one.weight, one.prior, one.effective_n) == (1.0, 1.0, 0.0)


def test_who_always_answers_the_baseline_fades_and_then_goes_to_zero() -> None:
    assert standing(history(49, 0.1), Agent.ANALYST).weight == pytest.approx(50 / 99)
    after = standing(history(50, 0.1), Agent.ANALYST)
    assert (after.weight, after.skill) == (0.0, 0.0)
    assert after.effective_n == pytest.approx(50.0)


def test_planted_skill_is_kept_and_its_opposite_is_not() -> None:
    kept = [history(300, 0.15, seed) for seed in range(10)]
    assert sum(standing(one, Agent.CONSULTANT).weight > 0.3 for one in kept) >= 9
    assert all(standing(one, Agent.CONSULTANT).weight > standing(one, Agent.OFFICER).weight for one in kept)
    assert all(standing(one, Agent.OFFICER).weight == 0.0 for one in kept)


def test_more_skill_is_more_weight_up_to_the_cap() -> None:
    some, much = standing(history(400, 0.15), Agent.CONSULTANT), standing(history(400, 0.35), Agent.CONSULTANT)
    assert 0.0 < some.weight < much.weight <= RULES.cap
    assert some.skill < much.skill


def test_overlapping_labels_are_one_outcome() -> None:
    calibration = Calibration(packaged_priors())
    for n in range(80):
        calibration.record(label(0, 0.4, n % 2 == 0, consultant=0.5), 4 * HOUR_MS)
    assert standing(calibration, Agent.CONSULTANT).effective_n == pytest.approx(1.0)
    assert standing(calibration, Agent.CONSULTANT).weight > 0.98


def test_who_cannot_be_told_from_the_baseline_fades_but_is_not_silenced() -> None:
    """Right one time more than wrong, at odds a hair off the baseline: the bound is below zero, the gain is not."""
    calibration = Calibration(packaged_priors())
    for n in range(101):
        calibration.record(label(24 * n, 0.5, n % 2 == 0, consultant=0.501), (24 * n + 4) * HOUR_MS)
    one = standing(calibration, Agent.CONSULTANT)
    assert one.skill < 0 and one.weight == pytest.approx(50 / 151)


def test_uniqueness_by_hand() -> None:
    # [0, 4] is alone for two of its four hours and shares the others with [2, 6]
    assert unique([(0, 4), (2, 6)]) == pytest.approx([0.75, 0.75])
    assert unique([(0, 4), (4, 6)]) == pytest.approx([1.0, 1.0])
    assert unique([(3, 3)]) == pytest.approx([1.0])


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 30)), min_size=1, max_size=30))
def test_uniqueness_is_between_crowded_and_alone(spans: list[tuple[int, int]]) -> None:
    lives = [(start, start + length) for start, length in spans]
    values = unique(lives)
    assert all(1.0 / len(lives) - 1e-12 <= u <= 1.0 + 1e-12 for u in values)
    # brute force: mean over unit steps of 1 / alive
    for (start, end), u in zip(lives, values, strict=True):
        shares = [1 / sum(a <= t < b for a, b in lives) for t in range(start, end)]
        assert u == pytest.approx(sum(shares) / len(shares))


def test_a_label_counts_only_when_recorded_and_only_in_order() -> None:
    calibration = history(60, 0.1)
    before = calibration.standings()
    with pytest.raises(SequenceError, match="before it was asked"):
        calibration.record(label(300, 0.4, True, consultant=0.9), 299 * HOUR_MS)
    with pytest.raises(SequenceError, match="in order"):
        calibration.record(label(10, 0.4, True, consultant=0.9), 20 * HOUR_MS)
    assert calibration.standings() == before
    calibration.record(label(300, 0.4, True, consultant=0.9), 304 * HOUR_MS)
    assert calibration.standings() != before


def test_silence_is_no_outcome() -> None:
    calibration = Calibration(packaged_priors())
    for n in range(60):
        calibration.record(label(4 * n, 0.4, True, consultant=0.5), 4 * (n + 1) * HOUR_MS)
    assert standing(calibration, Agent.OFFICER).effective_n == 0.0
    assert standing(calibration, Agent.OFFICER).weight == 1.0


def test_the_same_labels_give_the_same_standings() -> None:
    assert history(120, 0.1).standings() == history(120, 0.1).standings()


@given(st.floats(-12.0, 12.0))
def test_log_odds_and_probability_are_inverse(x: float) -> None:
    assert logit(probability(x)) == pytest.approx(x, abs=1e-9)
