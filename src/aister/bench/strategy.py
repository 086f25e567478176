"""A strategy written in Python, in its child process, beside the compiled loop alone: base bars a second of processor
time, one year of seeded minutes, EMA 20/50 and RSI 14, stop 2 ATR, target 3 ATR, full fill model.

The rate of the run counts the child's processor time from its first bar to its last trade. What the parent spends on
features, feeding and simulating again stands beside it, and so does starting the child.
"""

import hashlib
import resource
import time
from collections.abc import Iterator

from aister.adapters.sandbox.run import PythonRun, run_python_strategy
from aister.adapters.sandbox.source import PythonSource
from aister.bench import Figure
from aister.bench.data import MINUTE_MS, SPANS, seeded_market
from aister.core.money import UNIT
from aister.lab.batch import Plan, run
from aister.lab.prepare import Prepared, prepare
from aister.ports.market import Market
from aister.sim.models import FillModel

__all__ = ["EVERY_BAR", "FILTERED", "measure"]

TARGETS = {"every bar": 300_000.0, "filtered": 5_000_000.0}

EVERY_BAR = """
from aister.strategy import LONG, SHORT, Enter, PythonStrategy


class Cross(PythonStrategy):
    timeframe = "1m"
    features = ("1m.ema_20", "1m.ema_50", "1m.rsi_14", "1m.atr_14")

    def on_bar(self, bar, account):
        spread = bar["1m.ema_20"] - bar["1m.ema_50"]
        before, self.before = self.before, spread
        if not account.free:
            return None
        if before < 0 < spread and bar["1m.rsi_14"] > 50:
            side = LONG
        elif before > 0 > spread and bar["1m.rsi_14"] < 50:
            side = SHORT
        else:
            return None
        atr = bar["1m.atr_14"]
        return Enter(side, stop=bar.close - side * 2 * atr, targets=bar.close + side * 3 * atr)

    before = 0.0
"""

FILTERED = """
import numpy as np

from aister.strategy import LONG, SHORT, Enter, PythonStrategy


class Cross(PythonStrategy):
    timeframe = "1m"
    features = ("1m.ema_20", "1m.ema_50", "1m.rsi_14", "1m.atr_14")
    while_open = False

    def candidates(self, columns):
        above = columns["1m.ema_20"] > columns["1m.ema_50"]
        crossed = np.zeros(len(above), bool)
        crossed[1:] = above[1:] != above[:-1]
        return crossed & (above == (columns["1m.rsi_14"] > 50))

    def on_bar(self, bar, account):
        side = LONG if bar["1m.ema_20"] > bar["1m.ema_50"] else SHORT
        atr = bar["1m.atr_14"]
        return Enter(side, stop=bar.close - side * 2 * atr, targets=bar.close + side * 3 * atr)
"""


def measure(quick: bool) -> Iterator[Figure]:
    """Bars/s of the compiled loop alone (on the same signals), of `on_bar` at every close, and of `on_bar` behind a
    filter; then what the parent and the start of the child cost."""
    bars, rounds = (SPANS["1 year"] // 4, 2) if quick else (SPANS["1 year"], 5)
    market = seeded_market(bars)
    model, plan, capital = FillModel(), Plan(), 100_000 * UNIT
    prepared = prepare(market.series[0], model, (MINUTE_MS,))
    for text, name in ((EVERY_BAR, "every bar"), (FILTERED, "filtered")):
        done = [_timed(text, market, plan, model, capital) for _ in range(rounds)]
        best = min((one[0] for one in done), key=lambda ran: ran.cpu_s)
        parent_s, start_s = min(one[1] for one in done), min(one[2] for one in done)
        loop_s = min(_loop(prepared, best, plan, model, capital) for _ in range(rounds))
        loop = bars / loop_s
        rate = bars / best.cpu_s
        met = "target met" if rate >= TARGETS[name] else "target MISSED"
        trades = len(best.simulated.trades)
        yield Figure(f"compiled loop, {name}", loop, "bars/s", None, None, f"the same {trades:,} trades, signals given")
        yield Figure(
            f"on_bar, {name}",
            rate,
            "bars/s",
            loop,
            rate / loop,
            f"{met} ({TARGETS[name]:,.0f}); the child's run; {len(best.signals.setups):,} signals; {best.walls}",
        )
        whole = bars / (best.cpu_s + parent_s)
        yield Figure(
            f"with the parent, {name}", whole, "bars/s", rate, whole / rate, "its features, feeding, second simulation"
        )
        yield Figure(f"starting the child, {name}", start_s, "s", None, None, "interpreter, imports, kernels, walls")


def _timed(text: str, market: Market, plan: Plan, model: FillModel, capital: int) -> tuple[PythonRun, float, float]:
    """The run, the parent's processor time, and the child's beyond its run."""
    source = PythonSource("cross.py", text, hashlib.sha256(text.encode()).hexdigest())
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.process_time()
    done = run_python_strategy(source, market, plan, model, capital)
    parent_s = time.process_time() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    child_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return done, parent_s, max(0.0, child_s - done.cpu_s)


def _loop(prepared: Prepared, done: PythonRun, plan: Plan, model: FillModel, capital: int) -> float:
    began = time.process_time()
    run([prepared], {prepared.series.symbol: done.signals}, plan, model, capital)
    return time.process_time() - began
