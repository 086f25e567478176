"""vectorbt 1.2.0 on its Rust engine, part of a sweep: 25 pairs of averages in one chunk of columns, RSI14."""

from typing import Any

import numpy as np
import pandas as pd
import vectorbt as vbt

from bench.peers.shared import CASH, FEE, RISK, SLIPPAGE, STOP_ATR, TARGET_ATR, measured

FAST, SLOW = (10, 14, 18, 22, 26), (40, 50, 60, 70, 80)


def run(bars: dict[str, Any]) -> dict[str, Any]:
    close = pd.Series(bars["close"])
    rsi = vbt.RSI.run(close, 14, ewm=True).rsi.to_numpy()
    atr = vbt.ATR.run(bars["high"], bars["low"], close, 14, ewm=True).atr.to_numpy()
    averages = {n: vbt.MA.run(close, n, ewm=True).ma.to_numpy() for n in (*FAST, *SLOW)}
    enter = np.zeros((len(close), len(FAST) * len(SLOW)), dtype=bool)
    enter_short = np.zeros_like(enter)
    for column, (fast, slow) in enumerate((f, s) for f in FAST for s in SLOW):
        above = averages[fast] > averages[slow]
        crossed = np.zeros(len(close), dtype=bool)
        crossed[slow:] = above[slow:] != above[slow - 1 : -1]
        enter[1:, column] = (crossed & above & (rsi > 50))[:-1]
        enter_short[1:, column] = (crossed & ~above & (rsi < 50))[:-1]
    width = np.roll(atr, 1)[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        size = np.where(width > 0, RISK / (STOP_ATR * width), np.nan)
        away = np.where(width > 0, width / bars["open"][:, None], np.nan)
    column = bars["open"][:, None]
    portfolio = vbt.Portfolio.from_signals(
        close.to_numpy()[:, None],
        entries=enter,
        short_entries=enter_short,
        price=column,
        open=column,
        high=bars["high"][:, None],
        low=bars["low"][:, None],
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
    final = np.asarray(portfolio.final_value())
    return {"combinations": enter.shape[1], "trades": int(portfolio.trades.count().sum()), "final": float(final.sum())}


if __name__ == "__main__":
    measured("vectorbt sweep", "as the single run; 25 combinations in one chunk", run, repeats=1)
