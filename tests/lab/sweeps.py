"""A small sweep that every test of sweeps uses: 15m decisions over a few weeks of seeded minutes."""

from collections.abc import Sequence
from typing import Any

import msgspec

from aister.bench.data import seeded_market
from aister.core.instrument import Bracket
from aister.kernels.ledger import STEPS_LIMIT
from aister.lab.cells import Row
from aister.lab.draws import Search
from aister.lab.space import axis
from aister.ports.market import Market

RULES: dict[str, Any] = {
    "version": 1,
    "name": "crossing",
    "timeframe": "15m",
    "let": {
        "fast": {"feature": "ema", "span": 8},
        "slow": {"feature": "ema", "span": 21},
        "span": 14,
        "stop_atr": 2.0,
        "atr": {"feature": "atr", "span": {"use": "span"}},
    },
    "long": {
        "entry": {"crosses_above": [{"use": "fast"}, {"use": "slow"}]},
        "stop": {"distance": {"*": [{"use": "stop_atr"}, {"use": "atr"}]}},
        "targets": [{"r": 2.0}],
    },
    "short": "mirror",
    "horizon": {"bars": 64},
}


def market(days: int = 20, seed: int = 1) -> Market:
    return seeded_market(days * 1_440, seed)


def without_bounds(market: Market) -> Market:
    """The same bars on contracts that take any size at any leverage, for no fee: amounts can then leave 64 bits."""
    free = {
        "max_steps": STEPS_LIMIT,
        "market_max_steps": STEPS_LIMIT,
        "brackets": (Bracket(0, 2**62, 100_000, 0, 125),),
        "maker_e8": 0,
        "taker_e8": 0,
    }
    replace = msgspec.structs.replace
    return replace(
        market, series=tuple(replace(one, instrument=replace(one.instrument, **free)) for one in market.series)
    )


def search(*texts: str, **more: Any) -> Search:
    return Search(axes=tuple(axis(text, RULES) for text in texts), **more)


class Kept:
    """A store in memory that keeps what was added, each addition apart."""

    def __init__(self) -> None:
        self.parts: list[list[Row]] = []

    def rows(self) -> list[Row]:
        return [row for part in self.parts for row in part]

    def add(self, rows: Sequence[Row]) -> None:
        self.parts.append(list(rows))
