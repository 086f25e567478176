"""The trial ledger keeps every look at the data once, whoever took it, and loses none that it said it kept."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aister.adapters.store.trials import MemoryTrials, SqliteTrials, trials_path
from aister.core.errors import StorageError, UsageError
from aister.core.trial import TrialOutcome, aligned, packed, touches
from aister.ports.trials import TrialLedger
from tests.fakes.trials import DAY_MS, START_DAY, sweep, trial

SPAN = trial().span_ms


@pytest.fixture(params=["sqlite", "memory"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[TrialLedger]:
    made = SqliteTrials(tmp_path / "home") if request.param == "sqlite" else MemoryTrials()
    yield made
    made.close()


def test_what_is_kept_comes_back_whole_in_order_and_once(ledger: TrialLedger) -> None:
    cells = sweep(1_200)
    assert ledger.add_many(cells[:700]) == 700
    assert ledger.add_many(cells) == 500
    assert not ledger.add(cells[3]) and ledger.add(trial())
    assert ledger.count(["BTCUSDT"], SPAN) == 1_201
    assert list(ledger.overlapping(["BTCUSDT"], SPAN)) == [*cells, trial()]


def test_the_same_sweep_under_a_new_name_user_and_shifted_file_never_lowers_n(ledger: TrialLedger) -> None:
    """Q11. A renamed repeat is the same looks; another user or a shifted file makes more of them, never fewer."""
    ledger.add_many(sweep(50))
    counts = [ledger.count(["BTCUSDT"], SPAN)]
    minute = 60_000
    again = (
        {"name": "something new entirely", "made_ms": 1},
        {"owner_id": "somebody"},
        {"data_hash": "re-imported"},
        {"span_ms": (SPAN[0] + minute, SPAN[1] + minute), "data_hash": "shifted by one bar"},
        {"interval_ms": 5 * minute, "data_hash": "five minutes"},
    )
    for fields in again:
        ledger.add_many(sweep(50, **fields))
        counts.append(ledger.count(["BTCUSDT"], SPAN))
    assert counts == [50, 50, 100, 150, 200, 250]


def test_instruments_and_time_decide_what_is_counted(ledger: TrialLedger) -> None:
    ledger.add_many(sweep(2))
    ledger.add_many(sweep(3, symbols=("ETHUSDT", "SOLUSDT")))
    ledger.add_many(sweep(5, span_ms=(SPAN[1], SPAN[1] + DAY_MS)))
    assert ledger.count(["BTCUSDT"], SPAN) == 2
    assert ledger.count(["SOLUSDT"], SPAN) == ledger.count(["ETHUSDT", "SOLUSDT"], SPAN) == 3
    assert ledger.count(["SOLUSDT", "BTCUSDT"], (SPAN[1] - 1, SPAN[1] + 1)) == 10
    assert ledger.count(["XRPUSDT"], SPAN) == ledger.count([], SPAN) == 0


def test_an_aborted_trial_counts_and_stays_one_when_it_finishes(ledger: TrialLedger) -> None:
    ledger.add(trial(outcome=TrialOutcome.ABORTED, returns=b"", figures={}))
    assert ledger.count(["BTCUSDT"], SPAN) == 1
    assert not ledger.add(trial())
    assert not ledger.add(trial(outcome=TrialOutcome.ABORTED, returns=b""))
    assert list(ledger.overlapping(["BTCUSDT"], SPAN)) == [trial()]


def test_returns_lie_on_one_calendar(ledger: TrialLedger) -> None:
    ledger.add(trial(seed=1, first_day=START_DAY + 1, returns=packed([0.1, 0.2])))
    ledger.add(trial(seed=2, first_day=START_DAY - 1, returns=packed([0.3])))
    ledger.add(trial(seed=3, returns=b""))
    found = ledger.returns(["BTCUSDT"], SPAN)
    assert found.first_day == START_DAY - 1 and found.returns.dtype == np.float32
    nan = float("nan")
    expected = np.array([[nan, nan, 0.1, 0.2], [0.3, nan, nan, nan], [nan] * 4], np.float32)
    np.testing.assert_array_equal(found.returns, expected)
    assert found.ids == tuple(one.id for one in ledger.overlapping(["BTCUSDT"], SPAN))


def test_nothing_kept_is_an_empty_calendar() -> None:
    assert aligned([]).returns.shape == (0, 0)


@settings(max_examples=60)
@given(st.integers(0, 20), st.integers(1, 20), st.integers(0, 20), st.integers(1, 20))
def test_overlap_is_sharing_a_millisecond(a: int, long_a: int, b: int, long_b: int) -> None:
    shared = set(range(a, a + long_a)) & set(range(b, b + long_b))
    assert touches(trial(span_ms=(a, a + long_a)), ["BTCUSDT"], (b, b + long_b)) == bool(shared)


def test_the_id_is_of_what_was_tried_and_nothing_else() -> None:
    one = trial(symbols=("ETHUSDT", "BTCUSDT"))
    same = {"name": "x", "made_ms": 5, "returns": b"", "figures": {}, "outcome": TrialOutcome.ABORTED, "first_day": 1}
    assert msgspec.structs.replace(one, **same, symbols=("BTCUSDT", "ETHUSDT")).id == one.id
    other = {
        "owner_id": "x", "kind": "x", "spec_hash": "x", "spec": "x", "symbols": ("X",), "span_ms": (0, 1),
        "interval_ms": 1, "data_hash": "x", "code_hash": "x", "fill_model": "x", "seed": 2, "settings": {},
    }  # fmt: skip
    ids = {msgspec.structs.replace(one, **{name: value}).id for name, value in other.items()}
    assert len(ids | {one.id}) == 13


def test_a_trial_without_symbols_or_time_is_refused() -> None:
    with pytest.raises(UsageError, match="at least one symbol"):
        trial(symbols=())
    with pytest.raises(UsageError, match="ends after it begins"):
        trial(span_ms=(5, 5))


def test_ten_thousand_cells_are_kept_in_two_seconds(tmp_path: Path) -> None:
    year = packed(np.random.default_rng(1).normal(0, 0.01, 365))
    cells = sweep(10_000, returns=year)
    ledger = SqliteTrials(tmp_path)
    began = time.process_time()
    assert ledger.add_many(cells) == 10_000
    assert time.process_time() - began < 2.0
    began = time.process_time()
    assert ledger.count(["BTCUSDT"], SPAN) == 10_000
    assert ledger.returns(["BTCUSDT"], SPAN).returns.shape == (10_000, 365)
    assert time.process_time() - began < 4.0
    ledger.close()


ADDING = """
import sys
from pathlib import Path
from aister.adapters.store.trials import SqliteTrials
from tests.fakes.trials import sweep
ledger = SqliteTrials(Path(sys.argv[1]))
print("open", flush=True)
for batch in range(int(sys.argv[3])):
    ledger.add_many(sweep(200, owner_id=sys.argv[2], seed=batch))
    print(batch, flush=True)
"""


def adding(home: Path, owner: str, batches: int) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", ADDING, str(home), owner, str(batches)], stdout=subprocess.PIPE, text=True
    )


def test_killed_while_adding_it_keeps_whole_batches(tmp_path: Path) -> None:
    """kill -9 at some moment of each of five batches; what was acknowledged is there, and nothing is there in part."""
    done = 0
    for round_ in range(5):
        run = adding(tmp_path, f"owner-{round_}", 1_000)
        assert run.stdout is not None
        told = [run.stdout.readline() for _ in range(1 + round_)]
        time.sleep(0.004 * round_)
        os.kill(run.pid, signal.SIGKILL)
        told += run.stdout.readlines()
        assert run.wait() == -signal.SIGKILL
        run.stdout.close()
        done += sum(line.strip().isdigit() for line in told)
        ledger = SqliteTrials(tmp_path)
        count = ledger.count(["BTCUSDT"], SPAN)
        assert count % 200 == 0 and done * 200 <= count <= (done + round_ + 1) * 200
        assert sum(1 for _ in ledger.overlapping(["BTCUSDT"], SPAN)) == count
        assert ledger.add(trial(owner_id=f"after-{round_}", symbols=("ETHUSDT",)))
        ledger.close()
    assert done >= 10


def test_two_processes_add_at_once(tmp_path: Path) -> None:
    both = [adding(tmp_path, owner, 8) for owner in ("one", "two")]
    ledger = SqliteTrials(tmp_path)
    for _ in range(8):
        ledger.add(trial())
    for run in both:
        run.communicate(timeout=60)
        assert run.returncode == 0
    assert ledger.count(["BTCUSDT"], SPAN) == 2 * 8 * 200 + 1
    ledger.close()


def test_the_file_is_private_and_only_grows(tmp_path: Path) -> None:
    ledger = SqliteTrials(tmp_path / "home")
    ledger.add(trial())
    ledger.close()
    ledger.close()
    path = trials_path(tmp_path / "home")
    assert path.stat().st_mode & 0o777 == 0o600 and path.parent.stat().st_mode & 0o777 == 0o700
    plain = sqlite3.connect(path)
    for words in ("DELETE FROM trial", "UPDATE record SET body = x''", "DELETE FROM touched"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            plain.execute(words)
    plain.executescript("DROP TRIGGER record_no_update; UPDATE record SET body = CAST(body || x'00' AS BLOB);")
    plain.close()
    again = SqliteTrials(tmp_path / "home")
    assert again.count(["BTCUSDT"], SPAN) == 1
    with pytest.raises(StorageError, match="is damaged; restore a backup"):
        list(again.overlapping(["BTCUSDT"], SPAN))
    again.close()


def test_a_file_that_is_no_ledger_or_is_locked_is_told_in_a_sentence(tmp_path: Path) -> None:
    trials_path(tmp_path).write_bytes(b"not a database, and long enough to be looked at" * 9)
    with pytest.raises(StorageError, match="is damaged"):
        SqliteTrials(tmp_path)
    (tmp_path / "folder" / "trials.sqlite").mkdir(parents=True)
    with pytest.raises(StorageError, match="is a folder where the trial ledger's file belongs"):
        SqliteTrials(tmp_path / "folder")
    ledger = SqliteTrials(tmp_path / "locked", busy_s=0.05)
    holder = sqlite3.connect(trials_path(tmp_path / "locked"), isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageError, match="has been locked by another program"):
        ledger.add(trial())
    holder.execute("ROLLBACK")
    assert ledger.add(trial())
    holder.close()
    ledger.close()
