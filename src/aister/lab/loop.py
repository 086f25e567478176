"""The compiled loop, made ready once for an account and its series and run as often as is asked.

loop = Loop(prepared, plan, model, capital)
loop.run(signals)      everything that came of it
loop.nets(setups, of)  the net results alone of many strategies at once: a thousand random ones cost a thousand
                       runs of the compiled loop and nothing else
"""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from aister.core.errors import MoneyOverflow
from aister.kernels.batch import OVERFLOW, TOO_MANY, run_one
from aister.kernels.ledger import ACCOUNT
from aister.kernels.position import DESK
from aister.kernels.several import run_several
from aister.kernels.signals import EXIT
from aister.kernels.state import State
from aister.kernels.trades import FILL, TRADE
from aister.lab.account import TOO_LARGE, Plan, legs_of, open_account
from aister.lab.prepare import DAY_MS, Prepared, charged_e8
from aister.ports.signals import Signals
from aister.sim.models import FillModel

__all__ = ["Ended", "Loop"]

_FILLS_A_TRADE = 4
_NO_EXITS = np.zeros(0, EXIT)
_NONE = np.zeros(0, np.int64)
_NO_BARS = np.zeros(0, np.int32)
_NO_FILLS = np.zeros(0, FILL)

Ints = npt.NDArray[np.int64]
Small = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[Any]


class Ended(msgspec.Struct, frozen=True, eq=False):
    """Where a run ended: its desks and account, trades in the order of their ends, fills (None: not asked for), and
    equity at each UTC midnight of the span."""

    desks: State
    account: np.void
    trades: Rows
    fills: Rows | None
    day_ms: Ints
    equity: Ints


class Loop:
    """One account over prepared series. One series takes the loop that jumps from event to event by itself; several, or
    one `together` or with further entries in the plan, the loop for several symbols. Raises as `lab.batch.simulate`."""

    def __init__(
        self, prepared: Sequence[Prepared], plan: Plan, model: FillModel, capital: int, *, together: bool = False
    ) -> None:
        desks, accounts = open_account(prepared, plan, model, capital)
        self._before = (desks.view("u1"), accounts.view("u1"))
        self._prepared, self._legs = prepared, legs_of(model)
        self._joined = None if len(desks) == 1 and not plan.scaling.times and not together else _Joined(prepared)

    def run(self, signals: Sequence[Signals], *, fills: bool = False, dense: bool = False) -> Ended:
        """Everything that comes of these signals, one for each series. `dense`: every bar is looked at, which changes
        nothing. Raises `MoneyOverflow`."""
        day_ms = self._prepared[0].day_ms if self._joined is None else self._joined.day_ms
        desks, account, trades, noted, equity = self._driven(signals, day_ms, fills, dense)
        if self._joined is not None:
            _by_time(trades, noted, len(self._legs))
        return Ended(desks, account, trades, noted if fills else None, day_ms, equity)

    def nets(self, setups: Sequence[Rows], of: Sequence[Ints]) -> Ints:
        """Net results, in money units, of the trades that ended, for many strategies that only enter. setups: of each
        series, those of all strategies behind one another; of: where in them each strategy's begin, and the end. Raises
        `MoneyOverflow`."""
        count = len(of[0]) - 1
        drive = self._each_of_one(setups[0], of[0]) if self._joined is None else self._each_of_several(setups, of)
        most = int(np.sum([np.diff(bounds) for bounds in of], axis=0).max(initial=0))
        trades, net = np.empty(2 * most + 1, TRADE), np.zeros(count, np.int64)
        for k in range(count):
            while (ended := drive(k, *self._opened(), trades)) == TOO_MANY:
                trades = np.empty(8 * len(trades), TRADE)
            if ended == OVERFLOW:
                raise MoneyOverflow(TOO_LARGE)
            net[k] = trades["pnl"][:ended].sum()
        return net

    def _opened(self) -> tuple[State, State]:
        """Desks and account as they are before a run."""
        return self._before[0].copy().view(DESK), self._before[1].copy().view(ACCOUNT)

    def _driven(
        self, signals: Sequence[Signals], day_ms: Ints, fills: bool, dense: bool
    ) -> tuple[State, np.void, Rows, Rows, Ints]:
        drive = self._one if self._joined is None else self._several
        room = 2 * sum(len(one.setups) for one in signals) + 1
        count = TOO_MANY
        while count == TOO_MANY:  # again from the start with more room: a volume cap can make a fill of every bar
            desks, accounts = self._opened()
            trades = np.empty(room, TRADE)
            noted = np.zeros(_FILLS_A_TRADE * room + 64 if fills else 0, FILL)
            equity = np.zeros(len(day_ms), np.int64)
            count = drive(desks, accounts, signals, day_ms, equity, trades, noted, int(dense))
            room *= 8
        if count == OVERFLOW:
            raise MoneyOverflow(TOO_LARGE)
        return desks, accounts[0], trades[:count], noted[: int(desks[0]["fill_count"]) if fills else 0], equity

    def _one(
        self,
        desks: State,
        accounts: State,
        signals: Sequence[Signals],
        day_ms: Ints,
        equity: Ints,
        trades: Rows,
        fills: Rows,
        dense: int,
    ) -> int:
        (one,), (given,) = self._prepared, signals
        setup_row, setup_at = _bars_of(one, given.setups["time_ms"])
        leaving, exit_at = _bars_of(one, given.exits["time_ms"])
        setups = given.setups if len(setup_row) == len(given.setups) else given.setups[setup_row]
        return run_one(
            desks, accounts, one.series.open_ms, one.bars, one.series.start, one.funding_at, one.funding_e8,
            one.decides, setups, setup_at, exit_at, given.exits["side"][leaving], one.day_at[: len(day_ms)], equity,
            trades, fills, dense,
        )  # fmt: skip

    def _several(
        self,
        desks: State,
        accounts: State,
        signals: Sequence[Signals],
        day_ms: Ints,
        equity: Ints,
        trades: Rows,
        fills: Rows,
        dense: int,
    ) -> int:
        """Setups, exits and adds of every desk behind one another; a hedged leg has the setups of its side."""
        joined = self._joined
        assert joined is not None
        rows = []
        setups, setup_at, setup_row, exit_at, exit_side, add_at, adds = [], [], [], [], [], [], []
        taken = left = more = 0
        for one, given, (base, funding) in zip(self._prepared, signals, joined.places, strict=True):
            known, at = _bars_of(one, given.setups["time_ms"])
            leaving, leave_at = _bars_of(one, given.exits["time_ms"])
            adding, more_at = _bars_of(one, given.adds["time_ms"])
            for leg in self._legs:
                mine = np.flatnonzero(given.setups["side"][known] * leg >= 0)
                setups.append(given.setups[known[mine]])
                setup_at.append(at[mine] + np.int32(base))
                setup_row.append(mine)
                exit_at.append(leave_at + np.int32(base))
                exit_side.append(given.exits["side"][leaving])
                add_at.append(more_at + np.int32(base))
                adds.append(np.stack((given.adds["side"][adding], given.adds["stop_ticks"][adding]), axis=1).ravel())
                ends = (taken + len(setup_at[-1]), left + len(leave_at), more + len(more_at))
                rows += [*funding, taken, ends[0], left, ends[1], more, ends[2]]
                taken, left, more = ends
        return run_several(
            desks, accounts, len(self._legs), joined.first(len(self._legs)), joined.open_ms, joined.bars,
            np.array(rows, np.int64), *joined.funding, joined.decides, np.concatenate(setups),
            np.concatenate(setup_at), np.concatenate(setup_row), np.concatenate(exit_at), np.concatenate(exit_side),
            np.concatenate(add_at), np.concatenate(adds), day_ms, equity, trades, fills, dense,
        )  # fmt: skip

    def _each_of_one(self, setups: Rows, of: Ints) -> Callable[[int, State, State, Rows], int]:
        """Runs the strategy of a number."""
        one = self._prepared[0]
        known, at = _bars_of(one, setups["time_ms"])
        begin, known_setups = np.searchsorted(known, of).tolist(), setups[known]

        def drive(k: int, desks: State, accounts: State, trades: Rows) -> int:
            mine = slice(begin[k], begin[k + 1])
            return run_one(
                desks, accounts, one.series.open_ms, one.bars, one.series.start, one.funding_at, one.funding_e8,
                one.decides, known_setups[mine], at[mine], _NO_BARS, _NONE, one.day_at[:0], _NONE, trades, _NO_FILLS, 0,
            )  # fmt: skip

        return drive

    def _each_of_several(self, setups: Sequence[Rows], of: Sequence[Ints]) -> Callable[[int, State, State, Rows], int]:
        """Runs the strategy of a number: the rows of all lie behind one another, desk by desk, and of each only their
        bounds are told."""
        joined = self._joined
        assert joined is not None
        taken, bars, numbers, bounds, begin = [], [], [], [], 0
        for one, rows, ends, (base, funding) in zip(self._prepared, setups, of, joined.places, strict=True):
            known, at = _bars_of(one, rows["time_ms"])
            first = np.searchsorted(known, ends)
            number = np.arange(len(known)) - np.repeat(first[:-1], np.diff(first))
            for leg in self._legs:
                mine = np.flatnonzero(rows["side"][known] * leg >= 0)
                taken.append(rows[known[mine]])
                bars.append(at[mine] + np.int32(base))
                numbers.append(number[mine])
                mine_of = begin + np.searchsorted(mine, first)
                bounds.append([np.array([[*funding]] * (len(ends) - 1)), mine_of[:-1], mine_of[1:]])
                begin += len(mine)
        nothing = np.zeros((len(of[0]) - 1, 4), np.int64)
        told = np.column_stack([part for desk in bounds for part in (*desk, nothing)])
        all_of_them, all_bars, all_numbers = np.concatenate(taken), np.concatenate(bars), np.concatenate(numbers)
        first_bars, legs = joined.first(len(self._legs)), len(self._legs)

        def drive(k: int, desks: State, accounts: State, trades: Rows) -> int:
            return run_several(
                desks, accounts, legs, first_bars, joined.open_ms, joined.bars, told[k], *joined.funding,
                joined.decides, all_of_them, all_bars, all_numbers, _NO_BARS, _NONE, _NO_BARS, _NONE, _NONE, _NONE,
                trades, _NO_FILLS, 0,
            )  # fmt: skip

        return drive


def _bars_of(one: Prepared, times_ms: Ints) -> tuple[Ints, Small]:
    """Which of these close times are closes of bars in the span, and of which bars."""
    if not len(times_ms):
        return _NONE, _NO_BARS
    opened, bars = times_ms - one.series.interval_ms, one.series.open_ms
    if (len(bars) - 1) * one.series.interval_ms == bars[-1] - bars[0]:  # no gaps: no search
        at = (opened - bars[0]) // one.series.interval_ms
        at[(at < 0) | (at >= len(bars))] = 0
    else:
        at = np.searchsorted(bars, opened)
        at[at == len(bars)] = 0
    known = np.flatnonzero((bars[at] == opened) & (at >= one.series.start))
    return known, at[known].astype(np.int32)


class _Joined:
    """The columns of several series behind one another. places: of each, its first bar among them and the bounds of its
    settlements from its span on; bars: rows of BAR; funding: times and rates; decides: whether a bar is a decision
    close; day_ms: the UTC midnights from the start of the first span to the end of the last."""

    def __init__(self, prepared: Sequence[Prepared]) -> None:
        many = [one.series for one in prepared]
        self.places: list[tuple[int, tuple[int, int]]] = []
        self._first: list[tuple[int, int, int]] = []
        base = funded = 0
        for series in many:
            skipped = int(np.searchsorted(series.funding_ms, series.open_ms[series.start]))
            self.places.append((base, (funded + skipped, funded + len(series.funding_ms))))
            self._first.append((base, base + series.start, base + len(series.open_ms)))
            base, funded = base + len(series.open_ms), funded + len(series.funding_ms)
        self.open_ms: Ints = np.concatenate([one.open_ms for one in many])
        self.bars: State = np.concatenate([one.bars for one in prepared])
        self.funding: tuple[Ints, Ints] = (
            np.concatenate([one.funding_ms for one in many]),
            np.concatenate([charged_e8(one) for one in many]),
        )
        self.decides = np.zeros(base, np.bool_)
        for one, (begins, _) in zip(prepared, self.places, strict=True):
            self.decides[begins + one.decides] = True
        start_ms = min(int(one.open_ms[one.start]) for one in many)
        end_ms = max(int(one.open_ms[-1]) for one in many) + many[0].interval_ms
        self.day_ms = np.arange(start_ms // DAY_MS + 1, end_ms // DAY_MS + 1, dtype=np.int64) * DAY_MS

    def first(self, legs: int) -> Ints:
        """For each desk: its first bar, that of its span, and the number behind its last."""
        return np.repeat(np.array(self._first, np.int64), legs, axis=0).ravel()


def _by_time(trades: Rows, fills: Rows, legs: int) -> None:
    """Put what was written desk by desk in the order of time, desks in their order within one; the numbers of trades in
    the fills follow. Numbers of desks become those of symbols."""
    trades[:] = trades[np.argsort(trades["exit_ms"], kind="stable")]
    for symbol in np.unique(fills["symbol"]):
        rows = np.append(np.flatnonzero(trades["symbol"] == symbol), len(trades))
        mine = fills["symbol"] == symbol
        fills["trade"][mine] = rows[fills["trade"][mine]]
    fills[:] = fills[np.argsort(fills["time_ms"], kind="stable")]
    trades["symbol"] //= legs
    fills["symbol"] //= legs
