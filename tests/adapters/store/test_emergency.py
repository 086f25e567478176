"""A journal that cannot be written, in every way it can be, and what becomes of its records."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from aister.adapters.store.database import journal_path
from aister.adapters.store.emergency import EmergencyLog, GuardedJournal, emergency_path, guarded
from aister.adapters.store.journal import open_chain
from aister.adapters.store.keys import JournalKey, journal_key
from aister.adapters.store.records import AuditReader
from aister.adapters.store.verify import verify
from aister.core.errors import JournalError, JournalImpaired, StorageError
from tests.stories import bars

KEY = JournalKey(bytes(range(32)))
STORY = bars(600)
WAITING = "10 records wait in its emergency log; the next start of its run appends them"
Heal = Callable[[], None]


def begin(home: Path, **options: object) -> GuardedJournal:
    return guarded(home, open_chain(home, "local", "abc", "live", busy_s=0.2, **options), retry_s=0.0)  # type: ignore[arg-type]


def full(home: Path, journal: GuardedJournal) -> Heal:
    """The disk has no page left."""
    connection = journal._journal._connection
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count={pages}")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return lambda: connection.execute("PRAGMA max_page_count=1000000").close()


def read_only(home: Path, journal: GuardedJournal) -> Heal:
    connection = journal._journal._connection
    connection.execute("PRAGMA query_only=ON")
    return lambda: connection.execute("PRAGMA query_only=OFF").close()


def locked(home: Path, journal: GuardedJournal) -> Heal:
    other = sqlite3.connect(journal_path(home), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    return other.close


def deleted(home: Path, journal: GuardedJournal) -> Heal:
    for end in ("", "-wal", "-shm"):
        journal_path(home).with_name(journal_path(home).name + end).unlink()
    return lambda: None


def deleted_alone(home: Path, journal: GuardedJournal) -> Heal:
    journal_path(home).unlink()
    return lambda: None


FAULTS = pytest.mark.parametrize("fault", [full, read_only, locked, deleted, deleted_alone])


def impaired(journal: GuardedJournal, first: int, last: int) -> None:
    """These records end up in the emergency log, and soon."""
    for audit in STORY[first:last]:
        journal.append(audit)
    began = time.monotonic()
    with pytest.raises(JournalImpaired):
        journal.flush()
    assert time.monotonic() - began < 2 and journal.impaired


@FAULTS
def test_records_wait_in_the_emergency_log_and_are_merged_once(
    fault: Callable[[Path, GuardedJournal], Heal], tmp_path: Path
) -> None:
    with begin(tmp_path) as journal:
        for audit in STORY[:200]:
            journal.append(audit)
        journal.flush()
        heal = fault(tmp_path, journal)
        impaired(journal, 200, 300)
        if "deleted" not in fault.__name__:  # that is mended at the second attempt
            impaired(journal, 300, 400)
            heal()
        else:
            for audit in STORY[300:400]:
                journal.append(audit)
        journal.flush()
        assert journal.impaired == "" and len(journal._log) == 0
        for audit in STORY[400:]:
            journal.append(audit)
    (report,) = verify(tmp_path)
    assert report.intact and report.records == 600 and journal_path(tmp_path).stat().st_mode & 0o777 == 0o600
    with AuditReader(tmp_path) as reader:
        assert [entry.audit for entry in reader.entries()] == STORY
    assert not emergency_path(tmp_path, journal.chain.chain_id).exists()


DYING = """
import os, signal, sys
from pathlib import Path
from tests.adapters.store.test_emergency import *
home, moment = Path(sys.argv[1]), sys.argv[2]
if moment == "impaired":
    journal = begin(home)
    for audit in STORY[:20]:
        journal.append(audit)
    journal.flush()
    read_only(home, journal)
    impaired(journal, 20, 25)
    impaired(journal, 25, 30)
else:
    die = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
    setattr(EmergencyLog if moment == "clear" else SqliteJournal, moment, die)
    begin(home)
os.kill(os.getpid(), signal.SIGKILL)
"""


def die(home: Path, moment: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", "from aister.adapters.store.writer import SqliteJournal" + DYING, str(home), moment],
        cwd=Path(__file__).resolve().parents[3],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stderr=subprocess.PIPE,
        check=False,
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()


def test_a_trader_killed_while_impaired_and_twice_more_while_merging_loses_and_doubles_nothing(tmp_path: Path) -> None:
    for moment in ("impaired", "flush", "clear"):
        die(tmp_path, moment)
        (report,) = verify(tmp_path)
        assert report.intact and (report.notes == (WAITING,)) is (moment != "clear")
    with begin(tmp_path) as journal:
        assert (journal.sequence, journal.merged) == (30, 0)  # what died in `clear` had merged them
        assert list(journal.records()) == STORY[:30]
        journal.append(STORY[30])
    (report,) = verify(tmp_path)
    assert report.intact and report.records == 31


def test_a_chain_that_is_older_than_its_emergency_log_is_refused(tmp_path: Path) -> None:
    with begin(tmp_path) as journal:
        for audit in STORY[:20]:
            journal.append(audit)
    path, chain_id = emergency_path(tmp_path, journal.chain.chain_id), journal.chain.chain_id
    with closing(EmergencyLog(path, journal_key(tmp_path, make=False), chain_id)) as log:
        log.keep(STORY[25:30])
    with pytest.raises(JournalError, match="ends at record 20 and the emergency log begins at 25"):
        begin(tmp_path)
    path.unlink()
    begin(tmp_path).close()


def test_the_log_itself_is_exact_sealed_and_bounded(tmp_path: Path) -> None:
    path = tmp_path / "log"
    log = EmergencyLog(path, KEY, "one", size=8_192)
    assert path.stat().st_blocks * 512 >= 8_192 and path.stat().st_mode & 0o777 == 0o600
    log.keep(STORY[3:6])
    log.keep(STORY[6:8])
    log.close()
    log = EmergencyLog(path, KEY, "one", size=8_192)
    assert log.records() == STORY[3:8]
    with pytest.raises(StorageError, match="free the disk"):
        log.keep(STORY)
    log.close()

    content = bytearray(path.read_bytes())
    content[len(content) // 20] ^= 1
    (tmp_path / "bad").write_bytes(content)
    with closing(EmergencyLog(tmp_path / "bad", KEY, "one", size=8_192)) as bad:
        assert bad.records() == STORY[3 : 3 + len(bad)] and len(bad) < 5
    with closing(EmergencyLog(path, KEY, "another", size=8_192)) as other:
        assert other.records() == []


def test_what_was_cleared_does_not_come_back_behind_a_shorter_log(tmp_path: Path) -> None:
    path = tmp_path / "log"
    log = EmergencyLog(path, KEY, "one")
    log.keep(STORY[10:15])
    log.clear()
    log.close()
    log = EmergencyLog(path, KEY, "one")
    log.keep(STORY[20:21])
    log.clear()
    log.keep(STORY[13:14])  # as long as what lay there: the next frame would fit behind it
    log.close()
    with closing(EmergencyLog(path, KEY, "one")) as again:
        assert again.records() == STORY[13:14]
