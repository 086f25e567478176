"""The lease on an account, in `AISTER_HOME/leases.sqlite`: one live trader at a time, each with a higher epoch (C4).

Time is the machine's monotonic clock, which every process of one boot shares and nobody can set back; a lease of
another boot is over, since its holder is. TTL 10 s, renewed every 3 s. Whoever cannot renew stops entering at 2/3 of
the TTL, a third before anybody else can take over. The epoch of an account only ever rises.
"""

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from aister.adapters.store.database import open_database
from aister.adapters.store.heads import boot
from aister.core.errors import StorageError
from aister.ports.lease import Held, Lease

__all__ = ["RENEW_S", "TTL_S", "LeaseKeeper", "SqliteLease"]

TTL_S = 10.0
RENEW_S = 3.0
_ENTERING = 2 / 3
_VERSION = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS lease (
    account TEXT PRIMARY KEY, epoch INTEGER NOT NULL, holder TEXT NOT NULL, boot TEXT NOT NULL, until_s REAL NOT NULL
);
CREATE TRIGGER IF NOT EXISTS epoch_rises BEFORE UPDATE ON lease WHEN NEW.epoch < OLD.epoch
BEGIN SELECT RAISE(ABORT, 'an epoch never falls'); END;
CREATE TRIGGER IF NOT EXISTS epoch_stays BEFORE DELETE ON lease BEGIN SELECT RAISE(ABORT, 'an epoch never falls'); END;
"""


class SqliteLease:
    """Port `Lease`. `busy_s` is how long a locked file is waited for: short, since the trader's loop waits with it.

    Every call raises `StorageError` when the file cannot be used: then nothing is known, and a lease held before lasts
    until its `renew_by_s`.
    """

    def __init__(
        self,
        home: Path,
        *,
        ttl_s: float = TTL_S,
        busy_s: float = 0.2,
        monotonic: Callable[[], float] = time.monotonic,
        boot_id: str | None = None,
    ) -> None:
        self._path = home / "leases.sqlite"
        self._ttl_s = ttl_s
        self._monotonic = monotonic
        self._boot = boot() if boot_id is None else boot_id
        try:
            self._database = open_database(self._path, _SCHEMA, _VERSION, busy_s)
            self._synchronous("NORMAL")
        except sqlite3.Error as error:
            raise self._broken(error) from None

    def take(self, account: str, holder: str, *, above: int = -1, dead: int = -1) -> Held | str:
        """The lease with the next epoch (higher than `above` too), or one sentence on who holds it and how long it
        lasts without renewal. `dead`: an epoch whose holder is known to have ended (`presence`), so that it need not
        run out first. On the disk itself when this returns; a renewal need not be, since a lease ends with the boot."""
        self._synchronous("FULL")
        try:
            return self._taken(account, holder, above, dead)
        finally:
            self._synchronous("NORMAL")

    def _taken(self, account: str, holder: str, above: int, dead: int) -> Held | str:
        now = self._monotonic()
        with _Writing(self) as database:
            row = database.execute("SELECT epoch, holder, boot, until_s FROM lease WHERE account = ?", (account,))
            epoch, other, boot_id, until_s = row.fetchone() or (0, "", "", 0.0)
            left = until_s - now if boot_id == self._boot and epoch != dead else 0.0
            epoch = max(epoch, above)
            if left > 0:
                return (
                    f"{other} trades this account; stop it, or try again in {left:.0f} s should it have died: one "
                    "trader per account."
                )
            database.execute(
                "INSERT INTO lease VALUES (?, ?, ?, ?, ?) ON CONFLICT (account) DO UPDATE SET epoch = excluded.epoch, "
                "holder = excluded.holder, boot = excluded.boot, until_s = excluded.until_s",
                (account, epoch + 1, holder, self._boot, now + self._ttl_s),
            )
        return Held(account, epoch + 1, now + self._ttl_s * _ENTERING)

    def renew(self, held: Held) -> Held | None:
        """The same epoch for another TTL, counted from before the file was asked. None: another holder came between,
        or it was released."""
        now = self._monotonic()
        with _Writing(self) as database:
            done = database.execute(
                "UPDATE lease SET until_s = ? WHERE account = ? AND epoch = ? AND boot = ? AND until_s > 0",
                (now + self._ttl_s, held.account, held.epoch, self._boot),
            )
            if done.rowcount != 1:
                return None
        return Held(held.account, held.epoch, now + self._ttl_s * _ENTERING)

    def release(self, held: Held) -> None:
        """Anybody may take it from now on. Of a lease that was lost: nothing."""
        with _Writing(self) as database:
            database.execute("UPDATE lease SET until_s = 0 WHERE account = ? AND epoch = ?", (held.account, held.epoch))

    def epoch(self, account: str) -> int:
        """The highest epoch given out, 0 when there was none."""
        try:
            row = self._database.execute("SELECT epoch FROM lease WHERE account = ?", (account,)).fetchone()
        except sqlite3.Error as error:
            raise self._broken(error) from None
        return int(row[0]) if row else 0

    def close(self) -> None:
        self._database.close()

    def _synchronous(self, how: str) -> None:
        self._database.execute(f"PRAGMA synchronous={how}")

    def _broken(self, error: sqlite3.Error) -> StorageError:
        return StorageError(
            f"{self._path} cannot be used ({error}); free the disk or end what holds it, then start again. Without it "
            "nobody can tell that only one trader runs."
        )


class _Writing:
    """A transaction that has the file to itself, whole or not at all."""

    def __init__(self, lease: SqliteLease) -> None:
        self._lease, self._database = lease, lease._database

    def __enter__(self) -> sqlite3.Connection:
        try:
            self._database.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            raise self._lease._broken(error) from None
        return self._database

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, at: TracebackType | None
    ) -> None:
        try:
            self._database.execute("COMMIT" if raised is None else "ROLLBACK")
        except sqlite3.Error as error:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
            raise self._lease._broken(error) from None
        if isinstance(raised, sqlite3.Error):
            raise self._lease._broken(raised) from None


class LeaseKeeper:
    """Keeps a lease that was taken: call `attend` about every second, so that it is renewed every `renew_s`.

    `entries_until_s` is the monotonic second from which on nothing new may be signed; it moves on with each renewal
    and is 0 once the lease was lost. `why` says what is wrong, "" when nothing is.
    """

    def __init__(
        self, lease: Lease, held: Held, *, renew_s: float = RENEW_S, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._lease = lease
        self._renew_s = renew_s
        self._monotonic = monotonic
        self._due = monotonic() + renew_s
        self.held: Held | None = held
        self.why = ""

    @property
    def entries_until_s(self) -> float:
        return self.held.renew_by_s if self.held is not None else 0.0

    def attend(self) -> None:
        """Renew when due; while that fails, try again at every call."""
        now = self._monotonic()
        if self.held is None or now < self._due:
            return
        try:
            renewed = self._lease.renew(self.held)
        except StorageError as error:
            self.why = str(error)
            return
        self.held, self._due = renewed, now + self._renew_s
        self.why = "" if renewed else "Another trader took this account over; this one enters nothing more: restart it."

    def release(self) -> None:
        if self.held is not None:
            self._lease.release(self.held)
            self.held = None
            self.why = "The lease was given back; take it again before trading."
