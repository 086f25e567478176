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

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.void]
Simulate = Callable[[Sequence[Rows]], int]
"""Setups per series of the market (dtype SETUP, by rising time) -> net P&L in money units, all costs on."""


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
    for draw in range(draws):
        setups = [_drawn(one, rng) for one in choices]
        placed += sum(len(one) for one in setups)
        returns[draw] = simulate(setups) / capital
    return RandomEntry(standing(returns, own, len(trades), draws), 1.0 - placed / (draws * len(trades)), seed)


def random_setups(trades: Rows, market: Market, rng: np.random.Generator) -> list[Rows]:
    """One random strategy: per trade a market entry of the same symbol and side at the open of a random bar of the
    same UTC hour of day, its stop at the same distance in proportion to price, no target in reach, and a time stop
    drawn from `planned_holding` of all trades. Entries of one symbol do not overlap: a colliding one is drawn again,
    and left out after 200 tries."""
    return [_drawn(one, rng) for one in _choices(trades, market)]


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


def _drawn(choice: _Choice, rng: np.random.Generator) -> Rows:
    mine, series = choice.mine, choice.series
    if not len(mine):
        return np.empty(0, SETUP)
    held = np.maximum(series.interval_ms, rng.choice(choice.times, len(mine), p=choice.mass))
    at = np.full(len(mine), -1)
    loose = np.flatnonzero(choice.room > 0)
    for _ in range(_TRIES):
        if not len(loose):
            break
        at[loose] = choice.bars[choice.first[loose] + rng.integers(0, choice.room[loose])]
        loose = _colliding(at, held, series, rng)
    while len(loose):
        at[loose] = -1
        loose = _colliding(at, held, series, rng)
    kept = np.flatnonzero(at >= 0)
    return _rows(mine[kept], at[kept], held[kept], series)


def _colliding(at: Ints, held_ms: Ints, series: Series, rng: np.random.Generator) -> Ints:
    """Of the trades that have a place (bar `at` >= 0), those that begin before the one before has ended and left a bar
    for its exit; of such a pair either may yield, so that long trades are not the only ones to stay."""
    placed = np.flatnonzero(at >= 0)
    order = placed[np.argsort(at[placed], kind="stable")]
    start = series.open_ms[at[order]]
    hit = np.flatnonzero(start[1:] < start[:-1] + held_ms[order][:-1] + series.interval_ms)
    return np.unique(order[hit + rng.integers(0, 2, len(hit))])


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
    return rows[np.argsort(rows["time_ms"], kind="stable")]
