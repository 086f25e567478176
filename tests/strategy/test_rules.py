"""Each rule on a hand-made market: it sees what it says, misses what nearly is, and shorts are longs upside down."""

import pytest

from aister.core.trade import OrderType, Side
from aister.strategy.confluence import RULES, Confluence
from aister.strategy.strategy import COST_MULTIPLE, Noting, NotKnown, Reading
from tests.strategy.scenes import BASE, COST_E8, LONG, instrument, mirrored, scene

NAMES = [rule.name for rule in RULES]
BY_NAME = {rule.name: rule for rule in RULES}


def fired(changes: dict[str, float]) -> list[tuple[str, str]]:
    return [(s.rule, s.side.word) for s in Confluence().setups(scene(changes), instrument(), COST_E8)]


def test_a_quiet_market_gives_nothing() -> None:
    assert fired({}) == []
    assert fired(mirrored(BASE)) == []


@pytest.mark.parametrize("name", NAMES)
def test_each_rule_sees_its_long_and_only_that(name: str) -> None:
    assert fired(LONG[name]) == [(name, "long")]


@pytest.mark.parametrize("name", NAMES)
def test_shorts_are_longs_upside_down(name: str) -> None:
    assert fired(mirrored(BASE | LONG[name])) == [(name, "short")]


NEAR_MISSES = [
    ("trend_pullback", {"15m.low": 99.01}),  # did not reach the average
    ("trend_pullback", {"15m.close": 98.95}),  # did not close back above it
    ("trend_pullback", {"15m.open": 99.6}),  # no bullish close
    ("trend_pullback", {"1h.close": 98.9}),  # the hour does not trend
    ("trend_pullback", {"15m.ema_spread": -0.1}),
    ("trend_pullback", {"15m.adx_14": 24.9}),
    ("trend_pullback", {"15m.rsi_14": 65.0}),  # late
    ("range_reversion", {"15m.adx_14": 20.0}),  # not calm
    ("range_reversion", {"15m.low": 98.0}),  # never left the band
    ("range_reversion", {"15m.close": 98.0}),  # not back inside
    ("range_reversion", {"15m.vwap_distance": 0.0}),  # no room
    ("breakout", {"15m.close": 103.0}),  # at the swing, not beyond
    ("breakout", {"15m.open": 103.01}),  # was beyond already
    ("breakout", {"15m.atr_14": 0.8}),  # no displacement
    ("breakout", {"15m.low": 101.9}),  # a wick, not a body
    ("sweep_reversal", {"15m.low": 96.91}),  # barely beyond
    ("sweep_reversal", {"15m.close": 97.0}),  # did not come back
    ("sweep_reversal", {"15m.open": 97.4}),
    ("sweep_reversal", {"session.kill_zone": 0.0}),
    ("hour_momentum", {"1h.rsi_14": 54.9}),
    ("hour_momentum", {"1h.macd_histogram": 0.0}),
    ("hour_momentum", {"1h.ema_20_slope": 0.02}),
    ("hour_momentum", {"1h.minus_di_14": 25.0}),
]


@pytest.mark.parametrize(("name", "changes"), NEAR_MISSES)
def test_near_misses_on_both_sides(name: str, changes: dict[str, float]) -> None:
    near = BASE | LONG[name] | changes
    assert (name, "long") not in fired(near)
    assert (name, "short") not in fired(mirrored(near))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("side", [1, -1])
def test_what_a_rule_needs_and_cannot_know_silences_it(name: str, side: int) -> None:
    values = BASE | LONG[name] if side > 0 else mirrored(BASE | LONG[name])
    noting = Noting(scene(values))
    assert BY_NAME[name].sees(noting, side) is not None
    for evidence in noting.evidence:
        without = {id: value for id, value in values.items() if id != evidence.feature}
        blind = scene({})
        blind._values = without
        with pytest.raises(NotKnown):
            BY_NAME[name].sees(Reading(blind), side)
        assert Confluence().setups(blind, instrument(), COST_E8) == ()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("word", ["long", "short"])
def test_a_setup_is_exact_and_on_the_right_side(name: str, word: str) -> None:
    values = BASE | LONG[name] if word == "long" else mirrored(BASE | LONG[name])
    contract = instrument()
    setup = Confluence().setups(scene(values), contract, COST_E8)[0]
    sign = int(setup.side)
    assert setup.side is (Side.BUY if word == "long" else Side.SELL)
    assert setup.id == f"BTCUSDT-{setup.time_ms}-{name}-{word}"
    assert setup.timeframe == BY_NAME[name].timeframe
    close = values[f"{setup.timeframe}.close"]
    if setup.entry_type is OrderType.MARKET:
        assert setup.entry_ticks == contract.to_ticks(close)
    else:
        assert sign * (contract.price(setup.entry_ticks) - close) < 0.0
    distance = sign * (setup.entry_ticks - setup.stop_ticks)
    assert distance >= COST_MULTIPLE * setup.entry_ticks * COST_E8 / 1e8
    multiples = [sign * (target.ticks - setup.entry_ticks) / distance for target in setup.targets]
    assert multiples == sorted(multiples)
    assert multiples[0] > 1.2
    assert 1 <= len(setup.targets) <= 3
    assert sum(target.share_e4 for target in setup.targets) == 10_000
    assert 12 * 3_600_000 <= setup.horizon_ms <= 24 * 3_600_000
    assert {one.feature: one.value for one in setup.evidence}.items() <= values.items()
    assert len({one.feature for one in setup.evidence}) == len(setup.evidence)


def test_only_range_reversion_enters_by_limit() -> None:
    kinds = {name: Confluence().setups(scene(LONG[name]), instrument(), COST_E8)[0].entry_type for name in NAMES}
    assert {name for name, kind in kinds.items() if kind is OrderType.LIMIT} == {"range_reversion"}


def test_a_stop_lies_beyond_the_structure_or_the_noise_or_the_cost() -> None:
    contract = instrument()
    deep = LONG["sweep_reversal"] | {"15m.low": 94.0}
    setup = Confluence().setups(scene(deep), contract, COST_E8)[0]
    assert setup.stop_ticks == contract.ticks_below(94.0 - 0.25 * 0.5)
    usual = Confluence().setups(scene(LONG["sweep_reversal"]), contract, COST_E8)[0]
    assert usual.stop_ticks == contract.ticks_below(97.4 - 3.0 * 0.5)
    costly = Confluence().setups(scene(LONG["sweep_reversal"]), contract, 2_000_000)[0]
    assert costly.stop_ticks == contract.ticks_below(97.4 - 0.06 * 97.4)
