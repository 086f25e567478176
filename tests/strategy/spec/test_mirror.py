"""A mirrored side is the one that would be written by hand, to the tick; what has no mirror is refused."""

from copy import deepcopy
from typing import Any

import pytest

from aister.features.columns import FeatureColumns
from aister.strategy.spec.batch import compile_spec
from aister.strategy.spec.refusal import SpecRefused
from aister.strategy.spec.spec import read_spec
from tests.strategy.spec.live_run import COST_E8, drive, rows_of, said
from tests.strategy.spec.test_random import MARKETS

CLOSE, LOW, HIGH = ({"feature": name} for name in ("close", "low", "high"))
ATR = {"feature": "atr", "span": 14}
BASE: dict[str, Any] = {"version": 1, "name": "both", "timeframe": "15m", "horizon": {"bars": 20}}

LONG: dict[str, Any] = {
    "entry": {
        "and": [
            {">": [CLOSE, {"feature": "ema", "timeframe": "1h", "span": 5}]},
            {"<": [LOW, {"feature": "bollinger_lower", "span": 8, "width": 1}]},
            {"<": [{"feature": "rsi", "span": 5}, 60]},
            {"not": {"<": [{"feature": "macd_histogram", "fast": 3, "slow": 8, "signal": 3}, -500]}},
            {"weekday": ["monday", "tuesday", "wednesday", "thursday"]},
        ]
    },
    "exit": {"crosses_above": [{"feature": "stochastic_k", "span": 8, "smooth": 3}, 75]},
    "order": {"limit": {"-": [CLOSE, {"*": [0.25, ATR]}]}, "life": 2},
    "stop": {"price": {"-": [{"min": [LOW, {"of": {"feature": "lowest", "span": 3}, "ago": 1}]}, ATR]}},
    "targets": [
        {"distance": {"*": [2, ATR]}, "share": 0.5},
        {"price": {"+": [{"feature": "highest", "span": 40}, {"*": [4, ATR]}]}, "share": 0.5},
    ],
}
SHORT: dict[str, Any] = {
    "entry": {
        "and": [
            {"<": [CLOSE, {"feature": "ema", "timeframe": "1h", "span": 5}]},
            {">": [HIGH, {"feature": "bollinger_upper", "span": 8, "width": 1}]},
            {"<": [{"-": [100, {"feature": "rsi", "span": 5}]}, 60]},
            {"not": {">": [{"feature": "macd_histogram", "fast": 3, "slow": 8, "signal": 3}, 500]}},
            {"weekday": ["monday", "tuesday", "wednesday", "thursday"]},
        ]
    },
    "exit": {"crosses_above": [{"-": [100, {"feature": "stochastic_k", "span": 8, "smooth": 3}]}, 75]},
    "order": {"limit": {"+": [CLOSE, {"*": [0.25, ATR]}]}, "life": 2},
    "stop": {"price": {"+": [{"max": [HIGH, {"of": {"feature": "highest", "span": 3}, "ago": 1}]}, ATR]}},
    "targets": [
        {"distance": {"*": [2, ATR]}, "share": 0.5},
        {"price": {"-": [{"feature": "lowest", "span": 40}, {"*": [4, ATR]}]}, "share": 0.5},
    ],
}


def test_a_mirrored_side_is_the_one_written_by_hand() -> None:
    mirrored = read_spec({**BASE, "long": LONG, "short": "mirror"})
    by_hand = read_spec({**BASE, "long": LONG, "short": SHORT})
    sides: list[int] = []
    for series in MARKETS:
        columns = FeatureColumns(series)
        one, other = (compile_spec(spec, columns, COST_E8) for spec in (mirrored, by_hand))
        assert rows_of(one) == rows_of(other)
        assert one.exits.tolist() == other.exits.tolist()
        sides += one.setups["side"].tolist()
        setups, exits, _ = drive(mirrored, series)
        assert (said(setups), exits) == (rows_of(one), one.exits.tolist())
    assert sides.count(-1) > 10 and sides.count(1) > 10


def test_names_of_let_are_mirrored_with_the_side() -> None:
    named = deepcopy(LONG)
    named["stop"] = {"price": {"-": [{"use": "floor"}, {"use": "atr"}]}}
    let = {"atr": ATR, "floor": {"min": [LOW, {"use": "before"}]}}
    let["before"] = {"of": {"feature": "lowest", "span": 3}, "ago": 1}
    let["unused"] = {"*": [CLOSE, CLOSE]}  # has no mirror, and needs none
    plain = read_spec({**BASE, "long": LONG, "short": "mirror"})
    spec = read_spec({**BASE, "let": let, "long": named, "short": "mirror"})
    columns = FeatureColumns(MARKETS[0])
    assert rows_of(compile_spec(spec, columns, COST_E8)) == rows_of(compile_spec(plain, columns, COST_E8))


@pytest.mark.parametrize(
    ("key", "value", "path", "reason"),
    [
        ("stop", {"price": {"*": [CLOSE, 0.99]}}, "/long/stop/price", "moves by 0.99 when the price moves by 1"),
        ("stop", {"price": {"*": [CLOSE, {"/": [LOW, HIGH]}]}}, "/long/stop/price/*/1", "over something that varies"),
        ("stop", {"distance": {"-": [HIGH, {"*": [0.5, LOW]}]}}, "/long/stop/distance", "a distance does not move"),
        ("entry", {">": [CLOSE, 50_000]}, "/long/entry", "compares what moves with the price by 0 and 1"),
        ("entry", {">": [{"/": [CLOSE, LOW]}, 1]}, "/long/entry/>/0", "over something that varies"),
        ("entry", {">": [{"abs": CLOSE}, LOW]}, "/long/entry/>/0", "the amount of a price"),
        ("exit", {">": [{"min": [CLOSE, ATR]}, LOW]}, "/long/exit/>/0", "by 0 and 1"),
    ],
)
def test_what_has_no_mirror(key: str, value: Any, path: str, reason: str) -> None:
    read_spec({**BASE, "long": {**LONG, key: value}})
    with pytest.raises(SpecRefused) as caught:
        read_spec({**BASE, "long": {**LONG, key: value}, "short": "mirror"})
    (finding,) = caught.value.findings
    assert finding.path == path
    assert reason in finding.reason


def test_only_a_long_side_is_mirrored() -> None:
    with pytest.raises(SpecRefused, match="no long side to mirror"):
        read_spec({**BASE, "short": "mirror"})
