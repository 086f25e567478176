"""Tampering with whole runs: removed, unpicked from their order, or forgotten by the catalogue that counts them."""

from pathlib import Path

import pytest

from aister.adapters.store.catalogue import CATALOGUE
from aister.adapters.store.database import journal_path
from aister.adapters.store.heads import head_path
from aister.adapters.store.journal import open_chain
from aister.adapters.store.verify import verify
from tests.adapters.store.tampering import CHAIN, attacker, expect, write
from tests.stories import trade


@pytest.fixture
def home(tmp_path: Path) -> Path:
    place = tmp_path / "home"
    place.mkdir(mode=0o700)
    write(place)
    return place


def thrice(home: Path) -> None:
    """Two unfinished runs set aside, a third that goes on."""
    for turn in range(3):
        open_chain(home, "local", "abc", "run", fresh=turn > 0).close()
        write(home, 10 + turn)
    assert [(r.chain_id, r.intact) for r in verify(home)] == [(f"run-abc-{n}", True) for n in (1, 2, 3)]


@pytest.mark.parametrize("number", [1, 2])
def test_the_row_that_set_a_run_aside_removed(tmp_path: Path, number: int) -> None:
    thrice(tmp_path)
    with attacker(tmp_path) as connection:
        connection.execute("DELETE FROM aside WHERE chain_id = ?", (f"run-abc-{number}",))
    report = expect(tmp_path, "aside", None, f"run-abc-{number}")
    assert report.message.startswith("it is unfinished and run-abc-3 came after it")
    assert verify(tmp_path, f"run-abc-{number}") == [report]
    assert [r.intact for r in verify(tmp_path)].count(False) == 1


def test_a_finished_run_needs_no_aside_row(tmp_path: Path) -> None:
    for _ in range(2):
        with open_chain(tmp_path, "local", "abc", "run") as journal:
            for audit in trade():
                journal.append(audit)
    assert [(r.chain_id, r.intact) for r in verify(tmp_path)] == [("run-abc-1", True), ("run-abc-2", True)]


def remove(home: Path, chain: str) -> None:
    with attacker(home) as connection:
        for table in ("segment", "aside", "chain"):
            connection.execute(f"DELETE FROM {table} WHERE chain_id = ?", (chain,))
    head_path(home, chain).unlink()


@pytest.mark.parametrize("number", [1, 2])
def test_a_whole_run_removed_with_its_head_file(tmp_path: Path, number: int) -> None:
    thrice(tmp_path)
    gone = f"run-abc-{number}"
    remove(tmp_path, gone)
    report = expect(tmp_path, "removed", None, gone)
    assert f"heads/{gone}" in report.message
    assert verify(tmp_path, gone) == [report]


@pytest.mark.parametrize("runs", [1, 3])
def test_the_newest_run_removed_with_its_head_file(tmp_path: Path, runs: int) -> None:
    """No number is missing then; the catalogue counts them."""
    if runs == 1:
        write(tmp_path, 10)
    else:
        thrice(tmp_path)
    remove(tmp_path, f"run-abc-{runs}")
    report = expect(tmp_path, "catalogue", None, "catalogue")
    assert f"counts {runs} " in report.message
    write(tmp_path, 5)  # the next run takes the free number, and does not make the catalogue forget
    assert "another" in expect(tmp_path, "catalogue", None, "catalogue").message


def test_a_run_removed_without_its_head_file_is_remembered_by_it(home: Path) -> None:
    """The next run of that identity does not take the number, which would write over what is remembered."""
    kept = head_path(home, CHAIN).read_bytes()
    remove(home, CHAIN)
    head_path(home, CHAIN).write_bytes(kept)
    write(home, 5)
    assert "remembers 2500 records" in expect(home, "tail", 0).message
    assert head_path(home, CHAIN).read_bytes() == kept
    assert [r.chain_id for r in verify(home) if r.intact] == ["run-abc-2"]


def test_the_journal_removed_with_every_head_file_but_the_catalogue(home: Path) -> None:
    remove(home, CHAIN)
    journal_path(home).unlink()
    expect(home, "catalogue", None, "catalogue")


@pytest.mark.parametrize("change", ["gone", "byte", "twice"])
def test_the_catalogue_itself(home: Path, change: str) -> None:
    path = head_path(home, CATALOGUE)
    content = bytearray(path.read_bytes())
    if change == "gone":
        path.unlink()
    else:
        content[40] ^= 1
        path.write_bytes(bytes(content) if change == "byte" else path.read_bytes()[:512] * 2)
    report = expect(home, "catalogue", None, "catalogue")
    assert ("missing" if change == "gone" else "changed") in report.message
    write(home, 5)
    open_chain(home, "local", "abc", "run", fresh=True).close()
    expect(home, "catalogue", None, "catalogue")


def test_a_kill_between_a_new_runs_row_and_the_catalogue_is_made_good(tmp_path: Path) -> None:
    write(tmp_path, 3)
    path = head_path(tmp_path, CATALOGUE)
    before = path.read_bytes()
    write(tmp_path, 3, identity="def")
    path.write_bytes(before)
    assert all(report.intact for report in verify(tmp_path))
    write(tmp_path, 3)
    remove(tmp_path, "run-def-1")
    expect(tmp_path, "catalogue", None, "catalogue")


def test_numbers_run_on_over_identities_and_owners_that_share_a_name(tmp_path: Path) -> None:
    """A chain's name holds 12 characters of its identity: same rules on other data, or another owner, count on."""
    long = "0123456789ab"
    for owner, identity in (("alice", f"{long}-x"), ("alice", f"{long}-y"), ("bob", f"{long}-x"), ("bob", "01")):
        write(tmp_path, 3, owner, identity)
    write(tmp_path, 3, "bob", "01-x")
    write(tmp_path, 3, "carol", "01")
    assert [(r.chain_id, r.intact) for r in verify(tmp_path)] == [
        (f"run-{name}", True) for name in (f"{long}-1", f"{long}-2", f"{long}-3", "01-1", "01-x-1", "01-2")
    ]
    remove(tmp_path, f"run-{long}-2")
    expect(tmp_path, "removed", None, f"run-{long}-2")
