"""What `aister bench NAME` runs. Every figure stands beside a reference measured in the same run: machines are
noisy."""

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import cast

import msgspec

from aister.core.errors import UsageError

__all__ = ["BENCHES", "Figure", "bench"]


class Figure(msgspec.Struct, frozen=True):
    """One measured value. `reference` is the value it is compared with in the same run, `ratio` = value / reference."""

    name: str
    value: float
    unit: str
    reference: float | None
    ratio: float | None
    note: str


BENCHES = {
    "backtest": "rules over seeded minutes with every cost on: the whole and its parts, beside a bare loop",
    "engine": "the event engine bare, and with council and journal, beside a plain loop",
    "latency": "signing, the order round trip on loopback, stream decoding, beside ccxt, a bare ping and json",
    "strategy": "a strategy written in Python, at every bar and behind a filter, beside the compiled loop",
    "sweep": "500 cells over a year of one-minute bars, beside every bar visited, and singly",
    "ticks": "recorded depth and trades with quotes in the queue, beside a bare loop over trades",
}


def bench(name: str) -> Callable[[bool], Iterator[Figure]]:
    """The bench of that name: called with quick=True it ends within 40 s. Raises `UsageError` for an unknown name."""
    if name not in BENCHES:
        raise UsageError(f"There is no bench {name!r}; choose one of {', '.join(BENCHES)}.")
    return cast(Callable[[bool], Iterator[Figure]], import_module(f"aister.bench.{name}").measure)
