"""Hour momentum: on the hour, averages, MACD and RSI come into line."""

import msgspec

from aister.strategy.rules.rule import HOUR_MS, against
from aister.strategy.strategy import Idea, Reading

__all__ = ["HourMomentum"]

_FAR_END = against("1h.{}")


class HourMomentum(msgspec.Struct, frozen=True):
    """Long: 1h EMA 20 rising by at least 0.03 ATR a bar, MACD above its signal, RSI 14 at least 55, +DI above -DI.
    Wrong beyond the bar's low. Shorts mirrored. Reported when these come into line, and again only after one of
    them has failed.

    stop_atr: least stop distance in 1h ATR.
    """

    slope_atr: float = 0.03
    rsi: float = 55.0
    stop_atr: float = 1.5

    @property
    def name(self) -> str:
        return "hour_momentum"

    @property
    def timeframe(self) -> str:
        return "1h"

    def sees(self, read: Reading, side: int) -> Idea | None:
        if side * (read["1h.rsi_14"] - 50.0) < self.rsi - 50.0 or side * read["1h.macd_histogram"] <= 0.0:
            return None
        if (
            side * read["1h.ema_20_slope"] < self.slope_atr
            or side * (read["1h.plus_di_14"] - read["1h.minus_di_14"]) <= 0.0
        ):
            return None
        atr = read["1h.atr_14"]
        return Idea(
            invalid_at=read[_FAR_END[side]] - side * 0.25 * atr,
            noise=self.stop_atr * atr,
            targets=((1.5, 5_000), (3.0, 5_000)),
            horizon_ms=24 * HOUR_MS,
        )
