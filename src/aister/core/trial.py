"""A trial: one look at data with one set of rules, and the daily returns it made. Trials are counted by what they
touched (instruments and time), whoever made them and whatever they were called (quant Q11)."""

import hashlib
from collections.abc import Iterable, Sequence
from enum import StrEnum

import msgspec
import numpy as np
import numpy.typing as npt

from aister.core.errors import UsageError

__all__ = ["Calendar", "Trial", "TrialOutcome", "aligned", "packed", "touches"]

_encode = msgspec.msgpack.Encoder(order="deterministic").encode


class TrialOutcome(StrEnum):
    """Aborted trials count too: what they showed before they ended was seen."""

    FINISHED = "finished"
    ABORTED = "aborted"


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """One backtest, sweep cell or training run.

    What was tried, and hence its `id`:
    owner_id      whose it is;   kind: backtest, sweep, tuning, walk_forward, training, ...
    spec          the rules in canonical form (JSON, or the text of a Python strategy);   spec_hash: their content hash
    symbols       the instruments traded or read;   span_ms: (first, end) UTC ms, half open;   interval_ms: base bars
    data_hash     of the data fed;   code_hash: of what computed it;   fill_model: the fill model's own text
    seed          of everything drawn by chance;   settings: whatever else decides the result, by name
    What it came to:
    outcome       finished or aborted
    first_day     UTC day (days since 1970) of the first daily return;   returns: `packed` float32, one a day without
                  gaps, mark to market and net over allotted capital
    figures       summary figures by name, None where unavailable
    And beside it, for people:
    name          what it was called;   made_ms: when, as told by the caller
    """

    owner_id: str
    kind: str
    spec_hash: str
    spec: str
    symbols: tuple[str, ...]
    span_ms: tuple[int, int]
    interval_ms: int
    data_hash: str
    code_hash: str
    fill_model: str
    seed: int
    settings: dict[str, str]
    outcome: TrialOutcome
    first_day: int
    returns: bytes
    figures: dict[str, float | None]
    name: str
    made_ms: int

    def __post_init__(self) -> None:
        if not self.symbols or not self.span_ms[0] < self.span_ms[1]:
            raise UsageError(
                f"A trial needs at least one symbol and a span that ends after it begins, "
                f"not {self.symbols} and {self.span_ms}."
            )

    @property
    def id(self) -> str:
        """SHA-256 (hex) of what was tried. The same look made again, or finished after a crash, is the same trial."""
        what = (
            self.owner_id, self.kind, self.spec_hash, self.spec, sorted(set(self.symbols)), self.span_ms,
            self.interval_ms, self.data_hash, self.code_hash, self.fill_model, self.seed, self.settings,
        )  # fmt: skip
        return hashlib.sha256(_encode(what)).hexdigest()

    @property
    def daily_returns(self) -> npt.NDArray[np.float32]:
        """The daily returns as float32, shape (days,), read-only."""
        return np.frombuffer(self.returns, "<f4")


class Calendar(msgspec.Struct, frozen=True, eq=False):
    """Daily returns of several trials on one calendar: `returns[i, d]` is trial `ids[i]` on UTC day `first_day + d`,
    float32, NaN on days the trial does not cover."""

    ids: tuple[str, ...]
    first_day: int
    returns: npt.NDArray[np.float32]


def packed(returns: npt.ArrayLike) -> bytes:
    """Daily returns as little-endian float32, the form a `Trial` keeps."""
    return np.asarray(returns, "<f4").tobytes()


def touches(trial: Trial, symbols: Iterable[str], span_ms: tuple[int, int]) -> bool:
    """Whether a trial shares an instrument and a stretch of time (half open) with these."""
    shared = not set(trial.symbols).isdisjoint(symbols)
    return shared and trial.span_ms[0] < span_ms[1] and span_ms[0] < trial.span_ms[1]


def aligned(trials: Sequence[Trial]) -> Calendar:
    """The trials' daily returns on the shortest calendar that holds them all."""
    held = [(one.first_day, one.daily_returns) for one in trials]
    spans = [(first, first + len(values)) for first, values in held if len(values)]
    first, end = (min(a for a, _ in spans), max(b for _, b in spans)) if spans else (0, 0)
    returns = np.full((len(held), end - first), np.nan, np.float32)
    for row, (begin, values) in zip(returns, held, strict=True):
        if len(values):
            row[begin - first : begin - first + len(values)] = values
    return Calendar(tuple(one.id for one in trials), first, returns)
