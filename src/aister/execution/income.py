"""Money the venue booked that is neither a trade's nor funding: moved in or out, rebates, bonuses, liquidation fees;
and all that is booked of symbols which are not the trader's, moved by the account's owner as far as the trader goes.

A row is booked here only where it explains why the wallet is not what the ledger says, alone or with its neighbours, so
that nothing is booked twice: what began before the run, was said by a person, or belongs to a fill is in the ledger
already. What no rows explain stays frozen until a person has looked (C14)."""

from collections import Counter
from collections.abc import Collection, Iterable

from aister.core.events import MoneyBooked

__all__ = ["Income", "Row"]

Row = tuple[int, str, str, int]
"""As the venue tells it: time, symbol, kind, money units (positive: came in)."""

_OF_TRADES = ("REALIZED_PNL", "COMMISSION", "FUNDING_FEE")
"""What fills and funding tell already, of the trader's own symbols."""
_BONUSES = ("WELCOME_BONUS",)
_CENT = 1_000_000
_KEPT = 50
_REMEMBERED_MS = 86_400_000


class Income:
    """Rows that were read and not booked yet, the newest fifty of them."""

    def __init__(self) -> None:
        self._open: list[Row] = []
        self._seen: dict[Row, int] = {}

    def read(self, rows: Iterable[Row], symbols: Collection[str]) -> None:
        """Rows of the venue, oldest first; those that were read before count once. Equal rows of one millisecond (two
        rebates of one order's fills) are as many as one reading tells. `symbols` are the trader's."""
        read: Counter[Row] = Counter()
        for row in rows:
            read[row] += 1
            if (row[2] not in _OF_TRADES or row[1] not in symbols) and read[row] > self._seen.get(row, 0):
                self._see(row)
                self._open = [*self._open, row][-_KEPT:]

    def explains(self, difference: int) -> tuple[MoneyBooked, ...]:
        """What makes up this difference, to a cent: neighbouring rows, the newest first. They are booked now, and what
        is older is never. Nothing where no rows do."""
        for end in range(len(self._open), 0, -1):
            for begin in range(end - 1, -1, -1):
                some = self._open[begin:end]
                if abs(sum(row[3] for row in some) - difference) <= _CENT:
                    self._open = self._open[end:]
                    return tuple(_booked(row) for row in some)
        return ()

    def settled(self, until_ms: int) -> None:
        """Wallet and ledger agree: the rows up to there are in the ledger."""
        self._open = [row for row in self._open if row[0] > until_ms]

    def booked_before(self, event: MoneyBooked) -> None:
        """One that the journal holds."""
        self._see((event.booked_ms, event.symbol, event.kind, event.amount))

    def _see(self, row: Row) -> None:
        self._seen[row] = self._seen.get(row, 0) + 1
        while next(iter(self._seen))[0] < row[0] - _REMEMBERED_MS:  # so far back no read reaches
            del self._seen[next(iter(self._seen))]


def _booked(row: Row) -> MoneyBooked:
    time_ms, symbol, kind, amount = row
    moved = kind.endswith("TRANSFER") or kind in _BONUSES or kind in _OF_TRADES  # those kept are of other symbols
    return MoneyBooked(0, symbol, kind, amount, moved, time_ms)
