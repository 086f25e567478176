"""An `Enter` in prices becomes a row in ticks, rounded outward; what makes no sense is refused with the reason."""

from math import ceil, floor, isfinite

from aister.core.instrument import Instrument
from aister.core.money import UNIT
from aister.strategy.python.contract import DAY_MS, Enter

__all__ = ["setup_row"]

_MOST_TARGETS = 3
_WHOLE_E4 = 10_000
_LONGEST_MS = 10 * 366 * 86_400_000
_DEAREST = 1e12
_ONE = (0, 0, _WHOLE_E4, 0, 0, DAY_MS, DAY_MS)


def setup_row(answer: Enter, time_ms: int, close: float, instrument: Instrument) -> tuple[int, ...]:
    """The fields of `aister.kernels.signals.SETUP`, in order, of an answer at the close at `time_ms`.

    Raises ValueError, naming the field, when the side is neither 1 nor -1, a price is not a finite positive number, the
    stop or a target lies on the wrong side of the entry, targets are none, more than three or not rising away from it,
    or shares do not add up.
    """
    side, stop, target = answer.side, answer.stop, answer.targets
    if answer.limit is None and isinstance(target, float) and answer.horizon_ms == answer.life_ms == DAY_MS:
        # what nearly every answer is, without looking at each part by itself; rounded as `Instrument` does
        tick = instrument.tick_e8
        entry = round(close * UNIT / tick)
        if side == 1 and 0.0 < stop < close < target < _DEAREST:
            ends = floor(stop * UNIT / tick + 1e-9), 1, ceil(target * UNIT / tick - 1e-9)
            return (time_ms, 1, 0, entry, *ends, *_ONE)
        if side == -1 and 0.0 < target < close < stop < _DEAREST:
            return (
                time_ms,
                -1,
                0,
                entry,
                ceil(stop * UNIT / tick - 1e-9),
                1,
                floor(target * UNIT / tick + 1e-9),
                *_ONE,
            )
    return _looked_at(answer, time_ms, close, instrument)


def _looked_at(answer: Enter, time_ms: int, close: float, instrument: Instrument) -> tuple[int, ...]:
    side = answer.side
    if side not in (1, -1):
        raise ValueError(f"Enter: side is {side!r}, it must be LONG (1) or SHORT (-1)")
    entry = close if answer.limit is None else _price("limit", answer.limit)
    stop = _price("stop", answer.stop)
    if (entry - stop) * side <= 0:
        raise ValueError(f"Enter: the stop {stop!r} must lie {'below' if side > 0 else 'above'} the entry {entry!r}")
    below, above = instrument.ticks_below, instrument.ticks_above
    behind, beyond = (below, above) if side > 0 else (above, below)
    prices, shares = _targets(answer, entry)
    return (
        time_ms,
        side,
        0 if answer.limit is None else 1,
        instrument.to_ticks(close) if answer.limit is None else behind(entry),
        behind(stop),
        len(prices),
        *(beyond(price) for price in prices),
        *(0,) * (_MOST_TARGETS - len(prices)),
        *shares,
        *(0,) * (_MOST_TARGETS - len(shares)),
        _duration("horizon_ms", answer.horizon_ms),
        _duration("life_ms", answer.life_ms),
    )


def _targets(answer: Enter, entry: float) -> tuple[list[float], list[int]]:
    """Prices, and shares in 1e-4 that add up to the whole."""
    if not isinstance(answer.targets, tuple):
        price = _price("targets", answer.targets)
        if (price - entry) * answer.side <= 0:
            raise _wrong_side(price, entry, answer.side)
        return [price], [_WHOLE_E4]
    if not 1 <= len(answer.targets) <= _MOST_TARGETS:
        raise ValueError(f"Enter: {len(answer.targets)} targets; give one to three of (price, share)")
    prices, shares = [], []
    before = entry
    for target in answer.targets:
        if not isinstance(target, tuple) or len(target) != 2:
            raise ValueError(f"Enter: the target {target!r} must be (price, share of the position)")
        price, share = _price("targets", target[0]), round(target[1] * _WHOLE_E4)
        if (price - before) * answer.side <= 0:
            raise _wrong_side(price, before, answer.side)
        if not 0 < share <= _WHOLE_E4:
            raise ValueError(f"Enter: the share {target[1]!r} of a target must lie above 0 and be at most 1")
        prices.append(price)
        shares.append(share)
        before = price
    if sum(shares[:-1]) >= _WHOLE_E4:
        raise ValueError("Enter: the shares of the targets before the last leave it nothing")
    shares[-1] = _WHOLE_E4 - sum(shares[:-1])
    return prices, shares


def _wrong_side(price: float, before: float, side: int) -> ValueError:
    return ValueError(f"Enter: the target {price!r} must lie {'above' if side > 0 else 'below'} {before!r}")


def _price(name: str, value: float) -> float:
    price = float(value)
    if not (isfinite(price) and 0.0 < price < _DEAREST):
        raise ValueError(f"Enter: {name} is {value!r}, it must be a finite positive price")
    return price


def _duration(name: str, value: int) -> int:
    if value != int(value) or not 0 < value <= _LONGEST_MS:
        raise ValueError(f"Enter: {name} is {value!r}, it must be whole milliseconds from 1 to {_LONGEST_MS}")
    return int(value)
