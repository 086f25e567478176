"""What the council says: setup, proposal, timing, verdict, ballot, decision. Probabilities are of the triple barrier.

Sequence: a `Setup` fires on features -> `Question` -> every agent's `Statement` per round -> `Ballot` -> `Decision`.
"""

from enum import StrEnum

import msgspec

from aister.core.trade import OrderType, Side

__all__ = [
    "Agent",
    "Ballot",
    "Decision",
    "Evidence",
    "Odds",
    "Outcome",
    "Proposal",
    "Question",
    "Setup",
    "Stance",
    "Standing",
    "Statement",
    "Target",
    "Timing",
    "Verdict",
]


class Agent(StrEnum):
    CONSULTANT = "consultant"
    ANALYST = "analyst"
    OFFICER = "officer"


class Stance(StrEnum):
    """Consultant: PROPOSE or PASS. Analyst: NOW, WAIT, AVOID. Officer: APPROVE, REDUCE, VETO. Anyone: ABSTAIN."""

    PROPOSE = "PROPOSE"
    PASS = "PASS"
    NOW = "NOW"
    WAIT = "WAIT"
    AVOID = "AVOID"
    APPROVE = "APPROVE"
    REDUCE = "REDUCE"
    VETO = "VETO"
    ABSTAIN = "ABSTAIN"


class Evidence(msgspec.Struct, frozen=True, array_like=True):
    """A number an argument rests on: the feature's id ("15m.rsi_14") and its value at the question's snapshot."""

    feature: str
    value: float


class Odds(msgspec.Struct, frozen=True, array_like=True):
    """P(first target before stop, within the horizon), P(stop first), P(neither); they sum to 1."""

    target: float
    stop: float
    neither: float


class Target(msgspec.Struct, frozen=True, array_like=True):
    """A take-profit price and the share of the position it closes, in 1e-4 (10_000 = all)."""

    ticks: int
    share_e4: int


class Setup(msgspec.Struct, frozen=True, array_like=True):
    """A rule that fired on closed bars, with its own entry, stop and targets. `id` is content-derived and stable:
    symbol, close time of the bar, rule, side. `evidence` is what the rule read. `life_ms`: how long its entry may wait
    to be filled, 0 = as the trader's own rules say.
    """

    id: str
    symbol: str
    rule: str
    timeframe: str
    time_ms: int
    side: Side
    entry_type: OrderType
    entry_ticks: int
    stop_ticks: int
    targets: tuple[Target, ...]
    horizon_ms: int
    evidence: tuple[Evidence, ...]
    life_ms: int = 0

    @property
    def sound(self) -> bool:
        """Stop and targets lie on their sides of the entry, at least a tick away; on a coarse grid they may not."""
        ahead = all((target.ticks - self.entry_ticks) * self.side > 0 for target in self.targets)
        return bool(self.targets) and ahead and (self.entry_ticks - self.stop_ticks) * self.side > 0


class Proposal(msgspec.Struct, frozen=True, array_like=True):
    """The Consultant's case for a setup. Prices are the setup's unless the Consultant tightened them."""

    setup_id: str
    symbol: str
    side: Side
    entry_type: OrderType
    entry_ticks: int
    stop_ticks: int
    targets: tuple[Target, ...]
    horizon_ms: int
    thesis: str


class Timing(msgspec.Struct, frozen=True, array_like=True):
    """NOW, WAIT (not before `not_before_ms`) or AVOID."""

    stance: Stance
    not_before_ms: int
    condition: str


class Verdict(msgspec.Struct, frozen=True, array_like=True):
    """APPROVE, REDUCE by `factor_e4` (10_000 = whole size) or VETO; `reasons` are short stable codes."""

    stance: Stance
    factor_e4: int
    reasons: tuple[str, ...]


class Statement(msgspec.Struct, frozen=True, array_like=True):
    """What one agent said in one round (1 = blind). `odds` is None when it abstains."""

    agent: Agent
    round: int
    stance: Stance
    argument: str
    odds: Odds | None
    evidence: tuple[Evidence, ...]


class Standing(msgspec.Struct, frozen=True, array_like=True):
    """An agent's weight in the vote and where it comes from: prior, shrunk to measured skill (Q1, Q14)."""

    agent: Agent
    weight: float
    prior: float
    effective_n: float
    skill: float


class Question(msgspec.Struct, frozen=True, array_like=True):
    """Everything the minds may read: the setup, the features at its close, the account in fractions, the standings.

    `features` maps feature id -> value for what is available; `unavailable` maps id -> reason. `account` holds
    fractions and counts only (open_risk, day_loss, drawdown, losses_in_row, open_positions, ...), never absolute
    equity.
    `cost_e8` is the expected round-trip cost as a fraction of entry price in 1e-8.
    """

    id: str
    time_ms: int
    setup: Setup
    tick: float
    price: float
    features: dict[str, float]
    unavailable: dict[str, str]
    account: dict[str, float]
    standings: tuple[Standing, ...]
    cost_e8: int


class Outcome(StrEnum):
    TRADE = "TRADE"
    NO_TRADE = "NO_TRADE"


class Ballot(msgspec.Struct, frozen=True, array_like=True):
    """The vote as one record that can be recomputed: inputs, formula terms, result (Q16).

    logit p* = logit p0 + clip(sum w_i (logit p_i - logit p0), +-1); `expected_r` is net of stop slippage, fees and
    expected funding at p*; `expected_r_low` the same at p* minus one standard error across agents.
    """

    p0: float
    weights: tuple[float, ...]
    odds: tuple[float, ...]
    shift: float
    p_star: float
    spread: float
    expected_r: float
    expected_r_low: float
    threshold_r: float
    size_factor: float
    quorum: bool
    outcome: Outcome
    reason: str


class Decision(msgspec.Struct, frozen=True, array_like=True):
    """The council's answer to one question, with the whole debate. `mind` names the deciding configuration (Q6)."""

    question_id: str
    setup_id: str
    symbol: str
    mind: str
    outcome: Outcome
    reason: str
    proposal: Proposal | None
    timing: Timing
    verdict: Verdict
    statements: tuple[Statement, ...]
    ballot: Ballot
