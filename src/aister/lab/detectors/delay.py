"""Delay: the same signals acted on 0, 1, 3 and 10 base bars later. What one bar takes away was never there to be had.

A real edge fades over the time that its idea takes; profit that is gone one bar after the decision is made of prices at
which nobody could have traded. Half of a small profit comes and goes by chance, so the setups that were traded both at
once and one bar later are compared one by one: t = mean of the differences in R / its standard error.
"""

import msgspec
import numpy as np

from aister.lab.batch import Simulated
from aister.lab.detectors.trying import Look, Trying, look_of
from aister.lab.detectors.verdict import FEWEST_TRADES, Found, Verdict

__all__ = ["DELAYS", "Delay", "detect_delay"]

NAME = "delay"
DELAYS = (0, 1, 3, 10)
MOST_LOST = 0.5
BEYOND_CHANCE = 2.0


class Delay(Found, frozen=True, kw_only=True):
    """looks: (base bars, result), in order; lost: the share of the profit that one bar takes away, negative where it
    adds, None where there is no profit without delay; t: of the loss by setup, None where fewer than two were traded at
    once and later."""

    looks: tuple[tuple[int, Look], ...]
    lost: float | None
    t: float | None


def detect_delay(tried: Trying) -> Delay:
    """Run it at every delay, counted from the plan's own."""
    prepared, trials, looks, runs = tried.prepared(), [], [], []
    for bars in DELAYS:
        plan = msgspec.structs.replace(tried.plan, delay_bars=tried.plan.delay_bars + bars)
        simulated = tried.simulate(prepared, plan=plan)
        trials.append(tried.trial(NAME, simulated, varied=f"{bars} base bars later"))
        looks.append((bars, look_of(simulated, tried.capital)))
        runs.append(simulated)
    tried.keep(trials)
    now, after = looks[0][1], looks[1][1]
    t = _t_of_loss(runs[0], runs[1])
    lost = 1.0 - after.net_return / now.net_return if now.net_return > 0 else None
    if now.trades < FEWEST_TRADES:
        verdict, said = Verdict.UNKNOWN, f"{now.trades} trades; a verdict about delay needs {FEWEST_TRADES}"
    elif lost is None:
        verdict = Verdict.CLEAN
        said = f"it has no profit to lose: {now.net_return:+.2%} at once, {after.net_return:+.2%} one bar later"
    else:
        chance = t is None or t < BEYOND_CHANCE
        verdict = Verdict.CAUGHT if lost >= MOST_LOST and not chance else Verdict.CLEAN
        moved = f"takes {lost:.0%} of the profit" if lost > 0 else f"adds {-lost:.0%} to the profit"
        said = f"one bar {moved}: {now.net_return:+.2%} at once, {after.net_return:+.2%} one bar later"
        said += f"; by setup that may be chance (t {t or 0.0:.1f})" if lost >= MOST_LOST and chance else ""
    return Delay(detector=NAME, verdict=verdict, sentence=said, looks=tuple(looks), lost=lost, t=t)


def _t_of_loss(now: Simulated, after: Simulated) -> float | None:
    """t of what the same setups made less one bar later, in R."""
    made = [
        {(int(row["symbol"]), int(row["setup"])): row["pnl"] / row["risk"] for row in one.trades if row["risk"] > 0}
        for one in (now, after)
    ]
    less = np.array([made[0][key] - made[1][key] for key in made[0] if key in made[1]])
    spread = float(less.std(ddof=1)) if len(less) > 1 else 0.0
    return float(less.mean()) / spread * len(less) ** 0.5 if spread > 0 else None
