"""An import that is killed, or that finds the disk full, leaves the store as it was."""

import resource
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from aister.adapters.store.files import TEMPORARY
from aister.adapters.store.importer import Import, import_files
from aister.adapters.store.market import MarketStore
from aister.core.errors import StorageError
from tests.adapters.recordings import MINUTE_MS, START_MS, bars, changed, picked, write_csv

MONTHS = bars(3000, start_ms=START_MS + 26 * 1440 * MINUTE_MS)  # the end of May and the start of June

KILLED_AT = """
import os, signal, sys
from pathlib import Path
call, left = sys.argv[1], int(sys.argv[2])
owner = Path if call == "replace" else os
real = getattr(owner, call)
def counted(*args, **more):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*args, **more)
setattr(owner, call, counted)
from aister.adapters.store.importer import Import, import_files
import_files(Path(sys.argv[3]), Import((Path(sys.argv[4]),), "klines", "BTCUSDT", 60_000, replace=True))
"""


def contents(root: Path) -> tuple[np.ndarray, list[str]]:
    store = MarketStore.open(root)
    (series,) = store.manifest.series
    columns = store.columns(series)
    return np.stack([columns[name] for name in MONTHS]), [origin.file for origin in series.origins]


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path, Path]:
    """A store with most rows, and a file that revises two months and adds to the second."""
    root = tmp_path / "data"
    first = write_csv(tmp_path / "first.csv", picked(MONTHS, np.arange(2500)))
    import_files(root, Import((first,), "klines", "BTCUSDT", MINUTE_MS))
    revised = changed(changed(MONTHS, 10, volume=77.0), 2400, volume=88.0)
    return root, first, write_csv(tmp_path / "second.csv", revised)


@pytest.mark.parametrize("call", ["replace", "fsync"])
def test_killed_at_every_step(files: tuple[Path, Path, Path], call: str) -> None:
    root, _, second = files
    before, _ = contents(root)
    outcomes = []
    for step in range(1, 9):
        run = [sys.executable, "-c", KILLED_AT, call, str(step), str(root), str(second)]
        ended = subprocess.run(run, capture_output=True, check=False)
        after, origins = contents(root)
        outcomes.append(ended.returncode)
        if origins == ["first.csv"]:
            assert np.array_equal(after, before)
            assert ended.returncode == -signal.SIGKILL
        else:
            assert after.shape[1] == 3000 and sorted(after[-1][[10, 2400]].tolist()) == [77.0, 88.0]
            break
    assert outcomes.count(-signal.SIGKILL) >= 2  # it was killed before the manifest was in place, more than once
    import_files(root, Import((second,), "klines", "BTCUSDT", MINUTE_MS, replace=True))
    assert contents(root)[0].shape[1] == 3000
    assert list(root.rglob(f"{TEMPORARY}*")) == []
    named = {month.path for month in MarketStore.open(root).manifest.series[0].months}
    assert {str(path.relative_to(root)) for path in (root / "klines").rglob("*.parquet")} == named


LIMITED = """
import sys
from pathlib import Path
from aister.adapters.store.importer import Import, import_files
from aister.core.errors import StorageError
try:
    import_files(Path(sys.argv[1]), Import((Path(sys.argv[2]),), "klines", "BTCUSDT", 60_000, replace=True))
except StorageError as error:
    print(error)
    raise SystemExit(2)
"""


@pytest.mark.parametrize("room", ["nothing", "the first month"])
def test_full_disk(files: tuple[Path, Path, Path], room: str) -> None:
    root, _, second = files
    import_files(root.parent / "other", Import((second,), "klines", "BTCUSDT", MINUTE_MS))
    may, june = (month.bytes for month in MarketStore.open(root.parent / "other").manifest.series[0].months)
    assert may < june - 100
    limit = 1_000 if room == "nothing" else june - 50
    before, _ = contents(root)
    names = sorted(root.rglob("*"))

    def no_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    run = [sys.executable, "-c", LIMITED, str(root), str(second)]
    ended = subprocess.run(run, capture_output=True, text=True, check=False, preexec_fn=no_room)
    assert ended.returncode == 2, ended.stderr
    assert "There is no room to write" in ended.stdout and ended.stdout.count("\n") == 1
    assert np.array_equal(contents(root)[0], before)
    assert sorted(root.rglob("*")) == names


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", bars(5))
    (tmp_path / "data").write_text("a file where the folder should be")
    with pytest.raises(StorageError, match="cannot be written"):
        import_files(tmp_path / "data", Import((path,), "klines", "BTCUSDT", MINUTE_MS))
