"""What the council believes before it has been measured: every weight, level and threshold, read from one TOML file.

Nothing in here was fitted to results. The agents' weights move with their calibration (`calibration`); the rest changes
only by changing the file, which changes the configuration's name and hash.
"""

import hashlib
from functools import lru_cache
from importlib import resources

import msgspec

from aister.core.council import Agent
from aister.core.errors import SettingsError

__all__ = [
    "AnalystPriors",
    "BallotPriors",
    "BaselinePriors",
    "CalibrationPriors",
    "Check",
    "ConsultantPriors",
    "DebatePriors",
    "OfficerPriors",
    "Priors",
    "packaged_priors",
    "read_priors",
]

Weights = dict[str, float]


class BaselinePriors(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`volatility`: features whose variance rates are averaged (ATR or realised volatility, any timeframe).
    `impact_share`: share of the round-trip cost by which an entry is expected to move the price against itself."""

    volatility: tuple[str, ...]
    impact_share: float


class DebatePriors(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`hearing`: how much of the others' blind evidence an agent takes over in rebuttal (0 nothing, 1 as its own).
    `grounding_tolerance`: relative difference up to which a cited number counts as its feature's value (rounding)."""

    hearing: float
    grounding_tolerance: float


class BallotPriors(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Q16. `shift_cap` log-odds; `minimum_r` net expected R at the low end; `full_spread` sd at which size is 0;
    `threshold` the stance score must exceed; stop slippage = max(bp, atr x first available of `slip_atr_from`)."""

    shift_cap: float
    minimum_r: float
    full_spread: float
    threshold: float
    scores: dict[str, float]
    slip_bp: float
    slip_atr: float
    slip_atr_from: tuple[str, ...]


class ConsultantPriors(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`propose_shift`: log-odds above the baseline from which the Consultant proposes. `usual`: family -> log-odds that
    its setups show on average, because their rules look for such evidence; only what lies beyond it is evidence.
    `weights`: family -> signal -> log-odds."""

    propose_shift: float
    usual: Weights
    levels: Weights
    weights: dict[str, Weights]


class AnalystPriors(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`avoid_shift`: own log-odds at or below which the moment is wrong. `longest_wait_minutes`: beyond it WAIT is
    AVOID."""

    avoid_shift: float
    longest_wait_minutes: float
    levels: Weights
    weights: dict[str, Weights]


class Check(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A measure the Officer watches: from `reduce_at` on he multiplies size by `factor`, from `veto_at` on he vetoes.
    Lower is worse when `veto_at` < `reduce_at`. `families`: setups it applies to (empty = all)."""

    reduce_at: float
    veto_at: float
    factor: float
    families: tuple[str, ...] = ()

    def reaches(self, level: float, measure: float) -> bool:
        return measure <= level if self.veto_at < self.reduce_at else measure >= level


class OfficerPriors(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`required`: what the Officer must know, besides what his checks read, to say anything but VETO. `doubt_shift`,
    `doubt_factor`: how far below the baseline somebody else's blind odds must lie for the Officer to reduce, and by
    what."""

    required: tuple[str, ...]
    streak_hours: float
    doubt_shift: float
    doubt_factor: float
    checks: dict[str, Check]
    levels: Weights
    weights: dict[str, Weights]


class CalibrationPriors(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Q1, Q14. `strength`: effective outcomes the prior counts for; `opens_at`: effective outcomes before which the
    prior stands; `z`: one-sided normal quantile of the bound; `silence_z`: of the
    test that takes all weight; `full_skill`: gain in nats per outcome worth the
    prior's weight; `cap`: the most a weight may be, in priors."""

    strength: float
    opens_at: float
    z: float
    silence_z: float
    full_skill: float
    cap: float


class Priors(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file. `families`: setup rule -> family of evidence weights; `*` is for rules not named."""

    agents: dict[str, float]
    families: dict[str, str]
    baseline: BaselinePriors
    debate: DebatePriors
    ballot: BallotPriors
    consultant: ConsultantPriors
    analyst: AnalystPriors
    officer: OfficerPriors
    calibration: CalibrationPriors

    def family(self, rule: str) -> str:
        return self.families.get(rule, self.families["*"])

    @property
    def digest(self) -> str:
        """SHA-256 of the values (not of the file's layout)."""
        return hashlib.sha256(msgspec.msgpack.encode(self, order="deterministic")).hexdigest()


def read_priors(text: str) -> Priors:
    """Priors from TOML text. Raises `SettingsError` when a field is missing, unknown or contradicts another."""
    try:
        priors = msgspec.toml.decode(text, type=Priors)
    except msgspec.DecodeError as problem:
        raise SettingsError(f"The council's priors cannot be read ({problem}); correct the file.") from None
    for complaint in _complaints(priors):
        raise SettingsError(f"The council's priors are inconsistent: {complaint}; correct the file.")
    return priors


@lru_cache(maxsize=1)
def packaged_priors() -> Priors:
    """The priors that ship with the package."""
    return read_priors(resources.files("aister.council").joinpath("priors.toml").read_text(encoding="utf-8"))


def _complaints(priors: Priors) -> list[str]:
    found: list[str] = []
    if set(priors.agents) != set(Agent) or min(priors.agents.values()) < 0 or sum(priors.agents.values()) <= 0:
        found.append("[agents] needs a weight of at least 0 for each of consultant, analyst and officer, not all 0")
    if "*" not in priors.families:
        found.append('[families] needs "*" for rules it does not name')
    for name, weights in (("consultant", priors.consultant), ("analyst", priors.analyst), ("officer", priors.officer)):
        for family in sorted(set(priors.families.values()) - set(weights.weights)):
            found.append(f"[{name}.weights.{family}] is missing")
    for name, check in priors.officer.checks.items():
        if check.reduce_at == check.veto_at or not 0 <= check.factor <= 1:
            found.append(f"[officer.checks.{name}] needs different levels and a factor between 0 and 1")
    if priors.ballot.full_spread <= 0 or not 0 <= priors.debate.hearing <= 1 or priors.calibration.full_skill <= 0:
        found.append("full_spread and full_skill must be positive and hearing between 0 and 1")
    return found
