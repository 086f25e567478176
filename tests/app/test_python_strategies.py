"""A Python strategy through `aister.backtest` and the command line: what is recorded, heard and refused."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import aister
from aister.app.python_strategies import parameters_of
from aister.cli import build
from aister.core.errors import StrategyError, UsageError

SOURCE = """
from aister.strategy import LONG, SHORT, Enter, PythonStrategy


class Cross(PythonStrategy):
    timeframe = "15m"
    features = ("15m.ema_20", "15m.ema_50")

    def __init__(self, stop=0.01):
        self.stop = stop

    def on_bar(self, bar, account):
        spread = bar["15m.ema_20"] - bar["15m.ema_50"]
        before = bar.before("15m.ema_20") - bar.before("15m.ema_50")
        if account.free and before * spread < 0:
            side = LONG if spread > 0 else SHORT
            print("crossed", side)
            return Enter(side, stop=bar.close * (1 - side * self.stop), targets=bar.close * (1 + side * 0.015))
"""
SHORT: dict[str, Any] = {"symbols": ("BTCUSDT",), "start": "2025-05-10", "end": "2025-05-14", "random_draws": 0}
SPAN = ("--symbols", "BTCUSDT", "--from", "2025-05-10", "--to", "2025-05-14", "--random-draws", "0")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "cross.py"
    path.write_text(SOURCE, encoding="utf-8")
    return path


def test_a_file_is_a_strategy(file: Path, tmp_path: Path) -> None:
    result = aister.backtest(file, home=tmp_path, parameters={"stop": 0.008}, **SHORT)
    origin = result.origin
    assert (origin.kind, origin.name, origin.timeframe) == ("python", "Cross", "15m")
    assert origin.spec == SOURCE and origin.spec_hash == hashlib.sha256(SOURCE.encode()).hexdigest()
    assert origin.walls and origin.settings["parameters"] == "stop=0.008" and len(result.trades) > 2
    assert origin.settings["management"] == "the stop stays where it is"
    assert "def on_bar" in result._repr_html_()
    again = aister.backtest(str(file), home=tmp_path, parameters={"stop": 0.008}, **SHORT)
    assert (again.trades_digest, again.trial_id, again.trials) == (result.trades_digest, result.trial_id, 1)
    wider = aister.backtest(file, home=tmp_path, **SHORT)
    assert wider.trials == 2 and wider.trades_digest != result.trades_digest


def test_the_command_says_which_code_runs_and_what_it_printed(file: Path) -> None:
    arguments = ["backtest", str(file), *SPAN, "--set", "stop=0.02", "--show", "--json", "-"]
    done = CliRunner().invoke(build(), arguments)
    assert done.exit_code == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["origin"]["settings"]["parameters"] == "stop=0.02"
    assert hashlib.sha256(SOURCE.encode()).hexdigest() in done.stderr
    assert "  | class Cross(PythonStrategy):" in done.stderr and "  | crossed" in done.stderr


def test_mistakes_are_told(file: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="one symbol"):
        aister.backtest(file, home=tmp_path, **{**SHORT, "symbols": ("BTCUSDT", "ETHUSDT")})
    with pytest.raises(StrategyError, match="speed"):
        aister.backtest(file, home=tmp_path, parameters={"speed": 1}, **SHORT)
    with pytest.raises(UsageError, match="Only a Python strategy"):
        aister.backtest("vwap_reversion", parameters={"speed": 1}, **SHORT)
    with pytest.raises(UsageError, match="cannot be read"):
        aister.backtest(tmp_path / "none.py", **SHORT)
    for arguments, said in (
        (["--set", "stop"], "not name=value"),
        (["--set", "stop=1", "--set", "stop=2"], "twice"),
    ):
        done = CliRunner().invoke(build(), ["backtest", str(file), *SPAN, *arguments])
        assert done.exit_code == 2 and said in done.stderr
    shown = CliRunner().invoke(build(), ["backtest", "vwap_reversion", *SPAN, "--show"])
    assert shown.exit_code == 2 and "aister strategy show" in shown.stderr


def test_parameters_are_numbers_truth_or_text() -> None:
    found = parameters_of(["a=1", "b=2.5", "c=True", "d=x", "e='y'", "f=[1]", "g="])
    assert found == {"a": 1, "b": 2.5, "c": True, "d": "x", "e": "y", "f": "[1]", "g": ""}
