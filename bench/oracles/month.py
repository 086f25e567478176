"""The month that every oracle is run on: seeded bars and the signals all engines are handed. Plain Python and numpy.

Handing out the signals keeps the comparison to what is compared: how orders fill. EMA20 crosses EMA50 with RSI14 above
or below 50 at a close; in at the next open; stop 2 x ATR14 and target 3 x ATR14 from that close; one position; a size
of 0.1; a half-spread (slippage) of 1 bp and fees of 4 bp a side; nothing else costs.
"""

from typing import Any

__all__ = ["BARS", "FEE", "SEED", "SIZE", "SLIPPAGE", "signals"]

BARS, SEED = 43_200, 7
SIZE, FEE, SLIPPAGE = 0.1, 4e-4, 1e-4


def signals(high: Any, low: Any, close: Any) -> list[tuple[int, int, int, int]]:
    """(number of the bar at whose close it is known, side, stop and target in ticks of 0.01, rounded outward)."""
    found: list[tuple[int, int, int, int]] = []
    fast = slow = last = float(close[0])
    gain = loss = width = 0.0
    above = False
    for i in range(1, len(close)):
        now = float(close[i])
        fast += (now - fast) * 2 / 21
        slow += (now - slow) * 2 / 51
        gain += (max(now - last, 0.0) - gain) / 14
        loss += (max(last - now, 0.0) - loss) / 14
        width += (max(float(high[i]), last) - min(float(low[i]), last) - width) / 14
        last, before, above = now, above, fast > slow
        strength = 100 * gain / (gain + loss) if gain + loss else 50.0
        confirmed = strength > 50 if above else strength < 50
        if i < 200 or before == above or not confirmed:
            continue
        side = 1 if above else -1
        stop, target = round((now - side * 2 * width) * 100), round((now + side * 3 * width) * 100)
        found.append((i, side, stop - side, target + side))
    return found
