"""`aister run` as a person starts it: a result, an interruption and its resumption, and one sentence for every
mistake."""

import fcntl
import json
import os
import pty
import re
import select
import signal
import stat
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from aister.cli import build

SPAN = ["--symbols", "BTCUSDT,ETHUSDT", "--from", "2025-05-12", "--to", "2025-05-17"]


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "aister", "run", *arguments]


def aister(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments),
        env={**os.environ, "AISTER_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict, str, Path]:
    """One uninterrupted run with both files: its JSON, what it printed, where it lies."""
    folder = tmp_path_factory.mktemp("whole")
    done = aister(folder / "home", *SPAN, "--report", str(folder / "r.html"), "--json", str(folder / "r.json"))
    assert done.returncode == 0, done.stderr
    return json.loads((folder / "r.json").read_text()), done.stdout, folder


def test_a_run_leaves_report_json_and_a_summary(whole: tuple[dict, str, Path]) -> None:
    result, printed, folder = whole
    assert {"trades", "decisions", "metrics", "flags", "assumptions", "seed", "versions"} <= result.keys()
    assert all(
        re.fullmatch("[0-9a-f]{64}", result[f"{name}_hash"])
        for name in ("journal", "decision", "trades", "data", "config")
    )
    assert result["decisions"] and result["finished"] and result["settings"]["from"] == "2025-05-12 00:00 UTC"
    assert all(d["arrived_ms"] == d["asked_ms"] + 250 for d in result["decisions"])
    page = (folder / "r.html").read_text()
    assert result["journal_hash"] in page and page.count('<details id="d') == len(result["decisions"])
    kelly = result["kelly"]
    assert (kelly["state"], kelly["needed"], kelly["bound"]) == ("UNPROVEN", 100, None)
    assert kelly["outcomes"] == sum(not trade["open"] for trade in result["trades"]) >= kelly["effective_n"] > 0
    assert f"Kelly UNPROVEN</b>, n = {kelly['effective_n']:.0f}: " in page
    for line in ("Result ", "Beside it", "Chance ", f"hash {result['trades_hash']}", f"Report     {folder / 'r.html'}"):
        assert line in printed, line
    assert printed.count("closed by") == sum(not trade["open"] for trade in result["trades"])
    assert [p.name for p in folder.iterdir() if p.name.startswith(".")] == []


def test_standard_output_is_json_and_nothing_else_and_the_same(whole: tuple[dict, str, Path], tmp_path: Path) -> None:
    done = aister(tmp_path, *SPAN, "--json", "-")
    again = json.loads(done.stdout)
    assert done.stderr == ""
    assert {name: again[name] for name in again if name.endswith("_hash")} == {
        n: v for n, v in whole[0].items() if n.endswith("_hash")
    }
    assert again["metrics"] == whole[0]["metrics"] and again["benchmarks"] == whole[0]["benchmarks"]


class Terminal:
    """The command on a pseudo-terminal of 80 x 24."""

    def __init__(self, home: Path, *arguments: str, term: str = "xterm-256color") -> None:
        self.seen = b""
        self._descriptor, inside = pty.openpty()
        fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        take = (
            "import fcntl, os, sys, termios; os.setsid(); "
            "fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
        )
        self._process = subprocess.Popen(
            [sys.executable, "-c", take, *command(*arguments)],
            env={**os.environ, "AISTER_HOME": str(home), "TERM": term},
            stdin=inside, stdout=inside, stderr=inside,
        )  # fmt: skip
        os.close(inside)

    def wait_for(self, words: bytes, seconds: float = 400.0) -> None:
        until = time.monotonic() + seconds
        while words not in self.seen:
            assert time.monotonic() < until, self.seen[-2_000:]
            self._read()

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def type(self, keys: bytes) -> None:
        os.write(self._descriptor, keys)

    def leave(self) -> int:
        while self._read():
            pass
        os.close(self._descriptor)
        return self._process.wait(timeout=400)

    def _read(self) -> bool:
        ready, _, _ = select.select([self._descriptor], [], [], 0.2)
        if not ready:
            return True
        try:
            data = os.read(self._descriptor, 65_536)
        except OSError:  # Linux says so when the other side has gone
            return False
        self.seen += data
        return bool(data)


def test_interrupted_at_a_slow_pace_then_resumed(whole: tuple[dict, str, Path], tmp_path: Path) -> None:
    report, home = tmp_path / "r.html", tmp_path / "home"
    slow = Terminal(home, *SPAN, "--speed", "1", "--report", str(report))
    slow.wait_for(b"BTCUSDT")
    slow.signal(signal.SIGTERM)
    asked = time.monotonic()
    assert slow.leave() == 130 and time.monotonic() - asked < 10  # not after the minute it was waiting for
    assert b"The same command goes on from there" in slow.seen and not report.exists()

    last = aister(home, *SPAN, "--report", str(report), "--json", str(tmp_path / "r.json"))
    assert last.returncode == 0, last.stderr
    found = re.search(r"resumed: ([\d,]+) records repeated", last.stdout)
    assert found and int(found[1].replace(",", "")) > 0
    result = json.loads((tmp_path / "r.json").read_text())
    assert (result["journal_hash"], result["decision_hash"]) == (whole[0]["journal_hash"], whole[0]["decision_hash"])
    assert result["trades"] == whole[0]["trades"] and report.exists()


def test_ctrl_c_is_heard_at_full_speed(tmp_path: Path) -> None:
    fast = Terminal(tmp_path / "home", "--speed", "max", "--report", str(tmp_path / "r.html"))
    fast.wait_for(b"decisions,")
    fast.type(b"\x03")
    assert fast.leave() == 130
    assert b"The same command goes on from there" in fast.seen and not (tmp_path / "r.html").exists()


def test_a_finished_run_leaves_its_results_although_ctrl_c_is_pressed(tmp_path: Path) -> None:
    """The chain is finished and would not be resumed, so the results are made now or never."""
    fifo, report = tmp_path / "json", tmp_path / "r.html"
    os.mkfifo(fifo)  # nobody reads it yet, so the results stay unwritten until somebody does
    env = {**os.environ, "AISTER_HOME": str(tmp_path / "home")}
    given = ["--symbols", "BTCUSDT", "--from", "2025-05-12", "--to", "2025-05-13"]
    given += ["--report", str(report), "--json", str(fifo)]
    for stubborn, code in ((False, 0), (True, 130)):
        report.unlink(missing_ok=True)
        with subprocess.Popen(
            command(*given), env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as told:
            assert told.stderr is not None
            until = time.monotonic() + 400
            while not report.exists() and time.monotonic() < until and told.poll() is None:
                time.sleep(0.02)
            if not report.exists():
                told.kill()  # it would wait for a reader for ever
            assert report.exists()
            time.sleep(0.2)
            told.send_signal(signal.SIGINT)
            assert told.stderr.readline() == "aister: Results are being written; once more leaves without them.\n"
            if stubborn:
                told.send_signal(signal.SIGINT)
            else:
                assert json.loads(fifo.read_text())["finished"]
            assert told.wait(timeout=400) == code
        assert stat.S_ISFIFO(fifo.stat().st_mode)


def test_a_reader_that_leaves_stops_the_run_without_a_traceback(tmp_path: Path) -> None:
    env = {**os.environ, "AISTER_HOME": str(tmp_path)}
    with subprocess.Popen(command(*SPAN), env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as told:
        assert told.stdout is not None and told.stderr is not None
        assert told.stdout.readline().startswith("data: ")
        told.stdout.close()
        assert (told.stderr.read(), told.wait(timeout=400)) == ("", 130)


def test_the_last_picture_stays_until_enter(tmp_path: Path) -> None:
    shell = Terminal(tmp_path, "--symbols", "BTCUSDT", "--from", "2025-05-12", "--to", "2025-05-13")
    shell.wait_for(b"Enter or Ctrl-C leaves")
    shell.type(b"\n")
    assert shell.leave() == 0
    assert b"Result " in shell.seen


def test_a_dumb_terminal_gets_plain_lines(tmp_path: Path) -> None:
    dumb = Terminal(tmp_path, "--symbols", "BTCUSDT", "--from", "2025-05-12", "--to", "2025-05-13", term="dumb")
    assert dumb.leave() == 0
    assert b"\x1b" not in dumb.seen and dumb.seen.startswith(b"data: ") and b"Result " in dumb.seen


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--report", "/nowhere/at/all/r.html"], "The folder /nowhere/at/all does not exist"),
        (["--json", "/nowhere/r.json"], "The folder /nowhere does not exist"),
        (["--speed", "-1"], "is not a speed"),
        (["--from", "yesterday"], "is not a UTC date"),
        (["--leverage", "-3"], "Leverage -3 is not possible"),
        (["--symbols", "NOSUCHUSDT"], "NOSUCHUSDT"),
    ],
)
def test_a_mistake_gets_one_sentence_and_exit_code_2(arguments: list[str], words: str) -> None:
    done = CliRunner().invoke(build(), ["run", *arguments])
    assert (done.exit_code, done.stdout) == (2, "")
    assert words in done.stderr and len(done.stderr.strip().splitlines()) == 1
