"""Monte Carlo: how deep it could have gone, with the same trades in another order, and on other paths of price.

A backtest shows one drawdown. Trades in random order show what their sequence spared it; symmetric block-bootstrapped
paths (`lab/paths.py`) what the market's did. The 95th percentile of the drawdown must stay below the limit at which the
trader halts (quant Q40). Paths have no drift and the strategy is run again on each: how it ends there is no forecast.
"""

import msgspec
import numpy as np
import numpy.typing as npt

from aister.lab.detectors.trying import Trying, deepest_drawdown, look_of
from aister.lab.detectors.verdict import FEWEST_TRADES, Found, Verdict
from aister.lab.paths import LONGEST_DAYS, bootstrap_path, whole_days
from aister.lab.prepare import prepare

__all__ = ["HALTED", "Paths", "Spread", "TradeOrder", "detect_order", "detect_paths"]

ORDER, PATHS = "trade-order", "paths"
HALTED = 0.15
"""Drawdown at which the trader of the normal profile halts."""

_FEWEST_DAYS = 20


class Spread(msgspec.Struct, frozen=True):
    """A distribution in three figures: 5th, 50th and 95th percentile."""

    low: float
    middle: float
    high: float


class TradeOrder(Found, frozen=True, kw_only=True):
    """draws: orders drawn; drawdown: over them; own: of the trades as they came; rank: share of orders that went less
    deep; seed."""

    draws: int
    drawdown: Spread | None
    own: float
    rank: float | None
    seed: int


class Paths(Found, frozen=True, kw_only=True):
    """paths: how many; longest_days: of a block; drawdown, net: over them; own_net: on the market itself; rank: share
    of paths that ended below it; profitable: share that ended with a profit; trades: mean a path; seeds: of the first
    path and the last."""

    paths: int
    longest_days: int
    drawdown: Spread | None
    net: Spread | None
    own_net: float
    rank: float | None
    profitable: float | None
    trades: float | None
    seeds: tuple[int, int]


def detect_order(tried: Trying, *, draws: int = 1_000, seed: int = 1) -> TradeOrder:
    """Shuffle the trades. Each counts as pnl / equity before it, closed trades only, so costs and sizes stay."""
    simulated = tried.simulate(tried.prepared())
    tried.keep([tried.trial(ORDER, simulated, varied="nothing")])
    pnl = simulated.trades["pnl"].astype(np.float64)
    before = tried.capital + np.concatenate(([0.0], np.cumsum(pnl)[:-1])) if len(pnl) else pnl
    if len(pnl) < FEWEST_TRADES or (before <= 0).any():
        few = f"{len(pnl)} trades; their order tells something from {FEWEST_TRADES} on"
        said = few if len(pnl) < FEWEST_TRADES else "the capital was lost on the way"
        verdict = Verdict.UNKNOWN if len(pnl) < FEWEST_TRADES else Verdict.CAUGHT
        return TradeOrder(
            detector=ORDER, verdict=verdict, sentence=said, draws=0, drawdown=None, own=0.0, rank=None, seed=seed
        )
    factors = np.maximum(1.0 + pnl / before, 0.0)
    own = deepest_drawdown(_line(factors))
    rng = np.random.default_rng(seed)
    deep = np.array([deepest_drawdown(_line(rng.permutation(factors))) for _ in range(draws)])
    spread, rank = _spread(deep), float((deep < own).mean())
    return TradeOrder(
        detector=ORDER,
        verdict=Verdict.CLEAN if spread.high < HALTED else Verdict.CAUGHT,
        sentence=f"in 1 of 20 orders of its {len(pnl):,} trades the drawdown passes {spread.high:.1%} "
        f"(limit {HALTED:.0%}); as they came it was {own:.1%}",
        draws=draws,
        drawdown=spread,
        own=own,
        rank=rank,
        seed=seed,
    )


def detect_paths(tried: Trying, *, paths: int = 100, longest_days: int = LONGEST_DAYS, seed: int = 1) -> Paths:
    """Run the strategy again on `paths` paths, seeds `seed` to `seed + paths - 1`."""
    own = tried.simulate(tried.prepared())
    own_look = look_of(own, tried.capital)
    seeds = (seed, seed + max(paths, 1) - 1)
    days = len(whole_days(tried.market))
    if days < _FEWEST_DAYS:
        tried.keep([tried.trial(PATHS, own, varied="nothing")])
        return Paths(
            detector=PATHS,
            verdict=Verdict.UNKNOWN,
            sentence=f"{days} whole days; paths of blocks of days need {_FEWEST_DAYS}",
            paths=0,
            longest_days=longest_days,
            drawdown=None,
            net=None,
            own_net=own_look.net_return,
            rank=None,
            profitable=None,
            trades=None,
            seeds=seeds,
        )
    looks, trials = [], [tried.trial(PATHS, own, varied="nothing")]
    for number in range(paths):
        path = bootstrap_path(tried.market, seed + number, longest=longest_days)
        ready = [prepare(one, tried.model, [tried.decides_ms]) for one in path.series]
        simulated = tried.simulate(ready, signals=tried.says(path))
        trials.append(
            tried.trial(PATHS, simulated, varied=f"blocks to {longest_days} days", seed=seed + number, market=path)
        )
        looks.append(look_of(simulated, tried.capital))
    tried.keep(trials)
    nets = np.array([look.net_return for look in looks])
    drawdown, count = _spread(np.array([look.drawdown for look in looks])), np.mean([look.trades for look in looks])
    enough = count >= FEWEST_TRADES
    verdict = (Verdict.CLEAN if drawdown.high < HALTED else Verdict.CAUGHT) if enough else Verdict.UNKNOWN
    said = (
        f"on {paths} paths without drift the 95th percentile of the drawdown is {drawdown.high:.1%} "
        f"(limit {HALTED:.0%}); "
        f"{(nets > 0).mean():.0%} of them end with a profit"
    )
    few = f"{count:.0f} trades a path; a verdict needs {FEWEST_TRADES}"
    return Paths(
        detector=PATHS,
        verdict=verdict,
        sentence=said if enough else few,
        paths=paths,
        longest_days=longest_days,
        drawdown=drawdown,
        net=_spread(nets),
        own_net=own_look.net_return,
        rank=float((nets < own_look.net_return).mean()),
        profitable=float((nets > 0).mean()),
        trades=float(count),
        seeds=seeds,
    )


def _line(factors: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.concatenate(([1.0], np.maximum(np.cumprod(factors), 1e-12)))


def _spread(values: npt.NDArray[np.float64]) -> Spread:
    low, middle, high = np.percentile(values, [5, 50, 95])
    return Spread(float(low), float(middle), float(high))
