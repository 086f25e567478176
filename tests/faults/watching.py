"""The watcher as a process of its own: its own way to the exchange, its own door to the signer, the rules as they
are. Looks are rarer than in the product while all is well (a run must stay cheap), never while the trader is silent."""

import asyncio
from collections.abc import Callable

from aister.adapters.exchanges.aster.account import AsterAccount
from aister.adapters.exchanges.aster.rest import Rest
from aister.adapters.exchanges.aster.userstream import UserStream
from aister.adapters.signer.charter import REDUCE
from aister.execution.watch import Watch
from aister.execution.watchman import Watchman, WatchmanRules
from tests.faults.process import Process
from tests.faults.signing import Door, Signing
from tests.faults.wrong import SYMBOLS

__all__ = ["Watcher"]

_ATTEND_MS = 2_000
_RULES = WatchmanRules(held_ms=4_000, ends_ms=10**9)


class Watcher:
    """One process of it."""

    def __init__(self, process: Process, signing: Signing, instance: str, watchman: Callable[..., Watchman]) -> None:
        self.process = process
        process.watches = True
        self._signing, self._instance, self._made = signing, instance, watchman
        self._watchman: Watchman | None = None

    def begin(self) -> None:
        self.process.begin(self._run())

    def beat(self) -> None:
        """The trader lives."""
        if self._watchman is not None and not self.process.dead:
            self._watchman.beat()

    async def _run(self) -> None:
        process = self.process
        door = Door(self._signing, REDUCE)
        rest = Rest(process, process, door)
        account = AsterAccount(rest, SYMBOLS, source="simulator")
        while not isinstance(await account.server_time(), int):
            await process.sleep(500)
        while not isinstance(await account.instruments(), dict):
            await process.sleep(500)
        watch = Watch(self._instance, SYMBOLS)
        self._watchman = self._made(account, watch, SYMBOLS, sleep=process.sleep, log=lambda act: None, rules=_RULES)
        stream = UserStream(rest, process, process, account.contracts, self._watchman.hear)
        loop = asyncio.get_running_loop()
        beside = [loop.create_task(one) for one in (stream.run(), self._attend(account))]
        await self._watchman.run()
        for one in beside:
            one.cancel()

    async def _attend(self, account: AsterAccount) -> None:
        """The venue's clock, as it is measured anew after this machine's was set."""
        while True:
            await account.attend()
            await self.process.sleep(_ATTEND_MS)
