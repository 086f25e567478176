"""One report per episode, in a fixed order, the same in every run, mirrored in a mirrored market, blind to the
future."""

from collections import Counter

import pytest

from aister.adapters.feeds.recorded import open_feed
from aister.core.council import Setup
from aister.core.events import BarClosed
from aister.core.trade import Side
from aister.features.featureset import FeatureSet
from aister.features.market import Features
from aister.features.timeframes import mask
from aister.strategy.confluence import RULES, Confluence
from aister.strategy.strategy import Strategy
from tests.features.markets import bars_of
from tests.kernels.walks import MINUTE_MS
from tests.strategy.scenes import CLOSE_MS, COST_E8, LONG, instrument, scene

QUARTER_MS = 900_000


def run(bars: list[BarClosed], strategy: Strategy | None = None, cost_e8: int = COST_E8) -> list[Setup]:
    features, strategy = Features(bars[0].time_ms - bars[0].open_time_ms, ["BTCUSDT"]), strategy or Confluence()
    contract = instrument()
    return [
        setup
        for bar in bars
        if features.update(bar) & strategy.mask
        for setup in strategy.setups(features.snapshot("BTCUSDT", bar.time_ms), contract, cost_e8)
    ]


def test_the_strategy_decides_on_15m_and_1h() -> None:
    assert Confluence().mask == mask("15m", "1h")
    assert Confluence((RULES[0],)).mask == mask("15m")


def test_an_episode_on_a_swing_is_reported_once_per_swing() -> None:
    strategy, contract = Confluence(), instrument()

    def ask(i: int, changes: dict[str, float]) -> list[str]:
        found = strategy.setups(scene(changes, CLOSE_MS + i * QUARTER_MS), contract, COST_E8)
        return [setup.rule for setup in found]

    sweep = LONG["sweep_reversal"]
    assert ask(0, sweep) == ["sweep_reversal"]
    assert ask(1, sweep) == []
    assert ask(2, {}) == []
    assert ask(3, sweep) == []  # the same swing, swept again
    assert ask(5, sweep | {"15m.swing_low_formed_at": 3_000.0}) == ["sweep_reversal"]


def test_an_episode_without_a_swing_ends_when_the_rule_sees_nothing() -> None:
    strategy, contract = Confluence(), instrument()
    hours = [LONG["hour_momentum"], LONG["hour_momentum"], {}, LONG["hour_momentum"]]
    found = [strategy.setups(scene(h, CLOSE_MS + i * 3_600_000), contract, COST_E8) for i, h in enumerate(hours)]
    assert [len(setups) for setups in found] == [1, 0, 0, 1]


def test_episodes_of_two_symbols_are_two() -> None:
    strategy = Confluence()
    for symbol in ("BTCUSDT", "ETHUSDT"):
        found = strategy.setups(scene(LONG["breakout"], symbol=symbol), instrument(symbol), COST_E8)
        assert [(setup.symbol, setup.rule) for setup in found] == [(symbol, "breakout")]


def test_together_they_come_in_the_order_of_the_rules() -> None:
    both = LONG["hour_momentum"] | LONG["breakout"]
    found = Confluence().setups(scene(both), instrument(), COST_E8)
    assert [setup.rule for setup in found] == ["breakout", "hour_momentum"]


def test_an_incomplete_bar_decides_nothing() -> None:
    assert Confluence().setups(scene(LONG["breakout"] | {"15m.complete": 0.0}), instrument(), COST_E8) == ()


@pytest.mark.parametrize(("offset_ms", "rules"), [(0, ["hour_momentum"]), (QUARTER_MS, []), (MINUTE_MS, [])])
def test_a_rule_is_asked_when_its_own_timeframe_closes(offset_ms: int, rules: list[str]) -> None:
    found = Confluence().setups(scene(LONG["hour_momentum"], CLOSE_MS + offset_ms), instrument(), COST_E8)
    assert [setup.rule for setup in found] == rules


def flipped(bars: list[BarClosed], around: float) -> list[BarClosed]:
    return [
        BarClosed(
            b.time_ms,
            b.symbol,
            b.open_time_ms,
            around - b.open,
            around - b.low,
            around - b.high,
            around - b.close,
            b.volume,
        )
        for b in bars
    ]


def test_a_market_upside_down_gives_the_mirrored_setups() -> None:
    """p -> c - p turns every long into a short at the same moment, with the same distances, over 90 days."""
    bars = bars_of(8_640, seed=21, interval_ms=QUARTER_MS)
    around = 4.0 * max(bar.high for bar in bars)
    mine, theirs = run(bars, cost_e8=0), run(flipped(bars, around), cost_e8=0)
    contract = instrument()
    assert len(mine) > 300
    assert {setup.rule for setup in mine} == {rule.name for rule in RULES}
    key = [(s.time_ms, s.rule, s.side.word) for s in mine]
    assert sorted(key) == sorted((s.time_ms, s.rule, s.side.opposite.word) for s in theirs)
    by_id = {s.id: s for s in mine}
    for their in theirs:
        my = by_id[f"BTCUSDT-{their.time_ms}-{their.rule}-{their.side.opposite.word}"]
        pairs = [(their.entry_ticks, my.entry_ticks), (their.stop_ticks, my.stop_ticks)]
        pairs += [(a.ticks, b.ticks) for a, b in zip(their.targets, my.targets, strict=True)]
        for theirs_ticks, my_ticks in pairs:
            assert abs(around - contract.price(theirs_ticks) - contract.price(my_ticks)) <= contract.price(2)


def test_the_future_changes_no_setup_of_the_past() -> None:
    bars = bars_of(40_000, seed=4)
    known = run(bars)
    for cut in (20_000, 31_111):
        noise = [
            BarClosed(b.time_ms, b.symbol, b.open_time_ms, 2 * b.open, 3 * b.high, b.low, 2 * b.close, 7.0)
            for b in bars[cut : cut + 3_000]
        ]
        before = [setup for setup in known if setup.time_ms <= bars[cut - 1].time_ms]
        again = run(bars[:cut] + noise)
        assert len(before) > 50
        assert [s for s in again if s.time_ms <= bars[cut - 1].time_ms] == before
        assert [s for s in again if s.time_ms > bars[cut - 1].time_ms] != known[len(before) :]


@pytest.fixture(scope="module")
def sample_setups() -> list[Setup]:
    feed = open_feed("sample")
    features, strategy = Features(feed.base_interval_ms, feed.symbols), Confluence()
    found: list[Setup] = []
    for part in feed.slices():
        for funding in part.funding:
            features.settle(funding)
        for bar in part.bars:
            if features.update(bar) & strategy.mask:
                taken: FeatureSet = features.snapshot(bar.symbol, bar.time_ms)
                found += strategy.setups(taken, feed.instruments[bar.symbol], COST_E8)
    return found


def test_the_sample_carries_enough_of_every_rule_and_side(sample_setups: list[Setup]) -> None:
    counts = Counter((setup.rule, setup.side) for setup in sample_setups)
    for rule in RULES:
        for side in (Side.BUY, Side.SELL):
            assert counts[rule.name, side] >= 20, (rule.name, side)
    assert 300 <= len(sample_setups) <= 900
    assert len({setup.id for setup in sample_setups}) == len(sample_setups)


def test_most_stops_of_the_sample_are_wide_enough_for_the_cost_and_some_are_not(sample_setups: list[Setup]) -> None:
    dear = [s for s in sample_setups if COST_E8 / 1e8 * s.entry_ticks / abs(s.entry_ticks - s.stop_ticks) > 0.15]
    assert 0.01 < len(dear) / len(sample_setups) < 0.2
