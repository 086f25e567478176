"""A live trader's journal that was put back: found, accepted by a person for exactly that state, and only then (D1)."""

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from aister.adapters.store.database import journal_path
from aister.adapters.store.heads import head_path
from aister.adapters.store.journal import open_chain
from aister.adapters.store.rollback import accept_rollback, acceptance, done_with, note_remembered
from aister.adapters.store.verify import verify
from aister.cli import build
from aister.core.errors import JournalError, StorageError, UsageError
from tests.stories import bars

CHAIN = "live-abc-1"
COUNT = 1_200


def write(home: Path, count: int = COUNT, kind: str = "live") -> None:
    with open_chain(home, "local", "abc", kind) as journal:
        for audit in bars(count, first=journal.sequence):
            journal.append(audit)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AISTER_HOME", str(tmp_path))
    tmp_path.chmod(0o700)
    return tmp_path


def put_back(home: Path, gone: int) -> None:
    """The file as it was before the last `gone` records; the head file stays."""
    write(home, COUNT - gone)
    yesterday = journal_path(home).read_bytes()
    write(home, gone)
    journal_path(home).write_bytes(yesterday)


@pytest.mark.parametrize("gone", [1, 100, COUNT - 1])
def test_a_journal_put_back_does_not_open_until_somebody_answers_for_it(home: Path, gone: int) -> None:
    put_back(home, gone)
    with pytest.raises(JournalError, match="accept-rollback"):
        open_chain(home, "local", "abc", "live")
    given = accept_rollback(home, "Ada", "the disk was restored")
    assert (given.chain_id, given.sequence, given.remembered) == (CHAIN, COUNT - gone, COUNT)
    with open_chain(home, "local", "abc", "live") as journal:
        assert journal.sequence == COUNT - gone
        assert acceptance(home, CHAIN, journal.sequence, journal.head) == given
        newest = journal.newest()
        assert newest is not None and newest.sequence == COUNT - gone - 1
        for audit in bars(3, first=journal.sequence):
            journal.append(audit)
    assert verify(home)[0].intact
    done_with(home, CHAIN)
    assert acceptance(home, CHAIN, given.sequence, given.head) is None


def test_yesterdays_file_and_head_file_are_intact_until_somebody_else_remembers_more(home: Path) -> None:
    write(home, 500)
    heads = head_path(home, CHAIN).read_bytes()
    yesterday = journal_path(home).read_bytes()
    write(home, 700)
    journal_path(home).write_bytes(yesterday)
    head_path(home, CHAIN).write_bytes(heads)
    with pytest.raises(UsageError, match="nothing to accept"):
        accept_rollback(home, "Ada", "why")
    note_remembered(home, CHAIN, 1_200)
    note_remembered(home, CHAIN, 900)
    assert accept_rollback(home, "Ada", "why").remembered == 1_200


def test_an_acceptance_holds_for_no_other_state_and_cannot_be_written_without_the_key(home: Path) -> None:
    put_back(home, 100)
    given = accept_rollback(home, "Ada", "why")
    assert acceptance(home, CHAIN, given.sequence + 1, given.head) is None
    assert acceptance(home, CHAIN, given.sequence, "0" * 64) is None
    path = home / "rollbacks" / f"{CHAIN}.json"
    path.write_bytes(path.read_bytes().replace(b'"by":"Ada"', b'"by":"Eve"'))
    assert acceptance(home, CHAIN, given.sequence, given.head) is None
    path.write_text("nothing")
    assert acceptance(home, CHAIN, given.sequence, given.head) is None


def test_what_is_no_rollback_cannot_be_accepted(home: Path) -> None:
    with pytest.raises(UsageError, match="no journal"):
        accept_rollback(home, "Ada", "why")
    write(home)
    with pytest.raises(UsageError, match="--by and --reason"):
        accept_rollback(home, " ", "why")
    with pytest.raises(UsageError, match="nothing to accept"):
        accept_rollback(home, "Ada", "why")
    with pytest.raises(UsageError, match="no chain"):
        accept_rollback(home, "Ada", "why", "live-other-1")
    spare = shutil.copytree(home, home.parent / "spare")
    content = journal_path(home).read_bytes()
    at = content.rindex(b"BTCUSDT")
    journal_path(home).write_bytes(content[:at] + b"ETHUSDT" + content[at + 7 :])
    with pytest.raises(JournalError, match="cannot be accepted"):
        accept_rollback(home, "Ada", "why")
    shutil.rmtree(spare)


def test_recorded_runs_are_not_accepted_they_are_started_anew(home: Path) -> None:
    write(home, kind="run")
    with pytest.raises(UsageError, match="live trader"):
        accept_rollback(home, "Ada", "why")


def test_a_running_trader_keeps_its_chain(home: Path) -> None:
    write(home)
    with open_chain(home, "local", "abc", "live"), pytest.raises(StorageError, match="being written"):
        accept_rollback(home, "Ada", "why")


def test_the_command_says_who_goes_on_from_where(home: Path) -> None:
    put_back(home, 100)
    told = CliRunner().invoke(build(), ["journal", "accept-rollback", "--by", "Ada", "--reason", "restored"])
    assert told.exit_code == 0
    assert f"{CHAIN}: Ada goes on from record 1,100; 1,200 were there before." in told.stdout
    again = CliRunner().invoke(build(), ["journal", "accept-rollback", "--by", "Ada"])
    assert again.exit_code == 2 and "--reason" in again.output
