"""Two real traders, one account: the first is stopped past its lease, the second takes over, the first goes on."""

import os
import signal
import subprocess
import sys
import time

from aister.adapters.signer.leased import LeasedSigner
from aister.adapters.store.lease import LeaseKeeper, SqliteLease
from aister.ports.lease import Held
from aister.ports.signer import Signed
from tests.adapters.signer.given import place
from tests.adapters.signer.running import home, running

TTL_S = 1.2
TRADER = f"""
import sys, time
from pathlib import Path
from aister.adapters.signer.leased import LeasedSigner
from aister.adapters.store.lease import LeaseKeeper, SqliteLease
from aister.core.errors import SignerUnreachable
from aister.ports.signer import Signed
from tests.adapters.signer.given import place, stop
from tests.adapters.signer.running import running

folder = Path(sys.argv[1])
lease = SqliteLease(folder, ttl_s={TTL_S})
keeper = LeaseKeeper(lease, held := lease.take("account", "first"), renew_s={TTL_S} * 0.3)
with running(folder, epoch=held.epoch) as (process, line):
    signer = LeasedSigner(line, lambda: keeper.entries_until_s)
    print("trading", flush=True)
    while True:
        keeper.attend()
        for call in (place(epoch=held.epoch), place(stop(), right="reduce", epoch=held.epoch)):
            try:
                told = signer.sign(call)
            except SignerUnreachable:
                continue
            print(told.nonce_us if isinstance(told, Signed) else told.kind, flush=True)
        time.sleep(0.01)
"""


def test_a_trader_stopped_past_its_lease_gets_no_signature_once_another_took_over() -> None:
    with home() as folder:
        first = subprocess.Popen([sys.executable, "-c", TRADER, str(folder)], stdout=subprocess.PIPE, text=True)
        assert first.stdout is not None
        try:
            assert first.stdout.readline() == "trading\n"
            before = [first.stdout.readline().strip() for _ in range(40)]
            assert all(one.isdigit() for one in before)
            os.kill(first.pid, signal.SIGSTOP)
            lease = SqliteLease(folder, ttl_s=60, busy_s=5)
            until = time.monotonic() + 20
            while not isinstance(held := lease.take("account", "second"), Held) and time.monotonic() < until:
                time.sleep(0.05)
            assert isinstance(held, Held) and held.epoch == 2
            keeper = LeaseKeeper(lease, held)
            with running(folder, epoch=held.epoch) as (_, line):
                taken_us = time.time_ns() // 1_000
                os.kill(first.pid, signal.SIGCONT)
                signer = LeasedSigner(line, lambda: keeper.entries_until_s)
                assert isinstance(signer.sign(place(epoch=2)), Signed)
                after: list[str] = []
                while after.count("epoch") < 40:
                    after.append(first.stdout.readline().strip())
                    assert not after[-1].isdigit() or int(after[-1]) < taken_us
                assert isinstance(signer.sign(place(epoch=2)), Signed)
            lease.close()
        finally:
            first.kill()
            first.communicate()
