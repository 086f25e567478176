from importlib import resources

import msgspec
import pytest

from aister.core.council import Agent, Outcome
from aister.core.errors import SettingsError
from aister.council.priors import Priors, packaged_priors, read_priors
from aister.council.rules import RuleCouncil
from tests.council.questions import question

TEXT = resources.files("aister.council").joinpath("priors.toml").read_text(encoding="utf-8")


def changed(**parts: object) -> Priors:
    """The packaged priors with some values replaced, given as table__key=value."""
    tree = msgspec.to_builtins(packaged_priors())
    for path, value in parts.items():
        *tables, key = path.split("__")
        table = tree
        for name in tables:
            table = table[name]
        table[key] = value
    return msgspec.convert(tree, Priors)


def silent() -> Priors:
    """The packaged priors with every weight of evidence set to nothing."""
    tree = msgspec.to_builtins(packaged_priors())
    for agent in Agent:
        for weights in tree[agent]["weights"].values():
            weights.update(dict.fromkeys(weights, 0.0))
    return msgspec.convert(tree, Priors)


def test_without_evidence_weights_everybody_answers_the_baseline_and_nobody_trades() -> None:
    decision = RuleCouncil(silent()).deliberate(question())
    assert RuleCouncil().deliberate(question()).outcome == Outcome.TRADE
    assert decision.outcome == Outcome.NO_TRADE
    assert decision.ballot.p_star == pytest.approx(decision.ballot.p0)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("agents__officer", 3.0),
        ("baseline__impact_share", 0.3),
        ("debate__hearing", 0.1),
        ("ballot__minimum_r", 0.2),
        ("ballot__slip_bp", 9.0),
        ("consultant__weights__trend__structure", 0.02),
        ("analyst__weights__trend__session", 0.02),
        ("officer__weights__trend__room", 0.02),
        ("consultant__levels__pullback_width", 0.4),
    ],
)
def test_changing_the_file_changes_the_vote(path: str, value: float) -> None:
    # a setup whose shift stays under the cap, or the cap would hide the change
    asked = question(f15m__ema_spread=0.1, f1h__bollinger_position=0.5)
    usual = RuleCouncil().deliberate(asked)
    other = RuleCouncil(changed(**{path: value}))
    changed_mind = other.deliberate(asked)
    assert (changed_mind.ballot, changed_mind.statements) != (usual.ballot, usual.statements)
    assert other.name != usual.mind


def test_changing_a_check_changes_the_verdict() -> None:
    check = {"reduce_at": 0.01, "veto_at": 0.02, "factor": 0.5}
    assert (
        RuleCouncil(changed(officer__checks__cost_to_risk=check)).deliberate(question()).reason == "veto:cost_to_risk"
    )


def test_rules_without_a_family_are_weighed_as_the_star_says() -> None:
    assert packaged_priors().family("range_reversion") == "reversion"
    assert packaged_priors().family("somebody's own rule") == packaged_priors().families["*"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("hearing = 0.8", "haering = 0.8", "haering"),
        ("shift_cap = 1.0\n", "", "shift_cap"),
        ("hearing = 0.8", "hearing = 1.8", "hearing"),
        ("consultant = 1.0", "consultant = -1.0", "agents"),
        ('"*" = "trend"', '"*" = "tide"', "tide"),
        ("[agents]", "[agents", "cannot be read"),
        ("veto_at = 0.15, factor = 0.75", "veto_at = 0.12, factor = 0.75", "cost_to_risk"),
    ],
)
def test_a_broken_file_is_refused_in_one_sentence(old: str, new: str, said: str) -> None:
    assert old in TEXT
    with pytest.raises(SettingsError, match=said):
        read_priors(TEXT.replace(old, new, 1))


@pytest.mark.parametrize("path", ["consultant__weights__trend__moon", "analyst__weights__trend__moon"])
def test_a_weight_that_names_no_signal_ends_as_no_trade(path: str) -> None:
    decision = RuleCouncil(changed(**{path: 0.5})).deliberate(question())
    assert "moon is not a signal" in " ".join(statement.argument for statement in decision.statements)
    assert decision.statements[0].odds is None or decision.statements[1].odds is None


def test_the_name_holds_the_digest_of_the_values_not_of_the_layout() -> None:
    assert read_priors("# a remark\n" + TEXT).digest == packaged_priors().digest
