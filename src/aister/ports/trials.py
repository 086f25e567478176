"""The trial ledger: every look at the data, so that a result can be judged by how many were taken (quant Q11)."""

from collections.abc import Iterable, Iterator
from typing import Protocol

from aister.core.trial import Calendar, Trial

__all__ = ["TrialLedger"]


class TrialLedger(Protocol):
    """Append-only: nothing is ever removed or changed. A trial is kept once however often it is added (by its `id`);
    one that was aborted and later finishes stays one, read with what it finished with.

    Trials are found by what they touched: they share an instrument with `symbols` and a stretch of time with `span_ms`
    (UTC ms, half open), whatever their owner, name, kind, interval or data hash. Every method raises `StorageError`
    when the store cannot be read or written."""

    def add(self, trial: Trial) -> bool:
        """Keep one trial, durably. Returns whether it was new."""
        ...

    def add_many(self, trials: Iterable[Trial]) -> int:
        """Keep all of them or, when the process dies meanwhile, none. Returns how many were new."""
        ...

    def count(self, symbols: Iterable[str], span_ms: tuple[int, int]) -> int:
        """N: how many trials touched these instruments in this span."""
        ...

    def overlapping(self, symbols: Iterable[str], span_ms: tuple[int, int]) -> Iterator[Trial]:
        """Those trials, oldest first. What is added meanwhile may or may not be among them."""
        ...

    def returns(self, symbols: Iterable[str], span_ms: tuple[int, int]) -> Calendar:
        """Their daily returns on one calendar (whole trials: days outside `span_ms` are not cut off)."""
        ...

    def close(self) -> None:
        """Let go of the store; closing twice is harmless."""
        ...
