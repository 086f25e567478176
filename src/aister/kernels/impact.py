"""Square-root market impact: what a day's volatility and volume make an execution of Q steps move the price.

impact(Q) = coefficient x sigma_day x sqrt(Q / (haircut x ADV)), from the UTC days that were complete before the bar,
at most 30 of them: sigma_day = root of the mean squared log return between their closes, ADV = their mean volume in
steps. It is kept as impact(1), which times sqrt(Q) is the rate (`cost.impact_rate_e8`).
"""

import math

import numpy as np

from aister.kernels import Record, kernel, step
from aister.kernels.state import State, allocate

DAY_MS = 86_400_000
IMPACT_DAYS = 30
UNKNOWN_IMPACT = -1.0

DAYS = np.dtype(
    [
        *(("close", "f8", (IMPACT_DAYS,)), ("volume", "i8", (IMPACT_DAYS,)), ("head", "i8"), ("count", "i8")),
        *(("coefficient", "f8"), ("haircut", "f8"), ("impact", "f8")),
    ],
    align=True,
)
"""Rings of the last complete days' closes and volumes in steps, next written at head; coefficient 0: no impact is
modelled; impact: impact(1) as of now, negative while unknown."""


@step
def day_impact(s: Record) -> float:
    """impact(1) of the days remembered; negative with fewer than two of them, or without volume or movement in them.
    Sums run from the oldest day to the newest."""
    if s.coefficient == 0.0:
        return 0.0
    if s.count < 2:
        return UNKNOWN_IMPACT
    squares = 0.0
    volume = 0
    before = 0.0
    for i in range(s.count):
        slot = (s.head - s.count + i + IMPACT_DAYS) % IMPACT_DAYS
        volume += s.volume[slot]
        if i > 0:
            change = math.log(s.close[slot] / before)
            squares += change * change
        before = s.close[slot]
    if volume == 0:
        return UNKNOWN_IMPACT
    sigma = math.sqrt(squares / (s.count - 1))
    return s.coefficient * sigma / math.sqrt(s.haircut * (volume / s.count))


@step
def close_day(s: Record, first_open_ms: int, last_close_ms: int, close: float, volume_steps: int) -> float:
    """A UTC day's bars are all in: open time of its first, close time of its last and its close, steps traded. It
    counts if it was seen from 00:00 to 24:00. Returns impact(1) from the next day on."""
    if first_open_ms % DAY_MS == 0 and last_close_ms == first_open_ms + DAY_MS:
        s.close[s.head] = close
        s.volume[s.head] = volume_steps
        s.head = (s.head + 1) % IMPACT_DAYS
        s.count = min(s.count + 1, IMPACT_DAYS)
        s.impact = day_impact(s)
    return s.impact


@step
def volume_in_steps(volume: float, steps_per_base: float) -> int:
    """A bar's volume in the nearest whole number of steps."""
    return int(np.rint(volume * steps_per_base))


@kernel
def end_day(days: State, first_open_ms: int, last_close_ms: int, close: float, volume_steps: int) -> float:
    """`close_day`, called from outside."""
    return close_day(days[0], first_open_ms, last_close_ms, close, volume_steps)


def days_state(coefficient: float, haircut: float) -> State:
    """Memory of one symbol's days: none seen yet. Coefficient 0: no impact is modelled."""
    state = allocate(DAYS)
    state["coefficient"], state["haircut"] = coefficient, haircut
    state["impact"] = UNKNOWN_IMPACT if coefficient else 0.0
    return state
