"""The shape of a rule, and words that mean the mirrored thing for shorts."""

from typing import Protocol

from aister.strategy.strategy import Idea, Reading

__all__ = ["HOUR_MS", "Rule", "against", "along"]

HOUR_MS = 3_600_000


def along(id: str) -> dict[int, str]:
    """By side, the id of what lies in the direction of the trade; `{}` stands for high or low."""
    return {1: id.format("high"), -1: id.format("low")}


def against(id: str) -> dict[int, str]:
    """By side, the id of what lies against the trade, where it would be wrong; `{}` stands for low or high."""
    return {1: id.format("low"), -1: id.format("high")}


class Rule(Protocol):
    """Reads closed features when its timeframe closes; pure. `sees` may read what is unavailable (`NotKnown` is
    caught)."""

    @property
    def name(self) -> str: ...
    @property
    def timeframe(self) -> str: ...
    def sees(self, read: Reading, side: int) -> Idea | None: ...
