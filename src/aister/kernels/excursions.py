"""How far price went against and in favour of trades while they were held, read off the bars afterwards."""

import numpy as np
import numpy.typing as npt

from aister.kernels import kernel

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@kernel
def excursions(
    open_ms: Ints,
    high: Floats,
    low: Floats,
    interval_ms: int,
    entry_ms: Ints,
    exit_ms: Ints,
    side: Ints,
    entry: Floats,
    exit: Floats,
    stopped: npt.NDArray[np.bool_],
    adverse: Floats,
    favourable: Floats,
) -> None:
    """Fill `adverse` (MAE) and `favourable` (MFE), distances from the entry price in price units, both >= 0.

    Bars by rising open time, shape (n,); trades in any order, shape (m,): times of the first and last fill, side 1 or
    -1, mean entry and exit price, whether a stop or a liquidation ended it. Bars wholly inside count with both
    extremes, the exit price counts on its own side. Where the order inside a bar is not known the worse is taken:

    - the entry bar counts with both extremes when the trade was entered at its open, else with the adverse one only;
    - the exit bar, unless it was left at its open, counts with the adverse extreme only, and when `stopped` with
      neither: what lies beyond a stop was not held.
    """
    for k in range(entry_ms.size):
        sign = side[k]
        worst = max(0.0, (entry[k] - exit[k]) * sign)
        best = max(0.0, (exit[k] - entry[k]) * sign)
        first, behind = 0, open_ms.size
        while behind - first > 1:  # the last bar that opened by then
            middle = (first + behind) // 2
            if open_ms[middle] <= entry_ms[k]:
                first = middle
            else:
                behind = middle
        for i in range(first, open_ms.size):
            if open_ms[i] >= exit_ms[k]:
                break
            last = exit_ms[k] < open_ms[i] + interval_ms
            below = entry[k] - low[i] if sign > 0 else high[i] - entry[k]
            above = high[i] - entry[k] if sign > 0 else entry[k] - low[i]
            if not (last and stopped[k]):
                worst = max(worst, below)
            if not last and open_ms[i] >= entry_ms[k]:
                best = max(best, above)
        adverse[k] = worst
        favourable[k] = best
