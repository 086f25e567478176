"""Where detectors meet data and ledger: `aister detect` and `detect(...)` in Python end here."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from aister.adapters.store.home import open_home
from aister.adapters.store.trials import SqliteTrials
from aister.app.backtests import Data, Rules, market_of, rules_or_code
from aister.app.python_runs import case_of_python
from aister.app.python_strategies import PythonRules
from aister.app.strategies import history_ms
from aister.lab.backtest import Record
from aister.lab.detectors.case import case_of_spec
from aister.lab.detectors.effort import FOR_CODE, Effort
from aister.lab.detectors.examine import Examined, chosen_detectors, examine
from aister.lab.detectors.verdict import Found
from aister.lab.settings import Settings
from aister.strategy.spec.tree import Spec

__all__ = ["detect"]


def detect(
    strategy: Rules | PythonRules,
    data: Data = "sample",
    *,
    only: Sequence[str] = (),
    settings: Settings | None = None,
    effort: Effort | None = None,
    symbols: tuple[str, ...] = (),
    span_ms: tuple[int | None, int | None] = (None, None),
    assume_funding: bool = False,
    home: Path | None = None,
    tell: Callable[[Found], None] | None = None,
) -> Examined:
    """Run the detectors (all, or those named in `only`) on a strategy over data; every run that shows a result leaves a
    trial in the ledger of `home`. strategy: as `backtest` takes it, or `python_rules(...)` with parameters; effort:
    `Effort()` for a spec and `FOR_CODE` for a Python strategy unless given; span_ms: first bar and end, exclusive, None
    where the data say; tell: called with each answer as it comes. Raises `UsageError`, `SpecRefused`, `DataError`,
    `StrategyError`: each says what to change."""
    chosen_detectors(only)
    rules = strategy if isinstance(strategy, PythonRules) else rules_or_code(strategy)
    settings = (settings or Settings()).check()
    effort = (effort or (Effort() if isinstance(rules, Spec) else FOR_CODE)).check()
    spec = rules if isinstance(rules, Spec) else None
    market = market_of(
        data,
        symbols=symbols or (spec.symbols if spec is not None else ()),
        start_ms=span_ms[0],
        end_ms=span_ms[1],
        assume_funding=assume_funding,
        history_ms=history_ms(spec),
    )
    trials = SqliteTrials(home or open_home())
    try:
        named = str(data) if isinstance(data, str | Path) else "arrays"
        record = Record(trials=trials, data=named, made_ms=time.time_ns() // 1_000_000)
        if isinstance(rules, Spec):
            case = case_of_spec(rules, market, settings, record)
        else:
            case = case_of_python(rules, market, settings, record)
        return examine(case, effort, only, tell)
    finally:
        trials.close()
