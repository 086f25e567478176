"""When nobody can know what became of an entry: by the raw log and the books, and the times that C1 asks for."""

from collections.abc import Callable, Iterable

from aister.exchange_sim import Seen
from aister.exchange_sim.wire import pairs

__all__ = ["OPEN_MS", "VOID_MS", "open_until", "outside"]

OPEN_MS = 65_000
"""A nonce can act for 60 s; 5 s on top before a read counts against it."""
VOID_MS = 35_000
"""After a noop was refused as seen: look-ups lag 30 s, and 5 s."""
_AMBIGUOUS, _SEEN = (-1006, -1007), -4225


def open_until(client_id: str, asked_ms: int, log: Iterable[Seen], begun: Iterable[int] = ()) -> int:
    """Until when an entry that was asked for at `asked_ms`, and is not in the books, may act. A trader that begins
    again meanwhile (`begun`) has only the journal, which holds no nonce: the request may have left until then, and C1's
    time runs from there."""
    until_ms = _proven(client_id, asked_ms, log)
    for time_ms in sorted(begun):
        if asked_ms < time_ms < until_ms:
            until_ms = time_ms + OPEN_MS
    return until_ms


def _proven(client_id: str, asked_ms: int, log: Iterable[Seen]) -> int:
    """The same for whoever saw it leave."""
    left_ms, nonce = asked_ms, ""
    for seen in log:
        told = pairs(seen.request.query or seen.request.body)
        if seen.request.method == "POST" and told.get("newClientOrderId") == client_id:
            if seen.status not in (0, 503) and seen.code not in _AMBIGUOUS:
                if seen.status not in (418, 429, 403):
                    return seen.time_us // 1000
            else:
                left_ms, nonce = seen.time_us // 1000, told.get("nonce", "")
        elif nonce and seen.code == _SEEN and told.get("nonce") == nonce:
            return min(left_ms + OPEN_MS, seen.time_us // 1000 + VOID_MS)
    return left_ms + OPEN_MS


def outside(since_ms: int, until_ms: int, spans: Iterable[tuple[int, int]], left: Callable[[int, int], int]) -> int:
    """What `left` says of the parts of a span that lie in none of these, added up."""
    total, from_ms = 0, since_ms
    for begun, ended in [*sorted(spans), (until_ms, until_ms)]:
        if begun > from_ms:
            total += left(from_ms, min(begun, until_ms))
        from_ms = max(from_ms, min(ended, until_ms))
    return total
