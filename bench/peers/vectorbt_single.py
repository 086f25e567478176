"""vectorbt 1.2.0 on its Rust engine, one run."""

from typing import Any

import numpy as np
import pandas as pd
import vectorbt as vbt

from bench.peers.shared import CASH, FEE, RISK, SLIPPAGE, STOP_ATR, TARGET_ATR, measured


def run(bars: dict[str, Any]) -> dict[str, Any]:
    close = pd.Series(bars["close"])
    fast = vbt.MA.run(close, 20, ewm=True).ma.to_numpy()
    slow = vbt.MA.run(close, 50, ewm=True).ma.to_numpy()
    rsi = vbt.RSI.run(close, 14, ewm=True).rsi.to_numpy()
    atr = vbt.ATR.run(bars["high"], bars["low"], close, 14, ewm=True).atr.to_numpy()
    above = fast > slow
    crossed = np.zeros(len(close), dtype=bool)
    crossed[50:] = above[50:] != above[49:-1]
    enter = np.roll(crossed & above & (rsi > 50), 1)
    enter_short = np.roll(crossed & ~above & (rsi < 50), 1)
    width = np.roll(atr, 1)
    enter[:51] = enter_short[:51] = False
    with np.errstate(divide="ignore", invalid="ignore"):
        size = np.where(width > 0, RISK / (STOP_ATR * width), np.nan)
        away = np.where(width > 0, width / bars["open"], np.nan)
    portfolio = vbt.Portfolio.from_signals(
        close,
        entries=enter,
        short_entries=enter_short,
        price=bars["open"],
        open=bars["open"],
        high=bars["high"],
        low=bars["low"],
        size=size,
        fees=FEE,
        slippage=SLIPPAGE,
        sl_stop=STOP_ATR * away,
        tp_stop=TARGET_ATR * away,
        upon_opposite_entry="ignore",
        upon_long_conflict="ignore",
        init_cash=CASH * 1e4,
        freq="1min",
        engine="rust",
    )
    value = float(np.asarray(portfolio.value())[-1])
    return {"trades": int(portfolio.trades.count()), "final": value}


if __name__ == "__main__":
    measured("vectorbt", "stops in bar (not in the entry bar), one fee rate, slippage; one order a bar", run)
