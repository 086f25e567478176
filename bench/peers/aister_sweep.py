"""This engine, 500 cells: EMA crossings of 10 x 10 spans, 5 levels of RSI14, each a trial with its figures."""

from typing import Any

import numpy as np

from aister.bench.backtest import RULES
from aister.bench.data import seeded_market
from aister.bench.sweep import search
from aister.lab.sweep import Threads, sweep
from bench.peers.aister_single import market_of
from bench.peers.shared import measured


def run(bars: dict[str, Any]) -> dict[str, Any]:
    table = sweep(RULES, market_of(bars), search(), runner=Threads(1))
    return {"combinations": len(table), "trades": int(np.nansum(table["trades"]))}


if __name__ == "__main__":
    sweep(RULES, seeded_market(3_000), search(quick=True))  # kernels loaded
    measured("aister sweep", "as the single run; every cell with its daily returns and figures", run, repeats=1)
