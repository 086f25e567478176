"""What is left of a journal when the disk is full, the process is killed, or a sync fails."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from aister.adapters.store import writer
from aister.adapters.store.database import journal_path
from aister.adapters.store.heads import head_path
from aister.adapters.store.journal import DURABILITY
from aister.adapters.store.memory import MemoryJournal
from aister.adapters.store.verify import verify
from aister.core.errors import StorageError, UsageError
from tests.adapters.store.chains import begin, write
from tests.stories import bars


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


@pytest.mark.parametrize("step", ["_sync_log", "_write_head"])
def test_a_disk_that_syncs_again_is_written_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    monkeypatch.setattr(writer, "_SYNC_S", 0.01)
    fails, begun = threading.Event(), threading.Event()
    with begin(tmp_path) as journal:
        whole = getattr(journal, step)

        def told(*given: object, **named: object) -> object:
            if fails.is_set() and threading.current_thread().name == "journal-sync":
                begun.set()
                raise OSError(5, "Input/output error")
            return whole(*given, **named)

        monkeypatch.setattr(journal, step, told)
        fails.set()
        journal.append(bars(1)[0])
        journal.flush()
        assert begun.wait(5)
        until = time.monotonic() + 5
        while journal._sync_error is None and time.monotonic() < until:
            time.sleep(0.01)
        journal.append(bars(1, first=1)[0])
        with pytest.raises(StorageError, match="Input/output error"):
            journal.flush()
        fails.clear()
        while journal._sync_error is not None and time.monotonic() < until:
            time.sleep(0.01)
        log = journal_path(tmp_path).with_name("journal.sqlite-wal")
        assert step != "_sync_log" or log.stat().st_size == 0, "what a failed sync left is in the database itself"
        journal.flush()
        until = time.monotonic() + 5
        while journal._synced < 2 and time.monotonic() < until:
            time.sleep(0.01)
        assert journal._synced == 2
    assert [(report.intact, report.records) for report in verify(tmp_path)] == [(True, 2)]


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
