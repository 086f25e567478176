"""Writing, resuming, reading back, and everything a disk or a second program can do in between."""

import os
import resource
import sqlite3
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from aister.adapters.store.database import journal_path
from aister.adapters.store.journal import open_chain
from aister.adapters.store.memory import MemoryJournal
from aister.adapters.store.records import AuditReader
from aister.adapters.store.verify import verify
from aister.core.audit import Audit
from aister.core.errors import JournalError, StorageError, UsageError
from tests.adapters.store.chains import begin, write
from tests.stories import audits, bar, bars, trade


def test_what_was_written_is_read_back_and_verifies(tmp_path: Path) -> None:
    story = [*bars(2_345), *[Audit(2_345 + a.sequence, a.event, a.outputs) for a in trade()]]
    head = write(tmp_path, story)
    (report,) = verify(tmp_path)
    assert report.intact and report.records == len(story) and report.head == head and report.notes == ()
    with AuditReader(tmp_path) as reader:
        entries = list(reader.entries())
        assert [entry.audit for entry in entries] == story
        assert entries[-1].hash == head and [e.sequence for e in entries] == list(range(len(story)))
        assert [e.sequence for e in reader.entries(first=998, last=1_001)] == [998, 999, 1_000, 1_001]
        (summary,) = reader.summaries()
        assert (summary.state, summary.records, summary.head) == ("finished", len(story), head)


def test_the_journal_hash_is_that_of_the_run_and_not_of_the_chain_or_the_key(tmp_path: Path) -> None:
    """Two runs of one identity, two homes, flushed differently or kept in memory only: one hash."""
    memory = MemoryJournal("local", "abc", "run")
    for audit in trade():
        memory.append(audit)
    with begin(tmp_path / "a") as journal:
        for audit in trade():
            journal.append(audit)
            journal.flush()
    assert journal.head == memory.head == write(tmp_path / "a", trade()) == write(tmp_path / "b", trade(), mode="full")
    with AuditReader(tmp_path / "a") as reader:
        assert [chain.chain_id for chain in reader.summaries()] == ["run-abc-1", "run-abc-2"]


def test_an_unfinished_chain_is_resumed_and_a_finished_one_is_not(tmp_path: Path) -> None:
    story = trade()
    write(tmp_path, story[:7])
    with begin(tmp_path) as journal:
        assert journal.sequence == 7 and list(journal.records()) == story[:7]
        for audit in story[7:]:
            journal.append(audit)
        assert list(journal.records()) == story[:7]
        journal.flush()
        assert list(journal.records()) == story
    whole = MemoryJournal("local", "abc", "run")
    for audit in story:
        whole.append(audit)
    assert journal.head == whole.head
    with begin(tmp_path) as other:
        assert other.sequence == 0 and other.chain.chain_id == "run-abc-2"
    with begin(tmp_path, "else") as third:
        assert third.chain.chain_id == "run-else-1"


def test_fresh_sets_the_unfinished_chain_aside_and_keeps_it(tmp_path: Path) -> None:
    write(tmp_path, bars(10))
    with begin(tmp_path, fresh=True) as journal:
        assert journal.sequence == 0 and journal.chain.chain_id == "run-abc-2"
    assert begin(tmp_path).chain.chain_id == "run-abc-2"
    with AuditReader(tmp_path) as reader:
        assert [(c.chain_id, c.state, c.records) for c in reader.summaries()] == [
            ("run-abc-1", "aside", 10),
            ("run-abc-2", "unfinished", 0),
        ]
        assert len(list(reader.entries("run-abc-1"))) == 10
    assert all(report.intact for report in verify(tmp_path))


def test_a_record_out_of_turn_is_refused(tmp_path: Path) -> None:
    with begin(tmp_path) as journal:
        with pytest.raises(JournalError, match="Record 5 was offered where 0 belongs"):
            journal.append(bars(1, first=5)[0])
        assert journal.sequence == 0


def test_everything_is_private(tmp_path: Path) -> None:
    write(tmp_path, bars(3))
    for path in tmp_path.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    key = tmp_path / "keys" / "journal.key"
    assert len(key.read_bytes()) == 32
    key.chmod(0o644)
    with pytest.raises(StorageError, match="can be read by other users"):
        begin(tmp_path)


def test_a_lost_key_is_never_replaced_by_a_new_one(tmp_path: Path) -> None:
    write(tmp_path, bars(3))
    (tmp_path / "keys" / "journal.key").unlink()
    with pytest.raises(JournalError, match="missing"):
        begin(tmp_path)
    with pytest.raises(JournalError, match="missing"):
        verify(tmp_path)
    assert not (tmp_path / "keys" / "journal.key").exists()


def test_a_second_writer_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    with begin(tmp_path) as journal:
        journal.append(bars(1)[0])
        code = (
            "import sys\nfrom aister.adapters.store.journal import open_chain\nfrom pathlib import Path\n"
            "open_chain(Path(sys.argv[1]), 'local', 'abc', 'run')"
        )
        other = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False)
        assert f"run-abc-1 is being written by process {os.getpid()}" in other.stderr
        for fresh in (False, True):
            with pytest.raises(StorageError, match="is being written by process"):
                begin(tmp_path, fresh=fresh)
        journal.append(bars(1, first=1)[0])
    assert verify(tmp_path)[0].records == 2


def test_two_chains_share_one_file(tmp_path: Path) -> None:
    with begin(tmp_path, "one") as one, begin(tmp_path, "two") as two:
        for audit in bars(2_500):
            one.append(audit)
            two.append(audit)
    assert [(report.intact, report.records) for report in verify(tmp_path)] == [(True, 2_500), (True, 2_500)]


def test_the_file_refuses_to_be_rewritten(tmp_path: Path) -> None:
    write(tmp_path, bars(3))
    with sqlite3.connect(journal_path(tmp_path)) as connection:
        for statement in ("DELETE FROM segment", "UPDATE segment SET last_sequence = 1", "DELETE FROM chain"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                connection.execute(statement)
    connection.close()


def test_a_locked_file_is_one_sentence(tmp_path: Path) -> None:
    journal = begin(tmp_path, busy_s=0.1)
    for audit in bars(5):
        journal.append(audit)
    blocker = sqlite3.connect(journal_path(tmp_path), isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageError, match=r"locked by another program for 0\.1 s; close that program"):
        journal.flush()
    blocker.execute("COMMIT")
    blocker.close()
    journal.flush()  # nothing was lost: what could not be written was kept
    journal.close()
    assert verify(tmp_path)[0].records == 5


def test_a_file_that_is_no_journal_is_one_sentence(tmp_path: Path) -> None:
    write(tmp_path, bars(3))
    journal_path(tmp_path).write_bytes(b"this is not a database, whatever its name says" * 100)
    for action in (begin, verify):
        with pytest.raises(JournalError, match="is damaged"):
            action(tmp_path)


@pytest.mark.parametrize(
    ("identity", "kind"), [("../up", "run"), ("", "run"), ("a/b", "run"), ("abc", "Run"), ("abc", "")]
)
def test_an_identity_that_could_leave_the_folder_is_refused(tmp_path: Path, identity: str, kind: str) -> None:
    with pytest.raises(UsageError, match="identity of letters and digits"):
        open_chain(tmp_path, "local", identity, kind)


def test_speed_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    story = audits(bar(number) for number in range(60_000))
    with begin(tmp_path) as journal:
        began = time.perf_counter()
        for audit in story:
            journal.append(audit)
        journal.flush()
        appended = time.perf_counter() - began
        began = time.perf_counter()
        count = sum(1 for _ in journal.records())
        read = time.perf_counter() - began
    began = time.perf_counter()
    assert verify(tmp_path)[0].intact and count == len(story)
    checked = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with capsys.disabled():
        print(
            f"\n  journal: append {appended / count * 1e6:.2f} us/record, read {count / read:,.0f}/s, "
            f"verify {count / checked:,.0f}/s, peak {peak / 1024:.0f} MiB"
        )
    assert appended / count < 50e-6 and count / read > 20_000
