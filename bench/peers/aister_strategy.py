"""This engine, rules written in Python: `on_bar` at every close, in its child process."""

import hashlib
from typing import Any

from aister.adapters.sandbox.run import run_python_strategy
from aister.adapters.sandbox.source import PythonSource
from aister.bench.backtest import CAPITAL
from aister.bench.strategy import EVERY_BAR
from aister.lab.batch import Plan
from aister.sim.models import FillModel
from bench.peers.aister_single import market_of
from bench.peers.shared import measured

PLAN = Plan(risk_e8=10_000)


def strategy(text: str, bars: dict[str, Any]) -> dict[str, Any]:
    """Run a strategy's text; the processor time of its child from the first bar to the last trade."""
    source = PythonSource("cross.py", text, hashlib.sha256(text.encode()).hexdigest())
    done = run_python_strategy(source, market_of(bars), PLAN, FillModel(), CAPITAL)
    return {"child_cpu_s": done.cpu_s, "trades": len(done.simulated.trades), "walls": str(done.walls)}


def run(bars: dict[str, Any]) -> dict[str, Any]:
    return strategy(EVERY_BAR, bars)


if __name__ == "__main__":
    measured("aister, Python", "the full fill model; on_bar at every close; CPU of the child's run", run)
