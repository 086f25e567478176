"""`aister strategy` and `aister run --strategy FILE`: what is printed, what is refused, with which exit code."""

import json
import math
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from aister.cli import build
from aister.strategy.spec.canon import spec_hash
from aister.strategy.spec.schema import spec_schema
from aister.strategy.spec.spec import read_spec
from aister.strategy.templates import template, template_names, template_text
from tests.strategy.spec.test_refusals import GOOD, changed


def aister(*arguments: str) -> Result:
    return CliRunner().invoke(build(), list(arguments))


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / "mine.json"
    path.write_text(json.dumps({**GOOD, "name": "mine"}), encoding="utf-8")
    return path


def test_list_names_every_strategy() -> None:
    result = aister("strategy", "list")
    assert result.exit_code == 0
    assert [line.split()[0] for line in result.stdout.splitlines()] == ["confluence", "ema_cross", *template_names()]
    rows = {row["name"]: row for row in json.loads(aister("strategy", "list", "--json").stdout)}
    assert rows["vwap_reversion"]["hash"] == spec_hash(template("vwap_reversion"))


def test_show_prints_what_can_be_read_back(written: Path) -> None:
    assert aister("strategy", "show", "vwap_reversion").stdout == template_text("vwap_reversion")
    shown = aister("strategy", "show", str(written)).stdout
    assert spec_hash(read_spec(shown)) == spec_hash(read_spec(GOOD))
    assert aister("strategy", "show", "confluence").exit_code == 2
    assert aister("strategy", "show", "nothing").exit_code == 2


def test_check_says_that_a_spec_is_sound(written: Path) -> None:
    result = aister("strategy", "check", str(written), "--data", "sample")
    assert result.exit_code == 0
    assert result.stdout == f"mine is sound: 15m, long, hash {spec_hash(read_spec(GOOD))}\n"


def test_check_lists_every_finding(tmp_path: Path) -> None:
    document = changed("/long/entry/and/1/</0/feature", "rsy")
    document["sizing"] = {"risk": math.nan}
    bad = tmp_path / "bad.json"
    bad.write_text(json.dumps(document), encoding="utf-8")
    result = aister("strategy", "check", str(bad))
    assert result.exit_code == 1
    places = [line.split(": ")[0] for line in result.stdout.splitlines()]
    assert sorted(places) == ["/long/entry/and/1/</0/feature", "/sizing/risk"]
    told = json.loads(aister("strategy", "check", str(bad), "--json").stdout)
    assert (told["sound"], told["hash"], len(told["findings"])) == (False, None, 2)


def test_check_against_data_costs_and_instruments(tmp_path: Path) -> None:
    near = tmp_path / "near.json"
    near.write_text(json.dumps(changed("/long/stop", {"percent": 0.05}) | {"symbols": ["DOGEUSDT"]}), encoding="utf-8")
    assert aister("strategy", "check", str(near)).exit_code == 0
    result = aister("strategy", "check", str(near), "--data", "sample")
    assert result.exit_code == 1
    assert result.stdout.startswith("/symbols/0: DOGEUSDT is not offered here")
    near.write_text(json.dumps(changed("/long/stop", {"percent": 0.05})), encoding="utf-8")
    refusal = "/long/stop/percent: 0.05 is nearer than 3 round-trip costs"
    span = ("--symbols", "BTCUSDT", "--from", "2025-05-20", "--to", "2025-05-21")
    for told in (
        aister("strategy", "check", str(near)),
        aister("strategy", "check", str(near), "--data", "sample"),
        aister("backtest", str(near), *span),
        aister("backtest", str(near), *span, "--costs", "0"),
        aister("detect", str(near), *span),
    ):
        assert told.exit_code != 0 and refusal in " ".join(told.output.split()), told.output


def test_schema_prints_the_schema() -> None:
    assert json.loads(aister("strategy", "schema").stdout) == spec_schema()


def test_a_run_takes_a_spec_file(written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AISTER_HOME", str(tmp_path / "home"))
    span = ["--symbols", "BTCUSDT", "--from", "2025-05-20", "--to", "2025-05-22", "--mind", "none"]
    result = aister("run", "--strategy", str(written), *span, "--json", str(tmp_path / "r.json"))
    assert result.exit_code == 0, result.output
    trades = json.loads((tmp_path / "r.json").read_text())["trades"]
    assert trades and all(trade["side"] == "long" for trade in trades)


@pytest.mark.parametrize(
    ("content", "told"),
    [("{", "refused at /: not JSON"), ('{"version": 1}', "and 2 more"), (None, "cannot be read")],
)
def test_a_run_refuses_a_bad_file(tmp_path: Path, content: str | None, told: str) -> None:
    path = tmp_path / "bad.json"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    result = aister("run", "--strategy", str(path), "--symbols", "BTCUSDT")
    assert result.exit_code == 2
    assert told in result.output


def test_a_run_refuses_symbols_the_spec_does_not_trade(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AISTER_HOME", str(tmp_path / "home"))
    path = tmp_path / "eth.json"
    path.write_text(json.dumps({**GOOD, "symbols": ["ETHUSDT"]}), encoding="utf-8")
    result = aister("run", "--strategy", str(path), "--symbols", "BTCUSDT", "--until-end")
    assert result.exit_code == 2
    assert "good trades ETHUSDT; name one of them with --symbols." in result.output
