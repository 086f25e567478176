"""Double entry: every cash flow leaves one account and enters another, so that all balances sum to zero, exactly and
always.

Signs: a positive balance is where money went. Wallet and the three costs grow by what they take; transfers and
realised profit are where it came from and so carry the opposite sign of the sums one speaks of."""

from enum import StrEnum

import msgspec

from aister.core.money import exact

__all__ = ["Account", "Entry", "Ledger"]


class Account(StrEnum):
    WALLET = "wallet"
    TRANSFERS = "transfers"
    REALISED = "realised"
    FEES = "fees"
    FUNDING = "funding"
    LIQUIDATION = "liquidation"


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """One cash flow: `amount` money units into the wallet (negative: out of it), against the other account."""

    time_ms: int
    symbol: str
    against: Account
    amount: int


class Ledger:
    """The balances of one owner. `keep=True` also keeps every entry, in order (memory then grows with the number of
    flows)."""

    def __init__(self, *, keep: bool = False) -> None:
        self._balances = dict.fromkeys(Account, 0)
        self._entries: list[Entry] | None = [] if keep else None

    def post(self, entry: Entry) -> None:
        """Book one flow: into the wallet and out of its counterpart. Raises `MoneyOverflow`, having booked nothing."""
        wallet = exact(self._balances[Account.WALLET] + entry.amount)
        self._balances[entry.against] = exact(self._balances[entry.against] - entry.amount)
        self._balances[Account.WALLET] = wallet
        if self._entries is not None:
            self._entries.append(entry)

    def balances(self) -> dict[Account, int]:
        """Every account's balance; they sum to zero."""
        return dict(self._balances)

    @property
    def entries(self) -> tuple[Entry, ...]:
        """What was kept."""
        return tuple(self._entries or ())
