"""The watcher as a process of its own: its own way to the exchange, its own door to the signer, the pure rules."""

from collections.abc import Callable

from aister.adapters.exchanges.aster.account import AsterAccount
from aister.adapters.exchanges.aster.rest import Rest
from aister.adapters.signer.charter import REDUCE
from aister.core.trade import Order
from aister.execution.watch import Watch
from aister.ports.exchange import Open
from tests.faults.classes import SYMBOLS
from tests.faults.process import Process
from tests.faults.signing import Door, Signing

__all__ = ["watch"]

NEAR_MS, FAR_MS = 1_000, 30_000
"""How often it looks: while no trader is there or something is not covered; else."""


async def watch(
    process: Process, signing: Signing, instance: str, alone: Callable[[], bool], sent: Callable[[Order], None]
) -> None:
    """Until the process is killed. `alone`: whether the trader's heart is silent; `sent` hears of each order first."""
    account = AsterAccount(Rest(process, process, Door(signing, REDUCE)), SYMBOLS, source="simulator")
    while not isinstance(await account.instruments(), dict):
        await process.sleep(500)
    rules = Watch(instance, SYMBOLS)
    while True:
        open_ = await account.survey()
        if isinstance(open_, Open):
            for order in rules.look(open_):
                sent(order)
                await account.place(order)
        near = alone() or rules.bare
        waited = 0
        while waited < (NEAR_MS if near else FAR_MS) and not (waited and alone()):
            await process.sleep(NEAR_MS)
            waited += NEAR_MS
