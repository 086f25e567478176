"""The hash is of what a spec does: not of its spelling, not of its name."""

import json
from typing import Any

import pytest

from aister.strategy.spec.canon import spec_hash
from aister.strategy.spec.spec import read_spec
from tests.strategy.spec.test_refusals import GOOD, changed


def hash_of(source: Any) -> str:
    return spec_hash(read_spec(source))


@pytest.mark.parametrize(
    "same",
    [
        json.dumps(GOOD, indent=7),
        json.dumps(GOOD, sort_keys=True),
        json.dumps(GOOD).replace("0.5", "5e-1").replace("20", "20.0").replace('"bars": 10', '"bars": 1e1'),
        changed("/name", "another"),
        changed("/description", "words"),
        changed("/horizon", {"minutes": 150}),
        changed("/let/atr", {"feature": "atr", "timeframe": "15m", "span": 14}),
        changed("/filter", {}),
    ],
)
def test_spelling_does_not_matter(same: Any) -> None:
    assert hash_of(same) == hash_of(GOOD)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("/timeframe", "1h"),
        ("/let/fast", 21),
        ("/symbols", ["BTCUSDT"]),
        ("/long/order", "market"),
        ("/long/targets/0/r", 1.1),
        ("/long/stop", {"percent": 1}),
        ("/long/exit", {"use": "up"}),
        ("/short", "mirror"),
        ("/management", {"break_even_after": 1}),
        ("/sizing/risk", 0.02),
        ("/filter", {"weekdays": "monday"}),
        ("/horizon/bars", 11),
    ],
)
def test_what_it_does_matters(path: str, value: Any) -> None:
    assert hash_of(changed(path, value)) != hash_of(GOOD)


def test_order_among_parts_is_part_of_a_rule() -> None:
    """Sums of floats depend on their order, so nothing is rearranged."""
    one, other = ({"price": {"-": [{"feature": "close"}, {"+": parts}]}} for parts in ([1, 2], [2, 1]))
    assert hash_of(changed("/long/stop", one)) != hash_of(changed("/long/stop", other))


def test_a_known_hash() -> None:
    """It is kept in trial records: it may not change by itself."""
    minimal = {
        "version": 1,
        "name": "minimal",
        "timeframe": "1h",
        "long": {
            "entry": {">": [{"feature": "close"}, {"feature": "open"}]},
            "stop": {"percent": 1},
            "targets": [{"r": 2}],
        },
        "horizon": {"bars": 24},
    }
    assert hash_of(minimal) == "be8aca4a7b00e23ae9e4f2e1f018227a861fa954ce6e4fb107badd91e78f6ea9"
