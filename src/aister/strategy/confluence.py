"""The default strategy: five rules on closed 15m and 1h bars, each reported once per episode, for the council to
judge."""

from itertools import groupby

from aister.core.council import Setup
from aister.core.instrument import Instrument
from aister.core.trade import Side
from aister.features.featureset import FeatureSet
from aister.features.timeframes import INTERVAL_MS, mask
from aister.strategy.rules.breakout import Breakout
from aister.strategy.rules.hour_momentum import HourMomentum
from aister.strategy.rules.range_reversion import RangeReversion
from aister.strategy.rules.rule import Rule
from aister.strategy.rules.sweep_reversal import SweepReversal
from aister.strategy.rules.trend_pullback import TrendPullback
from aister.strategy.strategy import Idea, Noting, NotKnown, Reading, setup_of

__all__ = ["RULES", "Confluence"]

RULES: tuple[Rule, ...] = (SweepReversal(), Breakout(), TrendPullback(), RangeReversion(), HourMomentum())
"""In the order in which setups that fire together are returned: the rarer first."""


class Confluence:
    """Runs `rules` over both sides. An incomplete bar (with a gap) decides nothing; an unavailable feature silences
    its rule.

    An episode is (symbol, rule, side, what the idea rests on); each is reported once until it is invalidated: until
    the swing it rests on is another, or, for an idea without one, until the rule has seen nothing at a close.
    """

    def __init__(self, rules: tuple[Rule, ...] = RULES) -> None:
        self.name = "confluence"
        self.rules = rules
        self.mask = mask(*(rule.timeframe for rule in rules))
        self._groups = [
            (INTERVAL_MS[timeframe], f"{timeframe}.complete", [case for rule in group for case in _cases(rule)])
            for timeframe, group in groupby(rules, key=lambda rule: rule.timeframe)
        ]
        self._reported: dict[tuple[str, str], float] = {}
        self._standing: dict[str, set[str]] = {}  # by symbol, reported ideas without an episode that are still seen

    def setups(self, features: FeatureSet, instrument: Instrument, cost_e8: int) -> tuple[Setup, ...]:
        """As `Strategy.setups`: in the order of `rules`, longs before shorts."""
        found: list[Setup] = []
        read = Reading(features)
        standing = self._standing.setdefault(features.symbol, set())
        for interval_ms, complete, cases in self._groups:
            if features.time_ms % interval_ms:
                continue
            whole = features.get(complete) == 1.0
            for rule, side, case in cases:
                try:
                    idea = rule.sees(read, side) if whole else None
                except NotKnown:
                    idea = None
                if idea is None:
                    standing.discard(case)
                elif self._is_news(features.symbol, case, idea, standing):
                    noting = Noting(features)
                    rule.sees(noting, side)
                    found.append(
                        setup_of(idea, rule.name, rule.timeframe, Side(side), noting, features, instrument, cost_e8)
                    )
        return tuple(found)

    def _is_news(self, symbol: str, case: str, idea: Idea, standing: set[str]) -> bool:
        if idea.episode is None:
            known = case in standing
            standing.add(case)
        else:
            known = self._reported.get((symbol, case)) == idea.episode
            self._reported[symbol, case] = idea.episode
        return not known


def _cases(rule: Rule) -> list[tuple[Rule, int, str]]:
    """A rule on both sides, each with its name."""
    return [(rule, int(side), f"{rule.name}-{side.word}") for side in (Side.BUY, Side.SELL)]
