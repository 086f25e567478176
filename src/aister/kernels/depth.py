"""An order book kept from recorded updates: displayed sizes by tick in a window that follows the market, best prices
beside them. A level is set, never added to, so applying one twice does no harm."""

import numpy as np

from aister.kernels import Record, kernel, step
from aister.kernels.state import State, allocate

WINDOW = 1 << 17
"""Ticks a book remembers, each side: levels farther than about half of it from the best price are dropped, counted."""

MASK = WINDOW - 1
NO_BID = 0
NO_ASK = 1 << 40

BUY, SELL = 1, -1

DEPTH = np.dtype(
    [
        *(("low", "i8"), ("best", "i8", (2,)), ("levels", "i8", (2,)), ("beyond", "i8"), ("slides", "i8")),
        ("sizes", "i8", (2 * WINDOW,)),
    ],
    align=True,
)
"""Side 0 bids, 1 asks. low: first tick of the window; best: prices in ticks, NO_BID or NO_ASK when a side is empty;
levels: how many are displayed; beyond: updates dropped because they lay outside the window; slides: times it moved;
sizes: steps displayed at a tick, at `side x WINDOW + (tick & MASK)`: a slide moves no memory."""


def empty_depth(state: State | None = None) -> State:
    """A book that shows nothing."""
    state = allocate(DEPTH) if state is None else state
    state["low"], state["best"] = -4 * WINDOW, (NO_BID, NO_ASK)
    return state


@step
def size_at(d: Record, side: int, ticks: int) -> int:
    """Steps displayed on a side (BUY: bids) at a price; 0 outside the window."""
    if ticks < d.low or ticks >= d.low + WINDOW:
        return 0
    return d.sizes[((1 - side) >> 1) * WINDOW + (ticks & MASK)]


@step
def _next_level(d: Record, side: int, ticks: int) -> int:
    """The best level behind `ticks`, which was the best."""
    b = (1 - side) >> 1
    if d.levels[b] == 0:
        return NO_BID if side > 0 else NO_ASK
    t = ticks - side
    while d.sizes[b * WINDOW + (t & MASK)] == 0:
        t -= side
    return t


@step
def _forget(d: Record, side: int, ticks: int) -> None:
    b = (1 - side) >> 1
    at = b * WINDOW + (ticks & MASK)
    if d.sizes[at] > 0:
        d.sizes[at] = 0
        d.levels[b] -= 1


@kernel
def _slide(d: Record, centre: int) -> None:
    """Move the window so that `centre` is its middle; what leaves it is forgotten."""
    low = centre - WINDOW // 2
    old = d.low
    if d.levels[0] + d.levels[1] > 0:
        d.slides += 1
        for t in range(old, min(low, old + WINDOW)):
            _forget(d, 1, t)
            _forget(d, -1, t)
        for t in range(max(low + WINDOW, old), old + WINDOW):
            _forget(d, 1, t)
            _forget(d, -1, t)
        if d.best[0] < low:
            d.best[0] = NO_BID
        elif d.best[0] >= low + WINDOW:
            d.best[0] = _next_level(d, 1, low + WINDOW)
        if d.best[1] >= low + WINDOW:
            d.best[1] = NO_ASK
        elif d.best[1] < low:
            d.best[1] = _next_level(d, -1, low - 1)
    d.low = low


@step
def _uncross(d: Record, side: int, ticks: int) -> None:
    """The newest word counts: levels of the other side at or through a new best price are gone."""
    o = (1 + side) >> 1
    t = d.best[o]
    while d.levels[o] > 0 and (t - ticks) * side <= 0:
        _forget(d, -side, t)
        t = _next_level(d, -side, t)
    d.best[o] = t


@step
def set_level(d: Record, side: int, ticks: int, steps: int) -> int:
    """Display `steps` (0: nothing) on `side` (BUY: bids) at `ticks`; return the size displayed there before.

    A new best price wins over what the other side still shows at or through it. Outside the window a better price
    moves the window, any other is dropped and counted in `beyond`.
    """
    b = (1 - side) >> 1
    if ticks < d.low or ticks >= d.low + WINDOW:
        if steps == 0 or (ticks - d.best[b]) * side <= 0:
            d.beyond += 1
            return 0
        _slide(d, ticks)
    at = b * WINDOW + (ticks & MASK)
    before = d.sizes[at]
    d.sizes[at] = steps
    if steps > 0:
        if before == 0:
            d.levels[b] += 1
        if (ticks - d.best[b]) * side > 0:
            d.best[b] = ticks
            if (d.best[1 - b] - ticks) * side <= 0:
                _uncross(d, side, ticks)
            if abs(ticks - d.low - WINDOW // 2) > WINDOW // 4:
                _slide(d, ticks)
    elif before > 0:
        d.levels[b] -= 1
        if ticks == d.best[b]:
            d.best[b] = _next_level(d, side, ticks)
    return before


@step
def clear_side(d: Record, side: int) -> None:
    """Forget every level of a side: a new snapshot follows."""
    b = (1 - side) >> 1
    t = d.best[b]
    while d.levels[b] > 0:
        _forget(d, side, t)
        t = _next_level(d, side, t)
    d.best[b] = NO_BID if side > 0 else NO_ASK


@kernel
def show(state: State, side: int, ticks: int, steps: int) -> int:
    """`set_level`, called from outside."""
    return set_level(state[0], side, ticks, steps)
