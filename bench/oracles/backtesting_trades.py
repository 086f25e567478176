"""backtesting.py's trades of the oracle month: [entry bar, exit bar, side, entry price, exit price] as JSON."""

import json
import sys
import warnings

import pandas as pd
from backtesting import Backtest, Strategy

from bench.oracles.month import FEE, SIZE, SLIPPAGE
from bench.peers.shared import load

SCALE = 1e-3
SIGNALS: dict[int, tuple[int, float, float]] = {}


class Handed(Strategy):  # type: ignore[misc]
    def init(self) -> None:
        pass

    def next(self) -> None:
        given = SIGNALS.get(len(self.data) - 1)
        if given is None or self.position or self.orders:
            return
        side, stop, target = given
        (self.buy if side > 0 else self.sell)(size=round(SIZE / SCALE), sl=stop, tp=target)


def main() -> None:
    warnings.simplefilter("ignore")
    bars = load(sys.argv[1])
    for at, side, stop, target in bars["signals"]:
        SIGNALS[int(at)] = (int(side), stop / 100 * SCALE, target / 100 * SCALE)
    names = {"Open": "open", "High": "high", "Low": "low", "Close": "close"}
    index = pd.DatetimeIndex(bars["open_ms"].astype("datetime64[ms]"))
    frame = pd.DataFrame({key: bars[name] * SCALE for key, name in names.items()}, index=index)
    found = Backtest(frame, Handed, cash=1e9, commission=FEE, spread=SLIPPAGE, margin=0.01).run()["_trades"]
    rows = [
        [int(r.EntryBar), int(r.ExitBar), 1 if r.Size > 0 else -1, r.EntryPrice / SCALE, r.ExitPrice / SCALE]
        for r in found.itertuples()
    ]
    print(json.dumps(sorted(rows)))


if __name__ == "__main__":
    main()
