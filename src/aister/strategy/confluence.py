"""The default strategy: five rules on closed 15m and 1h bars, each reported once per episode, for the council to
judge."""

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
        self._cases = tuple(
            (rule, int(side), f"{rule.name}-{side.word}", INTERVAL_MS[rule.timeframe], f"{rule.timeframe}.complete")
            for rule in rules
            for side in (Side.BUY, Side.SELL)
        )
        self._reported: dict[tuple[str, str], float] = {}
        self._standing: set[tuple[str, str]] = set()

    def setups(self, features: FeatureSet, instrument: Instrument, cost_e8: int) -> tuple[Setup, ...]:
        """As `Strategy.setups`: in the order of `rules`, longs before shorts."""
        found: list[Setup] = []
        read = Reading(features)
        for rule, side, case, interval_ms, complete in self._cases:
            if features.time_ms % interval_ms:
                continue
            try:
                idea = rule.sees(read, side) if read[complete] == 1.0 else None
            except NotKnown:
                idea = None
            if idea is None:
                if self._standing:
                    self._standing.discard((features.symbol, case))
            elif self._is_news((features.symbol, case), idea):
                noting = Noting(features)
                rule.sees(noting, side)
                found.append(
                    setup_of(idea, rule.name, rule.timeframe, Side(side), noting, features, instrument, cost_e8)
                )
        return tuple(found)

    def _is_news(self, key: tuple[str, str], idea: Idea) -> bool:
        if idea.episode is None:
            known = key in self._standing
            self._standing.add(key)
        else:
            known = self._reported.get(key) == idea.episode
            self._reported[key] = idea.episode
        return not known
