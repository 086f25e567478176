"""The same sweep on Ray: on more machines than this one, or in processes of this one.

The market is put into the object store once; a task runs a batch of cells worth at least 0.1 s. A task whose worker is
lost is run again elsewhere. Nothing of this process's environment reaches a worker but `ALLOWED`: a worker that Ray
starts here is started without it, and every worker drops the rest before its first cell."""

import os
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any

import msgspec

from aister.core.errors import UsageError
from aister.lab.cells import Row, Work, Workbench
from aister.lab.code import code_hash
from aister.lab.draws import Cell
from aister.ports.market import Market, Series

__all__ = ["ALLOWED", "Cluster", "cluster_tasks", "scrubbed"]

ALLOWED = (
    *("PATH", "HOME", "USER", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "VIRTUAL_ENV", "PYTHONPATH"),
    *("AISTER_CACHE", "XDG_CACHE_HOME", "LD_LIBRARY_PATH", "PYTHONHASHSEED", "PYTHONUNBUFFERED"),
)
"""What a worker may know of an environment, besides Ray's own variables."""

LEAST_S = 0.1
_RETRIES = 3
_FIRST_BATCH, _LARGEST = 4, 512
_PATIENCE_S = 5.0


class Cluster:
    """Implements `lab.sweep.CellRunner` on a Ray cluster: `address` of one that runs, or "local" to start one in this
    machine's processes (and stop it at the end). Raises `UsageError` when Ray is not installed or does not answer."""

    def __init__(self, address: str, workers: int = 0) -> None:
        self._address, self._workers = address, workers
        self.ray: Any = None
        self._pids: set[int] = set()

    def __enter__(self) -> "Cluster":
        try:
            import ray  # noqa: PLC0415  # the extra `cluster`
        except ImportError:
            raise UsageError("Ray is not installed; install aister[cluster], or leave --cluster out.") from None
        _reached(self._address)
        given: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR", "configure_logging": False}
        if self._address == "local":
            given |= {"address": "local", "include_dashboard": False}
            given |= {"num_cpus": self._workers} if self._workers else {}
        else:
            given |= {"address": self._address}
        try:
            with scrubbed():
                ray.init(**given)
        except (ConnectionError, ValueError, RuntimeError, TimeoutError, AssertionError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise UsageError(f"No Ray cluster answers at {self._address} ({reason}); check the address.") from None
        self.ray = ray
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.ray.shutdown()

    def pids(self) -> tuple[int, ...]:
        """Processes that have run batches so far (on their own machines)."""
        return tuple(sorted(self._pids))

    def run(self, work: Work, cells: Sequence[Cell], stop: Callable[[], bool]) -> Iterator[list[Row]]:
        """Batches grow until one takes `LEAST_S`; as many are on their way as there are cores, and as many again."""
        ray = self.ray
        if not cells:
            return
        market = ray.put(work.market)
        bare = ray.put(msgspec.structs.replace(work, market=_without_bars(work.market)))
        task = ray.remote(max_retries=_RETRIES, num_cpus=1)(cluster_tasks)
        most = 2 * max(1, int(ray.cluster_resources().get("CPU", 1)))
        size, at = _FIRST_BATCH, 0
        on_the_way: dict[Any, int] = {}
        while on_the_way or (at < len(cells) and not stop()):
            while at < len(cells) and len(on_the_way) < most and not stop():
                batch = list(cells[at : at + size])
                on_the_way[task.remote(market, bare, batch, code_hash())] = len(batch)
                at += len(batch)
            ready, _ = ray.wait(list(on_the_way), num_returns=1)
            for one in ready:
                count = on_the_way.pop(one)
                rows, seconds, pid = self._got(one)
                self._pids.add(pid)
                if seconds > 0:
                    size = max(1, min(_LARGEST, max(size, round(1.5 * LEAST_S * count / seconds))))
                yield rows

    def _got(self, task: Any) -> tuple[list[Row], float, int]:
        errors = self.ray.exceptions
        try:
            rows, seconds, pid = self.ray.get(task)
        except (errors.WorkerCrashedError, errors.NodeDiedError, errors.ObjectLostError) as error:
            told = type(error).__name__
            raise UsageError(
                f"A batch was lost {_RETRIES + 1} times ({told}); look at the cluster's workers."
            ) from None
        except errors.RayTaskError as error:
            raise error.cause from None
        return rows, seconds, pid


_BENCHES: dict[str, Workbench] = {}


def cluster_tasks(market: Market, work: Work, cells: list[Cell], code: str) -> tuple[list[Row], float, int]:
    """What a worker does: scrub its environment, then run a batch on its own workbench. Returns the rows, the seconds
    they took, and its process."""
    for name in [name for name in os.environ if name not in ALLOWED and not name.startswith("RAY_")]:
        del os.environ[name]
    if code_hash() != code:
        raise UsageError("A worker of the cluster runs other code; install the same version of aister everywhere.")
    key = f"{market.data_hash} {msgspec.json.encode((work.rules, work.axes, work.settings), order='sorted').decode()}"
    bench = _BENCHES.get(key)
    if bench is None:
        _BENCHES.clear()
        whole = msgspec.structs.replace(work, market=_own(market))
        bench = _BENCHES[key] = Workbench(whole)
    began = time.monotonic()
    rows = bench.run_all(cells)
    return rows, time.monotonic() - began, os.getpid()


def _reached(address: str) -> None:
    """Raises `UsageError` when nothing listens at HOST:PORT: Ray itself would try for minutes. "local" and "auto" are
    no places, Ray says itself what it finds."""
    if address in ("local", "auto"):
        return
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65_536:
        raise UsageError(f"--cluster {address!r} is no address; write HOST:PORT, or 'local' for processes here.")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_PATIENCE_S).close()
    except OSError as error:
        reason = error.strerror or str(error)
        raise UsageError(
            f"No Ray cluster answers at {address} ({reason}); check the address and that `ray start --head` ran there."
        ) from None


def _own(market: Market) -> Market:
    """With arrays of this process: those of the object store are read-only, for which loops would be compiled again."""
    return msgspec.structs.replace(market, series=tuple(_copied(one) for one in market.series))


def _copied(series: Series) -> Series:
    arrays = {
        name: value.copy() for name in Series.__struct_fields__ if hasattr(value := getattr(series, name), "dtype")
    }
    return msgspec.structs.replace(series, **arrays)


def _without_bars(market: Market) -> Market:
    return msgspec.structs.replace(market, series=())


@contextmanager
def scrubbed() -> Iterator[None]:
    """This process's environment while Ray starts its own: they inherit what is there then."""
    before = dict(os.environ)
    for name in before:
        if name not in ALLOWED and not name.startswith("RAY_"):
            del os.environ[name]
    try:
        yield
    finally:
        os.environ.update(before)
