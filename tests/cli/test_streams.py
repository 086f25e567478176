"""Standard streams that are full, closed or left by their reader: one sentence or none, never a traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from aister.adapters.store.journal import open_chain
from tests.stories import bars

VERBS = ["--help", "--version", "data --help", "data list", "data list --json", "doctor", "journal list", "bench"]
RECORDED = ["journal show", "journal show --json", "journal export", "journal verify"]
RUN = "run --symbols BTCUSDT --from 2025-05-12 --to 2025-05-13"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state folder with one chain of some length."""
    folder = tmp_path_factory.mktemp("streams") / "home"
    with open_chain(folder, "owner", "abc", "run") as journal:
        for audit in bars(5_000):
            journal.append(audit)
    return folder


def shell(home: Path, line: str) -> subprocess.CompletedProcess[str]:
    """The line run by a shell, where `aister` is this one."""
    start = f'aister() {{ "{sys.executable}" -m aister "$@"; }}; {line}'
    env = {**os.environ, "AISTER_HOME": str(home)}
    return subprocess.run(["bash", "-c", start], env=env, capture_output=True, text=True, timeout=400, check=False)


@pytest.mark.parametrize("verb", [*VERBS, *RECORDED, RUN, f"{RUN} --json -", f"{RUN} --json /dev/stdout"])
def test_a_full_disk_is_one_sentence_and_exit_code_2(home: Path, tmp_path: Path, verb: str) -> None:
    done = shell(tmp_path / "own" if verb.startswith("run") else home, f"aister {verb} > /dev/full")
    assert done.returncode == 2
    assert done.stderr.startswith("aister: ") and "could not be written (No space left on device)" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("verb", ["--help", "data list", "journal show", RUN, f"{RUN} --json -"])
def test_a_closed_standard_output_is_refused_before_the_work_starts(home: Path, verb: str) -> None:
    before = (home / "journal.sqlite").read_bytes()
    done = shell(home, f"aister {verb} >&-")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "Standard output is closed" in done.stderr
    assert (home / "journal.sqlite").read_bytes() == before


def test_other_streams_may_be_closed(home: Path) -> None:
    done = shell(home, "aister data list <&- 2>&-")
    assert done.returncode == 0 and "BTCUSDT" in done.stdout
    assert shell(home, "aister journal show nosuch 2>&-").returncode == 2


@pytest.mark.parametrize("verb", ["journal show", "journal show --json", "journal export", "data list", "--help"])
def test_a_reader_that_left_is_the_same_quiet_code_everywhere(home: Path, verb: str) -> None:
    done = shell(home, f"{{ sleep 0.2; aister {verb}; echo $? >&2; }} | true")
    assert done.stderr == "1\n"


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ("--seed 99999999999999999999", "--seed must be"),
        ("--seed -1", "--seed must be"),
        ("--from 0001-01-01T00:00+14:00", "--from lies outside the years"),
        ("--to 9999-12-31T23:59-14:00", "--to lies outside the years"),
        ("--feed ''", "--feed is empty"),
        ("--symbols ,", "--symbols ',' names no symbol"),
        ("--capital x", "--capital 'x' is not an amount"),
        ("--capital 0.000000001", "--capital '0.000000001' is not an amount"),
        ("--capital nan", "--capital must lie between 10 and 1,000,000,000"),
        ("--capital 1e999999", "--capital must lie between"),
        ("--capital 9.99", "--capital must lie between"),
        ("--capital 1000000001", "--capital must lie between"),
        ("--capital -5", "--capital must lie between"),
    ],
)
def test_settings_out_of_bounds_are_named_before_the_run(tmp_path: Path, flags: str, words: str) -> None:
    done = shell(tmp_path / "home", f"aister run {flags}")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done.stderr
    assert words in done.stderr and not (tmp_path / "home").exists()
