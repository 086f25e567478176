"""The same sweep on Ray: equal rows, lost workers, nothing of our environment. Ray is started once for the file."""

import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aister.adapters import cluster
from aister.adapters.cluster import ALLOWED, Cluster
from aister.core.errors import UsageError
from aister.lab.cells import Row, Work
from aister.lab.draws import Cell
from aister.lab.settings import Settings
from aister.lab.space import grid
from aister.lab.sweep import Threads, sweep
from tests.lab.sweeps import RULES, market, search

pytestmark = pytest.mark.filterwarnings("ignore")  # Ray's own, of files and sockets it leaves
MARKET = market()
SEARCH = search("fast=0,5,8,13", "slow=21,34", "stop_atr=1.5,3")
LOOK_ALIKE = "AISTER_TEST_LOOK_ALIKE_KEY"


@pytest.fixture(scope="module")
def ray() -> Iterator[Cluster]:
    os.environ[LOOK_ALIKE] = "not-a-key-only-looks-like-one"
    try:
        with Cluster("local", 2) as running:
            assert os.environ[LOOK_ALIKE]
            yield running
    finally:
        del os.environ[LOOK_ALIKE]


def test_rows_are_those_of_this_process(ray: Cluster) -> None:
    here, there = sweep(RULES, MARKET, SEARCH, runner=Threads(1)), sweep(RULES, MARKET, SEARCH, runner=ray)
    assert len(there) == 16 and there.complete
    for name in ("fast", "slow", "stop_atr", "digest", "spec_hash", "refused", "trades", "net_return"):
        np.testing.assert_array_equal(there[name], here[name])
    assert there.returns.tobytes() == here.returns.tobytes()


def test_no_worker_knows_our_environment(ray: Cluster) -> None:
    def environments() -> tuple[dict[str, str], bytes]:
        return dict(os.environ), Path("/proc/self/environ").read_bytes()

    inside, at_start = ray.ray.get(ray.ray.remote(environments).remote())
    assert LOOK_ALIKE in os.environ
    assert LOOK_ALIKE not in inside and LOOK_ALIKE.encode() not in at_start
    assert "PATH" in inside and LOOK_ALIKE not in ALLOWED


def test_a_killed_worker_loses_nothing(ray: Cluster) -> None:
    """The first answer tells which process gave it; that process is killed while others and it are at work."""
    work = Work(RULES, SEARCH.axes, MARKET, Settings())
    cells, _ = grid(SEARCH.axes)
    killed: list[int] = []
    whole = sorted(Threads(1).run(work, cells, lambda: False), key=str)
    rows: list[Row] = []
    for batch in ray.run(work, cells * 4, lambda: False):
        rows += batch
        if not killed:
            killed = [pid for pid in ray.pids() if pid != os.getpid()][:1]
            os.kill(killed[0], signal.SIGKILL)
    assert killed
    assert len(rows) == 4 * len(cells)
    digests = {row.values: row.digest for part in whole for row in part}
    assert all(digests[row.values] == row.digest for row in rows)


def test_the_scrub_is_of_everything_that_is_not_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(LOOK_ALIKE, "not-a-key")
    with cluster.scrubbed():
        assert LOOK_ALIKE not in os.environ and os.environ["PATH"]
    assert os.environ[LOOK_ALIKE] == "not-a-key"


def test_without_ray_the_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(UsageError, match=r"aister\[cluster\]"), Cluster("local"):
        pass


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("nowhere.invalid:6379", "No Ray cluster answers at nowhere.invalid:6379"),
        ("127.0.0.1:1", "No Ray cluster answers at 127.0.0.1:1"),
        ("somewhere", "'somewhere' is no address; write HOST:PORT"),
        ("host:port", "'host:port' is no address"),
    ],
)
def test_an_address_without_a_cluster_is_one_sentence_at_once(address: str, sentence: str) -> None:
    began = time.monotonic()
    with pytest.raises(UsageError, match=re.escape(sentence)), Cluster(address):
        pass
    assert time.monotonic() - began < 15


class _Slow:
    """A cluster whose batches take as long as they are told, to see how they grow."""

    class exceptions:
        WorkerCrashedError = NodeDiedError = ObjectLostError = RayTaskError = ()

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def put(self, value: Any) -> Any:
        return value

    def cluster_resources(self) -> dict[str, float]:
        return {"CPU": 1.0}

    def remote(self, **given: Any) -> Callable[[Any], Any]:
        assert given["max_retries"] == 3
        return lambda function: self

    def wait(self, tasks: list[Any], num_returns: int) -> tuple[list[Any], list[Any]]:
        return tasks[:num_returns], tasks[num_returns:]

    def get(self, task: tuple[int, list[Cell]]) -> tuple[list[Row], float, int]:
        return [Row(values=cell) for cell in task[1]], 0.004 * len(task[1]), 1


def test_batches_grow_until_they_are_worth_a_task() -> None:
    slow = _Slow()

    def send(market: Any, bare: Any, batch: list[Cell], code: str) -> tuple[int, tuple[Cell, ...]]:
        slow.sizes.append(len(batch))
        return len(slow.sizes), tuple(batch)

    slow_any: Any = slow
    slow_any.remote = lambda **given: lambda function: type("Task", (), {"remote": staticmethod(send)})
    running = Cluster("local")
    running.ray = slow_any
    rows = [
        row
        for batch in running.run(Work(RULES, (), MARKET, Settings()), [(n,) for n in range(300)], bool)
        for row in batch
    ]
    assert len(rows) == 300
    assert slow.sizes[0] == 4 and max(slow.sizes) * 0.004 >= cluster.LEAST_S
