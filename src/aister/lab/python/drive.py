"""The loop around a Python strategy: it asks `on_bar` at closes, and keeps the account it shows beside it with the
batch loop's own steps."""

from array import array
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from aister.core.instrument import Instrument
from aister.lab.python.answers import setup_row
from aister.lab.python.floor import KernelFloor
from aister.strategy.python.contract import Bar, Enter, Exit, PythonStrategy

__all__ = ["Drive", "is_filtered"]


class Drive:
    """One strategy on one symbol. `advance(until)` asks it at every close below that number that has not been asked,
    and returns the rows it answered."""

    def __init__(
        self,
        strategy: PythonStrategy,
        instrument: Instrument,
        closes: Mapping[str, npt.NDArray[Any]],
        floor: KernelFloor,
        first: int,
    ) -> None:
        self.account = floor.account
        self.dropped = 0
        self._strategy, self._instrument, self._floor = strategy, instrument, floor
        self._on_bar = strategy.on_bar
        self._at = first
        self._closes = closes
        views = {name: _view(column) for name, column in closes.items()}
        self._bars = views["bar"]
        self._bar = Bar(instrument.symbol, views)
        self._filtered = is_filtered(strategy)
        self._setups, self._exits = array("q"), array("q")

    def advance(self, until: int) -> tuple[bytes, bytes]:
        """Rows of dtype SETUP and EXIT answered at closes below `until`."""
        self._setups, self._exits = array("q"), array("q")
        wanted = self._candidates(until) if self._filtered else range(self._at, until)
        if not self._strategy.while_open and self._at < until:
            self._only_free(until, wanted)
        while self._at < until:
            if self.account.free:
                self._while_free(until, wanted)
            else:
                self._while_open(until)
        return self._setups.tobytes(), self._exits.tobytes()

    def _while_free(self, until: int, wanted: Sequence[int]) -> None:
        """Ask until it answers."""
        bar, on_bar, account = self._bar, self._on_bar, self.account
        for at in wanted[bisect_left(wanted, self._at) :]:
            bar._at = at
            answer = on_bar(bar, account)
            if answer is not None:
                self._take(at, answer)
                if not account.free:
                    self._at = at + 1
                    return
        self._at = until

    def _while_open(self, until: int) -> None:
        """Ask at every close until the account is free at one."""
        bar, on_bar, account = self._bar, self._on_bar, self.account
        for at in range(self._at, until):
            self._at = at
            self._floor.pass_to(self._bars[at])
            if account.free:
                return
            bar._at = at
            answer = on_bar(bar, account)
            if answer is not None:
                self._take(at, answer)
        self._at = until

    def _only_free(self, until: int, wanted: Sequence[int]) -> None:
        """Ask at the wanted closes at which the account is free, and pass by the others unasked."""
        bar, on_bar, account, bars = self._bar, self._on_bar, self.account, self._bars
        until_free, last = self._floor.until_free, self._bars[until - 1]
        at, free = self._at, account.free
        place = bisect_left(wanted, at)
        while True:
            if not free:
                reached = until_free(last)
                if not account.free:
                    break
                place = bisect_left(wanted, bisect_left(bars, reached, at, until), place)
            if place == len(wanted):
                break
            at = wanted[place]
            bar._at = at
            answer = on_bar(bar, account)
            if answer is not None:
                self._take(at, answer)
            at += 1
            place += 1
            free = account.free
        self._at = until

    def _take(self, at: int, answer: object) -> None:
        account, floor = self.account, self._floor
        if isinstance(answer, Enter):
            if not account.free:
                self.dropped += 1
                return
            row = setup_row(answer, self._bar.time_ms, self._bar.close, self._instrument)
            self._setups.extend(row)
            floor.enter(self._bars[at], row)
        elif isinstance(answer, Exit):
            if account.side == 0:
                self.dropped += 1
                return
            self._exits.extend((self._bar.time_ms, account.side))
            floor.leave()
        else:
            raise TypeError(f"on_bar answered {answer!r}: it answers Enter(...), Exit() or None")

    def _candidates(self, until: int) -> list[int]:
        """The closes that the strategy's own filter marks, ascending."""
        begin = max(0, self._at - max(0, self._strategy.lookback))
        shown = {name: column[begin:until] for name, column in self._closes.items() if name != "bar"}
        marked = np.asarray(self._strategy.candidates(shown))
        if marked.shape != (until - begin,) or marked.dtype != np.bool_:
            raise TypeError(
                f"candidates answered {marked.dtype} of shape {marked.shape}: it answers bool of shape"
                f" ({until - begin},), one for each row it was given"
            )
        found: list[int] = (np.flatnonzero(marked[self._at - begin :]) + self._at).tolist()
        return found


def _view(column: Any) -> memoryview:
    """What gives plain Python numbers, at half the price of an array's."""
    return memoryview(column)


def is_filtered(strategy: PythonStrategy) -> bool:
    """Whether its class has a `candidates` of its own."""
    return type(strategy).candidates is not PythonStrategy.candidates
