"""`aister.backtest(...)`: rules by name, file, dict or value; data by name or as arrays; what is refused, in words."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import aister
from aister.app.backtests import market_of, moment, rules_of
from aister.core.errors import DataError, UsageError
from aister.ports.market import Market
from aister.strategy.templates import template, template_text

NAME = "kill_zone_open_drive"
SHORT: dict[str, Any] = {"symbols": ("BTCUSDT",), "start": "2025-05-10", "end": "2025-05-14", "random_draws": 0}


def arrays(bars: int = 600, step_ms: int = 300_000) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(5)
    close = np.round(50_000 * np.exp(np.cumsum(rng.normal(0, 1e-3, bars))), 1)
    opened = np.concatenate([[50_000.0], close[:-1]])
    return {
        "open_time": 1_746_403_200_000 + step_ms * np.arange(bars),
        "open": opened,
        "high": np.maximum(opened, close) + 5,
        "low": np.minimum(opened, close) - 5,
        "close": close,
        "volume": rng.uniform(1, 9, bars),
    }


def test_name_file_dict_and_value_are_the_same_rules(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text(template_text(NAME), encoding="utf-8")
    document = json.loads(template_text(NAME))
    home = tmp_path / "home"
    home.mkdir()
    found = {
        aister.backtest(given, home=home, **SHORT).trades_digest
        for given in (NAME, str(path), path, document, template(NAME))
    }
    assert len(found) == 1
    again = aister.backtest(NAME, home=home, **SHORT)
    assert again.trials == 1 and again.origin.data == "sample" and len(again.trades) > 3
    assert aister.backtest(NAME, home=home, **{**SHORT, "end": "2025-05-13"}).trials >= 1


def test_arrays_are_a_market(tmp_path: Path) -> None:
    columns = arrays()
    result = aister.backtest("vwap_reversion", {"BTCUSDT": columns}, random_draws=0, home=tmp_path)
    assert result.symbols == ("BTCUSDT",) and result.interval_ms == 300_000
    assert {"funding: assumed", "instruments: assumed"} <= set(result.origin.flags)
    whole = market_of({"BTCUSDT": columns})
    late = market_of({"BTCUSDT": columns}, start_ms=moment("2025-05-06", "start"), end_ms=moment("2025-05-07", "end"))
    assert len(whole.series[0].open_ms) == 600 and late.series[0].start == 288
    assert late.span_ms == (1_746_489_600_000, 1_746_576_000_000)
    assert whole.data_hash != late.data_hash
    assert market_of(whole) is whole and isinstance(whole, Market)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"high": 1.0}, "row 7 is no bar in order"),
        ({"low": -1.0}, "row 7 is no bar in order"),
        ({"close": np.nan}, "row 7 is no bar in order"),
        ({"volume": np.inf}, "row 7 is no bar in order"),
        ({"open_time": 1_746_403_200_000}, "row 7 is no bar in order"),
    ],
)
def test_a_bad_row_is_named(change: dict[str, float], said: str) -> None:
    columns = arrays(40)
    for name, value in change.items():
        columns[name][7] = value
    with pytest.raises(DataError, match=said):
        market_of({"BTCUSDT": columns})


def test_arrays_that_are_no_market_are_refused() -> None:
    whole = arrays(40)
    lacking = {name: column for name, column in whole.items() if name != "volume"}
    shorter = {**whole, "close": whole["close"][:-1]}
    wrong: list[tuple[dict[str, Any], tuple[str, ...], str]] = [
        ({"BTCUSDT": lacking}, (), "lack 'volume'"),
        ({"BTCUSDT": shorter}, (), "every column of one length"),
        ({"BTCUSDT": {name: column[:1] for name, column in whole.items()}}, (), "at least two bars"),
        ({"NOPEUSDT": whole}, (), "NOPEUSDT has no shipped instrument"),
        ({"BTCUSDT": whole}, ("ETHUSDT",), "no arrays of ETHUSDT"),
        ({"BTCUSDT": whole, "ETHUSDT": arrays(40, 60_000)}, (), "different bar intervals"),
        ({}, (), "no arrays in data"),
    ]
    for data, symbols, said in wrong:
        with pytest.raises((UsageError, DataError), match=said):
            market_of(data, symbols=symbols)
    with pytest.raises(UsageError, match="no bar lies at or after the start"):
        market_of({"BTCUSDT": whole}, start_ms=moment("2026-01-01", "start"))
    with pytest.raises((UsageError, DataError)):
        market_of({"BTCUSDT": whole}, start_ms=1_746_403_200_000 + 3_000_000, end_ms=1_746_403_200_000 + 1_500_000)


def test_what_is_not_a_strategy_or_date_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no strategy 'nothing'"):
        rules_of("nothing")
    with pytest.raises(UsageError, match="code"):
        rules_of("confluence")
    with pytest.raises(UsageError, match="start 'soon' is not a UTC date"):
        aister.backtest(NAME, start="soon")
    assert moment("2025-05-10", "start") == 1_746_835_200_000 == moment(1_746_835_200_000, "start")
    assert moment("2025-05-10T02:00+02:00", "start") == 1_746_835_200_000
    assert moment(None, "end") is None


def test_importing_aister_loads_nothing_heavy() -> None:
    code = (
        "import sys, aister; print([m for m in ('numba', 'pyarrow', 'numpy') if m in sys.modules]); "
        "print(hasattr(aister, 'nothing'), callable(aister.backtest))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[]", "False True"]
