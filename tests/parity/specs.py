"""Experiments out of specs: the batch path compiles one, the event engine asks it bar by bar."""

from functools import cache

import msgspec
import numpy as np

from aister.app.build import open_data
from aister.execution.bracket import ManagementRules
from aister.features.columns import FeatureColumns
from aister.lab.batch import Plan
from aister.lab.settings import managed, scaled
from aister.ports.market import Market, Series
from aister.sim.models import FillModel
from aister.strategy.spec.batch import Sheet, compile_spec
from aister.strategy.spec.live import SpecStrategy
from aister.strategy.spec.tree import Spec
from tests.kernels.walks import START_MS, walk
from tests.parity.both import Case
from tests.parity.cases import random_model
from tests.parity.runs import settings
from tests.sim.market import MINUTE_MS, MONEY
from tests.strategy.scenes import instrument

__all__ = ["CAPITAL", "case_of", "random_spec_case", "sample_ground"]

HISTORY = 120
CAPITAL = 10_000 * MONEY
HOUR_MS = 3_600_000
FIVE_MS = 300_000


class Ground(msgspec.Struct, frozen=True, eq=False):
    """A series with what is worked out over it once."""

    market: Market
    columns: FeatureColumns
    sheets: dict[str, Sheet]


@cache
def ground(seed: int, minutes: int, bars: int) -> Ground:
    """A walk with gaps of one bar and of several, history in front, settlements every eight hours."""
    interval_ms = minutes * MINUTE_MS
    rng = np.random.default_rng(seed)
    lost = np.concatenate([rng.integers(HISTORY + 1, bars, 3), np.arange(bars // 2, bars // 2 + 9)])
    columns = walk(bars, seed, start=90_000.0, interval_ms=interval_ms).take(np.setdiff1d(np.arange(bars), lost))
    settled = np.arange(START_MS, int(columns.open_time_ms[-1]), 8 * HOUR_MS)
    rates = rng.integers(-30_000, 30_001, len(settled))
    return ground_of(Series(instrument(), interval_ms, *columns, settled, rates, start=HISTORY))


def ground_of(series: Series) -> Ground:
    span_ms = (int(series.open_ms[series.start]), int(series.open_ms[-1]) + series.interval_ms)
    columns = FeatureColumns(series)
    names = [name for name in ("5m", "15m", "1h") if series.interval_ms <= 300_000]
    return Ground(Market((series,), span_ms, "made up"), columns, {name: Sheet(columns, name) for name in names})


@cache
def sample_ground(symbol: str, days: int) -> Ground:
    """The first days of the packaged recording in bars of five minutes."""
    one = open_data(settings(days, symbols=(symbol,), mind="none")).market().series[0]
    first = np.flatnonzero(np.diff(one.open_ms // FIVE_MS, prepend=-1))
    return ground_of(
        Series(
            instrument=one.instrument,
            interval_ms=FIVE_MS,
            open_ms=one.open_ms[first] // FIVE_MS * FIVE_MS,
            open=one.open[first],
            high=np.maximum.reduceat(one.high, first),
            low=np.minimum.reduceat(one.low, first),
            close=one.close[np.append(first[1:], len(one.open_ms)) - 1],
            volume=np.add.reduceat(one.volume, first),
            funding_ms=one.funding_ms,
            funding_e8=one.funding_e8,
            start=0,
        )
    )


def case_of(spec: Spec, over: Ground, plan: Plan, model: FillModel, capital: int = CAPITAL) -> Case:
    """The spec's experiment: setups compiled for the batch path, the strategy itself for the engine."""
    series = over.market.series[0]
    signals = compile_spec(spec, over.columns, model.round_trip_e8(series.instrument), over.sheets[spec.timeframe])
    given = {series.symbol: signals}
    return Case(over.market, given, plan, model, capital, (spec.timeframe,), SpecStrategy(spec))


def random_spec_case(spec: Spec, seed: int) -> Case:
    """A random market, plan and fill model for a spec, all of it from `seed`."""
    rng = np.random.default_rng(seed)
    minutes = int(rng.choice([1, 5, 5]))
    over = ground(int(rng.integers(4)), minutes, 1_500 if minutes == 5 else 2_500)
    model = random_model(rng)
    if minutes == 1 and rng.random() < 0.3:
        model = msgspec.structs.replace(model, intrabar="lower_timeframe")
    plan = Plan(
        risk_e8=int(rng.choice([20_000, 500_000, 5_000_000])),
        cap_e8=int(rng.choice([50_000_000, 100_000_000, 2_000_000_000])),
        management=managed(spec) if rng.random() < 0.7 else ManagementRules(1, 5_000),
        delay_bars=int(rng.choice([0, 0, 1, 3])),
        scaling=scaled(spec),
    )
    if rng.random() < 0.3:
        model = msgspec.structs.replace(model, position_mode="hedge")
    return case_of(spec, over, plan, model, int(rng.choice([3_000, 10_000, 1_000_000])) * MONEY)


@cache
def _named(seed: int, symbol: str) -> Ground:
    """A walk in five-minute bars under another name."""
    series = ground(seed, 5, 1_500).market.series[0]
    terms = msgspec.structs.replace(series.instrument, symbol=symbol, base=symbol.removesuffix("USDT"))
    return ground_of(msgspec.structs.replace(series, instrument=terms))


def shared_wallet_case(spec: Spec, seed: int) -> Case:
    """The same on two or three symbols of one wallet, isolated or cross, one-way or hedged."""
    rng = np.random.default_rng(seed)
    names = ("BTCUSDT", "ETHUSDT", "SOLUSDT")[: int(rng.integers(2, 4))]
    grounds = [_named(int(rng.integers(4)), name) for name in names]
    model = random_model(rng)
    if rng.random() < 0.3:
        model = msgspec.structs.replace(model, position_mode="hedge")
    series = tuple(over.market.series[0] for over in grounds)
    signals = {
        one.symbol: compile_spec(spec, over.columns, model.round_trip_e8(one.instrument), over.sheets[spec.timeframe])
        for one, over in zip(series, grounds, strict=True)
    }
    market = Market(series, grounds[0].market.span_ms, "made up")
    plan = Plan(
        risk_e8=int(rng.choice([500_000, 5_000_000])),
        cap_e8=int(rng.choice([100_000_000, 2_000_000_000])),
        management=managed(spec),
        scaling=scaled(spec),
    )
    return Case(market, signals, plan, model, CAPITAL, (spec.timeframe,), SpecStrategy(spec))
