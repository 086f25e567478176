"""Which cells a sweep looks at: all of a grid, some at random, or those that a Parzen estimator expects to be good.

Everything drawn comes from the seed and, for TPE, from what was told of the cells before: asked again in the same way,
the same cells come.
"""

from collections.abc import Sequence
from typing import Any, Literal, Protocol

import msgspec
import numpy as np

from aister.core.errors import UsageError
from aister.lab.space import MOST_CELLS, Axis, Condition, grid

__all__ = ["TPE_ROUND", "Cell", "Draw", "Search", "draw"]

Cell = tuple[float | int, ...]

TPE_ROUND = 10
"""Cells that TPE is asked for at a time: they are run together, then all are told."""
_TRIES = 1_000


class Search(msgspec.Struct, frozen=True, kw_only=True):
    """How cells are chosen. axes: what varies; conditions: outside of them nothing is a cell; count: how many (random
    and TPE); by: the figure that TPE seeks and results are ranked by; seed: of what is drawn."""

    method: Literal["grid", "random", "tpe"] = "grid"
    axes: tuple[Axis, ...]
    conditions: tuple[Condition, ...] = ()
    count: int = 0
    by: str = "sharpe_daily"
    seed: int = 1


class Draw(Protocol):
    """Cells in rounds. total: how many are meant; left_out: cells of the grid outside the conditions."""

    total: int
    left_out: int

    def ask(self) -> list[Cell]:
        """The next round, none when it is over."""
        ...

    def tell(self, cells: Sequence[Cell], scores: Sequence[float | None]) -> None:
        """What the last round came to, greater is better; None where there is no score."""
        ...


def draw(search: Search) -> Draw:
    """The cells of a search. Raises `UsageError` when there are none."""
    if not search.axes:
        raise UsageError("Nothing varies; give at least one axis, such as --grid fast=10:100:10.")
    names = [one.name for one in search.axes]
    if len({one.pointer for one in search.axes}) < len(names):
        raise UsageError(f"Two axes vary the same number; {', '.join(names)} must be different ones.")
    if search.method == "grid":
        return _Listed(*grid(search.axes, search.conditions))
    if not 0 < search.count <= MOST_CELLS:
        raise UsageError(f"Give from 1 to {MOST_CELLS:,} cells to look at.")
    if search.method == "random":
        return _Listed(_random(search), 0)
    return _Tpe(search)


class _Listed:
    """Cells known beforehand, one round."""

    def __init__(self, cells: list[Cell], left_out: int) -> None:
        if not cells:
            raise UsageError("No cell satisfies the conditions; loosen --where or vary more.")
        self._cells, self.left_out = cells, left_out
        self.total = len(cells)

    def ask(self) -> list[Cell]:
        cells, self._cells = self._cells, []
        return cells

    def tell(self, cells: Sequence[Cell], scores: Sequence[float | None]) -> None:
        return None


def _random(search: Search) -> list[Cell]:
    """Different cells, each axis uniform; fewer when so many tries found no further one."""
    random = np.random.default_rng(search.seed)
    found: dict[Cell, None] = {}
    tries = 0
    while len(found) < search.count and tries < _TRIES:
        cell = tuple(_drawn(one, random) for one in search.axes)
        fits = cell not in found and all(one.holds(cell) for one in search.conditions)
        tries = 0 if fits else tries + 1
        if fits:
            found[cell] = None
    return list(found)


def _drawn(axis: Axis, random: np.random.Generator) -> float | int:
    if axis.values:
        return axis.values[int(random.integers(len(axis.values)))]
    if axis.whole:
        return int(random.integers(int(axis.low), int(axis.high) + 1))
    return _short(float(random.uniform(axis.low, axis.high)))


def _short(value: float) -> float:
    """Six significant digits: a cell can be written down and run again."""
    return float(f"{value:.6g}")


class _Tpe:
    """The tree-structured Parzen estimator of optuna. Source: Bergstra et al. (2011), Algorithms for Hyper-Parameter
    Optimization, NIPS 24. Cells outside the conditions, refused or without a score are told as failed."""

    left_out = 0

    def __init__(self, search: Search) -> None:
        import optuna  # noqa: PLC0415  # heavy, and only this method needs it

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._optuna, self._search = optuna, search
        self._study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=search.seed))
        self._asked: list[tuple[Any, Cell]] = []
        self._scores: dict[Cell, float | None] = {}
        self.total = search.count

    def ask(self) -> list[Cell]:
        wanted = min(TPE_ROUND, self.total - len(self._scores))
        found: list[Cell] = []
        tries = 0
        while len(found) < wanted and tries < _TRIES:
            trial = self._study.ask()
            cell = tuple(self._suggested(trial, one) for one in self._search.axes)
            tries += 1
            if cell in self._scores:
                self._told(trial, self._scores[cell])
            elif cell in found or not all(one.holds(cell) for one in self._search.conditions):
                self._told(trial, None)
            else:
                found.append(cell)
                self._asked.append((trial, cell))
        if not found:
            self.total = len(self._scores)
        return found

    def tell(self, cells: Sequence[Cell], scores: Sequence[float | None]) -> None:
        self._scores.update(zip(cells, scores, strict=True))
        for trial, cell in self._asked:
            self._told(trial, self._scores.get(cell))
        self._asked = []

    def _told(self, trial: Any, score: float | None) -> None:
        if score is None:
            self._study.tell(trial, state=self._optuna.trial.TrialState.FAIL)
        else:
            self._study.tell(trial, score)

    def _suggested(self, trial: Any, axis: Axis) -> float | int:
        if axis.values:
            places = trial.suggest_int(axis.pointer, 0, len(axis.values) - 1)
            return axis.values[int(places)]
        if axis.whole:
            return int(trial.suggest_int(axis.pointer, int(axis.low), int(axis.high)))
        return _short(float(trial.suggest_float(axis.pointer, axis.low, axis.high)))
