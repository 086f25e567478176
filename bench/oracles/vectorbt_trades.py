"""vectorbt's trades of the oracle month: [entry bar, exit bar, side, entry price, exit price] as JSON."""

import json
import sys

import numpy as np
import vectorbt as vbt

from bench.oracles.month import FEE, SIZE, SLIPPAGE
from bench.peers.shared import load


def main() -> None:
    bars = load(sys.argv[1])
    count = len(bars["close"])
    enter, enter_short = np.zeros(count, bool), np.zeros(count, bool)
    stop, target = np.full(count, np.nan), np.full(count, np.nan)
    for at, side, stop_ticks, target_ticks in bars["signals"]:
        if at + 1 == count:
            continue
        (enter if side > 0 else enter_short)[at + 1] = True
        paid = bars["open"][at + 1] * (1 + side * SLIPPAGE)
        stop[at + 1] = abs(paid - stop_ticks / 100) / paid
        target[at + 1] = abs(target_ticks / 100 - paid) / paid
    portfolio = vbt.Portfolio.from_signals(
        bars["close"],
        entries=enter,
        short_entries=enter_short,
        price=bars["open"],
        open=bars["open"],
        high=bars["high"],
        low=bars["low"],
        size=SIZE,
        fees=FEE,
        slippage=SLIPPAGE,
        sl_stop=stop,
        tp_stop=target,
        stop_entry_price="fillprice",
        upon_opposite_entry="ignore",
        upon_long_conflict="ignore",
        init_cash=1e9,
        freq="1min",
        engine="rust",
    )
    found = portfolio.trades.records
    rows = [
        [int(r.entry_idx), int(r.exit_idx), 1 if r.direction == 0 else -1, float(r.entry_price), float(r.exit_price)]
        for r in found.itertuples()
        if r.status == 1
    ]
    print(json.dumps(rows))


if __name__ == "__main__":
    main()
