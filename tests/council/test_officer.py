"""Every check of the Officer: what reduces, what vetoes, and what must be known."""

from typing import Any

import pytest

from aister.core.council import Outcome, Setup, Stance, Target
from aister.core.trade import Side
from aister.council.officer import CHECKS
from aister.council.priors import packaged_priors
from aister.council.rules import RuleCouncil
from tests.council.questions import FEATURES, LONG, of, question

SHORT = of(side=Side.SELL, stop_ticks=1_057_500, targets=(Target(1_038_750, 5_000), Target(1_027_500, 5_000)))
FADE = of(rule="range_reversion")
NEAR = of(targets=(Target(1_060_000, 9_000), Target(1_061_000, 1_000)))

DANGERS: list[tuple[str, Setup, dict[str, Any]]] = [
    ("cost_to_risk", LONG, {"cost_e8": 120_000}),
    ("reward_risk", NEAR, {}),
    ("adverse_funding", LONG, {"funding__rate": 0.0030}),
    ("stop_in_noise", LONG, {"f15m__atr_14": 800.0, "f15m__volatility_96": 0.005}),
    ("counter_trend", LONG, {"f4h__bollinger_position": 0.1}),
    ("counter_trend", SHORT, {"f4h__bollinger_position": 0.9}),
    ("hourly_trend", FADE, {"f1h__bollinger_position": -0.2}),
    ("overextended", LONG, {"f1h__bollinger_position": 1.1}),
    ("exhausted", LONG, {"f15m__rsi_14": 81.0}),
    ("exhausted", SHORT, {"f15m__rsi_14": 19.0, "f4h__bollinger_position": 0.3}),
    ("volatility_shock", LONG, {"f15m__atr_14": 500.0}),
    ("burst", LONG, {"f15m__high": 105_900.0}),
    ("crowding", LONG, {"account": {"same_side_positions": 2.0}}),
    ("loss_streak", LONG, {"account": {"losses_in_row": 4.0, "hours_since_loss": 1.0}}),
    ("day_loss", LONG, {"account": {"day_loss": 0.016}}),
    ("drawdown", LONG, {"account": {"drawdown": 0.09}}),
    ("heat", LONG, {"account": {"open_risk": 0.018}}),
    ("gross_exposure", LONG, {"account": {"gross_exposure": 1.9}}),
]


@pytest.mark.parametrize(
    ("code", "setup", "changes"), DANGERS, ids=lambda value: value if isinstance(value, str) else ""
)
def test_each_danger_is_vetoed_by_its_own_code(code: str, setup: Setup, changes: dict[str, Any]) -> None:
    decision = RuleCouncil().deliberate(question(setup, **changes))
    assert decision.verdict.stance == Stance.VETO
    assert code in decision.verdict.reasons
    assert decision.outcome == Outcome.NO_TRADE
    assert decision.reason.startswith("veto:")


def test_every_check_has_a_scenario_and_every_prior_a_check() -> None:
    assert {code for code, _, _ in DANGERS} == set(CHECKS) == set(packaged_priors().officer.checks)


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("exhausted", {"f15m__rsi_14": 72.0}),
        ("crowding", {"account": {"same_side_positions": 1.0}}),
        ("loss_streak", {"account": {"losses_in_row": 2.0, "hours_since_loss": 1.0}}),
        ("counter_trend", {"f4h__bollinger_position": 0.3}),
    ],
)
def test_a_smaller_danger_reduces_the_size(code: str, changes: dict[str, Any]) -> None:
    usual, reduced = RuleCouncil().deliberate(question()), RuleCouncil().deliberate(question(**changes))
    assert reduced.verdict.stance == Stance.REDUCE
    assert reduced.verdict.reasons == (code,)
    assert 0 < reduced.verdict.factor_e4 < 10_000
    assert 0 < reduced.ballot.size_factor < usual.ballot.size_factor


def test_an_old_loss_is_forgotten() -> None:
    account = {"losses_in_row": 4.0, "hours_since_loss": 13.0}
    assert RuleCouncil().deliberate(question(account=account)).verdict.stance == Stance.APPROVE


def test_reasons_are_those_of_the_family() -> None:
    # a reversion lives where a trend trade is overextended
    fade = of(rule="range_reversion", side=Side.SELL, stop_ticks=1_057_500, targets=SHORT.targets)
    reasons = RuleCouncil().deliberate(question(fade, f1h__bollinger_position=1.1)).verdict.reasons
    assert "overextended" not in reasons
    assert "overextended" in RuleCouncil().deliberate(question(f1h__bollinger_position=1.1)).verdict.reasons


@pytest.mark.parametrize(
    "missing", ["15m.atr_14", "4h.bollinger_position", "funding.rate", "15m.rsi_14", "funding.minutes_since"]
)
def test_what_must_be_known_and_is_not_is_a_veto(missing: str) -> None:
    assert missing in FEATURES
    decision = RuleCouncil().deliberate(question(without=(missing,)))
    assert decision.verdict.reasons[0] == "missing_data"
    assert decision.reason == "veto:missing_data"


def test_an_account_that_cannot_be_read_is_a_veto() -> None:
    asked = question()
    del asked.account["day_loss"]
    decision = RuleCouncil().deliberate(asked)
    assert decision.verdict.reasons == ("missing_data",)
    assert "account.day_loss" in decision.statements[2].argument


def test_without_any_volatility_the_horizon_is_not_priced_and_nobody_trades() -> None:
    decision = RuleCouncil().deliberate(question(without=("15m.atr_14", "15m.volatility_96", "1h.volatility_96")))
    assert decision.verdict.reasons[0] == "missing_data"
    assert decision.ballot.p0 == pytest.approx(1 / 2.5, abs=0.01)


def test_somebody_elses_doubt_reduces_in_rebuttal() -> None:
    weekend = question(
        session__weekday=6.0, session__kill_zone_london_open=0.0, session__london_is_open=0.0, f15m__adx_14=19.0
    )
    decision = RuleCouncil().deliberate(weekend)
    assert decision.statements[2].stance == Stance.APPROVE
    assert decision.verdict.reasons == ("doubted",)
