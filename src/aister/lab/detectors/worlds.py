"""Markets that share a past: the same bars up to a moment, and after it nothing, something else, or later beginnings.

A bar belongs to the past of a moment when it has closed by then; a settlement when it lies before it (as decisions see
them).
"""

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from aister.core.instrument import Instrument
from aister.ports.market import Market, Series

__all__ = ["OtherFutures", "beginning", "between", "moments", "other_instruments", "until"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_BARS = ("open", "high", "low", "close", "volume")
_ONE = 100_000_000


def moments(market: Market) -> Ints:
    """Every moment in the span at which one bar has closed and another is still to come, rising."""
    closes = [one.open_ms[one.start :] + one.interval_ms for one in market.series]
    return np.unique(np.concatenate(closes))[:-1]


def until(market: Market, cut_ms: int) -> Market:
    """What is known at a moment: no later bar, no later settlement."""
    return _made(market, [_part(one, 0, _closed(one, cut_ms), cut_ms) for one in market.series])


def between(market: Market, first_ms: int, end_ms: int) -> Market:
    """The bars that open at or after `first_ms` and close by `end_ms`, settlements alike."""
    parts = [
        _part(one, int(np.searchsorted(one.open_ms, first_ms)), _closed(one, end_ms), end_ms) for one in market.series
    ]
    return _made(market, [one for one in parts if len(one.open_ms)])


def beginning(market: Market, first_ms: int) -> Market:
    """The same market of which nothing is known before a moment."""
    return between(market, first_ms, market.span_ms[1])


def other_instruments(market: Market) -> Market:
    """The same bars of contracts with other brackets, filters and funding interval; grid and fees stay."""
    return _made(market, [_replaced(one, instrument=_other(one.instrument)) for one in market.series])


class OtherFutures:
    """Valid, wild bars and settlements after any moment of one market: 2 % a bar, volumes 1 to 10^4 times usual, rates
    up to 1 % either way. Drawn once from `seed`; each moment reads them from another place."""

    def __init__(self, market: Market, seed: int) -> None:
        self._market = market
        self._seed = seed
        self.interval_ms, self.end_ms = market.interval_ms, market.span_ms[1]
        self._drawn = [_draw(one, (seed, number)) for number, one in enumerate(market.series)]

    def after(self, cut_ms: int, *, bars: bool = True, funding: bool = True) -> Market:
        """The market whose future from `cut_ms` on is another one."""
        made = []
        for one, drawn in zip(self._market.series, self._drawn, strict=True):
            kept = _closed(one, cut_ms)
            changed: dict[str, Floats | Ints] = {}
            if bars and kept < len(one.open_ms):
                changed.update(_other_bars(one, kept, drawn))
            if funding:
                settled = int(np.searchsorted(one.funding_ms, cut_ms))
                rates = one.funding_e8.copy()
                rates[settled:] = np.random.default_rng((self._seed, settled)).integers(
                    -1_000_000, 1_000_000, len(rates) - settled
                )
                changed["funding_e8"] = rates
            made.append(_replaced(one, **changed))
        return _made(self._market, made)


def _draw(one: Series, seed: tuple[int, int]) -> dict[str, Floats]:
    """A wild walk twice as long as the series, as multiples of whatever price it is joined to."""
    rng, count = np.random.default_rng(seed), 2 * len(one.open_ms)
    walk = np.cumsum(rng.normal(0.0, 0.02, count))
    close = np.exp(1.5 * np.sin(walk / 1.5))
    opened = np.concatenate(([1.01], close[:-1]))
    return {
        "open": opened,
        "high": np.maximum(opened, close) * (1.0 + rng.exponential(0.01, count)),
        "low": np.minimum(opened, close) / (1.0 + rng.exponential(0.01, count)),
        "close": close,
        "volume": (1.0 + one.volume.mean()) * 10.0 ** rng.uniform(0.0, 4.0, count),
    }


def _other_bars(one: Series, kept: int, drawn: dict[str, Floats]) -> dict[str, Floats]:
    count, per_quote = len(one.open_ms) - kept, one.instrument.ticks_per_quote
    place = 1 + kept * 7 % len(one.open_ms)
    scale = (one.close[kept - 1] if kept else one.open[0]) / drawn["close"][place - 1]
    made = {}
    for name in _BARS:
        future = drawn[name][place : place + count]
        if name != "volume":
            future = np.maximum(np.rint(future * (scale * per_quote)), 1.0) / per_quote
        made[name] = np.concatenate((getattr(one, name)[:kept], future))
    return made


def _other(one: Instrument) -> Instrument:
    brackets = tuple(
        msgspec.structs.replace(tier, cap=tier.cap // 2, floor=tier.floor // 2, max_leverage=1 + tier.max_leverage // 2)
        for tier in one.brackets
    )
    return msgspec.structs.replace(
        one,
        brackets=brackets,
        min_steps=one.min_steps * 3,
        max_steps=one.max_steps // 2,
        market_max_steps=one.market_max_steps // 2,
        min_notional=one.min_notional * 3,
        max_orders=1 + one.max_orders // 2,
        band_up_e8=one.band_up_e8 // 2,
        band_down_e8=one.band_down_e8 // 2,
        liquidation_e8=min(2 * one.liquidation_e8, _ONE),
        funding_interval_ms=one.funding_interval_ms * 2,
    )


def _closed(one: Series, cut_ms: int) -> int:
    """How many bars have closed by then."""
    return int(np.searchsorted(one.open_ms, cut_ms - one.interval_ms, side="right"))


def _part(one: Series, first: int, end: int, cut_ms: int) -> Series:
    end = max(first, end)
    settled = int(np.searchsorted(one.funding_ms, cut_ms))
    begun = int(np.searchsorted(one.funding_ms, one.open_ms[first])) if first < len(one.open_ms) else settled
    begun = 0 if first == 0 else min(begun, settled)
    covers = one.funding_interval_ms
    return _replaced(
        one,
        open_ms=one.open_ms[first:end].copy(),
        **{name: getattr(one, name)[first:end].copy() for name in _BARS},
        funding_ms=one.funding_ms[begun:settled].copy(),
        funding_e8=one.funding_e8[begun:settled].copy(),
        funding_interval_ms=None if covers is None else covers[begun:settled].copy(),
        funding_assumed=None if one.funding_assumed is None else one.funding_assumed[begun:settled].copy(),
        start=min(max(0, one.start - first), end - first),
    )


def _replaced(one: Series, **changed: object) -> Series:
    return msgspec.structs.replace(one, **changed)


def _made(market: Market, series: Sequence[Series]) -> Market:
    """Its hash says that it is none of the data."""
    opened = [int(one.open_ms[one.start]) for one in series if one.start < len(one.open_ms)]
    ended = [int(one.open_ms[-1]) + one.interval_ms for one in series if len(one.open_ms)]
    span = (min(opened), max(ended)) if opened else (market.span_ms[0], market.span_ms[0] + 1)
    return Market(tuple(series), span, f"altered {market.data_hash}", market.flags)
