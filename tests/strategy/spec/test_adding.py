"""Further entries of a spec: read, refused with their place, mirrored, hashed, the same bar by bar and in columns."""

from copy import deepcopy
from typing import Any

import jsonschema
import numpy as np
import pytest

from aister.core.trade import Side
from aister.features.columns import FeatureColumns
from aister.strategy.spec.batch import compile_spec
from aister.strategy.spec.canon import canonical, spec_hash
from aister.strategy.spec.live import SpecStrategy
from aister.strategy.spec.refusal import SpecRefused
from aister.strategy.spec.schema import spec_schema
from aister.strategy.spec.spec import read_spec
from aister.strategy.spec.tree import ScaleIn
from aister.strategy.templates import template
from tests.strategy.scenes import CLOSE_MS, instrument, scene
from tests.strategy.spec.live_run import COST_E8, closes
from tests.strategy.spec.test_random import market

CLOSE, RSI = {"feature": "close"}, {"feature": "rsi", "span": 14}
ADDING: dict[str, Any] = {
    "version": 1,
    "name": "adding",
    "timeframe": "15m",
    "long": {
        "entry": {">": [RSI, 60]},
        "stop": {"distance": 2},
        "targets": [{"r": 2}],
        "add": {"when": {">": [RSI, 70]}, "stop": {"distance": 1.04}},
    },
    "short": "mirror",
    "horizon": {"bars": 8},
    "scale_in": {"times": 2, "share": 0.5, "first": 0.25},
}


def changed(path: str, value: Any) -> dict[str, Any]:
    document = deepcopy(ADDING)
    *way, last = path.removeprefix("/").split("/")
    place = document
    for step in way:
        place = place[step]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return document


def test_it_is_read_and_written_back() -> None:
    spec = read_spec(ADDING)
    assert spec.scale_in == ScaleIn(2, 5_000, 2_500, False)
    assert read_spec(canonical(spec)) == spec
    jsonschema.validate(ADDING, spec_schema())


def test_a_spec_that_adds_nothing_keeps_its_canonical_form() -> None:
    plain = canonical(template("hour_trend_dip"))
    assert "scale_in" not in plain
    assert "add" not in plain["long"]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("/scale_in/times", 1),
        ("/scale_in/share", 0.25),
        ("/scale_in/first", 1),
        ("/scale_in/beyond_risk", True),
        ("/long/add/when", {">": [RSI, 71]}),
        ("/long/add/stop", {"distance": 1}),
    ],
)
def test_what_is_added_is_part_of_what_is_traded(path: str, value: Any) -> None:
    assert spec_hash(read_spec(changed(path, value))) != spec_hash(read_spec(ADDING))


@pytest.mark.parametrize(
    ("path", "value", "place", "reason"),
    [
        ("/scale_in", None, "/long/add", "give scale_in"),
        ("/long/add", None, "/scale_in", "no side says when"),
        ("/scale_in/times", 0, "/scale_in/times", "from 1 up to 3"),
        ("/scale_in/times", 4, "/scale_in/times", "from 1 up to 3"),
        ("/scale_in/share", 0, "/scale_in/share", "above 0"),
        ("/scale_in/share", 0.00001, "/scale_in/share", "four decimals"),
        ("/scale_in/first", 1.5, "/scale_in/first", "up to 1"),
        ("/scale_in/beyond_risk", 1, "/scale_in/beyond_risk", "true or false"),
        ("/scale_in/often", 1, "/scale_in/often", "unknown key"),
        ("/long/add/when", RSI, "/long/add/when", "is a number where a condition is needed"),
        ("/long/add/when", {"use": "gone"}, "/long/add/when/use", "has no 'gone'"),
        ("/long/add/stop", {"price": {"+": [CLOSE, 1]}}, "/long/add/stop/price", "wrong side"),
        ("/long/add/stop", {"distance": -1}, "/long/add/stop/distance", "wrong side"),
        ("/long/add/stop", {"price": {"*": [CLOSE, 0.99]}}, "/long/add/stop/price", "no mirror"),
        ("/long/add/size", 1, "/long/add/size", "unknown key"),
    ],
)
def test_it_is_refused_with_its_place(path: str, value: Any, place: str, reason: str) -> None:
    with pytest.raises(SpecRefused) as caught:
        read_spec(changed(path, value))
    (finding,) = caught.value.findings
    assert finding.path == place
    assert reason in finding.reason


def test_an_add_by_hand() -> None:
    """Close 100: the stop of 1.04 below is 98.96, rounded outward to 98.9; upside down 101.04: 101.1; ticks of 0.1."""
    strategy = SpecStrategy(read_spec(ADDING))
    rising, falling = (scene({"15m.rsi_14": rsi}, CLOSE_MS + n * 900_000) for n, rsi in enumerate((71.0, 29.0)))
    assert strategy.adds(rising, instrument()) == ((Side.BUY, 989),)
    assert strategy.adds(falling, instrument()) == ((Side.SELL, 1_011),)
    assert strategy.adds(scene({"15m.rsi_14": 65.0}, CLOSE_MS + 2 * 900_000), instrument()) == ()


def test_without_a_stop_it_stays() -> None:
    strategy = SpecStrategy(read_spec(changed("/long/add/stop", None)))
    assert strategy.adds(scene({"15m.rsi_14": 71.0}, CLOSE_MS), instrument()) == ((Side.BUY, 0),)


def test_an_add_whose_stop_is_unknown_does_not_fire_and_is_counted() -> None:
    strategy = SpecStrategy(read_spec(changed("/long/add/stop", {"distance": {"/": [1, {"-": [RSI, 71]}]}})))
    assert strategy.adds(scene({"15m.rsi_14": 71.0}, CLOSE_MS), instrument()) == ()
    assert strategy.unsound == 1


def test_columns_say_what_bars_say() -> None:
    series = market(1_500, 3)
    moved = changed("/long/add", {"when": {">": [RSI, 55]}, "stop": {"price": {"feature": "lowest", "span": 5}}})
    spec = read_spec({**moved, "timeframe": "5m"})
    strategy = SpecStrategy(spec)
    told = [
        (features.time_ms, int(side), stop)
        for features in closes(spec, series)
        for side, stop in strategy.adds(features, series.instrument)
    ]
    signals = compile_spec(spec, FeatureColumns(series), COST_E8)
    assert signals.adds.tolist() == told
    assert len(told) > 20
    assert np.all(np.diff(signals.adds["time_ms"]) >= 0)
