"""The journal fails between an entry's fill and its stop: the stop leaves all the same, nothing new does, and the chain
has everything once afterwards (C8)."""

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from aister.adapters.store.emergency import GuardedJournal, emergency_path, guarded
from aister.adapters.store.journal import open_chain
from aister.adapters.store.verify import verify
from aister.core.audit import Audit, PlaceOrder, TradeClosed
from aister.core.events import OrderAccepted, OrderRejected
from aister.core.trade import Purpose
from aister.execution.traits import VenueTraits
from tests.adapters.store.test_emergency import Heal, deleted, deleted_alone, locked, read_only
from tests.engine.rig import START_MS, setup
from tests.execution.trader import Trader
from tests.sim.market import MINUTE_MS

FLAT, FALL = (100_000.0,) * 4, (100_000.0, 100_000.0, 98_000.0, 98_500.0)
SOON = setup(2, stop=99_000.0, targets=((103_000.0, 10_000),))
LATER = setup(7, near=98_500.0, stop=97_000.0, targets=((103_000.0, 10_000),))


class NoRoom:
    """A connection whose disk is full."""

    def __init__(self, real: sqlite3.Connection) -> None:
        self._real = real

    def execute(self, statement: str, given: tuple[Any, ...] = ()) -> Any:
        if statement != "COMMIT" and not statement.startswith("INSERT"):
            return self._real.execute(statement, given)
        if self._real.in_transaction:
            self._real.execute("ROLLBACK")
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorname = "SQLITE_FULL"
        raise error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


def no_room(home: Path, journal: GuardedJournal) -> Heal:
    chain: Any = journal._journal
    real, chain._connection = chain._connection, NoRoom(chain._connection)

    def heal() -> None:
        chain._connection = real

    return heal


class Keeping(Trader):
    """A trader with a journal on disk, which breaks when the first entry is accepted and is whole again after
    `heals_minute`. A crash lets go of the chain as the death of its process would."""

    def __init__(self, home: Path, fault: Callable[[Path, GuardedJournal], Heal], heals_minute: int) -> None:
        self.home, self.fault, self.heals_ms = home, fault, START_MS + heals_minute * MINUTE_MS
        self.heal: Heal | None = None
        self.journal: GuardedJournal | None = None
        self.noted = 0
        self.broken = False
        prices = [FLAT] * 6 + [FALL] + [(98_500.0,) * 4] * 6
        super().__init__(SOON, LATER, prices=prices, traits=VenueTraits("after", "limit"))

    def _boot(self) -> None:
        if self.journal is not None:
            self._die(self.journal)
        self.journal = guarded(self.home, open_chain(self.home, "owner", "rig", "live", busy_s=0.1), retry_s=0.0)
        self.kept, log = self.journal, self.journal._log  # type: ignore[assignment]
        keep = log.keep

        def noted(audits: Sequence[Audit]) -> None:
            self.noted += len(audits)
            keep(audits)

        log.keep = noted  # type: ignore[method-assign]
        super()._boot()
        self.run._observers = (*self.run._observers, self._break)

    def _die(self, journal: GuardedJournal) -> None:
        journal._journal._unsaved, journal._journal._records = [], []
        journal._log.close()
        journal._journal._connection.execute("PRAGMA query_only=OFF")
        journal._journal.close()
        self.heal = None

    def _break(self, audit: Audit) -> None:
        assert self.journal is not None
        if isinstance(audit.event, OrderAccepted) and not self.broken:
            self.broken, self.heal = True, self.fault(self.home, self.journal)
        elif self.heal is not None and audit.event.time_ms > self.heals_ms:
            self.heal()
            self.heal = None

    def entries(self) -> list[str]:
        return [one.order.client_id for one in self.said(PlaceOrder) if one.order.purpose is Purpose.ENTRY]

    def verified(self) -> None:
        """The chain is whole and nothing is left outside it."""
        assert self.journal is not None
        self.run.close()
        self.journal.close()
        (report,) = verify(self.home)
        assert report.intact and report.records == self.engine.sequence
        assert not emergency_path(self.home, self.journal.chain.chain_id).exists()


@pytest.mark.parametrize("fault", [no_room, read_only, locked, deleted, deleted_alone])
def test_the_stop_leaves_and_entries_do_not(fault: Callable[[Path, GuardedJournal], Heal], tmp_path: Path) -> None:
    trader = Keeping(tmp_path, fault, heals_minute=9).trade(12)
    assert trader.longest_naked_ms <= 300 and trader.noted > 0
    assert [one.reason for one in trader.said(TradeClosed)] == ["stop"]
    mended = "deleted" in fault.__name__  # at the second attempt, long before the next entry
    rejected = [one.event.client_id for one in trader.audits if isinstance(one.event, OrderRejected)]
    first, second = trader.entries()
    assert rejected == ([] if mended else [second])
    sent = {one.client_id for one in trader.books.orders.values()}
    assert first in sent and (second in sent) is mended
    trader.verified()


def test_a_trader_killed_meanwhile_has_its_records_from_the_emergency_log(tmp_path: Path) -> None:
    trader = Keeping(tmp_path, read_only, heals_minute=99).trade(12, 4 * MINUTE_MS + 30_000)
    assert trader.journal is not None and trader.journal.merged > 0
    assert trader.longest_naked_ms <= 300
    assert [one.reason for one in trader.said(TradeClosed)][:1] == ["stop"]
    sent = [one.order for one in trader.said(PlaceOrder)]
    assert len({one.intent_id for one in sent}) == len(sent) == len({one.client_id for one in sent})
    trader.verified()
