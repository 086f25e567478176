"""How entries are protected is tried with a key, kept beside it, and taken by the next new run for as long as it
lasts."""

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from aister.adapters.exchanges.aster.attached import AttachingAccount
from aister.adapters.exchanges.aster.finding import kept_finding
from aister.adapters.exchanges.aster.hosts import net
from aister.adapters.vault.file import FileVault
from aister.app.tape import Beginning, write_beginning
from aister.app.trader_protection import courier_rules, traits_of, try_protection
from aister.app.trader_seat import connected, seat
from aister.core.errors import UsageError
from aister.core.trade import OrderType
from aister.exchange_sim.rules import Readings
from aister.ports.exchange import Placed
from aister.risk.profile import profile
from tests.app.served import NAME, SYMBOL, Served
from tests.execution.scene import order, stop

NO_STOP_WHILE_FLAT = Readings(close_position_while_flat=False)
NEITHER = Readings(close_position_while_flat=False, strategy_orders=False)


@pytest.mark.parametrize(
    ("readings", "found"), [(NO_STOP_WHILE_FLAT, "attached"), (NEITHER, "after")], ids=["attached", "after"]
)
def test_a_new_run_protects_as_the_trial_found_and_keeps_to_it(readings: Readings, found: str, tmp_path: Path) -> None:
    with TemporaryDirectory(prefix="aister-") as folder:
        served = Served(Path(folder), readings=readings)
        vault = FileVault(served.home)
        try:
            told = try_protection(served.home, vault, NAME, served.where, SYMBOL, late_ms=1_000)
            assert (told.protection, served.resting(), served.steps) == (found, [], 0)
            asyncio.run(enter(served, found, tmp_path))
        finally:
            served.stop()


async def enter(served: Served, found: str, tmp_path: Path) -> None:
    with seat(served.home, FileVault(served.home), NAME, served.where, "t1", (SYMBOL,)) as held:
        traits = traits_of(held, None)
        assert (traits.protection, traits.targets) == (found, "limit")
        assert courier_rules(traits).unguarded == ("rest" if found == "attached" else "at_once")
        older = tmp_path / "beginning"
        write_beginning(older, Beginning("simulator", 60_000, 0, {}, {}, ()))
        assert traits_of(held, older).protection == "before"
        write_beginning(older, Beginning("simulator", 60_000, 0, {}, {}, (), "after"))
        assert traits_of(held, older).protection == "after"
        if found != "attached":
            return
        async with connected(held, (SYMBOL,), profile("balanced"), traits=traits) as there:
            assert isinstance(there.account, AttachingAccount)
            await there.account.instruments()
            entry = order("ai00000000-1-1", type=OrderType.LIMIT, price_ticks=950_000)
            entering = asyncio.ensure_future(there.account.place(entry))
            guarding = asyncio.ensure_future(there.account.place(stop("ai00000000-1-2", 900_000)))
            assert isinstance(await entering, Placed)
            await asyncio.sleep(0.7)
            assert not guarding.done()  # it waits at the venue for the fill
            assert served.resting() == [("ai00000000-1-1", False)]
            guarding.cancel()
            await asyncio.gather(guarding, return_exceptions=True)


def test_a_trial_sends_nothing_to_mainnet_nor_beside_a_trader(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not even for a trial"):
        try_protection(tmp_path, FileVault(tmp_path), NAME, net("mainnet"), SYMBOL)
    with TemporaryDirectory(prefix="aister-") as folder:
        served = Served(Path(folder))
        vault = FileVault(served.home)
        try:
            with seat(served.home, vault, NAME, served.where, "t1", (SYMBOL,)) as held:
                with pytest.raises(UsageError, match="one trader per account"):
                    try_protection(served.home, vault, NAME, served.where, SYMBOL)
                assert kept_finding(served.home, NAME, "simulator", served.where.rest, held.account) is None
                assert not served.sent()
        finally:
            served.stop()
