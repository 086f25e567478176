"""Writing, resuming, reading back, and everything a disk or a second program can do in between."""

import os
import random
import resource
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from aister.adapters.store import writer
from aister.adapters.store.database import journal_path
from aister.adapters.store.heads import head_path
from aister.adapters.store.journal import DURABILITY, SqliteJournal, open_chain
from aister.adapters.store.memory import MemoryJournal
from aister.adapters.store.records import AuditReader
from aister.adapters.store.verify import verify
from aister.core.audit import Audit
from aister.core.errors import JournalError, StorageError, UsageError
from tests.stories import audits, bar, bars, trade


def begin(home: Path, identity: str = "abc", **options: object) -> SqliteJournal:
    return open_chain(home, "local", identity, "run", **options)  # type: ignore[arg-type]


def write(home: Path, story: list[Audit], identity: str = "abc", **options: object) -> str:
    with begin(home, identity, **options) as journal:
        for audit in story:
            journal.append(audit)
        return journal.head


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


def test_a_read_only_home_can_be_verified_but_not_written(tmp_path: Path) -> None:
    write(tmp_path, bars(5))
    code = (
        "import os, sys\nfrom pathlib import Path\nhome = Path(sys.argv[1])\n"
        "from aister.adapters.store.verify import verify\nfrom aister.adapters.store.journal import open_chain\n"
        "from aister.core.errors import StorageError\n"
        "print(verify(home)[0].records)\n"
        "try:\n    open_chain(home, 'local', 'abc', 'run')\nexcept StorageError as error:\n    print(error)\n"
    )
    before = journal_path(tmp_path).read_bytes()
    for path in (tmp_path, *tmp_path.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o400)
    try:
        if os.geteuid() == 0 and not _without_privileges():
            pytest.skip("the administrator can write everywhere and this system cannot drop that")
        prefix = _without_privileges() if os.geteuid() == 0 else []
        done = subprocess.run(
            [*prefix, sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False
        )
        said = done.stdout.splitlines()
        assert said[0] == "5", done.stderr
        assert "read-only" in said[1] or "cannot be" in said[1]
        assert journal_path(tmp_path).read_bytes() == before
    finally:
        for path in (tmp_path, *tmp_path.rglob("*")):
            path.chmod(0o700)


def _without_privileges() -> list[str]:
    """A prefix under which even the administrator obeys permission bits, or nothing where there is none."""
    prefix = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all"]
    try:
        works = subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return []
    return prefix if works else []


FULL = """
import resource, sys
from pathlib import Path
from aister.adapters.store.journal import open_chain
from aister.core.errors import StorageError
from tests.stories import bars
home, limit = Path(sys.argv[1]), int(sys.argv[2])
journal = open_chain(home, "local", "abc", "run")
story = bars(30_000)
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
flushed = 0
try:
    for audit in story:
        journal.append(audit)
        if audit.sequence % 500 == 499:
            journal.flush()
            flushed = audit.sequence + 1
except StorageError as error:
    print(flushed)
    print(error)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    if "again" in sys.argv:
        journal.flush()
        print(journal.sequence)
        journal.close()
"""


@pytest.mark.parametrize("limit", [200_000, 1_300_000])
@pytest.mark.parametrize("again", ["again", "never"])
def test_a_really_full_disk_loses_nothing_flushed(tmp_path: Path, limit: int, again: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path), str(limit), again], capture_output=True, text=True, check=False
    )
    said = done.stdout.splitlines()
    assert done.returncode == 0 and "cannot be written" in said[1] and said[1].count("\n") == 0, done.stderr
    flushed = int(said[0])
    assert flushed >= 500
    (report,) = verify(tmp_path)
    assert report.intact and report.records >= flushed
    if again == "again":
        assert report.records == int(said[2])
    with begin(tmp_path) as journal:
        assert list(journal.records())[:flushed] == bars(flushed)


def test_a_full_disk_at_the_very_start_is_one_sentence(tmp_path: Path) -> None:
    code = (
        "import resource, sys\nfrom pathlib import Path\nfrom aister.adapters.store.journal import open_chain\n"
        "from aister.core.errors import StorageError\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))\n"
        "try:\n    open_chain(Path(sys.argv[1]), 'local', 'abc', 'run')\n"
        "except StorageError as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.stdout.count("\n") == 1 and done.returncode == 0, done.stderr
    write(tmp_path, bars(3))
    assert [report.records for report in verify(tmp_path)] == [3]


KILLED = """
import sys
from pathlib import Path
from aister.adapters.store.journal import open_chain
from tests.stories import bars
journal = open_chain(Path(sys.argv[1]), "local", "abc", "run", mode=sys.argv[2])
flush_every = int(sys.argv[3])
print("ready", flush=True)
for number in range(journal.sequence, 10**9):
    (audit,) = bars(1, first=number)
    journal.append(audit)
    if audit.sequence % flush_every == 0:
        journal.flush()
        sys.stdout.write(f"{audit.sequence + 1}\\n")
        sys.stdout.flush()
"""


def test_killed_at_twenty_random_points_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    """SIGKILL at 20 seeded moments, the same chain resumed each time; the survivor equals an undisturbed one."""
    chance, acknowledged, ends = random.Random(20), 0, []
    for turn in range(20):
        mode = "full" if turn % 5 == 4 else "normal"
        child = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(tmp_path), mode, str(chance.choice([1, 7, 300]))],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert child.stdout is not None and child.stdout.readline() == "ready\n"
        time.sleep(chance.uniform(0.0, 0.12))
        child.send_signal(signal.SIGKILL)
        said = child.stdout.read().splitlines()
        child.wait()
        child.stdout.close()
        whole = [int(line) for line in said[:-1] if line]  # the last line may be cut
        acknowledged = max([acknowledged, *whole])
        (report,) = verify(tmp_path)
        assert report.intact, report
        assert report.records >= acknowledged
        ends.append(report.records)
    assert ends == sorted(ends) and len(set(ends)) > 5, ends
    with begin(tmp_path) as journal:
        assert list(journal.records()) == bars(journal.sequence)
        undisturbed = MemoryJournal("local", "abc", "run")
        for audit in bars(journal.sequence):
            undisturbed.append(audit)
        assert journal.head == undisturbed.head


def test_a_death_between_commit_and_head_is_adopted_and_said(tmp_path: Path) -> None:
    write(tmp_path, bars(10))
    old = head_path(tmp_path, "run-abc-1").read_bytes()
    write(tmp_path, bars(5, first=10))
    head_path(tmp_path, "run-abc-1").write_bytes(old)
    (report,) = verify(tmp_path)
    assert report.intact and report.notes == ("records 10 to 14 are newer than the head file and sealed: adopted.",)
    with begin(tmp_path) as journal:
        assert journal.sequence == 15 and journal.notes == report.notes
    assert verify(tmp_path)[0].notes == ()


def test_durability_is_named_and_the_log_reaches_the_disk_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "_SYNC_S", 0.01)
    monkeypatch.setattr(writer, "_LOG_BYTES", 1_000)
    with begin(tmp_path) as journal:
        assert journal.durability == DURABILITY["normal"]
        for audit in bars(50):
            journal.append(audit)
        journal.flush()
        until = time.monotonic() + 5
        while journal._synced < 50 and time.monotonic() < until:
            time.sleep(0.01)
        assert journal._synced == 50
    with begin(tmp_path, mode="full") as journal:
        assert journal.durability.startswith("full: every flush waits for the disk")
        journal.append(bars(1, first=50)[0])
        journal.flush()
        assert journal._synced == 51
    with pytest.raises(UsageError, match="choose normal or full"):
        begin(tmp_path, mode="sometimes")


def test_a_disk_that_cannot_sync_stops_the_writer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "_SYNC_S", 0.01)
    journal = begin(tmp_path)

    def broken(saved: int) -> int:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(journal, "_sync_log", broken)
    journal.append(bars(1)[0])
    journal.flush()
    until = time.monotonic() + 5
    while journal._sync_error is None and time.monotonic() < until:
        time.sleep(0.01)
    journal.append(bars(1, first=1)[0])
    with pytest.raises(StorageError, match="Input/output error"):
        journal.flush()
    with pytest.raises(StorageError):
        journal.close()


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
