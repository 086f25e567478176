"""One backtest with every cost on, over a month, a year and five years of seeded one-minute bars: the whole run and its
parts, in bars a second of processor time, beside a bare compiled loop; then what it costs from the command line.

The rules: EMA20 crosses EMA50 with RSI14 on the same side of 50, stop 2 ATR14, target 3 ATR14, decided every minute,
a ten-thousandth of equity at risk (more, and a driftless market ruins the account before the year is over). The floor
of three round trips under a stop is left out, so that peers can be given the same rules. The bare loop has the same
indicators, crossings, stops and targets, and no costs, sizes, funding, margin or ledger.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from aister.analytics.daily import seen_daily
from aister.analytics.figures import figures
from aister.bench import Figure
from aister.bench.data import MINUTE_MS, SPANS, seeded_series
from aister.bench.sweep import RULES as CROSSING
from aister.core.money import UNIT
from aister.features.columns import FeatureColumns
from aister.kernels import kernel
from aister.kernels.averages import EMA, ema, set_ema
from aister.kernels.momentum import RSI, rsi, set_rsi
from aister.kernels.state import State, allocate
from aister.kernels.volatility import ATR, atr, set_atr
from aister.lab.batch import Simulated, run
from aister.lab.prepare import prepare
from aister.lab.settings import Settings, model_of, plan_of
from aister.ports.market import Series
from aister.strategy.spec.batch import compile_spec
from aister.strategy.spec.spec import read_spec
from aister.strategy.spec.tree import Spec

__all__ = ["CAPITAL", "PARTS", "RULES", "bare", "measure", "ran"]

RULES: dict[str, Any] = {**CROSSING, "sizing": {"risk": 0.0001, "notional": 1, "leverage": 3}}
CAPITAL = 100_000 * UNIT
PARTS = ("columns", "signals", "prepare", "matching", "figures")

_TARGET, _COLD_S, _COMPILE_S = 30e6, 2.0, 20.0
_FEATURES = ("ema_20", "ema_50", "rsi_14", "atr_14")

Floats = npt.NDArray[np.float64]

LOOP = np.dtype([("fast", EMA), ("slow", EMA), ("rsi", RSI), ("atr", ATR)], align=True)
"""What the bare loop remembers."""


@kernel
def _bare(state: State, high: Floats, low: Floats, close: Floats, warmup: int) -> int:
    s = state[0]
    trades = side = wanted = 0
    stop = target = spread = 0.0
    for i in range(close.size):
        if wanted != 0:
            side = wanted
            wanted = 0
        hit = low[i] <= stop or high[i] >= target if side > 0 else high[i] >= stop or low[i] <= target
        if side != 0 and hit:
            side = 0
            trades += 1
        now = ema(s.fast, close[i]) - ema(s.slow, close[i])
        strength = rsi(s.rsi, close[i])
        width = atr(s.atr, high[i], low[i], close[i])
        if side == 0 and i >= warmup:
            if spread < 0.0 < now and strength > 50.0:
                wanted = 1
            elif spread > 0.0 > now and strength < 50.0:
                wanted = -1
            if wanted != 0:
                stop = close[i] - wanted * 2.0 * width
                target = close[i] + wanted * 3.0 * width
        spread = now
    return trades


def bare(series: Series) -> int:
    """How many trades the bare loop makes."""
    state = allocate(LOOP)
    set_ema(state[0]["fast"], 20)
    set_ema(state[0]["slow"], 50)
    set_rsi(state[0]["rsi"], 14)
    set_atr(state[0]["atr"], 14)
    return int(_bare(state, series.high, series.low, series.close, 396))


def ran(series: Series, spec: Spec | None = None) -> tuple[Simulated, dict[str, float]]:
    """The whole run under the default fill model, and processor seconds by part."""
    spec, settings = spec or read_spec(RULES), Settings(capital=CAPITAL)
    model, plan = model_of(spec, settings), plan_of(spec, settings)
    at = [time.process_time()]
    columns = FeatureColumns(series)
    columns.prepare("1m", _FEATURES)
    at.append(time.process_time())
    signals = compile_spec(spec, columns, cost_e8=0)
    at.append(time.process_time())
    prepared = prepare(series, model, (MINUTE_MS,))
    at.append(time.process_time())
    simulated = run([prepared], {series.symbol: signals}, plan, model, CAPITAL)
    at.append(time.process_time())
    figures(seen_daily(simulated.equity_ms, simulated.equity, CAPITAL), simulated.trades)
    at.append(time.process_time())
    return simulated, {part: after - before for part, before, after in zip(PARTS, at, at[1:], strict=False)}


def measure(quick: bool) -> Iterator[Figure]:
    """Bars/s of the whole run and of the bare loop for each span, the parts of a year, peak memory; processor seconds
    of the command with kernels compiled and, not when quick, with none."""
    spans = ("1 month", "1 year") if quick else tuple(SPANS)
    told = {span: _child(SPANS[span], 3 if quick else 7) for span in spans}
    for span, found in told.items():
        rate, loop = found["rate"], found["bare_rate"]
        yield Figure(f"bare loop, {span}", loop, "bars/s", None, None, f"{found['bare_trades']:,.0f} trades, no costs")
        met = f"; target {'met' if rate >= _TARGET else 'MISSED'} ({_TARGET:,.0f})" if span == "1 year" else ""
        yield Figure(f"backtest, {span}", rate, "bars/s", loop, rate / loop, f"{found['trades']:,.0f} trades{met}")
    year = told["1 year"]
    for part in PARTS:
        share = year[part] / sum(year[name] for name in PARTS)
        yield Figure(f"{part}, 1 year", year[part] * 1e3, "ms", None, None, f"{share:.0%} of the run")
    short, long = told[spans[0]], told[spans[-1]]
    growth = short["rate"] / long["rate"]
    met = "target met" if growth < 1.5 else "target MISSED"
    note = f"{met} (linear or better); ratio = {spans[-1]} / {spans[0]}, equal below 1.5"
    yield Figure("cost a bar", 1e9 / long["rate"], "ns", 1e9 / short["rate"], growth, note)
    first, last = short["peak_mb"], long["peak_mb"]
    yield Figure("peak memory", last, "MB", first, last / first, f"{spans[-1]} beside {spans[0]}, bars included")
    with tempfile.TemporaryDirectory() as home:
        _command(home)
        warm = min(_command(home) for _ in range(2))
        met = "met" if warm < _COLD_S else "MISSED"
        yield Figure("command, kernels compiled", warm, "s", None, None, f"target {met} ({_COLD_S:g} s of CPU)")
        if not quick:
            with tempfile.TemporaryDirectory() as cache:
                spent = _command(home, cache)
            met = "met" if spent - warm < _COMPILE_S else "MISSED"
            note = f"target {met} ({_COMPILE_S:g} s beyond a warm start)"
            yield Figure("command, nothing compiled", spent, "s", warm, spent / warm, note)


def _command(home: str, cache: str = "") -> float:
    """Processor seconds of `aister backtest` on the packaged sample, in a process of its own."""
    environment = {**os.environ, "AISTER_HOME": home, **({"AISTER_CACHE": cache} if cache else {})}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    _ask(["aister", "backtest", "ema_cross_trend", "--json", "-"], environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _child(bars: int, rounds: int) -> dict[str, float]:
    lines = _ask(["aister.bench.backtest", str(bars), str(rounds)], dict(os.environ)).splitlines()
    result: dict[str, float] = json.loads(lines[-1])
    return result


def _ask(module: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run([sys.executable, "-m", *module], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return done.stdout


def _main() -> None:
    bars, rounds = int(sys.argv[1]), int(sys.argv[2])
    ran(seeded_series(3_000))
    series = seeded_series(bars)
    made = [ran(series) for _ in range(rounds)]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1_048_576 if sys.platform == "darwin" else 1_024)
    simulated, parts = min(made, key=lambda one: sum(one[1].values()))
    trades, loop_s = bare(series), float("inf")
    for _ in range(rounds):
        began = time.process_time()
        bare(series)
        loop_s = min(loop_s, time.process_time() - began)
    told = {"bars": bars, "rate": bars / sum(parts.values()), **parts, "trades": len(simulated.trades)}
    print(json.dumps({**told, "peak_mb": peak, "bare_rate": bars / loop_s, "bare_trades": trades}))


if __name__ == "__main__":
    _main()
