"""A backtest from rules to result: setups over the columns, the batch loop, every figure, one trial in the ledger.

    backtest_spec(spec, market, settings, record) -> Backtest
    concluded(...)           the second half, for setups that came from elsewhere (Python strategies)

A result is never made without its trial when a ledger is given: looking is what counts (quant Q11).
"""

import hashlib
import html
import platform
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import version
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from aister.analytics.alpha import alpha, instrument_returns
from aister.analytics.backtested import Backtested, Origin
from aister.analytics.benchmarks import hold_market
from aister.analytics.daily import DailyEquity, returns_of, seen_daily
from aister.analytics.excursions import excursions
from aister.analytics.figures import Figures, Totals, figures
from aister.analytics.intraday import intraday
from aister.analytics.performance import Beside, Performance, measure
from aister.analytics.random_entry import RandomEntry, random_entry
from aister.analytics.report.backtest import backtest_page
from aister.core.errors import UsageError
from aister.core.trial import Trial, TrialOutcome, packed
from aister.features.columns import FeatureColumns
from aister.lab.batch import Plan, Simulated, run
from aister.lab.code import code_hash
from aister.lab.loop import Loop
from aister.lab.prepare import Prepared, prepare
from aister.lab.settings import UNMANAGED, Settings, in_words, model_of, plan_of
from aister.ports.market import Market
from aister.ports.signals import Signals
from aister.ports.trials import TrialLedger
from aister.sim.models import FillModel
from aister.strategy.spec.batch import compile_spec
from aister.strategy.spec.canon import canonical, spec_hash
from aister.strategy.spec.checks import check
from aister.strategy.spec.tree import Spec

__all__ = [
    "Backtest",
    "Record",
    "backtest_spec",
    "canonical_text",
    "concluded",
    "fit",
    "totals_of",
    "traded",
    "trial_of",
    "versions",
]

Rows = npt.NDArray[Any]


class Backtest(Backtested, frozen=True, kw_only=True, eq=False):
    """A result that knows how to show itself."""

    def _repr_html_(self) -> str:
        """The report in a frame: what a notebook shows when a cell ends with the result."""
        page = html.escape(backtest_page(self), quote=True)
        return f'<iframe srcdoc="{page}" style="width:100%;height:720px;border:0" sandbox></iframe>'


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """Where the trial goes and what is written beside it: the ledger (None: nobody counts), whose it is, what the data
    were called, when it was made."""

    trials: TrialLedger | None = None
    owner_id: str = "owner"
    data: str = ""
    made_ms: int = 0


def backtest_spec(spec: Spec, market: Market, settings: Settings, record: Record) -> Backtest:
    """Run a spec over a market. Raises `SpecRefused` when it does not fit these instruments and bars, `UsageError` for
    symbols that the market does not have, `MoneyOverflow`."""
    settings.check()
    market = fit(spec, market)
    model, plan = model_of(spec, settings), plan_of(spec, settings)
    model.check_bars(market.interval_ms, spec.interval_ms)
    signals = {
        one.symbol: compile_spec(spec, FeatureColumns(one), model.round_trip_e8(one.instrument))
        for one in market.series
    }
    origin = Origin(
        kind="spec",
        name=spec.name,
        description=spec.description,
        spec=canonical_text(spec),
        spec_hash=spec_hash(spec),
        timeframe=spec.timeframe,
        data=record.data,
        data_hash=market.data_hash,
        code_hash=code_hash(),
        seed=settings.seed,
        settings=in_words(settings, plan),
        assumptions=model.assumptions(),
        flags=market.flags,
        versions=versions(),
    )
    return concluded(origin, market, signals, plan, model, settings, record, spec.interval_ms)


def concluded(
    origin: Origin,
    market: Market,
    signals: Mapping[str, Signals],
    plan: Plan,
    model: FillModel,
    settings: Settings,
    record: Record,
    decides_ms: int,
) -> Backtest:
    """Simulate these setups, measure the result, leave its trial."""
    prepared = [prepare(one, model, [decides_ms]) for one in market.series]
    simulated = run(prepared, signals, plan, model, settings.capital, fills=True)
    assert simulated.fills is not None
    between = intraday(simulated.fills, market.series, settings.capital, simulated.equity_ms)
    equity = seen_daily(simulated.equity_ms, simulated.equity, settings.capital)
    totals = totals_of(simulated)
    trial = trial_of(origin, market, model, settings, record, equity, figures(equity, simulated.trades, totals=totals))
    trials, among = 0, None
    if record.trials is not None:
        record.trials.add(trial)
        among = record.trials.returns(market.symbols, market.span_ms).returns
        trials = len(among)
    return Backtest(
        origin=origin,
        span_ms=market.span_ms,
        interval_ms=market.interval_ms,
        instruments={one.symbol: one.instrument for one in market.series},
        capital=settings.capital,
        trades=simulated.trades,
        fills=simulated.fills if settings.fills else None,
        equity_ms=simulated.equity_ms,
        equity=simulated.equity,
        turnover=between.turnover,
        deepest=between.deepest,
        held=dict(zip(simulated.symbols, simulated.held, strict=True)),
        open_since_ms={
            symbol: time_ms
            for symbol, time_ms in zip(simulated.symbols, simulated.opened_ms, strict=True)
            if time_ms is not None
        },
        setups=sum(len(one.setups) for one in signals.values()),
        unsound=sum(one.unsound for one in signals.values()),
        ambiguous=simulated.ambiguous,
        unknown_impacts=simulated.unknown_impacts,
        liquidation_fees=simulated.liquidation_fees,
        performance=_performance(simulated, market, prepared, plan, model, settings, equity, totals, among),
        trades_digest=hashlib.sha256(simulated.trades.tobytes()).hexdigest(),
        trial_id=trial.id,
        trials=trials,
    )


def traded(spec: Spec, market: Market) -> Market:
    """The part of the market that the spec trades: all of it, or the symbols it names."""
    if not spec.symbols:
        return market
    if missing := [symbol for symbol in spec.symbols if symbol not in market.symbols]:
        raise UsageError(
            f"{spec.name} trades {', '.join(missing)}, and the data hold {', '.join(market.symbols)}: feed all."
        )
    return msgspec.structs.replace(market, series=tuple(one for one in market.series if one.symbol in spec.symbols))


def fit(spec: Spec, market: Market) -> Market:
    """What `traded` gives, for a spec that fits it: instruments, bars, and costs as they usually are, whatever a run is
    stressed with. Raises `SpecRefused`, `UsageError`."""
    market = traded(spec, market)
    instruments = {one.symbol: one.instrument for one in market.series}
    costs_e8 = {symbol: FillModel().round_trip_e8(one) for symbol, one in instruments.items()}
    check(spec, instruments, base_interval_ms=market.interval_ms, costs_e8=costs_e8)
    return market


def canonical_text(spec: Spec) -> str:
    """The rules as one line of JSON, the form that is hashed and kept."""
    return msgspec.json.encode(canonical(spec), order="sorted").decode()


def trial_of(
    origin: Origin,
    market: Market,
    model: FillModel,
    settings: Settings,
    record: Record,
    equity: DailyEquity,
    known: Figures,
    kind: str = "backtest",
) -> Trial:
    """The trial of one look."""
    kept = ("net_return", "max_drawdown", "sharpe_daily", "win_rate", "profit_factor", "expectancy_r", "exposure")
    return Trial(
        owner_id=record.owner_id,
        kind=kind,
        spec_hash=origin.spec_hash,
        spec=origin.spec,
        symbols=market.symbols,
        span_ms=market.span_ms,
        interval_ms=market.interval_ms,
        data_hash=market.data_hash,
        code_hash=origin.code_hash,
        fill_model=msgspec.json.encode(model, order="sorted").decode(),
        seed=settings.seed,
        settings=origin.settings,
        outcome=TrialOutcome.FINISHED,
        first_day=equity.first_day,
        returns=packed(returns_of(equity)),
        figures={"trades": float(known.trades), **{name: getattr(known, name) for name in kept}},
        name=origin.name,
        made_ms=record.made_ms,
    )


def _performance(
    simulated: Simulated,
    market: Market,
    prepared: Sequence[Prepared],
    plan: Plan,
    model: FillModel,
    settings: Settings,
    equity: DailyEquity,
    totals: Totals,
    among: npt.NDArray[Any] | None,
) -> Performance:
    returns = returns_of(equity)
    held = instrument_returns(market, equity.first_day, len(returns)) if len(returns) else None
    beside = Beside(
        excursions=excursions(simulated.trades, market),
        alpha=None if held is None else alpha(returns, held),
        hold=hold_market(market, settings.capital),
        random=_random(simulated.trades, market, prepared, plan, model, settings) if settings.random_draws else None,
    )
    return measure(
        equity,
        simulated.trades,
        market.symbols,
        seed=settings.seed,
        totals=totals,
        trials=among,
        beside=beside,
    )


def _random(
    trades: Rows, market: Market, prepared: Sequence[Prepared], plan: Plan, model: FillModel, settings: Settings
) -> RandomEntry:
    """Matched random strategies through the same loop, costs and sizing, without management: their stop and time stop
    alone end them."""
    loop = Loop(prepared, msgspec.structs.replace(plan, management=UNMANAGED, delay_bars=0), model, settings.capital)
    return random_entry(
        trades, market, loop.nets, capital=settings.capital, seed=settings.seed, draws=settings.random_draws
    )


def totals_of(simulated: Simulated) -> Totals:
    """Fees, funding, slippage and turnover of all fills of a run, and since when what is still open is."""
    return Totals(
        fees=simulated.fees,
        funding=simulated.funding,
        slippage=simulated.slippage,
        turnover=simulated.turnover,
        open_since_ms=tuple(time_ms for time_ms in simulated.opened_ms if time_ms is not None),
    )


@cache
def versions() -> dict[str, str]:
    """Of what computed it, and where."""
    return {
        "aister": version("aister"),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "numba": version("numba"),
        "machine": f"{platform.system()} {platform.machine()}",
    }
