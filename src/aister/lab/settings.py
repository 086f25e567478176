"""What decides a backtest besides rules and data, and what rules and settings together make of plan and fill model."""

import msgspec

from aister.core.errors import UsageError
from aister.core.money import RATE_ONE, UNIT, money_text
from aister.execution.bracket import ManagementRules, ScalingRules
from aister.lab.batch import Plan
from aister.sim.models import FillModel
from aister.strategy.spec.tree import Spec

__all__ = ["UNMANAGED", "Settings", "in_words", "managed", "model_of", "plan_of", "scaled"]

_NEVER = 99  # more targets than a position can have: the stop stays where it is
UNMANAGED = ManagementRules(_NEVER, 0)


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What decides a backtest besides rules and data. capital: money units; delay_bars: base bars between a decision
    and its order beyond the model's decision latency; seed: of bootstrap and random entry; random_draws: matched random
    strategies (0: none); fills: keep every execution."""

    capital: int = 10_000 * UNIT
    model: FillModel = FillModel()
    delay_bars: int = 0
    seed: int = 1
    random_draws: int = 1_000
    fills: bool = False

    def check(self) -> "Settings":
        """The settings; raises `UsageError` or `SettingsError` for what cannot be."""
        if not 10 * UNIT <= self.capital <= 1_000_000_000 * UNIT:
            raise UsageError("--capital must lie between 10 and 1,000,000,000 USDT; for example 10000.")
        if not 0 <= self.delay_bars <= 10_000:
            raise UsageError("--delay must lie between 0 and 10,000 bars.")
        if not 0 <= self.seed < 2**63:
            raise UsageError("--seed must be a whole number from 0 to 2^63 - 1; for example 1.")
        if not 0 <= self.random_draws <= 100_000:
            raise UsageError("--random-draws must lie between 0 and 100,000; 1000 is usual.")
        self.model.check()
        return self


def plan_of(spec: Spec, settings: Settings) -> Plan:
    """What is done with the spec's setups; what it leaves open is the plan's default."""
    usual = Plan()
    return Plan(
        risk_e8=spec.sizing.risk_e8 or usual.risk_e8,
        cap_e8=spec.sizing.notional_e8 or usual.cap_e8,
        management=managed(spec),
        delay_bars=settings.delay_bars,
        scaling=scaled(spec),
    ).check()


def model_of(spec: Spec, settings: Settings) -> FillModel:
    """The fill model with the spec's leverage, where it names one."""
    if not spec.sizing.leverage:
        return settings.model
    margin = msgspec.structs.replace(settings.model.margin, leverage=spec.sizing.leverage)
    return msgspec.structs.replace(settings.model, margin=margin)


def managed(spec: Spec) -> ManagementRules:
    """How open positions are managed, as the spec says."""
    after = spec.management.break_even_after
    return ManagementRules(_NEVER if after is None else after, spec.management.trail_e4)


def scaled(spec: Spec) -> ScalingRules:
    """What may be added to an open position, as the spec says."""
    scale = spec.scale_in
    return ScalingRules(scale.times, scale.share_e4, scale.first_e4, scale.beyond_risk)


def in_words(settings: Settings, plan: Plan) -> dict[str, str]:
    """The settings that a trial and a result carry, for people and for the trial's identity."""
    words = {
        "capital": f"{money_text(settings.capital, 2)} USDT",
        "risk": f"{plan.risk_e8 / RATE_ONE:.4%} of equity at the stop",
        "notional": f"at most {plan.cap_e8 / RATE_ONE:g} x equity",
        "management": _managed_in_words(plan.management),
        "delay": f"{plan.delay_bars} bars",
    }
    return words | {"scale-in": _scaled_in_words(plan.scaling)} if plan.scaling.times else words


def _scaled_in_words(rules: ScalingRules) -> str:
    first = f"first entry {rules.first_e4 / 10_000:g} of its size, then" if rules.first_e4 < 10_000 else "then"
    bound = "beyond it if need be" if rules.beyond_risk else "the whole within it"
    return f"{first} up to {rules.times} more of {rules.share_e4 / 10_000:g} of the risk of a trade, {bound}"


def _managed_in_words(rules: ManagementRules) -> str:
    after, trail = rules.break_even_after, rules.trail_share_e4
    if after >= _NEVER:
        return "the stop stays where it is"
    start = f"stop to break-even after {after} {'target' if after == 1 else 'targets'}"
    return f"{start}, then {trail / 10_000:g} R behind the best close" if trail else start
