"""The lease on the account in a run: the file as it is, when it was held, and what entered without it."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from urllib.parse import parse_qsl

from aister.adapters.store.lease import SqliteLease
from aister.core.errors import StorageError
from aister.exchange_sim import Seen
from aister.ports.lease import Held

__all__ = ["Lease", "unleased"]

_ON_ITS_WAY_S = 1.0


class Lease:
    """Port `Lease`: the lease file as it is, which can be out of reach for a while (`cut`). `spans`: in which entries
    were allowed, monotonic seconds, as each hold or renewal gave it."""

    def __init__(self, folder: Path, monotonic: Callable[[], float]) -> None:
        self._lease = SqliteLease(folder, monotonic=monotonic, boot_id="virtual")
        self._monotonic = monotonic
        self.cut = False
        self.spans: list[tuple[float, float]] = []

    def _reached(self) -> SqliteLease:
        if self.cut:
            raise StorageError("The lease file cannot be used; wait.")
        return self._lease

    def _given(self, held: Held | None) -> None:
        if held is not None:
            self.spans.append((self._monotonic(), held.renew_by_s))

    def take(self, account: str, holder: str) -> Held | str:
        told = self._reached().take(account, holder)
        self._given(told if isinstance(told, Held) else None)
        return told

    def renew(self, held: Held) -> Held | None:
        told = self._reached().renew(held)
        self._given(told)
        return told

    def release(self, held: Held) -> None:
        self._reached().release(held)

    def epoch(self, account: str) -> int:
        return self._reached().epoch(account)

    def close(self) -> None:
        self._lease.close()


def unleased(lease: Lease, log: Iterable[Seen], start_us: int) -> Iterator[tuple[int, str]]:
    """Entries by the raw log that left while the lease had not been renewed for 2/3 of its life (C4): (exchange time
    ms, client id). `start_us`: when the monotonic clock was 0."""
    for seen in log:
        if seen.request.method != "POST" or not seen.request.path.endswith("/order") or seen.fault == "landed late":
            continue
        pairs = dict(parse_qsl((seen.request.query or seen.request.body).decode()))
        at_s = (seen.time_us - start_us) / 1e6
        if "reduceOnly" in pairs or "closePosition" in pairs:
            continue
        if not any(begun <= at_s <= until + _ON_ITS_WAY_S for begun, until in lease.spans):
            yield seen.time_us // 1000, pairs.get("newClientOrderId", "")
