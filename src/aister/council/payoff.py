"""What a proposal pays in multiples of its risk (R), net of everything, at any stated probability (Q16).

Units: R = |entry - stop|. For baseline odds (t0, s0, n0) and a stated P(target first) = p,

    E[R] = p target_r + s stop_r + n neither_r - cost_r - funding_r,   s = (1-p) s0/(s0+n0),  n = (1-p) n0/(s0+n0)

`target_r`: each share leaves at its own target, or at the stop; beyond the first target the price owes nobody a
drift, so target k is reached from target 1 with probability (d_1 + 1) / (d_k + 1); a share without a target is worth
d_1. `stop_r` = -1 - slippage of the stop. `neither_r` = (s0 - t0 d_1 - impact) / n0: what a driftless price has left
over when neither was met. So with shares that all leave at the first target and no stop slippage, E[R] at p = t0 is
exactly minus the costs: the baseline has no edge to give away. `funding_r` = sum over settlements t_j within the
horizon of P(still open at t_j) x rate, for the side that pays.
"""

import msgspec

from aister.core.council import Odds, Setup

__all__ = ["Payoff", "expected_r", "payoff"]

_UNDECIDED = 1e-6  # below this P(neither) what is left over is rounding noise


class Payoff(msgspec.Struct, frozen=True):
    """The terms of the expected value, in R. `cost_r` is the round trip without the impact the baseline already
    holds."""

    target_r: float
    stop_r: float
    neither_r: float
    cost_r: float
    funding_r: float


def payoff(setup: Setup, p0: Odds, *, cost_r: float, impact_r: float, slip_r: float, funding_r: float) -> Payoff:
    """The terms for this setup. `cost_r` is the whole round trip, of which `impact_r` lies inside `p0`."""
    risk = abs(setup.entry_ticks - setup.stop_ticks)
    distances = [abs(target.ticks - setup.entry_ticks) / risk for target in setup.targets]
    first, stop_r = distances[0], -1.0 - slip_r
    target_r, untargeted = 0.0, 1.0
    for target, distance in zip(setup.targets, distances, strict=True):
        reached = (first + 1.0) / (distance + 1.0)
        target_r += target.share_e4 / 10_000 * (reached * distance + (1.0 - reached) * stop_r)
        untargeted -= target.share_e4 / 10_000
    neither_r = 0.0
    if p0.neither > _UNDECIDED:
        neither_r = min(max((p0.stop - p0.target * first - impact_r) / p0.neither, -1.0), first)
    return Payoff(target_r + untargeted * first, stop_r, neither_r, cost_r - impact_r, funding_r)


def expected_r(p: float, p0: Odds, pay: Payoff) -> float:
    """Net expected R when P(target first within the horizon) is `p`."""
    rest = p0.stop + p0.neither
    stopped = p0.stop / rest if rest > 0.0 else 1.0
    lost = stopped * pay.stop_r + (1.0 - stopped) * pay.neither_r
    return p * pay.target_r + (1.0 - p) * lost - pay.cost_r - pay.funding_r
