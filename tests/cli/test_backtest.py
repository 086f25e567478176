"""`aister backtest` as a person starts it: what it prints and leaves, and one sentence for every mistake."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from aister.cli import build

NAME = "kill_zone_open_drive"
SPAN = ("--symbols", "BTCUSDT", "--from", "2025-05-10", "--to", "2025-05-14")
QUICK = (*SPAN, "--random-draws", "0")


def backtest(*arguments: str) -> Result:
    return CliRunner().invoke(build(), ["backtest", *arguments])


def said(result: Result) -> str:
    """What went to standard error, on one line."""
    return " ".join((result.stderr or str(result.exception)).split())


def started(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "aister", "backtest", *arguments],
        env=dict(os.environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def test_it_prints_a_summary_and_leaves_page_and_json(tmp_path: Path) -> None:
    page, file = tmp_path / "b.html", tmp_path / "b.json"
    result = backtest(NAME, *SPAN, "--random-draws", "4", "--fills", "--html", str(page), "--json", str(file))
    assert result.exit_code == 0, result.output
    starts = [line.split()[0] for line in result.stdout.splitlines()]
    assert starts[:8] == ["Backtest", "Result", "Before", "Daily", "Beside", "Chance", "Trial", "Trades"]
    assert {"Report", "JSON"} <= set(starts)
    told = json.loads(file.read_text())
    assert told["symbols"] == ["BTCUSDT"] and len(told["trades"]) > 3 and told["fills"]["time_ms"]
    assert told["trades_digest"] in result.stdout and told["trial_id"][:16] in result.stdout
    assert sum(trade["pnl"] for trade in told["trades"]) == pytest.approx(told["equity"]["quote"][-1] - 10_000)
    assert told["performance"]["random"]["seed"] == 1
    text = page.read_text()
    assert "<script" not in text and told["trades_digest"] in text
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.html", "b.json"]


def test_a_dash_prints_json_and_nothing_else() -> None:
    result = backtest(NAME, *QUICK, "--json", "-")
    told = json.loads(result.stdout)
    assert told["origin"]["name"] == NAME and told["fills"] is None and told["performance"]["random"] is None


def test_options_change_what_is_recorded_and_what_comes_out() -> None:
    usual = json.loads(backtest(NAME, *QUICK, "--json", "-").stdout)
    for flags in (
        ("--costs", "2"),
        ("--delay", "1"),
        ("--capital", "5000"),
        ("--intrabar", "ohlc_path", "--margin", "cross", "--impact", "off", "--volume", "0", "--latency", "2000"),
    ):
        other = json.loads(backtest(NAME, *QUICK, *flags, "--json", "-").stdout)
        assert other["trial_id"] != usual["trial_id"] and other["trades_digest"] != usual["trades_digest"], flags
        assert (other["origin"]["assumptions"], other["origin"]["settings"]) != (
            usual["origin"]["assumptions"],
            usual["origin"]["settings"],
        )


BOTH = {
    "version": 1,
    "name": "both",
    "description": "Long above the average, short below it, held long enough to overlap.",
    "timeframe": "15m",
    "long": {
        "entry": {"crosses_above": [{"feature": "close"}, {"feature": "ema", "span": 20}]},
        "stop": {"distance": {"*": [8, {"feature": "atr", "span": 14}]}},
        "targets": [{"r": 3.0, "share": 1.0}],
    },
    "short": "mirror",
    "horizon": {"bars": 48},
    "sizing": {"risk": 0.002, "notional": 1.0, "leverage": 3},
}


def test_hedged_legs_are_held_at_the_same_time(tmp_path: Path) -> None:
    path = tmp_path / "both.json"
    path.write_text(json.dumps(BOTH), encoding="utf-8")
    together = {}
    for positions in ("hedge", "one_way"):
        told = json.loads(backtest(str(path), *QUICK, "--positions", positions, "--json", "-").stdout)
        held = {side: [one for one in told["trades"] if one["side"] == side] for side in ("long", "short")}
        together[positions] = [
            (long["number"], short["number"])
            for long in held["long"]
            for short in held["short"]
            if long["entry_ms"] < short["exit_ms"] and short["entry_ms"] < long["exit_ms"]
        ]
        assert held["long"] and held["short"]
    assert len(together["hedge"]) > 3 and not together["one_way"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("nothing", *QUICK), "There is no strategy 'nothing'"),
        (("confluence", *QUICK), "confluence is code"),
        ((NAME, "--symbols", "NOPEUSDT"), "NOPEUSDT"),
        ((NAME, "--symbols", ","), "names no symbol"),
        ((NAME, "--symbols", "BTCUSDT", "--from", "2025-05-14", "--to", "2025-05-10"), "2025-05-"),
        ((NAME, "--symbols", "BTCUSDT", "--from", "2025-05-05", "--to", "2025-05-05T00:01"), "1 bar of 1 min hold"),
        ((NAME, "--from", "soon"), "--from 'soon' is not a UTC date"),
        ((NAME, "--data", "nowhere.csv"), "nowhere.csv"),
        ((NAME, *QUICK, "--intrabar", "guess"), "--intrabar 'guess' is not possible; choose one of stop_first"),
        ((NAME, *QUICK, "--intrabar", "lower_timeframe", "--data", "sample@15m"), "15m"),
        ((NAME, *QUICK, "--margin", "none"), "--margin 'none' is not possible; choose one of isolated, cross"),
        ((NAME, *QUICK, "--positions", "both"), "--positions 'both' is not possible; choose one of one_way, hedge"),
        ((NAME, *QUICK, "--impact", "maybe"), "--impact 'maybe' is not possible"),
        ((NAME, *QUICK, "--costs", "-1"), "--costs lies between 0 and 100"),
        ((NAME, *QUICK, "--costs", "nan"), "--costs lies between 0 and 100"),
        ((NAME, *QUICK, "--volume", "101"), "--volume is a percentage"),
        ((NAME, *QUICK, "--leverage", "0"), "--leverage lies between 1 and 125"),
        ((NAME, *QUICK, "--latency", "-1"), "--latency lies between"),
        ((NAME, *QUICK, "--capital", "much"), "--capital 'much' is not an amount"),
        ((NAME, *QUICK, "--capital", "0"), "--capital must lie between"),
        ((NAME, *QUICK, "--delay", "-1"), "--delay must lie between"),
        ((NAME, *QUICK, "--seed", "-1"), "--seed must be"),
        ((NAME, *SPAN, "--random-draws", "-1"), "--random-draws must lie between"),
        ((NAME, *QUICK, "--html", "-"), "goes to a file"),
        ((NAME, *QUICK, "--html", "no/folder/x.html"), "does not exist"),
        ((NAME, *QUICK, "--html", "x.out", "--json", "x.out"), "name the same file"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_2(arguments: tuple[str, ...], sentence: str, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        result = backtest(*arguments)
    assert result.exit_code == 2, result.output
    assert sentence in said(result) and not list(tmp_path.iterdir())


def test_a_spec_that_is_not_sound_names_its_places(tmp_path: Path) -> None:
    path = tmp_path / "bad.json"
    path.write_text('{"name": "bad", "timeframe": "15m"', encoding="utf-8")
    broken = backtest(str(path), *QUICK)
    assert broken.exit_code == 2 and str(path) in said(broken).replace(" ", "")
    path.write_text('{"name": "bad", "timeframe": "7m", "nonsense": 1}', encoding="utf-8")
    wrong = backtest(str(path), *QUICK)
    assert wrong.exit_code == 2 and "nonsense" in said(wrong) and "Traceback" not in said(wrong)


def test_data_without_funding_are_refused_until_it_is_assumed(tmp_path: Path) -> None:
    rows = "".join(f"{1_746_403_200_000 + k * 300_000},100,101,99,100.5,10\n" for k in range(600))
    bars = tmp_path / "BTCUSDT-5m-2025-05.csv"
    bars.write_text("open_time,open,high,low,close,volume\n" + rows)
    plain = backtest(NAME, "--data", str(bars), "--random-draws", "0")
    assert plain.exit_code == 2 and "--assume-funding" in said(plain)
    assumed = backtest(NAME, "--data", str(bars), "--random-draws", "0", "--assume-funding", "--json", "-")
    assert assumed.exit_code == 0, said(assumed)
    assert "funding: assumed" in json.loads(assumed.stdout)["origin"]["flags"]


def test_no_trades_have_a_reason() -> None:
    """Ten USDT buy less than the smallest order; a quarter of an hour of rules may be silent."""
    poor = backtest(NAME, *QUICK, "--capital", "10")
    assert "fired and none was traded: what the risk allows lay below the contract's smallest order" in poor.stdout
    short = backtest(NAME, "--symbols", "BTCUSDT", "--from", "2025-05-10", "--to", "2025-05-10T00:20")
    assert "the rules never fired: nothing can be concluded" in short.stdout


def test_a_file_with_a_broken_line_is_one_sentence(tmp_path: Path) -> None:
    rows = [f"{1_746_403_200_000 + k * 60_000},100,101,99,100.5,10" for k in range(3_000)]
    rows[1_500] = "garbage,,,,"
    bars = tmp_path / "SOLUSDT-1m.csv"
    bars.write_text("\n".join(["open_time,open,high,low,close,volume", *rows]))
    run = started(NAME, "--data", str(bars), "--assume-funding")
    _, told = run.communicate(timeout=400)
    assert run.returncode == 2 and "line 1502 has 5 columns instead of 6" in told and told.count("\n") == 1, told


def test_interrupted_it_ends_with_130_and_leaves_no_half_file(tmp_path: Path) -> None:
    page = tmp_path / "b.html"
    run = started(NAME, *SPAN, "--random-draws", "100000", "--html", str(page), "--json", str(tmp_path / "b.json"))
    time.sleep(3.0)
    os.killpg(run.pid, signal.SIGINT)
    _, errors = run.communicate(timeout=400)
    assert run.returncode == 130 and "Traceback" not in errors, errors
    assert not list(tmp_path.iterdir())


def test_help_names_every_option() -> None:
    shown = re.sub(r"\x1b\[[0-9;]*m", "", backtest("--help").stdout)
    for flag in ("--data", "--symbols", "--intrabar", "--margin", "--costs", "--volume", "--json", "--html"):
        assert flag in shown
