"""Which trades were told already, within bounds: each once, also over a restart, whose journal holds no trade ids."""

from collections.abc import Callable
from itertools import islice
from typing import TypeVar

from aister.core.trade import Fill
from aister.ports.exchange import Execution

__all__ = ["Traded"]

_KEPT = 20_000

Key = TypeVar("Key")
_Likeness = tuple[int, str, int, int, int]


class Traded:
    """What was told, the newest `kept` to twice as many trades of it by their ids, and as many fills of the journal by
    what they look like. Whatever is as old as one that was let go of counts as told: no read reaches back so far."""

    def __init__(self, kept: int = _KEPT) -> None:
        self._kept = kept
        self._trades: dict[tuple[str, int], int] = {}
        self._before: dict[_Likeness, int] = {}
        self._forgotten_ms = -1

    def fresh(self, execution: Execution) -> bool:
        """Whether this trade is heard of for the first time."""
        known = (execution.symbol, execution.trade_id)
        if known in self._trades or execution.time_ms <= self._forgotten_ms:
            return False
        self._trades[known] = execution.time_ms
        self._let_go(self._trades, lambda key: self._trades[key])
        likeness = _likeness(execution)
        count = self._before.get(likeness, 0)
        if count > 1:
            self._before[likeness] = count - 1
        else:
            self._before.pop(likeness, None)
        return not count

    def before(self, fill: Fill) -> None:
        """A fill that the journal holds."""
        likeness = _likeness(fill)
        self._before[likeness] = self._before.get(likeness, 0) + 1
        self._let_go(self._before, lambda key: key[0])

    def _let_go(self, known: dict[Key, int], time_of: Callable[[Key], int]) -> None:
        """Of twice as many as are kept, the older half."""
        if len(known) < 2 * self._kept:
            return
        for key in list(islice(known, self._kept)):
            self._forgotten_ms = max(self._forgotten_ms, time_of(key))
            del known[key]


def _likeness(one: Execution | Fill) -> _Likeness:
    return (one.time_ms, one.client_id, int(one.side), one.steps, one.price_ticks)
