"""`aister sweep`: what it prints, its JSON, and that it goes on after Ctrl-C."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.lab.sweeps import RULES

AXES = ("--grid", "fast=0,8,13", "--grid", "slow=21,34", "--where", "fast < slow")
SPAN = ("--from", "2025-05-10", "--to", "2025-05-14", "--symbols", "BTCUSDT")


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "crossing.json"
    path.write_text(json.dumps(RULES))
    return path


def command(spec: Path, home: Path, *more: str) -> tuple[list[str], dict[str, str]]:
    return [sys.executable, "-m", "aister", "sweep", str(spec), *SPAN, *more], {**os.environ, "AISTER_HOME": str(home)}


def ran(spec: Path, home: Path, *more: str) -> subprocess.CompletedProcess[str]:
    given, env = command(spec, home, *more)
    return subprocess.run(given, env=env, capture_output=True, text=True, check=False)


def test_it_ends_with_the_best_the_trials_and_what_luck_makes_of_them(spec: Path, tmp_path: Path) -> None:
    first = ran(spec, tmp_path / "home", *AXES)
    assert first.returncode == 0, first.stderr
    assert "6 cells (grid), 2 refused" in first.stdout
    assert "/let/fast/span: 0 is out of range" in first.stdout
    assert "4 trials on these instruments" in first.stdout
    assert (
        "the best of 4 trials must beat luck" in first.stdout and "fewer than two of them have 30 days" in first.stdout
    )
    assert "6 of 6 cells" in first.stderr
    assert re.search(r"Note +the best cell has \d+ trades: below 30 nothing can be concluded", first.stdout)
    assert re.search(r"Note +contract terms assumed: fees", first.stdout)
    assert re.search(r"^ *\d+ +\d+ +-?[\d.]+ +[+-]\d+\.\d\d% +\d+\.\d\d% +\d+ ", first.stdout, re.M)
    again = ran(spec, tmp_path / "home", *AXES, "--json", "-")
    table = json.loads(again.stdout)
    assert "cells" not in again.stderr  # nothing was run
    assert table["trials"] == 4 and table["complete"] and len(table["columns"]["digest"]) == 6
    assert table["columns"]["fast"] == [0, 0, 8, 8, 13, 13] and table["columns"]["net_return"][0] is None
    assert table["best"] and Path(table["folder"]).is_dir()


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ((), "Nothing varies"),
        (("--vary", "fast=2..9"), "--vary is for --random"),
        (("--random", "5", "--tpe", "5", "--vary", "fast=2..9"), "either --random N or --tpe N"),
        (("--grid", "fast=2,3", "--by", "beauty"), "no figure 'beauty'"),
        (("--grid", "fast=2,3", "--top", "0"), "--top must be 1 or more"),
        (("--grid", "fast=2,3", "--workers", "-3"), "--workers lies between 0"),
    ],
)
def test_what_cannot_be_is_one_sentence(spec: Path, tmp_path: Path, more: tuple[str, ...], reason: str) -> None:
    refused = ran(spec, tmp_path / "home", *more)
    assert refused.returncode == 2 and refused.stdout == ""
    assert refused.stderr.count("\n") == 1 and reason in refused.stderr


def test_ctrl_c_leaves_what_is_done_and_the_same_command_goes_on(spec: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    many = ("--grid", "fast=2:60:1", "--grid", "slow=80:200:5", "--workers", "1")
    given, env = command(spec, home, *many)
    run = subprocess.Popen(given, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 400
    while not list(home.glob("sweeps/*/rows/part-*")) and run.poll() is None and time.monotonic() < until:
        time.sleep(0.02)
    run.send_signal(signal.SIGINT)
    out, told = run.communicate(timeout=400)
    assert run.returncode == 130, told
    assert "stopping after the cells on their way; Ctrl-C again ends at once" in told
    assert "the same command goes on from here" in told and "of 1,475 (grid)" in out
    (folder,) = home.glob("sweeps/*")
    parts = sorted(folder.glob("rows/part-*"))
    held = [part.read_bytes() for part in parts]
    again, env = command(spec, home, *many)
    second = subprocess.Popen(again, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while len(list(folder.glob("rows/part-*"))) == len(parts) and second.poll() is None and time.monotonic() < until:
        time.sleep(0.02)
    second.send_signal(signal.SIGINT)
    second.wait(60)
    assert [part.read_bytes() for part in parts] == held
    assert len(list(folder.glob("rows/part-*"))) > len(parts)
