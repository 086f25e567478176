"""Sizing: how much may be held so that reaching the stop loses no more than intended, and what the account can carry.

All in steps, rounded down; money in 1e-8 quote units, prices in ticks, unit = money of one tick x one step. Equal to
the unit to the limits of `aister.risk` that bear the same names."""

from aister.kernels import step
from aister.kernels.cost import RATE_ONE

MOST = 1 << 62


@step
def share_of(amount: int, rate_e8: int) -> int:
    """floor(amount x rate / 1e8) for amount >= 0, at most 2^62."""
    if float(amount) * float(rate_e8) >= float(MOST) * RATE_ONE:
        return MOST
    q = amount // RATE_ONE
    return q * rate_e8 + (amount - q * RATE_ONE) * rate_e8 // RATE_ONE


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


@step
def size_to_add(equity: int, risk_e8: int, share_e4: int, stop_distance_ticks: int, unit: int, lost: int) -> int:
    """Steps of a further entry: those that lose `share_e4` of the risk of a trade at a stop so far away, no more than
    keep the whole position within that risk. lost: what the part already held would lose at that stop; 0 or less:
    nothing."""
    steps = size_for_risk(equity, risk_e8 * share_e4 // 10_000, stop_distance_ticks, unit)
    if steps == 0 or lost <= 0:
        return steps
    left = share_of(equity, risk_e8) - lost
    return min(steps, left // stop_distance_ticks // unit) if left > 0 else 0


@step
def fee_above(notional: int, rate_e8: int) -> int:
    """ceil(notional x rate / 1e8), rate below 1e10."""
    q = notional // RATE_ONE
    rest = (notional - q * RATE_ONE) * rate_e8
    return q * rate_e8 + (rest + RATE_ONE - 1) // RATE_ONE


@step
def size_for_margin(free: int, leverage: int, fee_e8: int, per_step: int) -> int:
    """The most steps whose notional / leverage + taker fee stays within the free margin: floor(free x leverage / (per
    step x (1 + leverage x fee)))."""
    if free <= 0 or per_step <= 0:
        return 0
    budget = min(free, MOST // leverage) * leverage
    rate_e8 = leverage * fee_e8
    steps = int(budget / (per_step * (1.0 + rate_e8 / RATE_ONE)))
    while steps > 0 and steps * per_step + fee_above(steps * per_step, rate_e8) > budget:
        steps -= 1
    while (steps + 1) * per_step + fee_above((steps + 1) * per_step, rate_e8) <= budget:
        steps += 1
    return steps


@step
def margin_reserved(notional: int, leverage: int, fee_e8: int) -> int:
    """ceil(notional x (1 + leverage x fee) / leverage): what an entry on its way holds of the free margin."""
    rate_e8 = leverage * fee_e8
    q = notional // RATE_ONE
    rest = (notional - q * RATE_ONE) * rate_e8
    whole = notional + q * rate_e8 + rest // RATE_ONE
    if rest % RATE_ONE == 0:
        return -(-whole // leverage)
    return whole // leverage + 1
