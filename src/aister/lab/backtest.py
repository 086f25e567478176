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
from aister.analytics.performance import Beside, Performance, measure
from aister.analytics.random_entry import RandomEntry, random_entry
from aister.analytics.report.backtest import backtest_page
from aister.core.errors import UsageError
from aister.core.money import RATE_ONE, UNIT, money_text
from aister.core.trial import Trial, TrialOutcome, packed
from aister.execution.bracket import ManagementRules
from aister.features.columns import FeatureColumns
from aister.kernels.signals import EXIT
from aister.lab.batch import Plan, Prepared, Simulated, prepare, run
from aister.lab.code import code_hash
from aister.ports.market import Market
from aister.ports.signals import Signals
from aister.ports.trials import TrialLedger
from aister.sim.models import FillModel
from aister.strategy.spec.batch import compile_spec
from aister.strategy.spec.canon import canonical, spec_hash
from aister.strategy.spec.checks import check
from aister.strategy.spec.tree import Spec

__all__ = [
    "UNMANAGED",
    "Backtest",
    "Record",
    "Settings",
    "backtest_spec",
    "canonical_text",
    "concluded",
    "in_words",
    "managed",
    "model_of",
    "plan_of",
    "totals_of",
    "traded",
    "trial_of",
    "versions",
]

_NEVER = 99  # more targets than a position can have: the stop stays where it is
UNMANAGED = ManagementRules(_NEVER, 0)

Rows = npt.NDArray[Any]


class Backtest(Backtested, frozen=True, kw_only=True, eq=False):
    """A result that knows how to show itself."""

    def _repr_html_(self) -> str:
        """The report in a frame: what a notebook shows when a cell ends with the result."""
        page = html.escape(backtest_page(self), quote=True)
        return f'<iframe srcdoc="{page}" style="width:100%;height:720px;border:0" sandbox></iframe>'


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What decides a backtest besides rules and data. capital: money units; delay_bars: base bars between a decision
    and its order beyond the model's decision latency; seed: of bootstrap and random entry; random_draws: matched random
    strategies (0: none); fills: keep every execution."""

    capital: int = 10_000 * UNIT
    model: FillModel = FillModel()
    delay_bars: int = 0
    seed: int = 1
    random_draws: int = 1_000
    fills: bool = False

    def check(self) -> "Settings":
        """The settings; raises `UsageError` or `SettingsError` for what cannot be."""
        if not 10 * UNIT <= self.capital <= 1_000_000_000 * UNIT:
            raise UsageError("--capital must lie between 10 and 1,000,000,000 USDT; for example 10000.")
        if not 0 <= self.delay_bars <= 10_000:
            raise UsageError("--delay must lie between 0 and 10,000 bars.")
        if not 0 <= self.seed < 2**63:
            raise UsageError("--seed must be a whole number from 0 to 2^63 - 1; for example 1.")
        if not 0 <= self.random_draws <= 100_000:
            raise UsageError("--random-draws must lie between 0 and 100,000; 1000 is usual.")
        self.model.check()
        return self


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
    market = traded(spec, market)
    instruments = {one.symbol: one.instrument for one in market.series}
    check(spec, instruments, base_interval_ms=market.interval_ms)
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
    simulated = run(prepared, signals, plan, model, settings.capital, fills=settings.fills)
    equity = seen_daily(simulated.equity_ms, simulated.equity, settings.capital)
    totals = totals_of(simulated, equity)
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
        fills=simulated.fills,
        equity_ms=simulated.equity_ms,
        equity=simulated.equity,
        held=dict(zip(simulated.symbols, simulated.held, strict=True)),
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


def plan_of(spec: Spec, settings: Settings) -> Plan:
    """What is done with the spec's setups; what it leaves open is the plan's default."""
    usual = Plan()
    return Plan(
        risk_e8=spec.sizing.risk_e8 or usual.risk_e8,
        cap_e8=spec.sizing.notional_e8 or usual.cap_e8,
        management=managed(spec),
        delay_bars=settings.delay_bars,
    ).check()


def model_of(spec: Spec, settings: Settings) -> FillModel:
    """The fill model with the spec's leverage, where it names one."""
    if not spec.sizing.leverage:
        return settings.model
    margin = msgspec.structs.replace(settings.model.margin, leverage=spec.sizing.leverage)
    return msgspec.structs.replace(settings.model, margin=margin)


def managed(spec: Spec) -> ManagementRules:
    """How open positions are managed, as the spec says."""
    after = spec.management.break_even_after
    return ManagementRules(_NEVER if after is None else after, spec.management.trail_e4)


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
    still = msgspec.structs.replace(plan, management=UNMANAGED, delay_bars=0)
    none = np.zeros(0, EXIT)

    def simulate(setups: Sequence[Rows]) -> int:
        signals = {one.symbol: Signals(rows, none) for one, rows in zip(market.series, setups, strict=True)}
        made = run(prepared, signals, still, model, settings.capital)
        return int(made.trades["pnl"].sum())

    return random_entry(
        trades, market, simulate, capital=settings.capital, seed=settings.seed, draws=settings.random_draws
    )


def totals_of(simulated: Simulated, equity: DailyEquity) -> Totals:
    """Fees, funding, slippage and turnover of all fills of a run."""
    t = simulated.trades
    return Totals(
        fees=simulated.fees,
        funding=simulated.funding,
        slippage=simulated.slippage,
        turnover=int((t["entry_cost"] + t["exit_value"]).sum()),
    )


def in_words(settings: Settings, plan: Plan) -> dict[str, str]:
    """The settings that a trial and a result carry, for people and for the trial's identity."""
    return {
        "capital": f"{money_text(settings.capital, 2)} USDT",
        "risk": f"{plan.risk_e8 / RATE_ONE:.4%} of equity at the stop",
        "notional": f"at most {plan.cap_e8 / RATE_ONE:g} x equity",
        "management": _managed_in_words(plan.management),
        "delay": f"{plan.delay_bars} bars",
    }


def _managed_in_words(rules: ManagementRules) -> str:
    after, trail = rules.break_even_after, rules.trail_share_e4
    if after >= _NEVER:
        return "the stop stays where it is"
    start = f"stop to break-even after {after} {'target' if after == 1 else 'targets'}"
    return f"{start}, then {trail / 10_000:g} R behind the best close" if trail else start


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
