"""A process that stands for a trader: its signer, a position with its stop, a watcher, and nothing that would look
after them. It prints what it hears of the watcher, one JSON object a line, until it is killed; "leave" on its standard
input is a clean end."""

import asyncio
import json
import os
import select
import sys
from pathlib import Path

from aister.adapters.exchanges.aster.account import AsterAccount
from aister.adapters.exchanges.aster.hosts import net
from aister.adapters.exchanges.aster.rest import Rest
from aister.adapters.exchanges.aster.sockets import SocketWire, WallClock
from aister.adapters.signer.charter import Limits
from aister.adapters.signer.opening import signer_of
from aister.adapters.vault.file import FileVault
from aister.app.watcher import WatcherProcess
from aister.core.money import UNIT
from aister.core.trade import Order, OrderType, Purpose, Side
from aister.execution.watchman import WatchmanRules
from aister.ports.exchange import Placed

INSTANCE, SYMBOL, NAME = "ai00000000", "BTCUSDT", "test"
RULES = WatchmanRules(hangs_ms=2_500, gone_ms=4_000, ends_ms=3_000)
LIMITS = Limits(100_000 * UNIT, 100, 1_000, 10, {SYMBOL: 100_000 * UNIT})


def order(number: int, side: Side, purpose: Purpose, kind: OrderType, *, steps: int = 0, trigger: int = 0) -> Order:
    return Order(
        client_id=f"{INSTANCE}-{number:x}-1",
        intent_id=f"i-{number}",
        symbol=SYMBOL,
        side=side,
        type=kind,
        purpose=purpose,
        steps=steps,
        price_ticks=0,
        trigger_ticks=trigger,
        reduce_only=False,
        close_position=purpose is Purpose.STOP,
    )


async def main(home: Path, rest_url: str, ws_url: str) -> None:
    vault, where = FileVault(home), net("simulator", rest_url, ws_url)
    process = signer_of(vault, NAME, where, home, epoch=1, limits=LIMITS)
    wire = SocketWire(where)
    rest = Rest(wire, WallClock(), process.start(), timeout_ms=60_000)  # the exchange may compile first
    account = AsterAccount(rest, (SYMBOL,), source="simulator")
    account.epoch = 1
    assert isinstance(await account.instruments(), dict)
    stop = order(1, Side.SELL, Purpose.STOP, OrderType.STOP_MARKET, trigger=990_000)
    assert isinstance(await account.place(stop), Placed)
    assert isinstance(await account.place(order(2, Side.BUY, Purpose.ENTRY, OrderType.MARKET, steps=100)), Placed)
    watcher = WatcherProcess(home, vault, NAME, where, symbols=(SYMBOL,), instance=INSTANCE, rules=RULES)
    watcher.start()
    while True:
        await asyncio.sleep(0.25)
        watcher.beat()
        told = {"why": watcher.why, "watcher": watcher.pid, "signer": process.pid, "pid": os.getpid()}
        print(json.dumps({**told, "starts": watcher.starts, "news": watcher.news()}), flush=True)
        if select.select([sys.stdin], [], [], 0)[0]:
            print(json.dumps({"stays": watcher.leave()}), flush=True)
            process.stop()
            await wire.close()
            return


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3]))
