"""A trader on a real account whose journal is taken away and then held, and which dies meanwhile: as it is typed, over
sockets, by the exchange's own books and log."""

import json
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

from aister.adapters.store.database import journal_path
from aister.adapters.store.verify import verify
from tests.app.served import Served
from tests.app.test_trader import QUICK, Command, served

__all__ = ["served"]


def test_it_trades_on_without_its_database_and_dies_without_a_loss_while_that_is_locked(
    served: Served, tmp_path: Path
) -> None:
    spec = tmp_path / "quick.json"
    spec.write_text(json.dumps(QUICK))
    path = journal_path(served.home)
    first = Command(served, spec)
    first.until(lambda: "closed by" in first.said and served.steps, 120)
    for end in ("", "-wal", "-shm"):
        path.with_name(path.name + end).unlink(missing_ok=True)
    done = first.said.count("closed by")
    first.until(lambda: first.said.count("closed by") > done and served.steps, 120)
    assert path.stat().st_size and any(closes for _, closes in served.resting())

    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        known = first.said.count("frozen (storage)")
        first.until(lambda: first.said.count("frozen (storage)") > known, 120)
        assert first.end(signal.SIGKILL) == -signal.SIGKILL
    (live,) = [one for one in verify(served.home) if one.chain_id.startswith("live-")]
    assert live.intact and "records wait in its emergency log" in live.notes[0]

    again = Command(served, spec)
    again.until(lambda: "The exchange's books are read." in again.said, 120)
    assert f"repeating its {live.records:,} records" not in again.said  # those of the emergency log come on top
    assert again.end() == 130
    assert all(one.intact and not one.notes for one in verify(served.home))
    ids = served.sent()
    assert len(ids) == len(set(ids)) and all(closes for _, closes in served.resting())
    assert bool(served.steps) <= bool(served.resting())
    assert "Traceback" not in first.said + again.said
