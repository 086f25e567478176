"""Breakout: a close beyond a confirmed swing, with displacement."""

import msgspec

from aister.strategy.rules.rule import HOUR_MS, against, along
from aister.strategy.strategy import Idea, Reading

__all__ = ["Breakout"]

_SWING, _FORMED_AT = along("15m.swing_{}"), along("15m.swing_{}_formed_at")
_FAR_END = against("15m.{}")


class Breakout(msgspec.Struct, frozen=True):
    """Long: the bar opened at or below the last confirmed swing high and closed above it; its range is at least 1.4
    ATR and its body at least 0.6 of the range (displacement). Wrong below the bar's low. Shorts mirrored.

    Once per swing high. stop_atr: least stop distance in 15m ATR.
    """

    range_atr: float = 1.4
    body: float = 0.6
    stop_atr: float = 3.0

    @property
    def name(self) -> str:
        return "breakout"

    @property
    def timeframe(self) -> str:
        return "15m"

    def sees(self, read: Reading, side: int) -> Idea | None:
        close, opened, level = read["15m.close"], read["15m.open"], read[_SWING[side]]
        if not side * (opened - level) <= 0.0 < side * (close - level):
            return None
        high, low, atr = read["15m.high"], read["15m.low"], read["15m.atr_14"]
        if high - low < self.range_atr * atr or abs(close - opened) < self.body * (high - low):
            return None
        return Idea(
            invalid_at=read[_FAR_END[side]] - side * 0.25 * atr,
            noise=self.stop_atr * atr,
            targets=((1.5, 4_000), (2.5, 3_000), (4.0, 3_000)),
            horizon_ms=16 * HOUR_MS,
            episode=read[_FORMED_AT[side]],
        )
