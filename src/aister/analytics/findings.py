"""A result with everything that is said about it: what the report prints and the JSON publishes."""

from collections.abc import Callable

import msgspec

from aister.analytics.benchmarks import Bars, BuyAndHold, MatchedRandom, buy_and_hold, matched_random
from aister.analytics.metrics import Metrics, measure
from aister.analytics.run_result import RunResult

__all__ = ["About", "Findings", "Kelly", "examine"]


class About(msgspec.Struct, frozen=True):
    """Where a result comes from. `mode` is the word on its frame (SAMPLE, PAPER); `settings` what was asked for, by
    name; `hashes` journal, decision, trades, data and config; `versions` of what computed it."""

    mode: str
    settings: dict[str, str]
    hashes: dict[str, str]
    versions: dict[str, str]


class Kelly(msgspec.Struct, frozen=True):
    """How far the strategy's own record allows Kelly to speak (Q1): UNPROVEN until the strategy is certified and
    `effective_n` reaches `needed`; `outcomes` are closed trades with a risk, overlapping ones count less in
    `effective_n`. `bound` is the 5th percentile of the growth-optimal fraction of equity, None while UNPROVEN; a trade
    then risks `unproven_share` of the profile's risk per trade."""

    proven: bool
    outcomes: int
    effective_n: float
    needed: int
    bound: float | None
    unproven_share: float

    @property
    def state(self) -> str:
        return "PROVEN" if self.proven else "UNPROVEN"


class Findings(msgspec.Struct, frozen=True):
    """`hold` is None without bars."""

    about: About
    kelly: Kelly
    result: RunResult
    metrics: Metrics
    hold: BuyAndHold | None
    matched: MatchedRandom


def examine(result: RunResult, about: About, kelly: Kelly, bars_of: Callable[[str], Bars]) -> Findings:
    """Measure a result and set it beside its benchmarks; everything drawn by chance uses the run's own seed."""
    seed = result.started.seed
    matched = matched_random(result, bars_of, seed=seed)
    return Findings(about, kelly, result, measure(result, seed=seed), buy_and_hold(result), matched)
