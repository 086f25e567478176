"""What every detector answers, and what it is handed: a strategy as a function from a market to its signals."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import StrEnum

import msgspec

from aister.ports.market import Market
from aister.ports.signals import Signals

__all__ = ["FEWEST_TRADES", "Found", "Says", "Verdict", "spoken", "utc_text"]

Says = Callable[[Market], Mapping[str, Signals]]
"""Everything a strategy says of each symbol of a market. Called with many markets, it must answer each from that market
alone."""

FEWEST_TRADES = 30
"""Fewer trades than this carry no verdict about profit (quant Q7)."""


class Verdict(StrEnum):
    """CLEAN: looked, and found nothing; CAUGHT: found it; UNKNOWN: the data cannot say."""

    CLEAN = "clean"
    CAUGHT = "caught"
    UNKNOWN = "not enough data"


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """One detector's answer: its name, the verdict and one sentence with the figures that decide it. Each detector adds
    its own figures."""

    detector: str
    verdict: Verdict
    sentence: str


def utc_text(time_ms: int) -> str:
    """A moment in words, to the minute."""
    return f"{datetime.fromtimestamp(time_ms / 1000, UTC):%Y-%m-%d %H:%M}"


def spoken(ms: int) -> str:
    """A length of time in words: 90 min, 26 h, 4.5 days."""
    if ms < 120 * 60_000:
        return f"{ms / 60_000:g} min"
    return f"{ms / 3_600_000:.4g} h" if ms < 48 * 3_600_000 else f"{ms / 86_400_000:.3g} days"
