"""backtesting.py 0.6.6, one run."""

import warnings
from typing import Any

import numpy as np
import pandas as pd
from backtesting import Backtest, Strategy

from bench.peers.shared import CASH, FEE, RISK, SLIPPAGE, STOP_ATR, TARGET_ATR, measured

SCALE = 1e-3
"""Its sizes are whole units of the asset: prices are scaled down and sizes up by this."""


def indicators(close: np.ndarray, high: np.ndarray, low: np.ndarray) -> tuple[np.ndarray, ...]:
    """EMA20, EMA50, RSI14 and ATR14, in pandas as its documentation does."""
    series = pd.Series(close)
    change = series.diff()
    gain = change.clip(lower=0).ewm(alpha=1 / 14, adjust=False).mean()
    loss = (-change.clip(upper=0)).ewm(alpha=1 / 14, adjust=False).mean()
    before = series.shift()
    ranges = np.fmax(np.fmax(high - low, (high - before).abs()), (low - before).abs())
    return (
        series.ewm(span=20, adjust=False).mean().to_numpy(),
        series.ewm(span=50, adjust=False).mean().to_numpy(),
        (100 - 100 / (1 + gain / loss)).to_numpy(),
        pd.Series(ranges).ewm(alpha=1 / 14, adjust=False).mean().to_numpy(),
    )


class Crossing(Strategy):  # type: ignore[misc]
    def init(self) -> None:
        data = self.data
        columns = indicators(data.Close, data.High, data.Low)
        self.fast, self.slow, self.rsi, self.atr = (
            self.I(lambda c=c: c, name=str(i), plot=False) for i, c in enumerate(columns)
        )

    def next(self) -> None:
        if self.position or self.orders or len(self.fast) < 52:
            return
        above, before = self.fast[-1] > self.slow[-1], self.fast[-2] > self.slow[-2]
        if above == before:
            return
        width, close = self.atr[-1], self.data.Close[-1]
        size = max(1, round(RISK / (STOP_ATR * width)))
        if above and self.rsi[-1] > 50:
            self.buy(size=size, sl=close - STOP_ATR * width, tp=close + TARGET_ATR * width)
        elif not above and self.rsi[-1] < 50:
            self.sell(size=size, sl=close + STOP_ATR * width, tp=close - TARGET_ATR * width)


def run(bars: dict[str, Any]) -> dict[str, Any]:
    warnings.simplefilter("ignore")
    names = {"Open": "open", "High": "high", "Low": "low", "Close": "close"}
    index = pd.DatetimeIndex(bars["open_ms"].astype("datetime64[ms]"))
    frame = pd.DataFrame({key: bars[name] * SCALE for key, name in names.items()}, index=index)
    test = Backtest(frame, Crossing, cash=CASH * 1e4, commission=FEE, spread=SLIPPAGE, margin=0.01)
    found = test.run()
    return {"trades": int(found["# Trades"]), "final": float(found["Equity Final [$]"])}


if __name__ == "__main__":
    measured("backtesting.py", "stops in bar, commission and spread; no funding, no liquidation", run, repeats=1)
