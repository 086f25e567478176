"""A sweep: many cells of one spec over one market, each a trial, as one table.

    table = sweep(rules, market, Search(axes=(axis("fast=10:100:10", rules),)), settings)
    table["sharpe_daily"], table["fast"]         numpy columns, a row a cell
    table.best(10)                               rows by the figure that was sought

Rows are written to `store` and trials to the ledger as they come, trials first: a sweep that is killed goes on where it
was written, and nothing that could be seen is uncounted.
"""

import hashlib
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from aister.analytics.deflation import Deflation, deflate
from aister.core.errors import UsageError
from aister.lab.backtest import Record
from aister.lab.cells import FIGURES, Row, Work, Workbench
from aister.lab.code import code_hash
from aister.lab.draws import Cell, Search, draw
from aister.lab.settings import Settings
from aister.lab.space import Rules
from aister.ports.market import Market

__all__ = ["CellRunner", "Progress", "Sweep", "SweepStore", "Threads", "identity", "lower_is_better", "sweep"]

WRITE_EVERY_S = 2.0
_LOWER = {"max_drawdown", "longest_drawdown_days", "under_water", "volatility_daily", "fees", "funding", "slippage"}
_LOWER |= {"turnover", "exposure", "ambiguous_trades", "kurtosis"}


class SweepStore(Protocol):
    """Where rows are kept. Only whole additions are ever read back."""

    def rows(self) -> list[Row]:
        """All rows that are there, without their trials."""
        ...

    def add(self, rows: Sequence[Row]) -> None:
        """Keep them, durably."""
        ...


class CellRunner(Protocol):
    """Where cells are run."""

    def run(self, work: Work, cells: Sequence[Cell], stop: Callable[[], bool]) -> Iterator[list[Row]]:
        """The rows of all cells, in any order, as they come; after `stop()` only what is already on its way."""
        ...


class Progress(msgspec.Struct, frozen=True):
    """How far a sweep is, after rows were written: done of total cells, `here` of them in this run, in `seconds`;
    best: the best row so far."""

    done: int
    total: int
    here: int
    seconds: float
    best: Row | None


class Sweep(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """All rows as columns, in the order in which cells were chosen.

    columns      each axis by its name, `spec_hash`, `digest`, `refused`, `aborted` (text, "" where not), every name of
                 `FIGURES` (float64, nan where unavailable)
    returns      float32 (cells, days), nan where a cell did not run;   first_day: UTC day of the first
    by           the figure cells are ranked by;   total: cells meant;   left_out: outside the conditions
    complete     whether all were run;   trials: how many looks at these instruments and this time the ledger counts
    deflation    the deflated Sharpe ratio of the best cell among them, None when it has none
    flags        the data's own
    """

    id: str
    name: str
    method: str
    axes: tuple[str, ...]
    by: str
    symbols: tuple[str, ...]
    span_ms: tuple[int, int]
    columns: dict[str, npt.NDArray[Any]]
    returns: npt.NDArray[np.float32]
    first_day: int
    total: int
    left_out: int
    complete: bool
    trials: int
    deflation: Deflation | None
    flags: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.columns["digest"])

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        return self.columns[name]

    def best(self, count: int = 1) -> list[int]:
        """The rows with the best `by`, best first; cells without it are left out."""
        values = self.columns[self.by]
        known = np.flatnonzero(np.isfinite(values))
        signed = values[known] if lower_is_better(self.by) else -values[known]
        return [int(row) for row in known[np.argsort(signed, kind="stable")][:count]]


class Threads:
    """Runs cells in threads of this process: the loops leave the interpreter to the others."""

    def __init__(self, workers: int = 2, batch: int = 8) -> None:
        self._workers, self._batch = workers, batch

    def run(self, work: Work, cells: Sequence[Cell], stop: Callable[[], bool]) -> Iterator[list[Row]]:
        bench = Workbench(work)
        waiting: deque[Future[list[Row]]] = deque()
        with ThreadPoolExecutor(self._workers) as pool:
            for at in range(0, len(cells), self._batch):
                if stop():
                    break
                waiting.append(pool.submit(bench.run_all, cells[at : at + self._batch]))
                if len(waiting) > self._workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()


def lower_is_better(figure: str) -> bool:
    return figure in _LOWER


def identity(rules: Rules, market: Market, search: Search, settings: Settings) -> str:
    """SHA-256 (hex) of everything that decides the cells and what comes of them: another spec, other data, settings or
    code are another sweep."""
    what = (rules, market.symbols, market.span_ms, market.interval_ms, market.data_hash, search, settings, code_hash())
    return hashlib.sha256(msgspec.json.encode(what, order="deterministic")).hexdigest()


def sweep(
    rules: Rules,
    market: Market,
    search: Search,
    settings: Settings | None = None,
    record: Record | None = None,
    *,
    store: SweepStore | None = None,
    runner: CellRunner | None = None,
    told: Callable[[Progress], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> Sweep:
    """Run every cell that `store` does not have. rules: the spec as it was written (plain values). `stop`, asked
    between cells, ends it early with what there is.

    Raises `UsageError` for axes, conditions or figures that cannot be, and where one backtest would: symbols that the
    data lack, `DataError`. A cell whose rules are refused is a row with the reason."""
    if search.by not in FIGURES:
        raise UsageError(f"There is no figure {search.by!r}; choose one of {', '.join(FIGURES)}.")
    settings, record = (settings or Settings()).check(), record or Record()
    work = Work(dict(rules), search.axes, market, settings, record.data, record.owner_id, record.made_ms)
    chosen, stop = draw(search), stop or (lambda: False)
    known = {row.values: row for row in store.rows()} if store is not None else {}
    state = _State(search, record, store, told, known, chosen.total)
    runner = runner or Threads()
    order: list[Cell] = []
    while not stop() and (cells := chosen.ask()):
        order += cells
        for rows in runner.run(work, [cell for cell in cells if cell not in known], stop):
            state.took(rows)
        state.write()
        chosen.tell(cells, [_score(known.get(cell), search.by) for cell in cells])
    found = [known[cell] for cell in order if cell in known]
    complete = len(found) == chosen.total
    return _table(rules, market, search, settings, record, found, chosen.total, chosen.left_out, complete)


class _State:
    """Rows on their way to ledger and store."""

    def __init__(
        self,
        search: Search,
        record: Record,
        store: SweepStore | None,
        told: Callable[[Progress], None] | None,
        known: dict[Cell, Row],
        total: int,
    ) -> None:
        self._search, self._record, self._store, self._told = search, record, store, told
        self._known, self._total, self._had = known, total, len(known)
        self._waiting: list[Row] = []
        self._began = self._wrote = time.monotonic()
        self._best: Row | None = None
        self._weigh(known.values())

    def took(self, rows: Sequence[Row]) -> None:
        self._waiting += rows
        if time.monotonic() - self._wrote >= WRITE_EVERY_S:
            self.write()

    def write(self) -> None:
        """Trials first: what is never counted must never be shown."""
        rows, self._waiting = self._waiting, []
        if rows:
            trials = [row.trial for row in rows if row.trial is not None]
            if self._record.trials is not None and trials:
                self._record.trials.add_many(trials)
            if self._store is not None:
                self._store.add(rows)
            bare = [msgspec.structs.replace(row, trial=None) for row in rows]
            self._known.update((row.values, row) for row in bare)
            self._weigh(bare)
        self._wrote = time.monotonic()
        if self._told is not None and rows:
            here = len(self._known) - self._had
            self._told(Progress(len(self._known), self._total, here, self._wrote - self._began, self._best))

    def _weigh(self, rows: Any) -> None:
        for row in rows:
            score = _score(row, self._search.by)
            best = _score(self._best, self._search.by)
            if score is not None and (best is None or score > best):
                self._best = row


def _score(row: Row | None, by: str) -> float | None:
    value = None if row is None else row.figure(by)
    return -value if value is not None and lower_is_better(by) else value


def _table(
    rules: Rules,
    market: Market,
    search: Search,
    settings: Settings,
    record: Record,
    rows: list[Row],
    total: int,
    left_out: int,
    complete: bool,
) -> Sweep:
    columns: dict[str, npt.NDArray[Any]] = {
        one.name: np.array([row.values[index] for row in rows]) for index, one in enumerate(search.axes)
    }
    for name in ("spec_hash", "digest", "refused", "aborted"):
        columns[name] = np.array([getattr(row, name) for row in rows], dtype=np.dtypes.StringDType())
    for name in FIGURES:
        values = (row.figure(name) for row in rows)
        columns[name] = np.array([np.nan if value is None else value for value in values])
    ran = [row for row in rows if row.returns]
    days = max((len(row.returns) // 4 for row in ran), default=0)
    returns = np.full((len(rows), days), np.nan, np.float32)
    for into, row in zip(returns, rows, strict=True):
        one = np.frombuffer(row.returns, "<f4")
        into[: len(one)] = one
    table = Sweep(
        id=identity(rules, market, search, settings),
        name=str(rules.get("name", "")),
        method=search.method,
        axes=tuple(one.name for one in search.axes),
        by=search.by,
        symbols=tuple(rules.get("symbols") or market.symbols),
        span_ms=market.span_ms,
        columns=columns,
        returns=returns,
        first_day=min((row.first_day for row in ran), default=0),
        total=total,
        left_out=left_out,
        complete=complete,
        trials=len(ran),
        deflation=None,
        flags=market.flags,
    )
    return _deflated(table, record)


def _deflated(table: Sweep, record: Record) -> Sweep:
    """With the number of trials there are, and the best cell's Sharpe ratio among them."""
    among: npt.NDArray[np.float32] = table.returns[np.isfinite(table.returns).any(axis=1)]
    if record.trials is not None:
        among = record.trials.returns(table.symbols, table.span_ms).returns
    best = table.best()
    if not best or not len(among):
        return msgspec.structs.replace(table, trials=len(among))
    own = table.returns[best[0]].astype(np.float64)
    return msgspec.structs.replace(table, trials=len(among), deflation=deflate(own[np.isfinite(own)], among))
