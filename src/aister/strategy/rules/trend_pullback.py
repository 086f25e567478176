"""Trend pullback: the hour trends, the quarter of an hour dips to its average and turns back."""

import msgspec

from aister.strategy.rules.rule import HOUR_MS, against
from aister.strategy.strategy import Idea, Reading

__all__ = ["TrendPullback"]

_EXTREME, _FORMED_AT = against("15m.{}"), against("15m.swing_{}_formed_at")


class TrendPullback(msgspec.Struct, frozen=True):
    """Long: 1h close above its EMA 20 and 15m EMA 20 above EMA 50 (trend); the bar's low touched the 15m EMA 20 and
    it closed above, and above its open (pullback over); ADX 14 at least 25 and RSI 14 below 65 (not late). Wrong
    beyond the bar's low. Shorts mirrored.

    Once per swing low: a new one must be confirmed first. stop_atr: least stop distance in 15m ATR (about half the
    1h ATR each).
    """

    trend_adx: float = 25.0
    late_rsi: float = 65.0
    stop_atr: float = 3.0

    @property
    def name(self) -> str:
        return "trend_pullback"

    @property
    def timeframe(self) -> str:
        return "15m"

    def sees(self, read: Reading, side: int) -> Idea | None:
        close, average, dip = read["15m.close"], read["15m.ema_20"], read[_EXTREME[side]]
        if not side * (dip - average) <= 0.0 < side * (close - average) or side * (close - read["15m.open"]) <= 0.0:
            return None
        if side * read["15m.ema_spread"] <= 0.0 or side * (read["1h.close"] - read["1h.ema_20"]) <= 0.0:
            return None
        if read["15m.adx_14"] < self.trend_adx or side * (read["15m.rsi_14"] - 50.0) >= self.late_rsi - 50.0:
            return None
        atr = read["15m.atr_14"]
        return Idea(
            invalid_at=dip - side * 0.25 * atr,
            noise=self.stop_atr * atr,
            targets=((1.5, 5_000), (3.0, 5_000)),
            horizon_ms=16 * HOUR_MS,
            episode=read[_FORMED_AT[side]],
        )
