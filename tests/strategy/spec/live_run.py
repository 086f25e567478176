"""A spec driven close by close through `Features`, as the engine would, and what it said as rows of a batch run."""

from typing import Any

import numpy as np

from aister.core.council import Setup
from aister.core.events import BarClosed, FundingSettled
from aister.core.trade import OrderType
from aister.features.featureset import FeatureSet
from aister.features.market import Features
from aister.ports.market import Series
from aister.ports.signals import Signals
from aister.strategy.spec.live import SpecStrategy
from aister.strategy.spec.tree import Spec

COST_E8 = 90_000


def closes(spec: Spec, series: Series) -> list[FeatureSet]:
    """What is known whenever the spec's timeframe closes inside the span; settlements come with their bar's close."""
    strategy = SpecStrategy(spec)
    features = Features(series.interval_ms, [series.symbol], indicators=strategy.indicators)
    found: list[FeatureSet] = []
    settled = 0
    rows = zip(series.open_ms.tolist(), *(c.tolist() for c in _prices(series)), strict=True)
    for index, (open_ms, *prices) in enumerate(rows):
        while settled < len(series.funding_ms) and series.funding_ms[settled] < open_ms + series.interval_ms:
            features.settle(_settlement(series, settled))
            settled += 1
        bar = BarClosed(open_ms + series.interval_ms, series.symbol, open_ms, *prices)
        if features.update(bar) & strategy.mask and index >= series.start:
            found.append(features.snapshot(series.symbol, bar.time_ms))
    return found


def drive(spec: Spec, series: Series) -> tuple[list[Setup], list[tuple[int, int]], int]:
    """(setups, (time, side) of exits, unsound ones)."""
    strategy = SpecStrategy(spec)
    setups: list[Setup] = []
    exits: list[tuple[int, int]] = []
    for features in closes(spec, series):
        setups += strategy.setups(features, series.instrument, COST_E8)
        exits += [(features.time_ms, int(side)) for side in strategy.exits(features, series.instrument)]
    return setups, exits, strategy.unsound


def rows_of(signals: Signals) -> list[tuple[Any, ...]]:
    """Setups of a batch run, comparable with `said`."""
    found: list[tuple[Any, ...]] = []
    for time, side, limit, entry, stop, count, ticks, shares, horizon, life in signals.setups.tolist():
        targets = tuple(zip(np.ravel(ticks).tolist(), np.ravel(shares).tolist(), strict=True))
        found.append((time, side, limit, entry, stop, targets[:count], horizon, life))
    return found


def said(setups: list[Setup]) -> list[tuple[Any, ...]]:
    return [
        (
            one.time_ms,
            int(one.side),
            int(one.entry_type is OrderType.LIMIT),
            one.entry_ticks,
            one.stop_ticks,
            tuple((target.ticks, target.share_e4) for target in one.targets),
            one.horizon_ms,
            one.life_ms,
        )
        for one in setups
    ]


def _prices(series: Series) -> tuple[Any, ...]:
    return series.open, series.high, series.low, series.close, series.volume


def _settlement(series: Series, index: int) -> FundingSettled:
    times = series.funding_ms
    return FundingSettled(
        int(times[index]), series.symbol, int(series.funding_e8[index]), series.instrument.funding_interval_ms
    )
