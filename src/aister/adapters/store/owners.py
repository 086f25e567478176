"""Who owns a symbol of an account, in `AISTER_HOME/owners.sqlite`: one owner per (account, symbol, position side),
which the table itself enforces (C13, Q22).

A claim is made under the account's lease and is worth as much as it: whoever takes the lease anew has a higher epoch,
before which every older claim is void. So a trader that died keeps nothing.
"""

import sqlite3
from pathlib import Path

from aister.adapters.store.database import open_database
from aister.core.errors import StorageError
from aister.ports.lease import Held

__all__ = ["SqliteOwners"]

_VERSION = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS owner (
    account TEXT NOT NULL, symbol TEXT NOT NULL, side TEXT NOT NULL CHECK (side IN ('BOTH', 'LONG', 'SHORT')),
    owner TEXT NOT NULL, epoch INTEGER NOT NULL, PRIMARY KEY (account, symbol, side)
);
"""


class SqliteOwners:
    """Every call raises `StorageError` when the file cannot be used."""

    def __init__(self, home: Path, *, busy_s: float = 2.0) -> None:
        self._path = home / "owners.sqlite"
        try:
            self._database = open_database(self._path, _SCHEMA, _VERSION, busy_s)
        except sqlite3.Error as error:
            raise self._broken(error) from None

    def claim(self, held: Held, owner: str, symbols: tuple[str, ...], side: str = "BOTH") -> str:
        """Own these symbols under this lease, all or none: "", or one sentence on who owns one of them. `side`: BOTH
        in one-way mode, else the leg. Claiming again what one owns changes nothing."""
        database = self._database
        try:
            database.execute("BEGIN IMMEDIATE")
            try:
                database.execute("DELETE FROM owner WHERE account = ? AND epoch < ?", (held.account, held.epoch))
                for symbol in symbols:
                    if other := self._other(held.account, owner, symbol, side):
                        database.execute("ROLLBACK")
                        return f"{symbol} of this account is traded by {other}; leave the symbol out, or stop that one."
                    database.execute(
                        "INSERT INTO owner VALUES (?, ?, ?, ?, ?) ON CONFLICT (account, symbol, side) DO UPDATE SET "
                        "epoch = excluded.epoch WHERE owner.owner = excluded.owner",
                        (held.account, symbol, side, owner, held.epoch),
                    )
                database.execute("COMMIT")
            except sqlite3.Error:
                database.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise self._broken(error) from None
        return ""

    def release(self, held: Held) -> None:
        """Nothing is owned under this lease any more."""
        try:
            self._database.execute("DELETE FROM owner WHERE account = ? AND epoch <= ?", (held.account, held.epoch))
        except sqlite3.Error as error:
            raise self._broken(error) from None

    def of(self, account: str) -> dict[tuple[str, str], str]:
        """Owners by symbol and position side."""
        try:
            rows = self._database.execute("SELECT symbol, side, owner FROM owner WHERE account = ?", (account,))
            return {(symbol, side): owner for symbol, side, owner in rows}
        except sqlite3.Error as error:
            raise self._broken(error) from None

    def close(self) -> None:
        self._database.close()

    def _other(self, account: str, owner: str, symbol: str, side: str) -> str:
        """Somebody else who owns that side, or one that overlaps it."""
        row = self._database.execute(
            "SELECT owner FROM owner WHERE account = ? AND symbol = ? AND owner <> ? "
            "AND (side = ? OR side = 'BOTH' OR ? = 'BOTH')",
            (account, symbol, owner, side, side),
        ).fetchone()
        return str(row[0]) if row else ""

    def _broken(self, error: sqlite3.Error) -> StorageError:
        return StorageError(
            f"{self._path} cannot be used ({error}); free the disk or end what holds it, then try again."
        )
