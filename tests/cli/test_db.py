"""`aister db migrate` as it is typed."""

import json
from pathlib import Path

import pytest

from tests.cli.test_data import run


def test_it_says_which_revision_and_what_it_did(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AISTER_HOME", str(tmp_path / "home"))
    asked = run("db", "migrate", "--check")
    assert asked.returncode == 1 and "is empty" in asked.stdout and "run: aister db migrate" in asked.stdout, asked
    assert not (tmp_path / "home").exists()
    done = run("db", "migrate")
    assert done.returncode == 0 and "platform.sqlite: empty -> 0" in done.stdout, done
    told = run("db", "migrate", "--check", "--json")
    found = json.loads(told.stdout)
    assert told.returncode == 0 and found["revision"] == found["newest"], told
    wrong = run("db", "migrate", "--down", "0000")
    assert wrong.returncode == 2 and wrong.stderr.count("\n") == 1 and "no revision 0000" in wrong.stderr, wrong


def test_a_database_that_cannot_be_reached_is_one_sentence_without_its_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AISTER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("AISTER_DATABASE_URL", "postgresql://me:hidden-canary@127.0.0.1:9/none")
    refused = run("db", "migrate")
    assert refused.returncode == 2 and refused.stderr.count("\n") == 1, refused
    assert "hidden-canary" not in refused.stderr and "see that it runs" in refused.stderr
