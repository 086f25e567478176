"""What trading costs: fee and funding rounding, half-spread, and the extra that stops pay. Integers throughout.

Money is int64 in 1e-8 quote units, prices are int64 ticks, rates int64 in 1e-8 (0.00035 is 35_000).
"""

import math

import numpy as np

from aister.kernels import Record, step

RATE_ONE = 100_000_000
NO_CAP = 1 << 62

MAX_FEE_TIERS = 12

COSTS = np.dtype(
    [
        *(("maker_e8", "i8"), ("taker_e8", "i8"), ("liquidation_e8", "i8")),
        *(("half_spread_e8", "i8"), ("stop_floor_e8", "i8"), ("stop_range_percent", "i8")),
        *(("unknown_impact_e8", "i8"), ("share_e4", "i8")),
    ],
    align=True,
)
"""Rates of notional: maker, taker and liquidation fee; half-spread paid by every taker; stop_floor_e8 and
stop_range_percent: the extra of stops, liquidations and exits after data loss is the larger of that share of price
and that percentage of the mean true range of the bar interval (1 bp and 10 % by default). unknown_impact_e8: impact
charged where it cannot be computed; share_e4: the part of a bar's volume that may be ours, in 1 / 10,000, 0 = all."""

FEE_TIER = np.dtype([("volume", "i8"), ("maker_e8", "i8"), ("taker_e8", "i8")], align=True)
"""Fees from a turnover of 30 days on, in money units."""


ASSUMED_E8 = 1 << 40
"""Added to the rate of an assumed settlement, which is not negative, where loops are handed rates of both kinds."""


@step
def rate_for(rate_e8: int, steps: int) -> int:
    """The funding rate at which a position of `steps` is charged (positive: longs pay): an assumed one is paid by
    whatever is held, long or short (Q8)."""
    if rate_e8 < ASSUMED_E8:
        return rate_e8
    return rate_e8 - ASSUMED_E8 if steps > 0 else ASSUMED_E8 - rate_e8


@step
def apply_rate(amount: int, rate_e8: int) -> int:
    """amount x rate / 1e8, rounded half-even; right whenever the result fits in int64, however large the product.

    amount = q 1e8 + r and rate = p 1e8 + s with 0 <= r, s < 1e8, so amount x rate / 1e8 = amount p + q s + r s / 1e8.
    Sums that leave int64 on the way come back in it modulo 2^64."""
    q = amount // RATE_ONE
    r = amount - q * RATE_ONE
    p = rate_e8 // RATE_ONE
    s = rate_e8 - p * RATE_ONE
    part = r * s
    whole = amount * p + q * s + part // RATE_ONE
    twice = 2 * (part % RATE_ONE)
    if twice > RATE_ONE or (twice == RATE_ONE and whole & 1):
        whole += 1
    return whole


@step
def worsen(costs: Record, ticks: int, side: int, extra: int, range_e8: int, impact_e8: int) -> int:
    """The price a taker of `side` pays or gets when the market is at `ticks`, never better than it and at least 1
    tick.

    ticks + side x ceil(ticks x (half-spread + impact) + extra x max(ticks x floor, percent x range)): one rounding,
    outward. `range_e8` is the mean true range in 1e-8 ticks; `extra` is 1 for stops, liquidations and exits after
    data loss, else 0 (quant Q29); `impact_e8` as `impact_rate_e8` has it."""
    slip_e8 = ticks * (costs.half_spread_e8 + impact_e8)
    if extra == 1:
        share = (range_e8 * costs.stop_range_percent + 99) // 100
        slip_e8 += max(ticks * costs.stop_floor_e8, share)
    return max(ticks + side * ((slip_e8 + RATE_ONE - 1) // RATE_ONE), 1)


@step
def impact_rate_e8(costs: Record, impact: float, steps: int) -> int:
    """What taking `steps` moves the price, in 1e-8 of it: rint(1e8 x impact x sqrt(steps)).

    `impact` is the day's coefficient (`impact.day_impact`), 0 where the model has none, negative where it cannot be
    computed: then the model's own rate for the unknown."""
    if impact < 0.0:
        unknown: int = costs.unknown_impact_e8
        return unknown
    return int(np.rint(impact * math.sqrt(float(steps)) * 1e8))


@step
def room_in(costs: Record, volume_steps: int) -> int:
    """Steps that may be ours of a bar's volume: floor(share x volume), NO_CAP without a cap."""
    if costs.share_e4 == 0:
        return NO_CAP
    room: int = volume_steps * costs.share_e4 // 10_000
    return room
