"""Two traders, a watcher, one key: whoever has the newest lease signs, and nobody else."""

import os
import signal
import time

import msgspec
import pytest

from aister.adapters.signer.charter import Limits
from aister.adapters.signer.process import SignerProcess
from aister.core.errors import CredentialError, SettingsError
from aister.ports.signer import Declined, Signed
from tests.adapters.signer.given import KEY, place, read, stop
from tests.adapters.signer.running import FAST, gone, home, is_there, running, soon


def test_a_second_trader_replaces_the_signer_and_the_first_gets_no_signature() -> None:
    """The trader stops past its lease, another takes over under the next epoch, the first goes on."""
    with home() as folder, running(folder, epoch=1) as (first, line):
        assert isinstance(line.sign(place(epoch=1)), Signed)
        old = first.pid
        with running(folder, epoch=2) as (second, newer):
            assert isinstance(newer.sign(place(epoch=2)), Signed)
            gone(first, old)
            assert not is_there(old) and second.pid != old
            told = [soon(line, call) for call in (place(epoch=1), place(stop(), epoch=1), read(epoch=1)) * 20]
            assert all(isinstance(one, Declined) and one.kind == "epoch" for one in told)
            until = time.monotonic() + 10
            while not first.why and time.monotonic() < until:
                time.sleep(0.02)
            assert first.why  # its own cannot start any more


def test_two_keys_of_one_account_have_one_newest_lease() -> None:
    """The second trader comes with another key, so that nobody ends the first one's signer."""
    with home() as folder, running(folder, epoch=1) as (first, line):
        assert isinstance(line.sign(place(epoch=1)), Signed)
        other = SignerProcess(msgspec.structs.replace(FAST, name="other"), lambda: b"\x22" * 32, folder, epoch=2)
        try:
            newer = other.start()
            assert isinstance(newer.sign(place(epoch=2)), Signed) and first.pid and first.starts == 1
            told = [line.sign(call) for call in (place(epoch=1), place(stop(), epoch=1), read(epoch=1))]
            assert all(isinstance(one, Declined) and one.kind == "epoch" for one in told)
            with pytest.raises(CredentialError, match="Another trader took this account over"):
                SignerProcess(
                    msgspec.structs.replace(FAST, name="third"), lambda: b"\x33" * 32, folder, epoch=1
                ).start()
            newer.close()
        finally:
            other.stop()


def test_a_signer_that_hangs_under_an_older_lease_is_ended_by_the_next_trader() -> None:
    with home() as folder, running(folder, epoch=1) as (first, _):
        old = first.pid
        os.kill(old, signal.SIGSTOP)
        with running(folder, epoch=2) as (_, newer):
            assert isinstance(newer.sign(place(epoch=2)), Signed) and not is_there(old)


def test_a_twin_without_a_newer_lease_is_refused_and_disturbs_nobody() -> None:
    with home() as folder, running(folder, epoch=3) as (process, line):
        for epoch in (3, 2):
            with pytest.raises((SettingsError, CredentialError), match="Another"):
                SignerProcess(FAST, lambda: KEY, folder, epoch=epoch).start()
        assert isinstance(line.sign(place(epoch=3)), Signed) and process.starts == 1


def test_the_watcher_starts_its_own_when_the_traders_is_gone_and_the_trader_takes_over_again() -> None:
    with home() as folder:
        with running(folder, epoch=1) as (_, line):
            assert isinstance(line.sign(place(epoch=1)), Signed)
        watching = msgspec.structs.replace(FAST, right="reduce", limits=Limits(0, 0, 0, 0, {}))
        with running(folder, watching, epoch=-1) as (_, own):
            assert isinstance(own.sign(place(stop(), right="reduce", epoch=-1)), Signed)
            assert isinstance(own.sign(place(epoch=1)), Declined)
            with running(folder, epoch=1) as (_, line):
                assert isinstance(line.sign(place(epoch=1)), Signed)
