"""Where detectors meet data and ledger: `aister detect` and `detect(...)` in Python end here."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from aister.adapters.store.home import open_home
from aister.adapters.store.trials import SqliteTrials
from aister.app.backtests import Data, Rules, market_of, rules_of
from aister.app.strategies import history_ms
from aister.lab.backtest import Record
from aister.lab.detectors.examine import Effort, Examined, chosen_detectors, examine
from aister.lab.detectors.verdict import Found
from aister.lab.settings import Settings

__all__ = ["detect"]


def detect(
    strategy: Rules,
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
    trial in the ledger of `home`. span_ms: first bar and end, exclusive, None where the data say; tell: called with
    each answer as it comes. Raises `UsageError`, `SpecRefused`, `DataError`: each says what to change."""
    chosen_detectors(only)
    settings, effort = (settings or Settings()).check(), (effort or Effort()).check()
    spec = rules_of(strategy)
    market = market_of(
        data,
        symbols=symbols or spec.symbols,
        start_ms=span_ms[0],
        end_ms=span_ms[1],
        assume_funding=assume_funding,
        history_ms=history_ms(spec),
    )
    trials = SqliteTrials(home or open_home())
    try:
        named = str(data) if isinstance(data, str | Path) else "arrays"
        record = Record(trials=trials, data=named, made_ms=time.time_ns() // 1_000_000)
        return examine(spec, market, settings, effort, record, only, tell)
    finally:
        trials.close()
