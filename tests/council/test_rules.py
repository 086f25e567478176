import time

import pytest

from aister.core.council import Agent, Outcome, Stance, Target
from aister.core.errors import SettingsError
from aister.core.trade import Side
from aister.council.consultant import SIGNALS
from aister.council.priors import packaged_priors
from aister.council.rules import RuleCouncil
from aister.features.catalogue import CATALOGUE
from aister.ports.minds import Minds
from tests.council.questions import FEATURES, of, question


def test_a_good_setup_is_traded_with_a_whole_debate_on_record() -> None:
    minds: Minds = RuleCouncil()
    decision = minds.deliberate(question())
    assert decision.outcome == Outcome.TRADE
    assert [(one.agent, one.round) for one in decision.statements] == [(agent, n) for n in (1, 2) for agent in Agent]
    assert all(one.odds is not None and one.evidence for one in decision.statements)
    assert decision.mind == minds.name
    assert minds.name.startswith("rules/2r/")


def test_the_same_question_gets_the_same_answer() -> None:
    assert RuleCouncil().deliberate(question()) == RuleCouncil().deliberate(question())


def test_a_mirrored_market_gets_the_mirrored_answer() -> None:
    """Everything that has a direction turned around 105,000: the short is judged as the long was."""
    turned = {
        "15m.ema_spread",
        "15m.macd_histogram",
        "15m.vwap_distance",
        "1h.ema_20_slope",
        "funding.rate",
        "funding.rate_8h",
    }
    band = {"15m.bollinger_position", "1h.bollinger_position", "4h.bollinger_position", "1h.swing_position"}
    swap = {
        "15m.high": "15m.low",
        "15m.plus_di_14": "15m.minus_di_14",
        "1h.swing_high": "1h.swing_low",
        "1h.swing_high_before": "1h.swing_low_before",
    }
    swap |= {there: here for here, there in swap.items()}
    around = {"15m.open", "15m.high", "15m.low", "15m.close", "15m.ema_20", *(id for id in swap if "swing" in id)}
    mirrored = {}
    for id, value in FEATURES.items():
        to = swap.get(id, id)
        sum_with_mirror = 210_000.0 if id in around else 1.0 if id in band else 100.0 if id == "15m.rsi_14" else None
        mirrored[to] = sum_with_mirror - value if sum_with_mirror else -value if id in turned else value
    short = of(side=Side.SELL, stop_ticks=1_057_500, targets=(Target(1_038_750, 5_000), Target(1_027_500, 5_000)))
    asked = question(short)
    asked.features.clear()
    asked.features.update(mirrored)
    long, turned_round = RuleCouncil().deliberate(question()), RuleCouncil().deliberate(asked)
    assert turned_round.ballot.p_star == pytest.approx(long.ballot.p_star)
    assert turned_round.ballot.expected_r_low == pytest.approx(long.ballot.expected_r_low)
    assert turned_round.outcome == Outcome.TRADE
    for mine, other in zip(long.statements, turned_round.statements, strict=True):
        assert mine.stance == other.stance
        assert mine.odds is not None and other.odds is not None
        assert mine.odds.target == pytest.approx(other.odds.target)


def test_what_is_not_known_is_named_and_counts_for_nothing() -> None:
    statement = RuleCouncil().deliberate(question(without=("1h.ema_20_slope",))).statements[0]
    assert "cannot read 1h.ema_20_slope" in statement.argument
    assert "1h.ema_20_slope" not in {one.feature for one in statement.evidence}


def test_a_consultant_who_can_read_nothing_passes() -> None:
    bare = question(
        without=tuple(id for id in FEATURES if id.startswith(("15m", "1h", "4h")) and "volatility" not in id)
    )
    statement = RuleCouncil().deliberate(bare).statements[0]
    assert (statement.stance, statement.evidence) == (Stance.PASS, ())


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize(
    ("position", "words"),
    [
        (1.2, "above the last 1h range"),
        (1.0, "in the upper half"),
        (0.95, "in the upper half"),
        (0.5, "in the middle"),
        (0.05, "in the lower half"),
        (0.0, "in the lower half"),
        (-0.1, "below the last 1h range"),
    ],
)
def test_where_the_entry_lies_is_said_truly_for_both_sides(side: Side, position: float, words: str) -> None:
    """The words are about the range alone; which half speaks for the trade is the score's to say."""

    class Read:
        def __init__(self) -> None:
            self.side = float(side)

        def __call__(self, feature: str) -> float:
            return {"1h.swing_position": position}[feature]

    score, phrase = SIGNALS["location"](Read(), {})  # type: ignore[arg-type]
    assert words in phrase and phrase.startswith("the entry lies ")
    assert score == float(side) * (1.0 - 2.0 * position)


@pytest.mark.parametrize("signal", SIGNALS)
def test_every_signal_of_the_consultant_is_weighed_by_some_family(signal: str) -> None:
    assert any(signal in weights for weights in packaged_priors().consultant.weights.values())


def test_minds_read_features_of_the_catalogue_only() -> None:
    assert set(FEATURES) <= set(CATALOGUE)
    cited = {one.feature for said in RuleCouncil().deliberate(question()).statements for one in said.evidence}
    assert {id for id in cited if not id.startswith(("account.", "setup."))} <= set(FEATURES)


@pytest.mark.parametrize(
    "wrong",
    [{"stop_ticks": 1_051_000}, {"targets": ()}, {"targets": (Target(1_040_000, 10_000),)}, {"horizon_ms": 0}],
)
def test_a_setup_that_contradicts_itself_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="setup"):
        RuleCouncil().deliberate(question(of(**wrong)))


def test_a_debate_needs_a_round() -> None:
    with pytest.raises(SettingsError, match="at least one round"):
        RuleCouncil(rounds=0)


def test_deliberation_is_cheap() -> None:
    council, asked = RuleCouncil(), question()
    council.deliberate(asked)
    start = time.process_time()
    for _ in range(50):
        council.deliberate(asked)
    assert (time.process_time() - start) / 50 < 0.005
