"""Every template is sound, fires both ways on the packaged sample, and keeps its stops clear of costs."""

from functools import cache

import pytest

from aister.adapters.feeds.recorded import RecordedFeed, open_feed
from aister.app.build import costs_of
from aister.core.errors import UsageError
from aister.features.columns import FeatureColumns
from aister.ports.signals import Signals
from aister.strategy.spec.batch import compile_spec
from aister.strategy.spec.checks import check
from aister.strategy.spec.live import SpecStrategy
from aister.strategy.templates import template, template_names

NAMES = template_names()


@cache
def sample() -> tuple[RecordedFeed, list[FeatureColumns]]:
    feed = open_feed("sample")
    return feed, [FeatureColumns(series) for series in feed.market().series]


@cache
def signals_of(name: str) -> list[tuple[int, int, Signals]]:
    """(tick_e8, cost_e8, signals) by symbol."""
    feed, columns = sample()
    costs = costs_of(feed)
    return [
        (
            one.series.instrument.tick_e8,
            costs[one.series.symbol],
            compile_spec(template(name), one, costs[one.series.symbol]),
        )
        for one in columns
    ]


def test_there_are_at_least_eight_on_15m_and_1h() -> None:
    assert len(NAMES) >= 8
    assert {template(name).timeframe for name in NAMES} == {"15m", "1h"}
    assert all(template(name).name == name and len(template(name).description) > 80 for name in NAMES)


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(UsageError, match="There is no template 'none'; choose one of bollinger_reversion, "):
        template("none")


@pytest.mark.parametrize("name", NAMES)
def test_it_can_be_traded_on_the_sample(name: str) -> None:
    feed, _ = sample()
    spec = template(name)
    assert check(spec, feed.instruments, base_interval_ms=feed.base_interval_ms, costs_e8=costs_of(feed)) is spec
    assert SpecStrategy(spec).name == name


@pytest.mark.parametrize("name", NAMES)
def test_it_fires_long_and_short(name: str) -> None:
    sides = [side for _, _, signals in signals_of(name) for side in signals.setups["side"].tolist()]
    assert sides.count(1) > 0 and sides.count(-1) > 0, (sides.count(1), sides.count(-1))


@pytest.mark.parametrize("name", NAMES)
def test_stops_are_three_round_trips_away(name: str) -> None:
    for _, cost_e8, signals in signals_of(name):
        setups = signals.setups
        distance = (setups["entry_ticks"] - setups["stop_ticks"]) * setups["side"]
        assert (distance >= 3 * setups["entry_ticks"] * cost_e8 / 1e8 - 1).all()
        assert (setups["share_e4"].sum(axis=1) == 10_000).all()
