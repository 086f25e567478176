"""The shape of a rule, and words that mean the mirrored thing for shorts."""

from typing import Protocol

from aister.strategy.strategy import Idea, Reading

__all__ = ["AGAINST", "HOUR_MS", "WITH", "Rule"]

HOUR_MS = 3_600_000

WITH = {1: "high", -1: "low"}
"""The extreme of a bar, or the swing, in the direction of the trade."""

AGAINST = {1: "low", -1: "high"}
"""The extreme of a bar, or the swing, against the trade: where it would be wrong."""


class Rule(Protocol):
    """Reads closed features when its timeframe closes; pure. `sees` may read what is unavailable (`NotKnown` is
    caught)."""

    @property
    def name(self) -> str: ...
    @property
    def timeframe(self) -> str: ...
    def sees(self, read: Reading, side: int) -> Idea | None: ...
