"""Random experiments out of one seed: markets with gaps, setups and exits of every shape, every fill model."""

import msgspec
import numpy as np
import numpy.typing as npt

from aister.execution.bracket import ManagementRules, ScalingRules
from aister.features.timeframes import INTERVAL_MS
from aister.kernels.signals import EXIT, SETUP
from aister.lab.batch import Plan
from aister.ports.market import Market, Series
from aister.ports.signals import ADD, Signals
from aister.sim.models import Fees, FeeTier, FillModel, Impact, Latency, Margin, Slippage
from tests.parity.both import Case, float_column
from tests.sim.market import MINUTE_MS, MONEY, bracketed, instrument

__all__ = ["falling_case", "random_case"]

START_MS = 1_746_403_200_000
HISTORY = 40


def random_case(
    seed: int, *, bars: int = 300, symbols: int = 1, hedge: bool = False, cross: bool = False, adds: bool = False
) -> Case:
    """One experiment, all of it from `seed`: hedged or one-way, on cross margin or as it comes (several symbols:
    isolated), with or without further entries."""
    rng = np.random.default_rng(seed)
    timeframes = [("1m",), ("5m",), ("15m",), ("1m", "5m"), ("5m", "15m")][int(rng.integers(5))]
    names = ("BTCUSDT", "ETHUSDT", "SOLUSDT")[:symbols]
    grain = int(rng.choice([20, 200, 2_000]))
    series = tuple(random_series(rng, name, bars, grain) for name in names)
    end_ms = max(int(one.open_ms[-1]) for one in series) + MINUTE_MS
    market = Market(series, (min(int(one.open_ms[one.start]) for one in series), end_ms), "made up")
    signals = {one.symbol: random_signals(rng, one, timeframes, grain) for one in series}
    model = random_model(rng)
    if symbols > 1 or cross:
        model = msgspec.structs.replace(model, margin=Margin("cross" if cross else "isolated", model.margin.leverage))
    if hedge:
        model = msgspec.structs.replace(model, position_mode="hedge")
    plan = Plan(
        risk_e8=int(rng.choice([20_000, 500_000, 5_000_000])),
        cap_e8=int(rng.choice([50_000_000, 100_000_000, 2_000_000_000])),
        management=ManagementRules(int(rng.integers(0, 3)), int(rng.choice([0, 3_000, 10_000]))),
        delay_bars=int(rng.choice([0, 0, 1, 3])),
    )
    if cross and rng.random() < 0.5:  # as much as the venue lends, so that accounts are liquidated
        model = msgspec.structs.replace(model, margin=Margin("cross", 100))
        plan = msgspec.structs.replace(plan, risk_e8=90_000_000, cap_e8=2_000_000_000)
    if adds:
        signals = {
            one.symbol: msgspec.structs.replace(signals[one.symbol], adds=random_adds(rng, one, timeframes, grain))
            for one in series
        }
        plan = msgspec.structs.replace(plan, scaling=random_scaling(rng))
    capital = int(rng.choice([3_000, 10_000, 1_000_000])) * MONEY
    return Case(market, signals, plan, model, capital, timeframes)


def falling_case(seed: int, *, symbols: int, hedge: bool) -> Case:
    """A market that falls by 7 % and an account, cross, that bought as much as it could in every symbol: one after the
    other is liquidated. Hedged, the first symbol is held short besides, at a third of the size."""
    rng = np.random.default_rng(seed)
    case = random_case(seed, bars=160, symbols=symbols, hedge=hedge, cross=True)
    series, signals = [], {}
    for number, one in enumerate(case.market.series):
        down = np.arange(len(one.open_ms)) * 600
        fallen = {
            name: float_column(np.rint(getattr(one, name) * 10) - down) for name in ("open", "high", "low", "close")
        }
        bracketed_terms = msgspec.structs.replace(one.instrument, brackets=bracketed().brackets)
        series.append(
            msgspec.structs.replace(one, instrument=bracketed_terms, volume=one.volume * 0 + 5_000.0, **fallen)
        )
        rows = []
        for bar in range(one.start + number, one.start + number + (2 if hedge and number == 0 else 1)):
            side = 1 if bar == one.start + number else -1
            close = round(series[-1].close[bar] * 10)
            stop = close - side * int(rng.integers(90_000, 120_000) * (1 if side > 0 else 3))
            targets = (close + side * 400_000, 0, 0)
            time_ms = int(one.open_ms[bar]) + MINUTE_MS
            rows.append((time_ms, side, 0, close, stop, 1, targets, (10_000, 0, 0), 600 * MINUTE_MS, 10 * MINUTE_MS))
        signals[one.symbol] = Signals(np.array(rows, SETUP), np.zeros(0, EXIT))
    market = msgspec.structs.replace(case.market, series=tuple(series))
    model = msgspec.structs.replace(case.model, margin=Margin("cross", 50), latency=Latency(0, 0, 0))
    plan = Plan(risk_e8=90_000_000, cap_e8=2_000_000_000)
    return Case(market, signals, plan, model, 10_000 * MONEY, ("1m",))


def random_model(rng: np.random.Generator) -> FillModel:
    """Any fill model the batch loop runs."""
    tiers = (FeeTier(0, 20_000, 50_000), FeeTier(50_000 * MONEY, 10_000, 40_000))
    return FillModel(
        fees=Fees(int(rng.choice([0, 10_000, 20_000])), tiers if rng.random() < 0.3 else ()),
        slippage=Slippage(stop_floor_e8=int(rng.choice([0, 10_000])), stop_range_percent=int(rng.choice([0, 10, 50]))),
        impact=None if rng.random() < 0.5 else Impact(),
        volume_share_e4=int(rng.choice([0, 500, 2_000])),
        latency=Latency(*(int(rng.choice([0, 150, 60_000, 130_000], p=[0.3, 0.4, 0.2, 0.1])) for _ in range(3))),
        margin=Margin("cross" if rng.random() < 0.3 else "isolated", int(rng.choice([1, 3, 20, 100]))),
        intrabar="ohlc_path" if rng.random() < 0.4 else "stop_first",
    )


def random_series(rng: np.random.Generator, symbol: str, bars: int, grain: int) -> Series:
    """A walk on the grid of 0.1 around 100,000 with gaps between bars, missing bars and settlements."""
    kept = np.flatnonzero(rng.random(bars) >= 0.03)
    n = len(kept)
    open_ms = START_MS - HISTORY * MINUTE_MS + kept.astype(np.int64) * MINUTE_MS
    o, h, l, c = (np.zeros(n, np.int64) for _ in range(4))
    price = 1_000_000
    for i in range(n):
        jump = grain * 6 if rng.random() < 0.02 else grain // 4
        o[i] = max(1_000, price + int(rng.integers(-jump, jump + 1)))
        h[i], l[i] = o[i] + int(rng.integers(0, grain + 1)), o[i] - int(rng.integers(0, grain + 1))
        price = c[i] = int(rng.integers(l[i], h[i] + 1))
    terms = (bracketed if rng.random() < 0.7 else instrument)()
    changes: dict[str, int] = {"market_max_steps": 40} if rng.random() < 0.1 else {}
    volume = np.round(rng.exponential(rng.choice([0.2, 2.0, 50.0]), n), 3)
    settled = open_ms[:: int(rng.integers(17, 90))]
    return Series(
        instrument=msgspec.structs.replace(terms, symbol=symbol, base=symbol[:3], **changes),
        interval_ms=MINUTE_MS,
        open_ms=open_ms,
        open=float_column(o),
        high=float_column(h),
        low=float_column(l),
        close=float_column(c),
        volume=volume,
        funding_ms=settled,
        funding_e8=rng.integers(-200_000, 200_001, len(settled)),
        start=int(np.searchsorted(open_ms, START_MS)),
        funding_assumed=np.arange(len(settled)) % 2 == 0 if len(settled) % 3 == 0 else None,
    )


def random_signals(rng: np.random.Generator, one: Series, timeframes: tuple[str, ...], grain: int) -> Signals:
    """Setups and exits at decision closes: market and limit, one to three targets, near and far."""
    shortest = min(INTERVAL_MS[name] for name in timeframes)
    closes = one.open_ms + MINUTE_MS
    decides = (closes % shortest == 0) & (np.arange(len(closes)) >= one.start)
    often = float(rng.choice([0.1, 0.5, 1.0]))
    reach = grain * float(rng.choice([0.3, 1.5, 5.0]))
    rows, exits = [], []
    for i in np.flatnonzero(decides):
        if rng.random() < often:
            rows.append(random_setup(rng, one, int(i), reach))
        if rng.random() < often / 8:
            exits += [
                (int(closes[i]), side) for side in ((-1, 1) if rng.random() < 0.2 else (int(rng.choice([-1, 1])),))
            ]
    return Signals(np.array(rows, SETUP), np.array(exits, EXIT))


def random_scaling(rng: np.random.Generator) -> ScalingRules:
    return ScalingRules(
        times=int(rng.integers(1, 4)),
        share_e4=int(rng.choice([2_500, 5_000, 10_000])),
        first_e4=int(rng.choice([2_500, 5_000, 10_000])),
        beyond_risk=bool(rng.random() < 0.5),
    )


def random_adds(rng: np.random.Generator, one: Series, timeframes: tuple[str, ...], grain: int) -> npt.NDArray[np.void]:
    """Further entries of either side at decision closes, with stops near and far, and without."""
    shortest = min(INTERVAL_MS[name] for name in timeframes)
    rows = []
    often = float(rng.choice([0.2, 0.7]))
    for i in range(one.start, len(one.open_ms)):
        time_ms, close = int(one.open_ms[i]) + MINUTE_MS, round(one.close[i] * 10)
        if time_ms % shortest:
            continue
        for side in (1, -1):
            if rng.random() < often:
                stop = max(1, close - side * int(rng.integers(1, 8 * grain))) if rng.random() < 0.6 else 0
                rows.append((time_ms, side, stop))
    return np.array(rows, ADD)


def random_setup(rng: np.random.Generator, one: Series, i: int, reach: float) -> tuple[object, ...]:
    side, limit = int(rng.choice([-1, 1])), int(rng.random() < 0.4)
    close = round(one.close[i] * 10)
    entry = close - side * int(rng.integers(-2, int(reach) + 2)) if limit else close
    stop = entry - side * int(rng.integers(1, int(reach * rng.choice([1, 20])) + 2))
    count = int(rng.integers(1, 4))
    away: npt.NDArray[np.int64] = 1 + np.sort(rng.integers(0, int(reach * 2) + 3, 3))
    shares = [int(rng.integers(0, 8_000)) for _ in range(3)] if count > 1 else [10_000, 0, 0]
    targets = [int(entry + side * d) if k < count else 0 for k, d in enumerate(away)]
    horizon = int(rng.integers(1, 90)) * MINUTE_MS + int(rng.choice([0, 1, 30_000]))
    life = int(rng.integers(1, 20)) * MINUTE_MS
    time_ms = int(one.open_ms[i]) + MINUTE_MS
    return time_ms, side, limit, entry, max(1, stop), count, tuple(targets), tuple(shares), horizon, life
