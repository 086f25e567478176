"""A question prepared for reading: every number an agent may cite, the baseline odds and what the setup pays.

`facts` joins the question's features with `account.*` (fractions and counts of the account) and `setup.*` (the
setup's own geometry, computed here and never believed): entry, stop, target (quote units, the first target), risk
(fraction of entry), reward_risk (net), cost_to_risk, funding_r (expected funding over the horizon, in R),
horizon_hours.
"""

import math
from collections.abc import Callable, Iterable
from functools import lru_cache

import msgspec

from aister.core.council import Agent, Evidence, Odds, Question, Setup
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
    """Everything derived from one question and the priors, before anybody has spoken.

    `trust`: what each agent's word counts with its listeners. `cited` and `quotes`: facts as evidence and as text, by
    feature, made when the first argument rests on them.
    """

    question: Question
    priors: Priors
    family: str
    facts: dict[str, float]
    p0: Odds
    pay: Payoff
    volatility_known: bool
    trust: dict[Agent, float]
    cited: "Cited"
    quotes: "Quotes"

    def quote(self, features: Iterable[str]) -> str:
        """Facts as citations that `grounding` can read back."""
        return ", ".join(map(self.quotes.__getitem__, features))


class Cited(dict[str, Evidence]):
    """Facts as evidence. Raises `Unreadable` for one that is absent or not finite."""

    __slots__ = ("_facts", "_unavailable")

    def __init__(self, facts: dict[str, float], unavailable: dict[str, str]) -> None:
        super().__init__()
        self._facts, self._unavailable = facts, unavailable

    def __missing__(self, feature: str) -> Evidence:
        value = self._facts.get(feature)
        if value is None:
            raise Unreadable(feature, self._unavailable.get(feature, "not in the question"))
        if not math.isfinite(value):
            raise Unreadable(feature, "not a finite number")
        one = self[feature] = Evidence(feature, value)
        return one


class Quotes(dict[str, str]):
    """Facts as text: id=value, six significant digits."""

    __slots__ = ("_facts",)

    def __init__(self, facts: dict[str, float]) -> None:
        super().__init__()
        self._facts = facts

    def __missing__(self, feature: str) -> str:
        quote = self[feature] = f"{feature}={self._facts[feature]:.6g}"
        return quote


class Reading:
    """Reads facts for an argument; its evidence gathers in `read` until `anew`. Raises `Unreadable` as `Cited` does."""

    __slots__ = ("_cited", "read", "side")

    def __init__(self, brief: Brief) -> None:
        self._cited = brief.cited
        self.read: dict[str, Evidence] = {}
        self.side = float(brief.question.setup.side)

    def __call__(self, feature: str) -> float:
        one = self.read[feature] = self._cited[feature]
        return one.value

    def anew(self) -> "Reading":
        """For the next argument."""
        self.read = {}
        return self


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
    for name, value in question.account.items():
        facts[f"account.{name}"] = value
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
    trust = {one.agent: min(1.0, one.weight / one.prior) if one.prior > 0 else 0.0 for one in question.standings}
    return Brief(
        question=question,
        priors=priors,
        family=priors.family(setup.rule),
        facts=facts,
        p0=p0,
        pay=pay,
        volatility_known=deviation_per_ms is not None,
        trust=trust,
        cited=Cited(facts, question.unavailable),
        quotes=Quotes(facts),
    )


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
    for feature, interval_ms, is_range in _volatilities(sources):
        value = features.get(feature)
        if value is None:
            continue
        deviation = value / price / TRUE_RANGE_PER_DEVIATION if is_range else value
        rates.append(deviation * deviation / interval_ms)
    return math.sqrt(sum(rates) / len(rates)) if rates else None


@lru_cache(maxsize=8)
def _volatilities(sources: tuple[str, ...]) -> tuple[tuple[str, int, bool], ...]:
    """Each source with the interval it measures and whether it is a true range."""
    parts = [(feature, *feature.split(".", 1)) if "." in feature else (feature, "", "") for feature in sources]
    for feature, timeframe, name in parts:
        if timeframe not in INTERVAL_MS or not name.startswith(("atr", "volatility")):
            raise SettingsError(f"{feature} is not a volatility; name an ATR or realised volatility under [baseline].")
    return tuple((feature, INTERVAL_MS[timeframe], name.startswith("atr")) for feature, timeframe, name in parts)


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
