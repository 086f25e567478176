"""One owner per account, symbol and side, for as long as its lease (C13, Q22)."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from aister.adapters.store.lease import SqliteLease
from aister.adapters.store.owners import SqliteOwners
from aister.core.errors import StorageError
from aister.ports.lease import Held

ACCOUNT = "simulator 0xabc"
BTC, ETH = "BTCUSDT", "ETHUSDT"


@pytest.fixture
def owners(tmp_path: Path) -> Iterator[SqliteOwners]:
    owners = SqliteOwners(tmp_path)
    yield owners
    owners.close()


def lease(epoch: int, account: str = ACCOUNT) -> Held:
    return Held(account, epoch, 0.0)


def test_a_second_strategy_on_the_same_symbol_is_refused_with_the_owners_name(owners: SqliteOwners) -> None:
    assert owners.claim(lease(1), "trend", (BTC, ETH)) == ""
    told = owners.claim(lease(1), "reversal", ("SOLUSDT", ETH))
    assert told == "ETHUSDT of this account is traded by trend; leave the symbol out, or stop that one."
    assert owners.of(ACCOUNT) == {(BTC, "BOTH"): "trend", (ETH, "BOTH"): "trend"}
    assert owners.claim(lease(1), "trend", (BTC,)) == ""
    assert owners.claim(lease(1, "simulator 0xdef"), "reversal", (BTC,)) == ""


def test_hedged_each_side_has_its_owner_and_both_sides_are_one_owner(owners: SqliteOwners) -> None:
    assert owners.claim(lease(1), "longs", (BTC,), "LONG") == ""
    assert owners.claim(lease(1), "shorts", (BTC,), "SHORT") == ""
    assert "longs" in owners.claim(lease(1), "shorts", (BTC,), "LONG")
    assert owners.claim(lease(1), "third", (BTC,)) != ""
    assert owners.claim(lease(1), "third", (ETH,)) == ""
    assert "third" in owners.claim(lease(1), "longs", (ETH,), "LONG")


def test_claims_end_with_the_lease_given_back_or_taken_by_the_next(tmp_path: Path, owners: SqliteOwners) -> None:
    clock = [1_000.0]
    leases = SqliteLease(tmp_path, monotonic=lambda: clock[0])
    first = leases.take(ACCOUNT, "one")
    assert isinstance(first, Held) and owners.claim(first, "one", (BTC,)) == ""
    clock[0] += 60.0  # it died
    second = leases.take(ACCOUNT, "two")
    assert isinstance(second, Held) and owners.claim(second, "two", (BTC,)) == ""
    owners.release(first)
    assert owners.of(ACCOUNT) == {(BTC, "BOTH"): "two"}
    owners.release(second)
    assert owners.of(ACCOUNT) == {}
    leases.close()


def test_the_table_itself_takes_no_second_owner(tmp_path: Path, owners: SqliteOwners) -> None:
    owners.claim(lease(1), "one", (BTC,))
    with sqlite3.connect(tmp_path / "owners.sqlite") as other, pytest.raises(sqlite3.IntegrityError):
        other.execute("INSERT INTO owner VALUES (?, ?, 'BOTH', 'two', 1)", (ACCOUNT, BTC))


def test_a_file_that_cannot_be_used_says_so(tmp_path: Path) -> None:
    (tmp_path / "owners.sqlite").write_text("not a database, and long enough to be looked at as one")
    with pytest.raises(StorageError, match=r"owners\.sqlite"):
        SqliteOwners(tmp_path)
