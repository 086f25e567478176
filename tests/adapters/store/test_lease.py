"""One trader per account, whatever processes, clocks and disks do."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from aister.adapters.store.lease import RENEW_S, TTL_S, LeaseKeeper, SqliteLease
from aister.core.errors import StorageError
from aister.ports.lease import Held

ACCOUNT = "0xabc"


class Hands:
    """A monotonic clock moved by hand."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def held(lease: SqliteLease, holder: str) -> Held:
    got = lease.take(ACCOUNT, holder)
    assert isinstance(got, Held)
    return got


def test_a_second_trader_is_told_who_holds_it_and_gets_it_after_the_ttl_with_a_higher_epoch(tmp_path: Path) -> None:
    clock = Hands()
    one, two = (SqliteLease(tmp_path, monotonic=clock) for _ in range(2))
    first = held(one, "trader one")
    assert (first.epoch, first.renew_by_s) == (1, pytest.approx(1_000 + TTL_S * 2 / 3))
    refused = two.take(ACCOUNT, "trader two")
    assert isinstance(refused, str) and "trader one" in refused and "10 s" in refused
    assert isinstance(two.take("another account", "trader two"), Held)
    clock.now += TTL_S - 0.001
    assert isinstance(two.take(ACCOUNT, "trader two"), str)
    clock.now += 0.001
    second = held(two, "trader two")
    assert second.epoch == 2 == one.epoch(ACCOUNT)
    assert one.renew(first) is None and two.renew(second) is not None
    one.release(first)  # of a lost lease: nothing
    assert isinstance(one.take(ACCOUNT, "trader one"), str)


def test_a_released_lease_is_free_at_once_and_cannot_be_renewed_back_to_life(tmp_path: Path) -> None:
    lease = SqliteLease(tmp_path, monotonic=Hands())
    first = held(lease, "one")
    lease.release(first)
    assert lease.renew(first) is None
    assert held(lease, "two").epoch == 2


def test_a_lease_of_another_boot_is_over_although_its_clock_read_higher(tmp_path: Path) -> None:
    clock = Hands()
    before = SqliteLease(tmp_path, monotonic=clock, boot_id="before")
    first = held(before, "one")
    clock.now = 5.0
    after = SqliteLease(tmp_path, monotonic=clock, boot_id="after")
    assert held(after, "one").epoch == 2 and before.renew(first) is None


def test_a_lost_lease_file_hands_out_no_epoch_the_signer_has_seen(tmp_path: Path) -> None:
    lease = SqliteLease(tmp_path, monotonic=Hands())
    got = lease.take(ACCOUNT, "one", above=41)
    assert isinstance(got, Held) and got.epoch == 42 == lease.epoch(ACCOUNT)
    lease.release(got)
    assert held(lease, "two").epoch == 43
    again = lease.take("other", "one", above=-1)
    assert isinstance(again, Held) and again.epoch == 1


def test_a_keeper_renews_every_three_seconds_and_stops_entries_at_two_thirds_when_it_cannot(tmp_path: Path) -> None:
    clock = Hands()
    lease = SqliteLease(tmp_path, monotonic=clock, busy_s=0.01)
    keeper = LeaseKeeper(lease, held(lease, "one"), monotonic=clock)
    clock.now += RENEW_S - 0.1
    keeper.attend()
    assert keeper.entries_until_s == pytest.approx(1_000 + TTL_S * 2 / 3)
    clock.now += 0.1
    keeper.attend()
    assert keeper.entries_until_s == pytest.approx(clock.now + TTL_S * 2 / 3)
    until = keeper.entries_until_s
    with sqlite3.connect(tmp_path / "leases.sqlite", isolation_level=None) as other:
        other.execute("BEGIN EXCLUSIVE")
        clock.now += TTL_S
        keeper.attend()
        assert "leases.sqlite" in keeper.why and keeper.entries_until_s == until < clock.now
        other.execute("ROLLBACK")
    other.close()
    keeper.attend()
    assert not keeper.why and keeper.entries_until_s > clock.now
    clock.now += TTL_S
    taken = held(SqliteLease(tmp_path, monotonic=clock), "two")
    keeper.attend()
    assert keeper.held is None and keeper.entries_until_s == 0 and "Another trader" in keeper.why
    assert taken.epoch == 2


def test_of_many_at_once_one_gets_it(tmp_path: Path) -> None:
    SqliteLease(tmp_path).close()

    def attempt(number: int) -> Held | str:
        lease = SqliteLease(tmp_path, busy_s=5)
        try:
            return lease.take(ACCOUNT, f"trader {number}")
        finally:
            lease.close()

    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(attempt, range(24)))
    assert sum(isinstance(one, Held) for one in got) == 1


def test_a_stopped_holder_comes_back_without_its_lease(tmp_path: Path) -> None:
    """Real processes, real signals, a short TTL."""
    code = (
        "import sys,time; from pathlib import Path; from aister.adapters.store.lease import SqliteLease\n"
        "lease = SqliteLease(Path(sys.argv[1]), ttl_s=0.6); held = lease.take('a', 'first')\n"
        "print('took', flush=True)\n"
        "while held is not None:\n    time.sleep(0.02); held = lease.renew(held)\n"
        "print('lost', flush=True)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout is not None and first.stdout.readline() == "took\n"
        second = SqliteLease(tmp_path, ttl_s=30, busy_s=5)
        assert isinstance(second.take("a", "second"), str)
        os.kill(first.pid, signal.SIGSTOP)
        until = time.monotonic() + 10
        while isinstance(got := second.take("a", "second"), str) and time.monotonic() < until:
            time.sleep(0.05)
        assert isinstance(got, Held) and got.epoch == 2
        os.kill(first.pid, signal.SIGCONT)
        assert first.stdout.readline() == "lost\n"
    second.close()


def test_the_epoch_cannot_be_made_to_fall_and_a_broken_file_is_one_sentence(tmp_path: Path) -> None:
    lease = SqliteLease(tmp_path)
    held(lease, "one")
    with sqlite3.connect(tmp_path / "leases.sqlite") as other:
        for statement in ("UPDATE lease SET epoch = 0", "DELETE FROM lease"):
            with pytest.raises(sqlite3.IntegrityError, match="never falls"):
                other.execute(statement)
    other.close()
    lease.close()
    (tmp_path / "leases.sqlite").write_bytes(b"no database" * 1_000)
    with pytest.raises(StorageError, match="cannot be used"):
        SqliteLease(tmp_path)
