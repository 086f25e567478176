"""What a trader looks after a few times a second: its lease, the process that signs, the watcher, the age of the
market's bars, the key's end, and the journal's head beside the key (D1). Whatever is wrong freezes entries and thaws
them by itself."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress

from aister.adapters.store.emergency import GuardedJournal
from aister.adapters.vault.expiry import expiry
from aister.app.trader_seat import Connected
from aister.app.watcher import WatcherProcess
from aister.core.errors import CredentialError, JournalImpaired, SettingsError, SignerUnreachable, UsageError
from aister.execution.telling import Teller

__all__ = ["CAUSES", "Upkeep"]

CAUSES = ("lease", "signer", "watcher", "market", "key", "storage", "journal")
"""Causes of a freeze that are told from here."""

_LOOK_S = 0.25
_SLOWLY = 4
_LATE_MS = 10_000
_MARK_S = 5.0


class Upkeep:
    """`close_ms` tells when the next bar closes (venue time), `say` is told what a person should hear. `speed`: of a
    simulator's clock; a bar is late when it is so on this machine's."""

    def __init__(
        self,
        there: Connected,
        teller: Teller,
        watcher: WatcherProcess,
        journal: GuardedJournal,
        close_ms: Callable[[], int],
        say: Callable[[str], object],
        speed: float = 1.0,
    ) -> None:
        self._there, self._teller, self._watcher, self._journal = there, teller, watcher, journal
        self._close_ms, self._say = close_ms, say
        self._late_ms = round(_LATE_MS * speed)
        self._kept = -1
        self._signers = there.signer.starts
        self._alert_ms = -1
        self._marked: dict[str, float] = {}

    async def run(self) -> None:
        """Until cancelled. Raises `UsageError` when another trader has taken the account over."""
        looks = 0
        starting = asyncio.ensure_future(asyncio.to_thread(self._start_watcher))
        while True:
            self._look_at_signer()
            if looks % _SLOWLY == 0:
                self._look_at_lease()
                self._look_at_watcher(starting.done())
                self._look_at_market()
                self._look_at_key()
                self.keep_head()
            looks += 1
            await asyncio.sleep(_LOOK_S)

    def late(self, close_ms: int) -> bool:
        """Whether a bar that closed then comes too late to enter on; entries are frozen if so, until one is in time."""
        behind_ms = self._there.account.now_ms() - close_ms
        if behind_ms <= self._late_ms:
            self._teller.thaw("market")
            return False
        self._teller.freeze("market", "The market's bars come late; entries wait until they are there again.")
        return True

    def mark(self, symbol: str, mark_e8: int) -> None:
        """A mark price: no order has to wait for one, and the signer reckons its caps with it."""
        self._there.account.told_mark(symbol, mark_e8)
        now = time.monotonic()
        if now - self._marked.get(symbol, 0.0) >= _MARK_S:
            self._marked[symbol] = now
            with suppress(SignerUnreachable):
                self._there.line.tell_mark(symbol, mark_e8)

    def _start_watcher(self) -> None:
        """One that cannot be started is tried again with every beat, and told as the reason of the freeze."""
        with suppress(SettingsError, CredentialError):
            self._watcher.start()

    def _look_at_watcher(self, started: bool) -> None:
        if not started:
            self._teller.freeze("watcher", "The watcher is being started.")
            return
        self._watcher.beat()
        if self._watcher.why:
            self._teller.freeze("watcher", self._watcher.why)
        else:
            self._teller.thaw("watcher")
        if news := self._watcher.news():
            self._say(f"The watcher: {news}")

    def keep_lease(self) -> None:
        """Renew it when it is due. Raises `UsageError` when another trader has taken the account over."""
        keeper = self._there.seat.keeper
        keeper.attend()
        if keeper.held is None:
            raise UsageError(keeper.why)
        self._there.seat.presence.keep(keeper.held.epoch)

    def _look_at_lease(self) -> None:
        keeper = self._there.seat.keeper
        self.keep_lease()
        if time.monotonic() >= keeper.entries_until_s:
            self._teller.freeze("lease", keeper.why or "The account's lease could not be renewed.")
        else:
            self._teller.thaw("lease")

    def _look_at_signer(self) -> None:
        signer = self._there.signer
        if signer.why:
            self._teller.freeze("signer", signer.why)
        elif not signer.pid or signer.starts != self._signers:  # one that died between two looks is told too
            self._signers = signer.starts
            self._teller.freeze("signer", "The process that signs is gone and is started again.")
        else:
            self._teller.thaw("signer")

    def _look_at_market(self) -> None:
        if self._there.account.now_ms() - self._close_ms() > self._late_ms:
            self.late(self._close_ms())

    def _look_at_key(self) -> None:
        seat = self._there.seat
        told = expiry(seat.key, seat.expires_ms, self._there.account.now_ms())
        if told.opens:
            self._teller.thaw("key")
        else:
            self._teller.freeze("key", told.sentence)
        if told.alert_ms != self._alert_ms:
            self._alert_ms = told.alert_ms
            self._say(told.sentence)

    def keep_head(self) -> None:
        """What is durable of the journal, told to the signer: an older one is refused at the next start."""
        journal = self._journal
        if journal.sequence == self._kept and not journal.impaired:
            return
        try:
            journal.flush()
        except JournalImpaired as impaired:
            self._teller.freeze("storage", f"{impaired} Until then only what reduces leaves.")
            return
        self._teller.thaw("storage")
        with suppress(SignerUnreachable):
            declined = self._there.line.keep_head(journal.chain.chain_id, journal.sequence, journal.head)
            self._kept = journal.sequence
            if declined is not None:
                self._teller.freeze("journal", declined.reason)
