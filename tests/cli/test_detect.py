"""`aister detect`: lines a trader can read, JSON a program can, exit code 1 when something was caught."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from aister.adapters.store.trials import SqliteTrials
from aister.cli import build

QUICK = ["--cuts", "3", "--no-day", "--symbols", "BTCUSDT", "--cells", "8", "--paths", "2"]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AISTER_HOME", str(tmp_path))
    return tmp_path


def test_a_template_without_a_fault_in_its_making_is_clean() -> None:
    result = CliRunner().invoke(
        build(), ["detect", "kill_zone_open_drive", "--only", "warm-up,look-ahead,fills", *QUICK]
    )
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0] == "Detectors over kill_zone_open_drive on sample"
    assert [line.split("  ")[0] for line in lines[1:4]] == ["look-ahead", "warm-up", "fills"]
    assert all(" clean " in line for line in lines[1:4])
    assert "Caught     nothing" in lines
    assert "Trials     0 on this data so far" in lines


def test_every_detector_speaks_and_what_is_caught_ends_with_code_1(home: Path) -> None:
    result = CliRunner().invoke(build(), ["detect", "swing_structure", *QUICK, "--json", "-"])
    assert result.exit_code == 1, result.output
    told = json.loads(result.stdout)
    assert [one["detector"] for one in told["found"]] == [
        *("look-ahead", "warm-up", "fills", "cost", "delay", "neighbourhood", "trade-order", "paths")
    ]
    by = {one["detector"]: one for one in told["found"]}
    assert by["cost"]["verdict"] == "caught"
    assert len(by["cost"]["looks"]) == 4
    assert by["paths"]["seeds"] == [1, 2]
    assert told["effort"]["cuts"] == 3
    ledger = SqliteTrials(home)
    trials = list(ledger.overlapping(["BTCUSDT"], tuple(told["span_ms"])))
    ledger.close()
    assert len(trials) == told["trials"] >= 4 + 4 + 9 + 1 + 3
    assert {trial.kind for trial in trials} == {"detector"}


def test_an_unknown_detector_is_bad_usage() -> None:
    result = CliRunner().invoke(build(), ["detect", "swing_structure", "--only", "luck"])
    assert result.exit_code == 2
    assert "choose of look-ahead" in result.output


def test_efforts_that_cannot_be_are_bad_usage() -> None:
    result = CliRunner().invoke(build(), ["detect", "swing_structure", "--cuts", "0"])
    assert result.exit_code == 2
    assert "--cuts" in result.output


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        (["--only", "luck"], "no detector 'luck'"),
        (["--cuts", "0"], "--cuts must lie between"),
        (["--symbols", "BTCUSDT,btcusdt"], "named twice in --symbols"),
        (["--from", "soon"], "is not a UTC date"),
    ],
)
def test_a_wrong_option_leaves_nothing_but_one_sentence(more: list[str], reason: str) -> None:
    result = CliRunner().invoke(build(), ["detect", "swing_structure", *more])
    assert result.exit_code == 2 and result.stdout == ""
    assert result.stderr.count("\n") == 1 and reason in result.stderr


def test_code_over_several_symbols_and_unnamed_data_are_told_what_to_do(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text("pass\n")
    code = CliRunner().invoke(build(), ["detect", str(file)])
    assert code.exit_code == 2 and "runs on one symbol" in code.stderr
    unnamed = CliRunner().invoke(build(), ["detect", "swing_structure", "--data", ""])
    assert unnamed.exit_code == 2 and "The data are not named" in unnamed.stderr


def test_a_python_strategy_is_looked_at_and_leaves_a_page(tmp_path_factory: pytest.TempPathFactory) -> None:
    place = tmp_path_factory.mktemp("luck")
    file, page = place / "luck.py", place / "page.html"
    file.write_text(LUCK)
    span = ["--symbols", "BTCUSDT", "--from", "2025-05-10", "--to", "2025-05-11", "--set", "far=0.004"]
    given = ["detect", str(file), *span, "--only", "look-ahead,fills", "--html", str(page)]
    result = CliRunner().invoke(build(), [*given, "--json", "-"])
    assert result.exit_code == 1, result.output
    told = json.loads(result.stdout)
    assert (told["kind"], told["name"], told["parameters"]) == ("python", "Luck", "far=0.004, level=0.5")
    assert told["effort"]["cuts"] == 20
    caught, fills = told["found"]
    assert caught["first"]["through"] == "chance" and "answers by chance" in caught["sentence"]
    assert fills["verdict"] == "clean"
    assert "Luck" in page.read_text() and "SHA-256" in result.stderr


LUCK = """
import random

from aister.strategy import LONG, Enter, PythonStrategy


class Luck(PythonStrategy):
    timeframe = "15m"

    def __init__(self, far=0.01, level=0.5):
        self.far, self.level = far, level

    def on_bar(self, bar, account):
        if account.free and random.random() > self.level:
            return Enter(LONG, stop=bar.close * (1 - self.far), targets=bar.close * (1 + self.far))
"""
