"""A result with everything that is said about it: what the report prints and the JSON publishes."""

from collections.abc import Callable

import msgspec

from aister.analytics.benchmarks import Bars, BuyAndHold, MatchedRandom, buy_and_hold, matched_random
from aister.analytics.metrics import Metrics, measure
from aister.analytics.run_result import RunResult

__all__ = ["About", "Findings", "examine"]


class About(msgspec.Struct, frozen=True):
    """Where a result comes from. `mode` is the word on its frame (SAMPLE, PAPER); `settings` what was asked for, by
    name; `hashes` journal, decision, trades, data and config; `versions` of what computed it."""

    mode: str
    settings: dict[str, str]
    hashes: dict[str, str]
    versions: dict[str, str]


class Findings(msgspec.Struct, frozen=True):
    """`hold` is None without bars."""

    about: About
    result: RunResult
    metrics: Metrics
    hold: BuyAndHold | None
    matched: MatchedRandom


def examine(result: RunResult, about: About, bars_of: Callable[[str], Bars]) -> Findings:
    """Measure a result and set it beside its benchmarks; everything drawn by chance uses the run's own seed."""
    seed = result.started.seed
    matched = matched_random(result, bars_of, seed=seed)
    return Findings(about, result, measure(result, seed=seed), buy_and_hold(result), matched)
