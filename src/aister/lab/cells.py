"""One cell of a sweep: rules with their numbers put in, checked, run and measured as a single backtest is.

    workbench = Workbench(work)            columns, sheets and prices, made once and shared by all cells
    row = workbench.run(cell)

Threads may share a workbench: signals are made one cell at a time, the loop itself runs beside others.
"""

import hashlib
from collections.abc import Sequence
from threading import Lock
from typing import Any

import msgspec
import numpy as np

from aister.analytics.backtested import Origin
from aister.analytics.daily import returns_of, seen_daily
from aister.analytics.figures import Figures, figures
from aister.core.errors import AisterError, MoneyOverflow, UsageError
from aister.core.trial import Trial, TrialOutcome, packed
from aister.features.columns import FeatureColumns
from aister.kernels.trades import TRADE
from aister.lab.backtest import Record, canonical_text, fit, totals_of, trial_of, versions
from aister.lab.batch import Simulated, run
from aister.lab.code import code_hash
from aister.lab.draws import Cell
from aister.lab.prepare import Prepared, prepare
from aister.lab.settings import Settings, in_words, model_of, plan_of
from aister.lab.space import Axis, placed
from aister.ports.market import Market, Series
from aister.ports.signals import Signals
from aister.sim.models import FillModel
from aister.strategy.spec.batch import Sheet, compile_spec
from aister.strategy.spec.canon import spec_hash
from aister.strategy.spec.refusal import SpecRefused
from aister.strategy.spec.spec import read_spec
from aister.strategy.spec.tree import Spec

__all__ = ["FIGURES", "Row", "Work", "Workbench"]

FIGURES = (
    *("net_return", "net_pnl", "cagr", "sharpe_daily", "sharpe_annual", "sortino_daily", "volatility_daily"),
    *("calmar", "max_drawdown", "longest_drawdown_days", "under_water", "psr", "skew", "kurtosis"),
    *("before_costs", "fees", "funding", "slippage", "trades", "win_rate", "profit_factor", "payoff", "expectancy"),
    *("expectancy_r", "mean_holding_ms", "exposure", "turnover", "ambiguous_trades", "target_first_pnl"),
)
"""What is kept of `analytics.figures.Figures`, None where it is unavailable."""

_COLUMNS_BYTES, _SHEETS_BYTES = 112 << 20, 32 << 20


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one cell. values: one per axis; refused: why it could not be run ("" when it was), aborted: why it
    ended early; figures: by name of `FIGURES`, in their order, empty when it did not run; digest: SHA-256 of its
    trades; first_day, returns: daily returns as a `Trial` keeps them; trial: what goes to the ledger, None for a
    refused cell and for rows read back."""

    values: Cell
    spec_hash: str = ""
    refused: str = ""
    aborted: str = ""
    figures: tuple[float | None, ...] = ()
    digest: str = ""
    first_day: int = 0
    returns: bytes = b""
    trial: Trial | None = None

    def figure(self, name: str) -> float | None:
        """One of `FIGURES`, None when it is unavailable."""
        return self.figures[FIGURES.index(name)] if self.figures else None


class Work(msgspec.Struct, frozen=True, eq=False):
    """What all cells of a sweep share: the rules as they were written, what varies, data, settings, and what the trials
    say beside it."""

    rules: dict[str, Any]
    axes: tuple[Axis, ...]
    market: Market
    settings: Settings
    data: str = ""
    owner_id: str = "owner"
    made_ms: int = 0


class Workbench:
    """Runs cells, one at a time or in several threads."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self._record = Record(owner_id=work.owner_id, data=work.data, made_ms=work.made_ms)
        self._lock = Lock()
        self._columns: dict[str, FeatureColumns] = {}
        self._sheets: dict[tuple[str, str], Sheet] = {}
        self._prepared: dict[tuple[str, int], Prepared] = {}

    def run_all(self, cells: Sequence[Cell]) -> list[Row]:
        return [self.run(cell) for cell in cells]

    def run(self, cell: Cell) -> Row:
        """Read, check, simulate and measure one cell; a refusal is a row like any other. Raises `UsageError` for
        symbols that the data lack, `DataError` for broken data: no cell could run then."""
        work = self.work
        with self._lock:
            try:
                spec = read_spec(placed(work.rules, work.axes, cell))
                market = fit(spec, work.market)
                model, plan = model_of(spec, work.settings), plan_of(spec, work.settings)
                model.check_bars(market.interval_ms, spec.interval_ms)
            except SpecRefused as refused:
                return Row(values=cell, refused="; ".join(map(str, refused.findings)))
            except UsageError:
                raise
            except AisterError as refused:
                return Row(values=cell, refused=str(refused))
            signals = {one.symbol: self._signals(spec, one, model) for one in market.series}
            prepared = [self._ready(one, model, spec.interval_ms) for one in market.series]
        origin = self._origin(spec, market, model, in_words(work.settings, plan))
        try:
            simulated = run(prepared, signals, plan, model, work.settings.capital)
        except MoneyOverflow as overflow:
            return self._aborted(cell, origin, market, model, str(overflow))
        return self._measured(cell, origin, market, model, simulated)

    def _measured(self, cell: Cell, origin: Origin, market: Market, model: FillModel, simulated: Simulated) -> Row:
        settings = self.work.settings
        equity = seen_daily(simulated.equity_ms, simulated.equity, settings.capital)
        known = figures(equity, simulated.trades, totals=totals_of(simulated))
        trial = trial_of(origin, market, model, settings, self._record, equity, known, kind="sweep")
        return Row(
            values=cell,
            spec_hash=origin.spec_hash,
            figures=tuple(_plain(known, name) for name in FIGURES),
            digest=hashlib.sha256(simulated.trades.tobytes()).hexdigest(),
            first_day=equity.first_day,
            returns=packed(returns_of(equity)),
            trial=trial,
        )

    def _aborted(self, cell: Cell, origin: Origin, market: Market, model: FillModel, why: str) -> Row:
        """Nothing came of it, but it was looked at."""
        capital = self.work.settings.capital
        flat = seen_daily(np.array(market.span_ms, np.int64), np.array([capital, capital], np.int64), capital)
        known = figures(flat, np.zeros(0, TRADE))
        trial = trial_of(origin, market, model, self.work.settings, self._record, flat, known, kind="sweep")
        trial = msgspec.structs.replace(trial, outcome=TrialOutcome.ABORTED, returns=b"", figures={})
        return Row(values=cell, spec_hash=origin.spec_hash, aborted=why, trial=trial)

    def _origin(self, spec: Spec, market: Market, model: FillModel, settings: dict[str, str]) -> Origin:
        return Origin(
            kind="spec",
            name=spec.name,
            description=spec.description,
            spec=canonical_text(spec),
            spec_hash=spec_hash(spec),
            timeframe=spec.timeframe,
            data=self.work.data,
            data_hash=market.data_hash,
            code_hash=code_hash(),
            seed=self.work.settings.seed,
            settings=settings,
            assumptions=model.assumptions(),
            flags=market.flags,
            versions=versions(),
        )

    def _signals(self, spec: Spec, series: Series, model: FillModel) -> Signals:
        symbol, count = series.symbol, len(self.work.market.series)
        if symbol not in self._columns:
            self._columns[symbol] = FeatureColumns(series, _COLUMNS_BYTES // count)
        columns = self._columns[symbol]
        sheet = self._sheets.get((symbol, spec.timeframe))
        if sheet is None:
            sheet = self._sheets[symbol, spec.timeframe] = Sheet(columns, spec.timeframe, _SHEETS_BYTES // count)
        return compile_spec(spec, columns, model.round_trip_e8(series.instrument), sheet)

    def _ready(self, series: Series, model: FillModel, decides_ms: int) -> Prepared:
        key = (series.symbol, decides_ms)
        if key not in self._prepared:
            self._prepared[key] = prepare(series, model, [decides_ms])
        return self._prepared[key]


def _plain(known: Figures, name: str) -> float | None:
    value = getattr(known, name)
    return None if value is None else float(value)
