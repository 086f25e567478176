"""The watcher's way to signatures ends a signer that hangs, and none that is merely asked for nothing."""

import os
import signal

import msgspec
import pytest

from aister.adapters.signer.charter import REDUCE, UNARMED
from aister.adapters.signer.process import SignerProcess
from aister.adapters.signer.standby import StandbySigner
from aister.core.errors import SignerUnreachable
from aister.ports.signer import Signed
from tests.adapters.signer.given import AGENT, CHARTER, KEY, place, stop
from tests.adapters.signer.running import FAST, gone, home, is_there, running


def test_a_signer_that_came_back_is_left_alone_and_one_that_hangs_is_not() -> None:
    now = [0.0]
    reducing = msgspec.structs.replace(FAST, right=REDUCE, limits=UNARMED)
    with home() as folder:
        standby = StandbySigner(
            folder,
            CHARTER.name,
            AGENT,
            lambda: SignerProcess(reducing, lambda: KEY, folder, epoch=-1),
            lock=AGENT.lower(),
            monotonic=lambda: now[0],
        )
        asked = place(stop(), right="reduce", epoch=-1)
        with pytest.raises(SignerUnreachable):
            standby.sign(asked)  # it is being started
        with running(folder) as (process, _):
            alive = process.pid
            for now[0] in (1.6, 2.2, 60.0):  # the venue wants a pause: nothing is signed meanwhile
                standby.attend()
            assert process.pid == alive and not standby.own_pid and isinstance(standby.sign(asked), Signed)
            os.kill(alive, signal.SIGSTOP)
            with pytest.raises(SignerUnreachable):
                standby.sign(asked)
            now[0] += 1.0
            standby.attend()
            assert process.pid == alive
            now[0] += 1.0
            standby.attend()
            gone(process, alive)
            assert not is_there(alive) and not standby.own_pid
        standby.stop()
