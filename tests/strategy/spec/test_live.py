"""The strategy the engine asks: when it decides, what it remembers, what is unknown, what it refuses to fire."""

from typing import Any

import pytest

from aister.core.trade import OrderType, Side
from aister.features.featureset import FeatureSet
from aister.strategy.spec.live import SpecStrategy
from aister.strategy.spec.spec import read_spec
from tests.strategy.scenes import CLOSE_MS, COST_E8, instrument, scene

QUARTER_MS = 900_000
CLOSE, RSI = {"feature": "close"}, {"feature": "rsi", "span": 14}
LONG: dict[str, Any] = {
    "entry": {">": [RSI, 60]},
    "stop": {"distance": 2},
    "targets": [{"r": 1.5, "share": 0.4}, {"r": 3, "share": 0.6}],
}


def strategy_of(**changes: Any) -> SpecStrategy:
    long = {
        **LONG,
        **{key: changes.pop(key) for key in ("entry", "exit", "order", "stop", "targets") if key in changes},
    }
    base = {"version": 1, "name": "tried", "timeframe": "15m", "horizon": {"bars": 8}, "long": long}
    return SpecStrategy(read_spec({**base, **changes}))


def at(close: int, **changes: float) -> FeatureSet:
    return scene({f"15m.{name}": value for name, value in changes.items()}, CLOSE_MS + close * QUARTER_MS)


def fired(strategy: SpecStrategy, features: FeatureSet) -> list[Side]:
    return [one.side for one in strategy.setups(features, instrument(), COST_E8)]


def test_a_setup_by_hand() -> None:
    """Close 100, stop 2 below: 98; targets 100 + 1.5 x 2 and 100 + 3 x 2; ticks of 0.1."""
    (setup,) = strategy_of().setups(at(0, rsi_14=61.0), instrument(), COST_E8)
    assert setup.id == f"BTCUSDT-{CLOSE_MS}-tried-long"
    assert (setup.entry_type, setup.entry_ticks, setup.stop_ticks) == (OrderType.MARKET, 1_000, 980)
    assert [(target.ticks, target.share_e4) for target in setup.targets] == [(1_030, 4_000), (1_060, 6_000)]
    assert (setup.horizon_ms, setup.life_ms) == (8 * QUARTER_MS, 2 * QUARTER_MS)
    assert [(one.feature, one.value) for one in setup.evidence] == [("15m.close", 100.0), ("15m.rsi_14", 61.0)][1:]


def test_prices_are_rounded_outward() -> None:
    """Limit 100 - 0.33 = 99.67: 99.6; stop 1.04 below it, 98.63: 98.6; target 1 R above it, 100.71: 100.8."""
    strategy = strategy_of(
        order={"limit": {"-": [CLOSE, 0.33]}, "life": 3}, stop={"distance": 1.04}, targets=[{"r": 1}]
    )
    (setup,) = strategy.setups(at(0, rsi_14=61.0), instrument(), COST_E8)
    assert (setup.entry_type, setup.entry_ticks, setup.stop_ticks) == (OrderType.LIMIT, 996, 986)
    assert setup.targets[0].ticks == 1_008
    assert setup.life_ms == 3 * QUARTER_MS


def test_a_stop_is_at_least_three_round_trips_away() -> None:
    """3 x 0.09 % of 100 is 0.27: the stop goes to 99.73, in ticks 99.7; R is 0.27, so the target is 100.54."""
    (setup,) = strategy_of(stop={"percent": 0.01}, targets=[{"r": 2}]).setups(at(0, rsi_14=61.0), instrument(), COST_E8)
    assert setup.stop_ticks == 997
    assert setup.targets[0].ticks == 1_006


@pytest.mark.parametrize(
    "changes",
    [{"rsi_14": 60.0}, {"rsi_14": 61.0, "complete": 0.0}],
)
def test_it_does_not_fire(changes: dict[str, float]) -> None:
    assert fired(strategy_of(), at(0, **changes)) == []


def test_it_decides_at_its_own_closes_only() -> None:
    assert fired(strategy_of(), scene({"15m.rsi_14": 61.0}, CLOSE_MS + 60_000)) == []


def test_it_trades_its_symbols_only() -> None:
    assert fired(strategy_of(symbols=["ETHUSDT"]), at(0, rsi_14=61.0)) == []
    assert fired(strategy_of(symbols=["BTCUSDT", "ETHUSDT"]), at(0, rsi_14=61.0)) == [Side.BUY]


def unknown_rsi(close: int) -> FeatureSet:
    known = {id: value for id, value in at(close).values.items() if id != "15m.rsi_14"}
    return FeatureSet("BTCUSDT", CLOSE_MS + close * QUARTER_MS, known, {"15m.rsi_14": "not yet"})


@pytest.mark.parametrize(
    ("entry", "fires"),
    [
        ({">": [RSI, 60]}, False),
        ({"not": {">": [RSI, 60]}}, False),
        ({"or": [{">": [RSI, 60]}, {"==": [CLOSE, 100]}]}, True),
        ({"not": {"and": [{">": [RSI, 60]}, {"<": [CLOSE, 100]}]}}, True),
        ({"not": {"or": [{">": [RSI, 60]}, {"<": [CLOSE, 100]}]}}, False),
        ({">=": [{"max": [RSI, 200]}, 200]}, False),
        ({"not": {"==": [{"/": [1, {"-": [CLOSE, 100]}]}, 5]}}, False),
        ({"<": [{"/": [CLOSE, {"-": [CLOSE, 100]}]}, 1e12]}, False),
    ],
)
def test_unknown_is_neither_true_nor_false(entry: dict[str, Any], fires: bool) -> None:
    assert bool(fired(strategy_of(entry=entry), unknown_rsi(0))) is fires


def test_a_crossing_is_of_consecutive_closes() -> None:
    crossing = strategy_of(entry={"crosses_above": [RSI, 60]})
    closes = [(0, 61.0), (1, 60.0), (2, 61.0), (3, 62.0), (4, 55.0), (6, 61.0), (7, 50.0), (8, 61.0)]
    assert [close for close, rsi in closes if fired(crossing, at(close, rsi_14=rsi))] == [2, 8]


def test_an_incomplete_bar_breaks_the_row() -> None:
    crossing = strategy_of(entry={"crosses_above": [RSI, 60]})
    rows = [at(0, rsi_14=50.0), at(1, rsi_14=50.0, complete=0.0), at(2, rsi_14=61.0)]
    assert [fired(crossing, one) for one in rows] == [[], [], []]


def test_ago_counts_decision_closes() -> None:
    rose = strategy_of(entry={">": [RSI, {"of": {"of": RSI, "ago": 1}, "ago": 2}]})
    values = [50.0, 51.0, 52.0, 51.0, 50.0, 49.0, 53.0]
    assert [close for close, rsi in enumerate(values) if fired(rose, at(close, rsi_14=rsi))] == [3, 6]


def test_symbols_have_a_memory_each() -> None:
    crossing = strategy_of(entry={"crosses_above": [RSI, 60]})
    assert fired(crossing, at(0, rsi_14=50.0)) == []
    other = scene({"15m.rsi_14": 61.0}, CLOSE_MS + QUARTER_MS, "ETHUSDT")
    assert crossing.setups(other, instrument("ETHUSDT"), COST_E8) == ()
    assert fired(crossing, at(1, rsi_14=61.0)) == [Side.BUY]


def test_asking_twice_at_a_close_is_asking_once() -> None:
    crossing = strategy_of(entry={"crosses_above": [RSI, 60]}, exit={"crosses_below": [RSI, 60]})
    for close, rsi, fires, leaves in ((0, 50.0, 0, 0), (1, 61.0, 1, 0), (2, 50.0, 0, 1)):
        features = at(close, rsi_14=rsi)
        for _ in range(2):
            assert len(crossing.exits(features, instrument())) == leaves
            assert len(fired(crossing, features)) == fires


@pytest.mark.parametrize(
    ("changes", "values"),
    [
        ({"stop": {"price": {"feature": "swing_high"}}}, {}),  # 103, above the entry: a wrong stop in this market
        ({"stop": {"distance": {"-": [RSI, 61.0]}}}, {}),  # at the entry
        ({"targets": [{"price": {"feature": "ema", "span": 20}}]}, {}),  # 99, behind the entry
        ({"targets": [{"r": 2, "share": 0.5}, {"price": {"feature": "swing_high"}, "share": 0.5}]}, {}),  # 104, 103
        ({"stop": {"distance": 101}}, {}),  # below nothing
        ({"stop": {"distance": {"feature": "atr", "span": 14}}}, {"atr_14": None}),
    ],
)
def test_a_setup_that_is_not_sound_does_not_fire_and_is_counted(
    changes: dict[str, Any], values: dict[str, None]
) -> None:
    strategy = strategy_of(**changes)
    features = at(0, rsi_14=61.0)
    known = {id: value for id, value in features.values.items() if id.removeprefix("15m.") not in values}
    assert fired(strategy, FeatureSet("BTCUSDT", CLOSE_MS, known, {})) == []
    assert strategy.unsound == 1


def test_long_before_short_and_the_first_sound_one() -> None:
    short = {**LONG, "entry": {">": [RSI, 50]}}
    assert fired(strategy_of(short=short), at(0, rsi_14=61.0)) == [Side.BUY]
    assert fired(strategy_of(short=short), at(0, rsi_14=55.0)) == [Side.SELL]
    strategy = strategy_of(short=short, stop={"price": {"feature": "swing_high"}})
    assert fired(strategy, at(0, rsi_14=61.0)) == [Side.SELL]
    assert strategy.unsound == 1


def test_a_filter_holds_for_entries_not_for_exits() -> None:
    strategy = strategy_of(filter={"weekdays": "sunday"}, exit={">": [RSI, 60]})
    features = scene({"15m.rsi_14": 61.0, "session.weekday": 1.0})
    assert fired(strategy, features) == []
    assert strategy.exits(features, instrument()) == (Side.BUY,)
    assert fired(strategy, scene({"15m.rsi_14": 61.0, "session.weekday": 6.0}, CLOSE_MS + QUARTER_MS)) == [Side.BUY]


def test_what_it_reads_is_told() -> None:
    strategy = strategy_of(
        entry={">": [{"feature": "ema", "timeframe": "1h", "span": 34}, {"feature": "ema", "span": 20}]}
    )
    assert strategy.features == ("15m.close", "1h.ema_34", "15m.ema_20")
    assert strategy.indicators == (("1h", "ema_34"),)
