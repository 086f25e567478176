"""Everything somebody without the key can do to a journal, each found and located (D1)."""

import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aister.adapters.store import verify as verifying
from aister.adapters.store.chain import follow, genesis
from aister.adapters.store.database import journal_path
from aister.adapters.store.heads import head_path
from aister.adapters.store.journal import open_chain
from aister.adapters.store.keys import JournalKey, journal_key
from aister.adapters.store.records import AuditReader
from aister.adapters.store.verify import verify
from aister.core.errors import JournalError, UsageError
from tests.adapters.store.tampering import (
    CHAIN,
    COUNT,
    HOME,
    attacker,
    expect,
    put,
    refused,
    repacked,
    rows,
    unpacked,
    write,
)
from tests.stories import bars


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("written")
    write(home)
    return home


@pytest.fixture
def home(written: Path, tmp_path: Path) -> Path:
    return shutil.copytree(written, tmp_path / "home")


def test_untouched_is_intact(home: Path) -> None:
    assert [(r.intact, r.records, r.notes) for r in verify(home)] == [(True, COUNT, ())]


@pytest.mark.parametrize("gone", [1, 100, COUNT])
def test_a_dropped_tail(home: Path, gone: int) -> None:
    """The last 1, 100 or all records are gone, cut where the writer once flushed, so that every seal holds."""
    shutil.rmtree(home)
    write(home, COUNT - gone)
    before = journal_path(home).read_bytes()
    write(home, gone)
    assert verify(home)[0].records == COUNT
    journal_path(home).write_bytes(before)
    report = expect(home, "tail", COUNT - gone)
    assert "tail was dropped or an older file was put back" in report.message
    refused(home, COUNT - gone)


def test_a_tail_cut_inside_a_segment(home: Path) -> None:
    HOME[:] = [home]
    with attacker(home) as connection:
        last = rows(connection)[-1]
        put(connection, repacked(last, unpacked(last)[:-1]))
    expect(home, "recomputed", 2_000)
    refused(home, 2_000)


def test_yesterdays_file_restored(home: Path) -> None:
    yesterday = journal_path(home).read_bytes()
    write(home, 10)
    journal_path(home).write_bytes(yesterday)
    expect(home, "tail", COUNT)
    refused(home, COUNT)


def test_the_whole_file_removed_or_replaced_by_an_empty_one(home: Path, tmp_path: Path) -> None:
    journal_path(home).unlink()
    assert "does not know it any more, the head file remembers 2500 records" in expect(home, "tail", 0).message
    assert verify(home, CHAIN)[0].code == "tail"
    with open_chain(home, "local", "other", "run") as journal:
        journal.append(bars(1)[0])
    expect(home, "tail", 0)
    del tmp_path


@pytest.mark.parametrize("number", [0, 1, 999, 1_000, 1_499, 2_499])
def test_one_changed_byte_in_a_record(home: Path, number: int) -> None:
    HOME[:] = [home]
    with attacker(home) as connection:
        segment = next(row for row in rows(connection) if row.first <= number <= row.last)
        records = unpacked(segment)
        blob = bytearray(segment.blob)
        at = len(blob) - sum(map(len, records[number - segment.first :])) + 9
        blob[at] ^= 1
        put(connection, msgspec.structs.replace(segment, blob=bytes(blob)))
    expect(home, "changed", number)
    refused(home, number)


def test_two_records_swapped(home: Path) -> None:
    HOME[:] = [home]
    with attacker(home) as connection:
        segment = rows(connection)[1]
        records = unpacked(segment)
        records[300], records[301] = records[301], records[300]
        forged = repacked(segment, records)
        kept = segment.blob[4_000:12_000]  # the checks as they were
        put(connection, msgspec.structs.replace(segment, blob=forged.blob[:4_000] + kept + forged.blob[12_000:]))
    expect(home, "changed", 1_300)


def test_two_records_swapped_and_recomputed(home: Path) -> None:
    HOME[:] = [home]
    with attacker(home) as connection:
        segment = rows(connection)[1]
        records = unpacked(segment)
        records[300], records[301] = records[301], records[300]
        put(connection, repacked(segment, records))
    expect(home, "recomputed", 1_000)


@pytest.mark.parametrize("renumbered", [True, False])
def test_two_segments_swapped(home: Path, renumbered: bool) -> None:
    with attacker(home) as connection:
        first, second, _ = rows(connection)
        if renumbered:
            put(connection, msgspec.structs.replace(first, first=second.first, last=second.last))
            put(connection, msgspec.structs.replace(second, first=first.first, last=first.last))
        else:
            put(connection, msgspec.structs.replace(first, blob=second.blob))
            put(connection, msgspec.structs.replace(second, blob=first.blob))
    expect(home, "moved" if renumbered else "changed", 0)


def test_a_missing_middle_segment(home: Path) -> None:
    with attacker(home) as connection:
        connection.execute("DELETE FROM segment WHERE first_sequence = 1000")
    assert "records 1000 to 1999 are missing" in expect(home, "missing", 1_000).message
    refused(home, 1_000)


def test_a_missing_middle_segment_closed_up(home: Path) -> None:
    with attacker(home) as connection:
        third = rows(connection)[2]
        connection.execute("DELETE FROM segment WHERE first_sequence >= 1000")
        put(connection, msgspec.structs.replace(third, first=1_000, last=1_499))
    expect(home, "moved", 1_000)


@pytest.mark.parametrize("head_too", [False, True])
def test_the_whole_chain_recomputed_without_the_key(home: Path, head_too: bool) -> None:
    HOME[:] = [home]
    wrong = JournalKey(b"x" * 32)
    with attacker(home) as connection:
        head = genesis("local", "run", "abc")
        for segment in rows(connection):
            records = [record.replace(b"BTCUSDT", b"ETHUSDT") for record in unpacked(segment)]
            put(connection, repacked(segment, records, head))
            head = follow(head, records)[-1]
        if head_too:
            from aister.adapters.store.heads import HeadFile

            HeadFile(head_path(home, CHAIN), wrong, CHAIN, "normal", 9).write(COUNT, head, COUNT, True)
    assert "not sealed with this installation's key" in expect(home, "recomputed", 0).message
    refused(home, 0)


def test_two_users_chains_spliced(tmp_path: Path) -> None:
    write(tmp_path, owner="alice", identity="abc")
    write(tmp_path, owner="bob", identity="def")
    with attacker(tmp_path) as connection:
        theirs = rows(connection, "run-def-1")
        for segment in theirs[1:]:
            put(connection, msgspec.structs.replace(segment, chain_id=CHAIN, owner_id="alice"))
    expect(tmp_path, "moved", 1_000)
    assert [r.intact for r in verify(tmp_path)] == [False, True]


def test_one_users_chain_given_to_another(tmp_path: Path) -> None:
    write(tmp_path, owner="alice")
    with attacker(tmp_path) as connection:
        connection.execute("UPDATE chain SET owner_id = 'bob'")
        connection.execute("UPDATE segment SET owner_id = 'bob'")
    expect(tmp_path, "chain_row", 0)


def test_a_run_put_in_the_place_of_another_run_of_the_same_identity(tmp_path: Path) -> None:
    """Same genesis, same records, sealed with the right key, but of another chain."""
    write(tmp_path, 1_200)
    open_chain(tmp_path, "local", "abc", "run", fresh=True).close()
    write(tmp_path, 1_500)
    with attacker(tmp_path) as connection:
        connection.execute("DELETE FROM segment WHERE chain_id = ?", (CHAIN,))
        connection.execute("UPDATE segment SET chain_id = ?", (CHAIN,))
    expect(tmp_path, "recomputed", 0)


def test_a_fork(home: Path, tmp_path: Path) -> None:
    """A copy was continued elsewhere: its journal is brought here, or its segments are put beside ours."""
    twin = shutil.copytree(home, tmp_path / "twin")
    write(home, 10)
    with open_chain(twin, "local", "abc", "run") as journal:
        for audit in bars(20, first=COUNT + 7):
            journal.append(msgspec.structs.replace(audit, sequence=journal.sequence))
    ours = journal_path(home).read_bytes()
    journal_path(home).write_bytes(journal_path(twin).read_bytes())
    assert "two histories of one chain" in expect(home, "fork", COUNT + 9).message
    journal_path(home).write_bytes(ours)
    with closing(sqlite3.connect(journal_path(twin))) as other:
        branch = rows(other)[-1]
    with attacker(home) as connection:
        connection.execute("DELETE FROM segment WHERE first_sequence >= 2000")
        put(connection, msgspec.structs.replace(branch))
    expect(home, "missing", 2_000)


def test_a_fork_side_by_side(home: Path, tmp_path: Path) -> None:
    twin = shutil.copytree(home, tmp_path / "twin")
    for where, parts in ((home, (5, 5)), (twin, (3, 9))):
        for part in parts:
            write(where, part)
    with closing(sqlite3.connect(journal_path(twin))) as other:
        branch = rows(other)[-1]
    assert branch.first == COUNT + 3
    with attacker(home) as connection:
        put(connection, branch)
    assert "exist twice" in expect(home, "fork", COUNT + 3).message


@pytest.mark.parametrize("change", ["byte", "cut", "empty", "gone", "padding", "turn"])
def test_the_head_file(home: Path, change: str) -> None:
    path = head_path(home, CHAIN)
    content = bytearray(path.read_bytes())
    if change == "gone":
        path.unlink()
    else:
        at = {"byte": 40, "padding": 1_022, "turn": content.index(b'"turn":') + 7}.get(change)
        if at is not None:
            content[at] ^= 1
        path.write_bytes({"cut": content[:700], "empty": b""}.get(change, bytes(content)))
    assert ("missing" if change == "gone" else "changed") in expect(home, "head_file", COUNT).message
    refused(home, COUNT)


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    """A home whose writer died by SIGKILL right after its fifth flush, one record each: the two head slots differ."""
    home = tmp_path / "killed"
    code = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom aister.adapters.store import writer\n"
        "from aister.adapters.store.journal import open_chain\nfrom tests.stories import bars\n"
        "writer._SYNC_S = 60.0\njournal = open_chain(Path(sys.argv[1]), 'local', 'abc', 'run')\n"
        "for audit in bars(5):\n    journal.append(audit)\n    journal.flush()\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(home)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert [(r.intact, r.records, r.notes) for r in verify(home)] == [(True, 5, ())]
    return home


@pytest.mark.parametrize("slots", ["older twice", "newer twice", "exchanged"])
def test_after_a_kill_the_newest_record_dropped_and_a_head_slot_copied(killed: Path, slots: str) -> None:
    """Genuine slots, but not where or as the writer leaves them: no key is needed for this."""
    path = head_path(killed, CHAIN)
    content = path.read_bytes()
    even, odd = content[:512], content[512:]
    older, newer = (even, odd) if b'"sequence":4' in even else (odd, even)
    assert b'"sequence":4' in older and b'"sequence":5' in newer
    path.write_bytes({"older twice": older * 2, "newer twice": newer * 2, "exchanged": odd + even}[slots])
    if slots == "older twice":
        with attacker(killed) as connection:
            connection.execute("DELETE FROM segment WHERE last_sequence = 4")
    records = 4 if slots == "older twice" else 5
    assert "was changed" in expect(killed, "head_file", records).message
    refused(killed, records)


def test_one_old_head_slot_put_back_beside_a_newer_one(killed: Path) -> None:
    """A slot from before the last two writes at its own place: right parity, wrong turn."""
    path = head_path(killed, CHAIN)
    before = path.read_bytes()
    write(killed, 3)
    now = path.read_bytes()
    for mixed in (before[:512] + now[512:], now[:512] + before[512:]):
        path.write_bytes(mixed)
        expect(killed, "head_file", 8)


COLUMNS = ("owner_id", "first_sequence", "last_sequence", "previous", "head", "side", "mac", "blob", "chain_id")


@given(data=st.data())
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_one_flipped_bit_anywhere_in_a_row_or_head_file(written: Path, tmp_path: Path, data: st.DataObject) -> None:
    home = tmp_path / "flipped"
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(written, home)
    column = data.draw(st.sampled_from([*COLUMNS, "heads", "chain"]))
    located: int | None = None
    if column == "heads":
        content = bytearray(head_path(home, CHAIN).read_bytes())
        content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
        head_path(home, CHAIN).write_bytes(content)
    else:
        table = "chain" if column == "chain" else "segment"
        name = (
            data.draw(st.sampled_from(("owner_id", "kind", "identity", "number", "side", "seal")))
            if table == "chain"
            else column
        )
        with attacker(home) as connection:
            number = data.draw(st.integers(1, 1 if table == "chain" else 3))
            (value,) = connection.execute(f"SELECT {name} FROM {table} WHERE rowid = ?", (number,)).fetchone()
            if table == "segment":
                located = 1_000 * (number - 1)
            new: object
            if isinstance(value, int):
                new = value ^ (1 << data.draw(st.integers(0, 40)))
            elif isinstance(value, str):
                at = data.draw(st.integers(0, len(value) - 1))
                new = value[:at] + chr(ord(value[at]) ^ (1 << data.draw(st.integers(0, 5)))) + value[at + 1 :]
            else:
                changed = bytearray(value)
                changed[data.draw(st.integers(0, len(changed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
                new = bytes(changed)
            connection.execute(f"UPDATE OR REPLACE {table} SET {name} = ? WHERE rowid = ?", (new, number))
    bad = [report for report in verify(home) if not report.intact]
    assert bad and bad[0].message, (column, verify(home))
    if located is not None and column != "first_sequence":
        assert bad[0].sequence is not None and located <= bad[0].sequence < located + 1_000, bad[0]


@given(at=st.integers(0, 2**62), bit=st.integers(0, 7))
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_one_flipped_bit_anywhere_in_the_file_is_found_or_touches_no_record(
    written: Path, tmp_path: Path, at: int, bit: int
) -> None:
    """SQLite's own pages included: either verify objects, or every record still reads as it was written."""
    home = tmp_path / "raw"
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(written, home)
    content = bytearray(journal_path(home).read_bytes())
    content[at % len(content)] ^= 1 << bit
    journal_path(home).write_bytes(content)
    try:
        intact = all(report.intact for report in verify(home))
    except (JournalError, UsageError):
        intact = False
    except Exception as error:
        assert type(error).__name__ == "StorageError", error
        intact = False
    if intact:
        with AuditReader(home) as reader:
            assert [entry.audit for entry in reader.entries()] == bars(COUNT)


def test_power_loss_is_told_from_a_dropped_tail(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Records that had not reached the disk may be gone after the machine restarted; not before, and never more."""
    path = head_path(home, CHAIN)
    key = journal_key(home, make=False)
    before = journal_path(home).read_bytes()
    write(home, 10)
    from aister.adapters.store.heads import HeadFile

    head = bytes.fromhex(verify(home)[0].head)
    for synced in (COUNT, COUNT + 5):
        heads = HeadFile(path, key, CHAIN, "normal", 100 + synced)
        for _ in range(2):
            heads.write(COUNT + 10, head, synced, True)
        journal_path(home).write_bytes(before)
        assert verify(home)[0].code == "tail"
        with monkeypatch.context() as patch:
            patch.setattr(verifying, "boot", lambda: "another start of the machine")
            (report,) = verify(home)
            if synced == COUNT:
                assert report.intact and "were lost with the machine's power" in report.notes[0]
            else:
                assert report.code == "tail" and report.sequence == COUNT


def test_reading_stops_at_the_first_bad_record(home: Path) -> None:
    with attacker(home) as connection:
        connection.execute("DELETE FROM segment WHERE first_sequence = 1000")
    seen: list[int] = []
    with AuditReader(home) as reader, pytest.raises(JournalError, match="records 1000 to 1999 are missing"):
        for entry in reader.entries():
            seen.append(entry.sequence)
    assert seen == list(range(1_000))


def test_an_unknown_chain_is_a_usage_error(home: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no chain 'nope'"):
        verify(home, "nope")
    assert verify(tmp_path / "untouched") == []
    with pytest.raises(UsageError):
        verify(tmp_path / "untouched", "nope")


def test_a_start_killed_before_its_first_row_is_no_loss(home: Path) -> None:
    from aister.adapters.store.heads import start_heads

    start_heads(head_path(home, "run-new-1"), journal_key(home, make=False), "run-new-1", "normal", b"g" * 32)
    assert [(report.chain_id, report.intact) for report in verify(home)] == [(CHAIN, True)]


def test_the_key_does_not_leak() -> None:
    key = JournalKey(b"k" * 32)
    assert "k" * 8 not in repr(key) and "k" * 8 not in str(vars(type(key)))
    import copy
    import pickle

    leaks: list[Callable[[JournalKey], object]] = [pickle.dumps, copy.copy]
    for leak in leaks:
        with pytest.raises(TypeError):
            leak(key)
    assert key.genuine(key.seal("a", "b", "c"), "a", "b", "c")
    assert not key.genuine(key.seal("a", "bc"), "a", "b", "c")
    assert not key.genuine(b"", "a") and not key.genuine("text", "a") and not key.genuine(b"x" * 32, "a", 2**70)
