"""The plain benchmark: EMA 20/50 crossing with an RSI filter. No council."""

from math import nan

from aister.core.council import Evidence, Setup, Target
from aister.core.instrument import Instrument
from aister.core.trade import OrderType, Side
from aister.features.featureset import FeatureSet
from aister.features.timeframes import INTERVAL_MS, bit
from aister.kernels import entry
from aister.kernels.signals import cross_state, ema_cross_live
from aister.kernels.state import State
from aister.strategy.strategy import setup_id

__all__ = ["EmaCross"]


class EmaCross:
    """Long when the EMA 20 crosses above the EMA 50 with RSI 14 > 50, short below with RSI 14 < 50, on closed bars
    of `timeframe`; stop 2 ATR 14, target 3 ATR 14 (`aister.kernels.signals.ema_cross`)."""

    def __init__(
        self, timeframe: str = "15m", stop_atr: float = 2.0, target_atr: float = 3.0, horizon_ms: int = 86_400_000
    ) -> None:
        self.name = "ema_cross"
        self.timeframe = timeframe
        self.mask = bit(timeframe)
        self.stop_atr, self.target_atr, self.horizon_ms = stop_atr, target_atr, horizon_ms
        self._ids = tuple(f"{timeframe}.{output}" for output in ("ema_20", "ema_50", "rsi_14", "close", "atr_14"))
        self._memory: dict[str, State] = {}
        self._step = entry(ema_cross_live, cross_state(1, stop_atr, target_atr), 1.0, 1.0, 50.0, 1.0, 1.0)

    def setups(self, features: FeatureSet, instrument: Instrument, cost_e8: int) -> tuple[Setup, ...]:
        """As `Strategy.setups`; at most one. The cost is not looked at."""
        if features.time_ms % INTERVAL_MS[self.timeframe] or features.get(f"{self.timeframe}.complete") != 1.0:
            return ()
        memory = self._memory.get(features.symbol)
        if memory is None:
            memory = self._memory[features.symbol] = cross_state(instrument.tick_e8, self.stop_atr, self.target_atr)
        values = [features.get(id) for id in self._ids]
        known = [nan if value is None else value for value in values]
        signal: int = self._step(memory, *known)
        if signal == 0:
            return ()
        side = Side(signal)
        entry_ticks, stop_ticks, target_ticks = (
            int(memory[field][0]) for field in ("entry_ticks", "stop_ticks", "target_ticks")
        )
        return (
            Setup(
                id=setup_id(features.symbol, features.time_ms, self.name, side),
                symbol=features.symbol,
                rule=self.name,
                timeframe=self.timeframe,
                time_ms=features.time_ms,
                side=side,
                entry_type=OrderType.MARKET,
                entry_ticks=entry_ticks,
                stop_ticks=stop_ticks,
                targets=(Target(target_ticks, 10_000),),
                horizon_ms=self.horizon_ms,
                evidence=tuple(Evidence(id, value) for id, value in zip(self._ids, known, strict=True)),
            ),
        )
