"""Matched random entry through the very engine that made the result (Q12): the same number of trades, side mix,
holding-time distribution, hour-of-day mix, stops, sizing and costs, and nothing else of the strategy."""

from collections.abc import Callable, Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from aister.analytics.benchmarks import MatchedRandom, planned_holding, standing
from aister.kernels.signals import SETUP
from aister.kernels.trades import LIQUIDATION, STOP
from aister.ports.market import Market, Series

__all__ = ["RandomEntry", "Simulate", "random_entry", "random_setups"]

_HOUR_MS = 3_600_000
_TRIES = 200
_AT_ONCE = 128  # random strategies drawn together; part of what a seed means

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.void]
Simulate = Callable[[Sequence[Rows], Sequence[Ints]], Ints]
"""Setups per series of the market (dtype SETUP) of many strategies behind one another, each by rising time, and per
series where each strategy's begin, and the end -> net P&L of each in money units, all costs on."""


class RandomEntry(msgspec.Struct, frozen=True):
    """`matched`: where the result stands. `unplaced`: share of the random trades for which no free place was found
    (trades of one symbol do not overlap). `seed`: of the draws."""

    matched: MatchedRandom
    unplaced: float
    seed: int


def random_entry(
    trades: Rows, market: Market, simulate: Simulate, *, capital: int, seed: int, draws: int = 1_000
) -> RandomEntry:
    """The closed trades (dtype TRADE) against `draws` random strategies made by `random_setups` and run through
    `simulate`. capital in money units."""
    own = float(trades["pnl"].sum()) / capital
    if not len(trades):
        return RandomEntry(standing(np.empty(0), own, 0, draws), 0.0, seed)
    rng, choices = np.random.default_rng(seed), _choices(trades, market)
    returns, placed = np.empty(draws), 0
    for first in range(0, draws, _AT_ONCE):
        count = min(_AT_ONCE, draws - first)
        setups, of = zip(*(_drawn(one, rng, count) for one in choices), strict=True)
        placed += sum(len(one) for one in setups)
        returns[first : first + count] = simulate(setups, of) / capital
    return RandomEntry(standing(returns, own, len(trades), draws), 1.0 - placed / (draws * len(trades)), seed)


def random_setups(trades: Rows, market: Market, rng: np.random.Generator) -> list[Rows]:
    """One random strategy: per trade a market entry of the same symbol and side at the open of a random bar of the
    same UTC hour of day, its stop at the same distance in proportion to price, no target in reach, and a time stop
    drawn from `planned_holding` of all trades. Entries of one symbol do not overlap: a colliding one is drawn again,
    and left out after 200 tries."""
    return [_drawn(one, rng, 1)[0] for one in _choices(trades, market)]


class _Choice(msgspec.Struct, frozen=True, eq=False):
    """What one symbol's trades may be replaced with: bars ordered by hour of day, for each trade the first of them and
    how many; times to hold with their probabilities."""

    mine: Rows
    series: Series
    bars: Ints
    first: Ints
    room: Ints
    times: Ints
    mass: Floats


def _choices(trades: Rows, market: Market) -> list[_Choice]:
    stopped = np.isin(trades["reason"], (STOP, LIQUIDATION))
    times, mass = planned_holding((trades["exit_ms"] - trades["entry_ms"]).tolist(), stopped.tolist())
    made = []
    for index, series in enumerate(market.series):
        mine = trades[trades["symbol"] == index]
        bars = np.arange(max(1, series.start), len(series.open_ms))
        bars = bars[series.open_ms[bars] == series.open_ms[bars - 1] + series.interval_ms]
        hours = series.open_ms[bars] // _HOUR_MS % 24
        order = np.argsort(hours, kind="stable")
        starts = np.searchsorted(hours[order], np.arange(25))
        wanted = mine["entry_ms"] // _HOUR_MS % 24
        room = starts[wanted + 1] - starts[wanted]
        made.append(_Choice(mine, series, bars[order], starts[wanted], room, times, mass))
    return made


def _drawn(choice: _Choice, rng: np.random.Generator, draws: int) -> tuple[Rows, Ints]:
    """Rows of SETUP for so many random strategies, and where each one's begin, and the end; every table below is draws
    x trades."""
    mine, count = choice.mine, len(choice.mine)
    if not count:
        return np.empty(0, SETUP), np.zeros(draws + 1, np.int64)
    held = np.maximum(choice.series.interval_ms, rng.choice(choice.times, (draws, count), p=choice.mass))
    at = np.full((draws, count), -1)
    draw, trade = np.nonzero(np.broadcast_to(choice.room > 0, at.shape))
    for _ in range(_TRIES):
        if not len(draw):
            break
        at[draw, trade] = choice.bars[choice.first[trade] + rng.integers(0, choice.room[trade])]
        draw, trade = _colliding(at, held, choice.series, rng, draw)
    while len(draw):
        at[draw, trade] = -1
        draw, trade = _colliding(at, held, choice.series, rng, draw)
    draw, trade = np.nonzero(at >= 0)
    rows = _rows(mine[trade], at[draw, trade], held[draw, trade], choice.series)
    order = np.lexsort((rows["time_ms"], draw))
    return rows[order], np.searchsorted(draw, np.arange(draws + 1))


def _colliding(at: Ints, held_ms: Ints, series: Series, rng: np.random.Generator, moved: Ints) -> tuple[Ints, Ints]:
    """Of the trades that have a place (bar `at` >= 0), those that begin before the one before has ended and left a bar
    for its exit; of such a pair either may yield, so that long trades are not the only ones to stay. moved: the draws
    in which something changed since they were last looked at. Returns draws and trades."""
    draws = np.unique(moved)
    order = np.argsort(at[draws], axis=1, kind="stable")
    bars, rows = at[draws[:, None], order], draws[:, None]
    start = series.open_ms[bars]
    until = start + held_ms[rows, order] + series.interval_ms
    pair, earlier = np.nonzero((bars[:, :-1] >= 0) & (start[:, 1:] < until[:, :-1]))
    yields = order[pair, earlier + rng.integers(0, 2, len(pair))]
    return np.divmod(np.unique(draws[pair] * at.shape[1] + yields), at.shape[1])


def _rows(mine: Rows, at: Ints, held_ms: Ints, series: Series) -> Rows:
    """Rows of SETUP: decided at the close before the bar, so that a market order meets its open."""
    one, count = series.instrument, len(at)
    rows = np.zeros(count, SETUP)
    entry = np.rint(series.close[at - 1] * one.ticks_per_quote).astype(np.int64)
    part = np.where(mine["entry_cost"] > 0, mine["risk"] / np.maximum(1, mine["entry_cost"]), 0.0)
    distance = np.maximum(1, np.rint(part * entry).astype(np.int64))
    rows["time_ms"], rows["side"], rows["entry_ticks"] = series.open_ms[at], mine["side"], entry
    rows["stop_ticks"] = np.maximum(1, entry - mine["side"] * distance)
    rows["targets"] = 1
    rows["target_ticks"][:, 0] = np.where(mine["side"] > 0, entry * 100, 1)
    rows["share_e4"][:, 0] = 10_000
    rows["horizon_ms"], rows["life_ms"] = held_ms, series.interval_ms
    return rows
