"""Range reversion: without a trend, the price has left its band and come back inside; wait for a slightly better
price."""

import msgspec

from aister.strategy.rules.rule import HOUR_MS, against
from aister.strategy.strategy import Idea, Reading

__all__ = ["RangeReversion"]

_BAND = {1: "15m.bollinger_lower", -1: "15m.bollinger_upper"}
_EXTREME, _FORMED_AT = against("15m.{}"), against("15m.swing_{}_formed_at")


class RangeReversion(msgspec.Struct, frozen=True):
    """Long: 15m ADX 14 below 20 (no trend); the bar's low went below the lower Bollinger band and it closed back
    above it; the close is below the day's VWAP (room to revert). Limit entry 0.2 ATR below the close. Shorts
    mirrored.

    Once per swing low. stop_atr: least stop distance in 15m ATR.
    """

    calm_adx: float = 20.0
    stop_atr: float = 3.0
    limit_atr: float = 0.2

    @property
    def name(self) -> str:
        return "range_reversion"

    @property
    def timeframe(self) -> str:
        return "15m"

    def sees(self, read: Reading, side: int) -> Idea | None:
        close, band, excess = read["15m.close"], read[_BAND[side]], read[_EXTREME[side]]
        if not side * (excess - band) < 0.0 < side * (close - band):
            return None
        if read["15m.adx_14"] >= self.calm_adx or side * read["15m.vwap_distance"] >= 0.0:
            return None
        atr = read["15m.atr_14"]
        return Idea(
            invalid_at=excess - side * 0.25 * atr,
            noise=self.stop_atr * atr,
            targets=((1.4, 7_000), (2.2, 3_000)),
            horizon_ms=12 * HOUR_MS,
            limit=close - side * self.limit_atr * atr,
            episode=read[_FORMED_AT[side]],
        )
