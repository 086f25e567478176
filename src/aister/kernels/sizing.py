"""Sizing: how much may be held so that reaching the stop loses no more than intended."""

from aister.kernels import step
from aister.kernels.cost import RATE_ONE


@step
def size_for_risk(equity: int, risk_e8: int, stop_distance_ticks: int, unit: int) -> int:
    """floor(equity x risk / (stop distance x unit)) in steps; 0 when there is no equity, no risk or no distance.

    equity in money units, risk as a fraction in 1e-8 (0.005 is 500_000) up to 1, distance in ticks, unit = money of
    one tick x one step. The loss it bounds is that of price alone: fees and slippage come on top."""
    if equity <= 0 or risk_e8 <= 0 or stop_distance_ticks <= 0 or unit <= 0:
        return 0
    q = equity // RATE_ONE
    budget = q * risk_e8 + (equity - q * RATE_ONE) * risk_e8 // RATE_ONE
    return budget // stop_distance_ticks // unit
