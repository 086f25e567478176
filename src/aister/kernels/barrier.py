"""Triple-barrier labels: which of target, stop and expiry a trade would have met first (Lopez de Prado, 2018, chapter
3)."""

import numpy as np

from aister.kernels import Record, kernel, step
from aister.kernels.state import State, allocate

OPEN, TARGET, STOP, EXPIRED = 0, 1, 2, 3

BARRIER = np.dtype(
    [
        *(("side", "i8"), ("entry", "f8"), ("stop", "f8"), ("target", "f8"), ("expires_at_ms", "i8")),
        *(("outcome", "i8"), ("exit", "f8"), ("r", "f8"), ("resolved_at_ms", "i8")),
    ],
    align=True,
)
"""side: 1 long, -1 short; entry, stop, target: prices; expires_at_ms: the first bar close at or after it ends the wait;
outcome: OPEN, TARGET, STOP or EXPIRED; exit: the price met; r: gross result in units of the risk, side (exit - entry) /
|entry - stop|; resolved_at_ms: close time of the bar that decided, before which nobody may know."""


@step
def barrier(s: Record, close_time_ms: int, o: float, h: float, l: float, c: float) -> int:
    """Take one bar after the entry; return the outcome so far, which no later bar changes.

    Stop and target inside one bar count as the stop. exit: the stop, or the open if that gapped beyond it; the target;
    at expiry the close. Side +1: stop if l <= stop, target if h >= target; side -1 mirrored.
    """
    if s.outcome != OPEN:
        return s.outcome
    stopped = l <= s.stop if s.side > 0 else h >= s.stop
    reached = h >= s.target if s.side > 0 else l <= s.target
    if stopped:
        s.outcome = STOP
        s.exit = min(s.stop, o) if s.side > 0 else max(s.stop, o)
    elif reached:
        s.outcome = TARGET
        s.exit = s.target
    elif close_time_ms >= s.expires_at_ms:
        s.outcome = EXPIRED
        s.exit = c
    if s.outcome != OPEN:
        s.resolved_at_ms = close_time_ms
        s.r = s.side * (s.exit - s.entry) / abs(s.entry - s.stop)
    return s.outcome


@kernel
def follow(state: State, close_time_ms: int, o: float, h: float, l: float, c: float) -> int:
    """`barrier` on a 1-element state. Drive it through `entry(follow, state, 0, 1.0, 1.0, 1.0, 1.0)`."""
    return barrier(state[0], close_time_ms, o, h, l, c)


def barrier_state(side: int, entry: float, stop: float, target: float, expires_at_ms: int) -> State:
    """A barrier that nothing has met yet."""
    state = allocate(BARRIER)
    state["side"], state["entry"], state["stop"], state["target"] = side, entry, stop, target
    state["expires_at_ms"] = expires_at_ms
    return state
