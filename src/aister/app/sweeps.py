"""Where sweeps are put together: rules as they were written, data, the store of rows, the trial ledger, where cells
run."""

import os
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import msgspec

from aister.adapters.cluster import Cluster
from aister.adapters.store.home import open_home
from aister.adapters.store.trials import SqliteTrials
from aister.adapters.sweeps import ParquetSweeps, sweep_folder
from aister.app.backtests import Data, market_of
from aister.app.strategies import history_ms, named_spec
from aister.core.errors import UsageError
from aister.lab.backtest import Record
from aister.lab.draws import Search
from aister.lab.settings import Settings
from aister.lab.space import placed
from aister.lab.sweep import CellRunner, Progress, Sweep, Threads, identity, sweep
from aister.strategy.spec.canon import canonical
from aister.strategy.spec.parsing import parse
from aister.strategy.spec.refusal import SpecRefused
from aister.strategy.spec.spec import read_spec
from aister.strategy.spec.tree import Spec
from aister.strategy.templates import template_names, template_text

__all__ = ["Running", "run_sweep", "written_rules"]


class Running(msgspec.Struct, frozen=True):
    """How a sweep is run, which decides nothing of its rows. cluster: where Ray is, or "local", "" for threads here;
    workers: threads or local processes (0: one per core); told: of progress; stop: asked between cells."""

    cluster: str = ""
    workers: int = 0
    told: Callable[[Progress], None] | None = None
    stop: Callable[[], bool] | None = None


def written_rules(strategy: str | Path | Mapping[str, Any] | Spec) -> dict[str, Any]:
    """The spec as it was written, with its names: a template, a file, plain values, or a spec read before. Raises
    `UsageError`, `SpecRefused` when it is none."""
    if isinstance(strategy, Spec):
        return canonical(strategy)
    if isinstance(strategy, Mapping):
        return dict(strategy)
    if str(strategy) in template_names():
        found = parse(template_text(str(strategy)))
    elif named_spec(str(strategy)) is None:
        raise UsageError(f"{strategy} is code of the trader, not a spec; only specs have numbers to vary.")
    else:
        found = parse(Path(strategy).expanduser().read_text(encoding="utf-8-sig"), str(strategy))
    return dict(found)


def run_sweep(
    rules: Mapping[str, Any],
    data: Data,
    search: Search,
    settings: Settings,
    *,
    symbols: tuple[str, ...] = (),
    start_ms: int | None = None,
    end_ms: int | None = None,
    assume_funding: bool = False,
    home: Path | None = None,
    running: Running | None = None,
) -> tuple[Sweep, Path]:
    """Open the data, run what is not there yet, and return the table and the folder of its rows."""
    settings.check()
    how = running or Running()
    base = home or open_home()
    market = market_of(
        data,
        symbols=symbols or tuple(rules.get("symbols", ())),
        start_ms=start_ms,
        end_ms=end_ms,
        assume_funding=assume_funding,
        history_ms=_history_ms(rules, search),
    )
    named = str(data) if isinstance(data, str | Path) else "arrays"
    what = identity(rules, market, search, settings)
    folder = sweep_folder(base, str(rules.get("name", "sweep")), what)
    described = {"rules": rules, "search": search, "settings": settings, "data": named, "data_hash": market.data_hash}
    with ExitStack() as held:
        store = held.enter_context(closing(ParquetSweeps(folder, what, search.axes, described)))
        trials = held.enter_context(closing(SqliteTrials(base)))
        runner: CellRunner = Threads(how.workers or os.cpu_count() or 1)
        if how.cluster:
            runner = held.enter_context(Cluster(how.cluster, how.workers))
        record = Record(trials=trials, data=named, made_ms=time.time_ns() // 1_000_000)
        table = sweep(rules, market, search, settings, record, store=store, runner=runner, told=how.told, stop=how.stop)
    return table, folder


def _history_ms(rules: Mapping[str, Any], search: Search) -> int:
    """How much before the start the cells may look at: what the ends of the axes ask for, as they are and together."""
    ends = [(one.values or (one.low, one.high)) for one in search.axes]
    least, most = tuple(min(values) for values in ends), tuple(max(values) for values in ends)
    cells = [least, most, *((*least[:i], high, *least[i + 1 :]) for i, high in enumerate(most))]
    found = [history_ms(None)]
    for cell in cells:
        try:
            found.append(history_ms(read_spec(msgspec.json.encode(placed(rules, search.axes, cell)))))
        except SpecRefused:
            continue  # a refused cell asks for nothing
    return max(found)
