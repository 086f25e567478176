"""How the stages are put together."""

import msgspec

from aister.execution.bracket import ManagementRules, ScalingRules

__all__ = ["EngineRules"]


class EngineRules(msgspec.Struct, frozen=True):
    """How the stages are put together. `deliberate` false = setups trade directly, without council (benchmarks,
    parity).

    `plan_life_ms` bounds an armed plan and a resting entry (Q25), `answer_timeout_ms` a question without answer (Q26).
    `delay_bars`: base bars between a strategy's decision, to enter or to leave, and its order, where no council takes
    its own time.
    """

    deliberate: bool = True
    plan_life_ms: int = 1_800_000
    answer_timeout_ms: int = 60_000
    delay_bars: int = 0
    management: ManagementRules = ManagementRules()
    scaling: ScalingRules = ScalingRules()
