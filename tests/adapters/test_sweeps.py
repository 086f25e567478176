"""Rows of a sweep on disk: what was added is read back to the bit, a killed sweep goes on, another one is refused."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from aister.adapters.store.home import home as state_home
from aister.adapters.sweeps import ParquetSweeps, sweep_folder
from aister.core.errors import StorageError
from aister.lab.sweep import sweep
from tests.lab.sweeps import RULES, market, search

SEARCH = search("fast=0,5,8", "stop_atr=1.5,3")


def opened(folder: Path, identity: str = "a" * 64) -> ParquetSweeps:
    return ParquetSweeps(folder, identity, SEARCH.axes, {"rules": RULES})


def test_rows_come_back_to_the_bit(tmp_path: Path) -> None:
    store = opened(tmp_path / "s")
    table = sweep(RULES, market(), SEARCH, store=store)
    rows = store.rows()
    store.close()
    again = opened(tmp_path / "s")
    assert again.rows() == rows and len(rows) == 6
    assert {row.values for row in rows if row.refused} == {(0, 1.5), (0, 3.0)}
    assert sweep(RULES, market(), SEARCH, store=again).returns.tobytes() == table.returns.tobytes()
    again.close()
    read = pq.read_table(tmp_path / "s" / "rows").to_pydict()
    assert sorted(read["cell.fast"]) == [0, 0, 5, 5, 8, 8] and read["net_return"].count(None) == 2


def test_another_sweep_and_a_second_process_are_refused(tmp_path: Path) -> None:
    store = opened(tmp_path)
    with pytest.raises(StorageError, match="Another process"):
        opened(tmp_path)
    store.close()
    with pytest.raises(StorageError, match="another sweep"):
        opened(tmp_path, "b" * 64)


def test_a_damaged_part_is_named(tmp_path: Path) -> None:
    store = opened(tmp_path)
    sweep(RULES, market(4), SEARCH, store=store)
    (tmp_path / "rows" / "part-000001.parquet").write_bytes(b"PAR1 and then nothing")
    with pytest.raises(StorageError, match=r"part-000001\.parquet is damaged"):
        store.rows()
    store.close()


def test_a_sweep_killed_at_any_moment_goes_on_and_repeats_nothing(tmp_path: Path) -> None:
    """The child writes after every cell; it is killed outright while it is at it."""
    grid = "/let/fast/span=2:31:1"
    child = (
        "import sys, aister.lab.sweep as s\n"
        "from pathlib import Path\n"
        "from aister.adapters.sweeps import ParquetSweeps\n"
        "from tests.lab.sweeps import RULES, market, search\n"
        "s.WRITE_EVERY_S = 0.0\n"
        f"wanted = search({grid!r})\n"
        "store = ParquetSweeps(Path(sys.argv[1]), 'a' * 64, wanted.axes, {})\n"
        "s.sweep(RULES, market(), wanted, store=store, runner=s.Threads(1, batch=1))\n"
    )
    run = subprocess.Popen([sys.executable, "-c", child, str(tmp_path)], cwd=Path(__file__).parents[2])
    until = time.monotonic() + 400
    while len(list(tmp_path.glob("rows/part-*"))) < 3 and run.poll() is None and time.monotonic() < until:
        time.sleep(0.005)
    run.send_signal(signal.SIGKILL)
    run.wait()
    wanted = search(grid)
    store = ParquetSweeps(tmp_path, "a" * 64, wanted.axes, {})
    before, parts = store.rows(), len(list(tmp_path.glob("rows/part-*")))
    assert 3 <= len(before) == parts
    table = sweep(RULES, market(), wanted, store=store)
    after = store.rows()
    store.close()
    assert after[: len(before)] == before
    assert len(after) == len({row.values for row in after}) == 30 and table.complete
    assert list(table["digest"]) == list(sweep(RULES, market(), wanted)["digest"])


def test_a_sweep_has_a_folder_of_its_own_in_the_state_folder() -> None:
    assert sweep_folder(state_home(), "crossing", "abcdef" * 10).name == "crossing-abcdefabcdef"
    assert os.fspath(sweep_folder(state_home(), "x", "y")).startswith(os.fspath(state_home()))
