"""Sweep reversal: in a kill zone, the stops beyond a swing are taken and the price closes back inside."""

import msgspec

from aister.strategy.rules.rule import HOUR_MS, against
from aister.strategy.strategy import Idea, Reading

__all__ = ["SweepReversal"]

_EXTREME, _SWING, _FORMED_AT = against("15m.{}"), against("15m.swing_{}"), against("15m.swing_{}_formed_at")


class SweepReversal(msgspec.Struct, frozen=True):
    """Long: the bar's low went at least 0.2 ATR below the last confirmed swing low and it closed above that swing
    and above its own open, inside a kill zone. Wrong below the bar's low. Shorts mirrored.

    Once per swing low. stop_atr: least stop distance in 15m ATR.
    """

    beyond_atr: float = 0.2
    stop_atr: float = 3.0

    @property
    def name(self) -> str:
        return "sweep_reversal"

    @property
    def timeframe(self) -> str:
        return "15m"

    def sees(self, read: Reading, side: int) -> Idea | None:
        close, level, extreme = read["15m.close"], read[_SWING[side]], read[_EXTREME[side]]
        if not side * (extreme - level) < 0.0 < side * (close - level) or side * (close - read["15m.open"]) <= 0.0:
            return None
        atr = read["15m.atr_14"]
        if side * (level - extreme) < self.beyond_atr * atr or read["session.kill_zone"] == 0.0:
            return None
        return Idea(
            invalid_at=extreme - side * 0.25 * atr,
            noise=self.stop_atr * atr,
            targets=((1.5, 6_000), (3.0, 4_000)),
            horizon_ms=12 * HOUR_MS,
            episode=read[_FORMED_AT[side]],
        )
