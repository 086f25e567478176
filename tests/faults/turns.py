"""How long processes were ready to run and got no turn: what a busy machine takes from a trader that has done nothing
wrong. Linux tells it (schedstat: waited on a run queue, ns); elsewhere nothing is told and nothing counts."""

import threading
from collections.abc import Callable, Iterable
from pathlib import Path

__all__ = ["Turns", "schedstat"]

_LOOK_S = 0.05


class Turns:
    """Looks at `threads()` (paths of their schedstat) from `begin` to `end`. Of what several missed between two looks
    the longest counts, so that never more than the time itself is told. Spans are in the time of `now_ms`, which
    runs `speed` times the wall's."""

    def __init__(self, threads: Callable[[], Iterable[Path]], now_ms: Callable[[], int], speed: float) -> None:
        self._threads, self._now_ms, self._speed = threads, now_ms, speed
        self._looks: list[tuple[int, int]] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    @property
    def begun(self) -> bool:
        return self._thread.ident is not None

    def begin(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self._over.set()
        if self.begun:
            self._thread.join()

    def missed_ms(self, since_ms: int, until_ms: int) -> int:
        """Of this span, on that clock."""
        late_ms = 2 * _LOOK_S * 1000 * self._speed
        return sum(missed for at_ms, missed in list(self._looks) if since_ms <= at_ms <= until_ms + late_ms)

    def _watch(self) -> None:
        seen: dict[Path, int] = {}
        while not self._over.wait(_LOOK_S):
            waited = {path: ns for path in self._threads() if (ns := _waited_ns(path)) >= 0}
            missed_ns = max((ns - seen[path] for path, ns in waited.items() if path in seen), default=0)
            seen = waited
            if missed_ns > 0:
                self._looks.append((self._now_ms(), round(missed_ns / 1e6 * self._speed)))


def schedstat(pid: int, thread: int = 0) -> Path:
    """Where Linux tells it, of a thread of a process (its main thread)."""
    return Path(f"/proc/{pid}/task/{thread or pid}/schedstat")


def _waited_ns(path: Path) -> int:
    """-1 where there is no such thread, or nobody tells."""
    try:
        return int(path.read_text("ascii").split()[1])
    except (OSError, IndexError, ValueError):
        return -1
