"""The unmodified client behind the real policy: every order it would send is signed or capped, and it trades against
the simulated exchange, which reads the signatures with another implementation."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings

from aister.adapters.exchanges.aster.account import AsterAccount
from aister.adapters.exchanges.aster.hosts import TESTNET, Net
from aister.adapters.exchanges.aster.translate import grid_of, order_params
from aister.adapters.signer.charter import Charter, Limits
from aister.adapters.signer.desk import Desk
from aister.adapters.signer.opening import charter_of, signer_of
from aister.adapters.signer.policy import Verdict
from aister.adapters.signer.policy import judge as signs
from aister.adapters.signer.state import StateFile
from aister.core.errors import CredentialError
from aister.core.money import UNIT
from aister.core.trade import Order, OrderType, Purpose, Side
from aister.ports.exchange import Cancelled, Open, Placed, Refused, Unreachable
from aister.ports.signer import Call, Signed
from aister.ports.vault import Credential
from tests.adapters.exchanges.aster.scene import STOP, Scene, order
from tests.adapters.exchanges.aster.test_translate import cases
from tests.adapters.exchanges.aster.wanted import listed
from tests.adapters.signer.given import KEY, USER
from tests.adapters.signer.running import home

WIDE = Charter("wide", "v3", USER, "testnet", 714, limits=Limits(10**40, 10, 10, 10, {"XUSDT": UNIT}))
SIMULATOR = Net("simulator", "http://127.0.0.1:1", "ws://127.0.0.1:1", 714)


@settings(max_examples=200, deadline=None)
@given(cases())
def test_every_order_that_passes_the_filters_is_signed(case: tuple[dict[str, Any], Order, Decimal]) -> None:
    document, wanted, mark = case
    contract = listed(document)
    params = order_params(wanted, grid_of(contract), contract, mark_e8=int(mark * UNIT))
    if isinstance(params, Refused):
        return
    enters = wanted.purpose is Purpose.ENTRY
    call = Call("POST", "/fapi/v3/order", params, "trade" if enters else "reduce", 1)
    assert signs(call, WIDE, {}) == Verdict(call.right, enters)
    capped = msgspec.structs.replace(WIDE, limits=Limits(0, 10, 10, 10, {"XUSDT": UNIT}))
    assert isinstance(signs(call, capped, {}), Verdict) is not enters


def test_a_trade_from_entry_to_close_with_the_signers_desk(tmp_path: Path) -> None:
    scene = Scene()
    limits = Limits(2_000 * UNIT, 10, 100, 5, {"BTCUSDT": 100_000 * UNIT})
    charter = Charter("sim", "v3", USER, "simulator", 714, limits=limits)
    desk = Desk(
        charter,
        KEY,
        StateFile(tmp_path / "state.json", KEY),
        lambda: scene.clock.now_ms() * 1_000,
        lambda: scene.clock.monotonic_ms() / 1_000,
    )
    scene.account.rest._signer = desk

    async def talk(account: AsterAccount) -> None:
        assert isinstance(told := await account.place(order()), Refused) and "lease" in told.reason
        account.epoch = 3
        assert await account.set_leverage("BTCUSDT", 5) is True
        assert isinstance(await account.set_leverage("BTCUSDT", 6), Refused)
        assert isinstance(await account.place(order(worst_ticks=1_001_000)), Placed)
        assert isinstance(told := await account.place(order(3, steps=1_000, worst_ticks=1_001_000)), Refused)
        assert "set at arming" in told.reason
        account.epoch = 2
        limit = order(5, type=OrderType.LIMIT, price_ticks=900_000)
        assert isinstance(told := await account.place(limit), Refused) and "Another trader" in told.reason
        account.epoch = 3
        assert isinstance(await account.place(STOP), Placed)
        seen = await account.survey()
        assert isinstance(seen, Open) and len(seen.positions) == len(seen.orders) == 1
        assert isinstance(await account.cancel("BTCUSDT", STOP.client_id), Cancelled)
        close = order(4, side=Side.SELL, purpose=Purpose.CLOSE, reduce_only=True)
        assert isinstance(await account.place(close), Placed)
        assert isinstance(await account.executions("BTCUSDT", 0), tuple)
        assert isinstance(await account.income(0, account.now_ms()), tuple)
        assert await account.void(desk.sign(Call("GET", "/fapi/v3/balance", (), "read", -1)).nonce_us) is True  # type: ignore[union-attr]

    scene.run(talk)


def test_a_clock_set_back_freezes_entries_without_a_storm_of_refusals(tmp_path: Path) -> None:
    """Nothing reaches the exchange for an entry; a reduction goes out above every nonce before, and is taken."""
    scene, step_us = Scene(), [0]
    limits = Limits(2_000 * UNIT, 10, 100, 5, {"BTCUSDT": 100_000 * UNIT})
    desk = Desk(
        Charter("sim", "v3", USER, "testnet", 714, limits=limits),
        KEY,
        StateFile(tmp_path / "state.json", KEY),
        lambda: scene.clock.now_ms() * 1_000 + step_us[0],
        lambda: scene.clock.monotonic_ms() / 1_000,
    )
    scene.account.rest._signer = desk

    async def talk(account: AsterAccount) -> None:
        account.epoch = 1
        assert isinstance(await account.place(order(worst_ticks=1_001_000)), Placed)
        for step_s in (-90, 90):
            assert isinstance(await account.server_time(), int)
            step_us[0] = step_s * 1_000_000
            told = await account.place(order(100 + step_s, worst_ticks=1_001_000))
            assert isinstance(told, Placed), "nonces are made of the venue's time, not of the wall clock"
        for step_s in (-700, -3_600):
            step_us[0] = step_s * 1_000_000
            for number in range(20):
                told = await account.place(order(10 + number, worst_ticks=1_001_000))
                assert isinstance(told, Unreachable) and "set the clock right" in told.why
        assert isinstance(await account.place(STOP), Placed)
        step_us[0] = 0
        assert isinstance(await account.place(order(3, worst_ticks=1_001_000)), Placed)

    scene.run(talk)


class OneKey:
    """A vault of one key, exchanged at will."""

    def __init__(self, held: Credential) -> None:
        self.held = held

    def credential(self, name: str) -> Credential:
        return self.held


CREDENTIAL = Credential("sim", "v3", USER, "simulator", SIMULATOR.rest, 5, KEY)


def test_a_key_is_signed_with_for_its_own_host_only() -> None:
    charter = charter_of(CREDENTIAL, SIMULATOR)
    assert (charter.account, charter.chain_id, charter.expires_ms, charter.limits.marks) == (USER, 714, 5, {})
    for other in (TESTNET, Net("simulator", "http://127.0.0.1:2", "ws://127.0.0.1:2", 714)):
        with pytest.raises(CredentialError, match="enter a key made for that host"):
            charter_of(CREDENTIAL, other)


def test_from_a_vault_to_signatures_and_not_with_a_key_exchanged_meanwhile() -> None:
    vault = OneKey(CREDENTIAL)
    with home() as folder:
        process = signer_of(vault, "sim", SIMULATOR, folder, epoch=1)
        line = process.start()
        assert isinstance(line.sign(Call("GET", "/fapi/v3/balance", (), "read", -1)), Signed)
        line.close()
        process.stop()
        process = signer_of(vault, "sim", SIMULATOR, folder, epoch=1)
        vault.held = Credential("sim", "v3", "0x" + "2" * 40, "simulator", SIMULATOR.rest, 5, KEY)
        with pytest.raises(CredentialError, match="exchanged"):
            process.start()
        process.stop()
