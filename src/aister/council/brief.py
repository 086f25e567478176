"""A question prepared for reading: every number an agent may cite, the baseline odds and what the setup pays.

`facts` joins the question's features with `account.*` (fractions and counts of the account) and `setup.*` (the
setup's own geometry, computed here and never believed): entry, stop, target (quote units, the first target), risk
(fraction of entry), reward_risk (net), cost_to_risk, funding_r (expected funding over the horizon, in R),
horizon_hours.
"""

import math
from collections.abc import Callable

import msgspec

from aister.core.council import Evidence, Odds, Question, Setup
from aister.core.errors import SettingsError
from aister.council.baseline import TRUE_RANGE_PER_DEVIATION, barrier_odds
from aister.council.payoff import Payoff, payoff
from aister.council.priors import Priors
from aister.features.timeframes import INTERVAL_MS

__all__ = ["Brief", "Reading", "Unreadable", "brief"]

_MINUTE_MS = 60_000
_BP = 1e-4


class Unreadable(Exception):
    """A feature that an argument needs is unavailable; `feature` and `reason` say which and why."""

    def __init__(self, feature: str, reason: str) -> None:
        super().__init__(f"{feature}: {reason}")
        self.feature = feature
        self.reason = reason


class Brief(msgspec.Struct, frozen=True):
    """Everything derived from one question and the priors, before anybody has spoken."""

    question: Question
    priors: Priors
    family: str
    facts: dict[str, float]
    p0: Odds
    pay: Payoff
    volatility_known: bool

    def why_missing(self, feature: str) -> str:
        """The reason why a fact is absent."""
        return self.question.unavailable.get(feature, "not in the question")


class Reading:
    """Reads facts for one argument and remembers them as its evidence. Raises `Unreadable` for an absent one."""

    __slots__ = ("_brief", "_read", "side")

    def __init__(self, brief: Brief) -> None:
        self._brief = brief
        self._read: dict[str, float] = {}
        self.side = float(brief.question.setup.side)

    def __call__(self, feature: str) -> float:
        value = self._brief.facts.get(feature)
        if value is None:
            raise Unreadable(feature, self._brief.why_missing(feature))
        self._read[feature] = value
        return value

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        return tuple(Evidence(feature, value) for feature, value in self._read.items())


def brief(question: Question, priors: Priors) -> Brief:
    """Prepare a question. Raises ValueError when the setup's prices are not on the right sides of its entry."""
    setup = question.setup
    _check_sides(setup)
    entry = setup.entry_ticks * question.tick
    risk = abs(setup.entry_ticks - setup.stop_ticks) * question.tick
    first = abs(setup.targets[0].ticks - setup.entry_ticks) * question.tick
    cost = question.cost_e8 / 1e8 * entry
    impact = min(priors.baseline.impact_share * cost, 0.5 * risk)
    deviation_per_ms = _deviation_per_ms(question.features, entry, priors.baseline.volatility)

    def odds_by(elapsed_ms: float) -> Odds:
        deviation = None if deviation_per_ms is None else deviation_per_ms * entry * math.sqrt(elapsed_ms)
        return barrier_odds(first + impact, risk - impact, deviation)

    p0 = odds_by(setup.horizon_ms)
    funding_r = _funding_r(question, entry / risk, odds_by)
    slip = _stop_slip(question.features, entry, priors)
    pay = payoff(setup, p0, cost_r=cost / risk, impact_r=impact / risk, slip_r=slip / risk, funding_r=funding_r or 0.0)
    facts = dict(question.features)
    facts.update((f"account.{name}", value) for name, value in question.account.items())
    reward = sum(t.share_e4 / 10_000 * abs(t.ticks - setup.entry_ticks) * question.tick for t in setup.targets)
    facts["setup.entry"] = entry
    facts["setup.stop"] = setup.stop_ticks * question.tick
    facts["setup.target"] = setup.targets[0].ticks * question.tick
    facts["setup.risk"] = risk / entry
    facts["setup.reward_risk"] = (reward - cost) / (risk + cost)
    facts["setup.cost_to_risk"] = cost / risk
    facts["setup.horizon_hours"] = setup.horizon_ms / (60 * _MINUTE_MS)
    if funding_r is not None:
        facts["setup.funding_r"] = funding_r
    family = priors.family(setup.rule)
    return Brief(question, priors, family, facts, p0, pay, deviation_per_ms is not None)


def _check_sides(setup: Setup) -> None:
    side = int(setup.side)
    if not setup.targets or setup.horizon_ms <= 0:
        raise ValueError(f"setup {setup.id} needs at least one target and a horizon")
    if side * (setup.entry_ticks - setup.stop_ticks) <= 0:
        raise ValueError(f"setup {setup.id} has its stop on the wrong side of its entry")
    distances = [side * (target.ticks - setup.entry_ticks) for target in setup.targets]
    if distances[0] <= 0 or distances != sorted(distances):
        raise ValueError(f"setup {setup.id} has targets on the wrong side of its entry or out of order")


def _deviation_per_ms(features: dict[str, float], price: float, sources: tuple[str, ...]) -> float | None:
    """Relative standard deviation per square root of a millisecond: root of the mean variance rate of the sources
    known."""
    rates: list[float] = []
    for feature in sources:
        timeframe, _, name = feature.partition(".")
        if timeframe not in INTERVAL_MS or not name.startswith(("atr", "volatility")):
            raise SettingsError(f"{feature} is not a volatility; name an ATR or realised volatility under [baseline].")
        value = features.get(feature)
        if value is None:
            continue
        deviation = value / price / TRUE_RANGE_PER_DEVIATION if name.startswith("atr") else value
        rates.append(deviation * deviation / INTERVAL_MS[timeframe])
    return math.sqrt(sum(rates) / len(rates)) if rates else None


def _stop_slip(features: dict[str, float], price: float, priors: Priors) -> float:
    """Extra slippage of a stop beyond the ordinary round trip (Q29), in quote units: at least `slip_bp`."""
    ballot = priors.ballot
    range_now = next((features[name] for name in ballot.slip_atr_from if name in features), 0.0)
    return max(ballot.slip_bp * _BP * price, ballot.slip_atr * range_now)


def _funding_r(question: Question, per_risk: float, odds_by: Callable[[float], Odds]) -> float | None:
    """Expected funding in R over the horizon (positive = paid), None while rate or clock are unknown."""
    features, setup = question.features, question.setup
    rate, to_next = features.get("funding.rate"), features.get("funding.minutes_to_next")
    since = features.get("funding.minutes_since")
    if rate is None or to_next is None or since is None or to_next + since <= 0:
        return None
    due_ms, interval_ms, paid = to_next * _MINUTE_MS, (to_next + since) * _MINUTE_MS, 0.0
    while due_ms <= setup.horizon_ms:
        paid += odds_by(due_ms).neither * rate * int(setup.side)
        due_ms += interval_ms
    return paid * per_risk
