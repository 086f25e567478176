"""`aister doctor`: one line a check, exit code 1 when something is bad, nothing left behind."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from aister.cli import build

NAMES = ["python", "packages", "extras", "sample data", "kernel cache", "home", "file system", "disk", "clock"]
NAMES += ["processors", "memory", "sqlite", "journal", "keys"]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AISTER_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_a_sound_machine(home: Path) -> None:
    done = CliRunner().invoke(build(), ["doctor", "--json"])
    found = json.loads(done.stdout)
    assert [row["name"] for row in found] == NAMES
    assert {row["status"] for row in found} <= {"ok", "warn"}, [row for row in found if row["status"] == "bad"]
    assert done.exit_code == 0
    assert all(row["remedy"] for row in found if row["status"] != "ok")
    assert "125,544 rows" in next(row["fact"] for row in found if row["name"] == "sample data")
    assert not home.exists()


def test_something_bad_is_exit_code_one(home: Path) -> None:
    home.mkdir()
    home.chmod(0o777)
    done = CliRunner().invoke(build(), ["doctor"])
    assert done.exit_code == 1
    lines = done.stdout.splitlines()
    (at,) = [number for number, line in enumerate(lines) if line.startswith("bad")]
    assert "open to other users" in lines[at] and f"chmod 700 {home}" in lines[at + 1]
