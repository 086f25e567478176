"""`aister data` as it is typed: what it prints, its JSON, its exit codes, and that bad input costs one sentence."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import aister
from aister.adapters.store.manifest import MANIFEST
from aister.cli import VERBS, main
from tests.adapters.recordings import bars, changed, picked, write_csv, write_public, zipped


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AISTER_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


class Done(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


class _Text(io.TextIOWrapper):
    """A standard stream that remembers, with the binary buffer underneath that JSON is written to."""

    def text(self) -> str:
        self.flush()
        return bytes(self.buffer.getbuffer()).decode()  # type: ignore[attr-defined]


def run(*words: object) -> Done:
    """The command in this process: starting another for each call is most of the time of these tests."""
    out, err = _Text(io.BytesIO(), "utf-8"), _Text(io.BytesIO(), "utf-8")
    code = 0
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "argv", ["aister", *(str(word) for word in words)])
        try:
            main()
        except SystemExit as ended:
            code = int(ended.code or 0)
    return Done(code, out.text(), err.text())


def ask(*words: object, code: int = 0) -> Any:
    done = run(*words, "--json")
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout)


def test_import_list_check_export(home: Path, tmp_path: Path) -> None:
    rows = bars(3000)
    archive = zipped(tmp_path / "BTCUSDT-1m-2025-05.zip", write_public(tmp_path / "BTCUSDT-1m-2025-05.csv", rows))
    report = ask("data", "import", archive, "--source", "public data", "--proxy", "spot")
    assert (report["symbol"], report["interval"], report["rows_new"]) == ("BTCUSDT", "1m", 3000)
    assert home.stat().st_mode & 0o777 == 0o700
    listed = {(row["where"], row["symbol"], row["kind"]): row for row in ask("data", "list")}
    assert listed["store", "BTCUSDT", "klines"]["flags"] == ["proxy: spot"]
    assert listed["sample", "SOLUSDT", "klines"]["rows"] == 41_760
    assert ask("data", "check") == []
    done = ask("data", "export", "BTCUSDT", "1m", tmp_path / "out.csv")
    assert done["rows"] == 3000
    assert (tmp_path / "out.csv").read_text().startswith("open_time,open,high,low,close,volume,quote_volume,trades,")
    assert (
        ask("data", "import", tmp_path / "out.csv", "--symbol", "BTCUSDT", "--interval", "1m")["rows_identical"] == 3000
    )
    plain = run("data", "list")
    assert plain.returncode == 0 and "BTCUSDT" in plain.stdout
    assert run("data", "check", "BTCUSDT").stdout == "1 series checked: nothing wrong.\n"
    assert ask("data", "export", "ETHUSDT", "funding", tmp_path / "f.parquet", "--sample")["rows"] == 88


def test_check_says_no_with_exit_code_1(home: Path, tmp_path: Path) -> None:
    broken = changed(changed(bars(100), 10, high=1.0), 50, volume=0.0)
    path = write_csv(tmp_path / "BTCUSDT-1m.csv", picked(broken, np.setdiff1d(np.arange(100), [70, 71])))
    found = {finding["kind"]: finding for finding in ask("data", "check", path, code=1)}
    assert found.keys() == {"bad_ohlc", "zero_volume", "gap"}
    assert (found["bad_ohlc"]["row"], found["bad_ohlc"]["severity"]) == (12, "bad")
    assert found["zero_volume"]["severity"] == "note"
    assert found["gap"]["count"] == 3  # two absent, one bad
    assert (
        run("data", "check", write_csv(tmp_path / "ETHUSDT-1m.csv", changed(bars(50), 3, volume=0.0))).returncode == 0
    )
    seconds = bars(5)
    seconds["open_time"] //= 1000
    (only,) = ask("data", "check", write_csv(tmp_path / "SOLUSDT-1m.csv", seconds), code=1)
    assert (only["kind"], only["row"]) == ("wrong_unit", 2)


def test_check_finds_a_changed_store(home: Path, tmp_path: Path) -> None:
    ask("data", "import", write_csv(tmp_path / "BTCUSDT-1m.csv", bars(3000)))
    file = next((home / "data" / "klines").rglob("*.parquet"))
    data = bytearray(file.read_bytes())
    data[100] ^= 1
    file.write_bytes(data)
    (found,) = ask("data", "check", "BTCUSDT", code=1)
    assert found["kind"] == "checksum"


def one_sentence(done: Done, code: int = 2) -> str:
    assert done.returncode == code, (done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("aister: ") and done.stderr.count("\n") == 1
    return done.stderr


def test_bad_input_gets_one_sentence_and_exit_code_2(home: Path, tmp_path: Path) -> None:
    good = write_csv(tmp_path / "BTCUSDT-1m.csv", bars(30))
    ask("data", "import", good)
    before = (home / "data" / MANIFEST).read_bytes()
    broken = tmp_path / "BTCUSDT-1m-broken.csv"
    broken.write_text("open_time,open\n\x1b[31m,1\n")
    torn = tmp_path / "BTCUSDT-1m-torn.csv"
    torn.write_text("open_time,open,high,low,close,volume\n1746403200000,1,2,1,2,5\n1746403260000,1\n")
    backwards = write_csv(tmp_path / "BTCUSDT-1m-back.csv", picked(bars(30), np.arange(30)[::-1]))
    gap = write_csv(tmp_path / "BTCUSDT-1m-gap.csv", picked(bars(60), [40, 41, 50]))
    cases: list[tuple[tuple[object, ...], str]] = [
        (("data", "import", tmp_path / "BTCUSDT-1m-none.csv"), "does not exist"),
        (("data", "import", broken), "has no column high"),
        (("data", "import", backwards), "clock goes backwards"),
        (("data", "import", gap), "rows are missing"),
        (("data", "import", write_csv(tmp_path / "prices.csv", bars(3))), "prices.csv does not start with a symbol"),
        (("data", "import", tmp_path / "nosuch.csv"), "nosuch.csv does not exist"),
        (("data", "import", tmp_path), "is a folder; name the files in it"),
        (("data", "import", good, tmp_path / "nosuch.csv", "--symbol", "BTCUSDT"), "nosuch.csv does not exist"),
        (("run", "--feed", torn), "`aister data import --on-bad quarantine`"),
        (("data", "import", good, "--interval", "7m"), "'7m' is unknown"),
        (("data", "import", good, "--symbol", "../../x"), "is no symbol"),
        (("data", "import", good, "--kind", "trades"), "not a kind"),
        (("data", "import", good, "--on-bad", "fill"), "unknown"),
        (("data", "export", "BTCUSDT", "5m", tmp_path / "o.csv"), "not in the store"),
        (("data", "export", "BTCUSDT", "1m", tmp_path / "o.xlsx"), "neither"),
        (("data", "export", "BTCUSDT", "1m", good), "exists"),
        (("data", "check", "NOSUCH"), "neither"),
        (("data", "check", tmp_path / "BTCUSDT-1m-broken.csv"), "has no column"),
    ]
    for words, sentence in cases:
        assert sentence in one_sentence(run(*words)), words
    assert (home / "data" / MANIFEST).read_bytes() == before
    assert good.exists()


def test_what_data_say_reaches_the_terminal_escaped(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "BTCUSDT-1m.csv"
    path.write_text("open_time,open,high,low,close,volume\n1746403200000,1,2,1,\x1b]8;;evil\x07\u202e2,5\n")
    said = one_sentence(run("data", "import", path))
    assert "\x1b" not in said and "\u202e" not in said and "line 2" in said


def test_usage_errors_and_version(home: Path) -> None:
    assert run("data", "import").returncode == 2
    assert run("nosuch").returncode == 2
    typed = [sys.executable, "-m", "aister", "--version"]
    assert subprocess.run(typed, capture_output=True, text=True, check=True).stdout == f"aister {aister.__version__}\n"
    assert not home.exists()  # nothing was written


def test_help_is_quick_and_light(home: Path) -> None:
    script = (
        "import sys, time\nsys.argv = ['aister', '--help']\nfrom aister.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'numpy', 'numba', 'pyarrow', 'pandas', 'sqlalchemy', 'rich', 'msgspec'} & set(sys.modules)\n"
        "print(sorted(heavy), time.process_time(), file=sys.stderr)"
    )
    done = min(
        (subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True) for _ in range(3)),
        key=lambda done: float(done.stderr.rsplit(" ", 1)[1]),
    )
    heavy, seconds = done.stderr.strip().rsplit(" ", 1)
    assert heavy == "[]"
    assert "data" in done.stdout
    assert float(seconds) < 0.3


def test_an_interrupt_ends_with_130(home: Path, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "BTCUSDT-1m.csv", bars(400_000))
    process = subprocess.Popen(
        [sys.executable, "-m", "aister", "data", "import", str(path)], stderr=subprocess.PIPE, text=True
    )
    while not (home / "data").exists():
        assert process.poll() is None
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGINT)
    _, said = process.communicate()
    assert process.returncode == 130
    assert said == "aister: interrupted; what was already recorded is kept.\n"
    assert not (home / "data" / MANIFEST).exists()


def test_the_help_says_of_each_verb_what_its_own_help_says(home: Path) -> None:
    for verb, sentence in VERBS.items():
        own = run(verb, "--help").stdout.split("\n\n")[1].strip()
        assert " ".join(own.split()).startswith(sentence), verb
    assert "Did you mean 'data'" in run("dat").stderr


def test_a_state_folder_that_is_none_is_named(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "journal.sqlite").mkdir(parents=True, mode=0o700)
    home.chmod(0o700)
    assert "is a folder where the journal's file belongs" in one_sentence(run("journal", "list"))
    assert "is a folder where the journal's file belongs" in one_sentence(run("run"))
    file = tmp_path / "file"
    file.write_text("")
    for place in (file, file / "below"):
        monkeypatch.setenv("AISTER_HOME", str(place))
        for words in (("data", "list"), ("journal", "list"), ("journal", "verify"), ("run",)):
            assert "is a file or lies below one; set AISTER_HOME to a folder" in one_sentence(run(*words)), words
        doctor = run("doctor")
        assert doctor.returncode == 1 and "AISTER_HOME" in doctor.stdout
