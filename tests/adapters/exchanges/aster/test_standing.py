"""What stands between an account and its orders: contracts, clocks, rights, keys, and what is told of them."""

import asyncio

from aister.adapters.exchanges.aster.account import AsterAccount
from aister.adapters.exchanges.aster.contracts import Contracts
from aister.adapters.exchanges.aster.readiness import hindrances
from aister.adapters.exchanges.aster.rest import Rest
from aister.core.trade import Purpose, Side
from aister.exchange_sim import (
    Fault,
    Request,
    Response,
    Settings,
)
from aister.ports.exchange import (
    Placed,
    Refused,
)
from tests.adapters.exchanges.aster.scene import STOP, Scene, order
from tests.sim.market import instrument


def test_contracts_are_read_again_on_schedule_and_on_telling_refusals() -> None:
    scene = Scene()

    async def talk(account: AsterAccount) -> None:
        assert await account.attend() == ()
        scene.exchange.faults.add(
            Fault("instrument", at_ms=1, symbol="BTCUSDT", text='{"min_notional": 5000000000000}')
        )
        await scene.clock.sleep(299_000)
        assert await account.attend() == ()
        await scene.clock.sleep(2_000)
        [changed] = await account.attend()  # type: ignore[misc]
        assert (changed.symbol, changed.what, changed.after) == ("BTCUSDT", "least notional", "50000")
        scene.exchange.faults.add(
            Fault("instrument", at_ms=1, symbol="BTCUSDT", text='{"min_notional": 6000000000000}')
        )
        await scene.clock.sleep(20_000)
        assert not account.contracts.due
        refused = await account.place(order(steps=505))
        assert isinstance(refused, Refused) and refused.code == -4164, refused
        assert account.contracts.due
        [changed] = await account.attend()  # type: ignore[misc]
        assert changed.after == "60000"

    scene.run(talk)


def test_trades_of_a_finer_grid_do_not_keep_those_of_the_grid_in_force_from_being_read() -> None:
    scene = Scene()
    coarse = '{"step_e8": 1000000, "unit": 100000, "max_steps": 1000000, "market_max_steps": 12000}'

    async def talk(account: AsterAccount) -> None:
        await account.place(order(1, steps=55))
        await account.place(order(2, steps=55, side=Side.SELL, purpose=Purpose.CLOSE, reduce_only=True))
        scene.exchange.faults.add(Fault("instrument", at_ms=1, symbol="BTCUSDT", text=coarse))
        await scene.clock.sleep(301_000)
        assert await account.attend()
        account.contracts.count_by(account.contracts.instruments["BTCUSDT"])
        await account.place(order(3, steps=7))
        [trade] = await account.executions("BTCUSDT", 0)  # type: ignore[misc]
        assert (trade.client_id, trade.steps) == ("abcd-3-1", 7)

    scene.run(talk)


def test_a_wrong_clock_holds_entries_back_and_never_a_stop() -> None:
    scene = Scene(settings=Settings(nonce_window_ms=0))

    async def talk(account: AsterAccount) -> None:
        await account.place(order())
        assert await account.attend() == ()
        scene.clock.wall_ahead_ms = -45_000
        assert await account.attend() == ()
        told = await account.place(order(3))
        assert isinstance(told, Refused) and told.code == -1021 and "synchronise" in told.reason
        assert isinstance(await account.place(STOP), Placed)
        assert abs(account.now_ms() - scene.exchange.now_ms) <= 10

    scene.run(talk)


def test_hindrances_are_told_before_anything_is_sent() -> None:
    scene = Scene(symbols=("BTCUSDT", "ETHUSDT"), watched=("BTCUSDT", "NOUSDT", "ETHUSDT"))
    assert asyncio.run(hindrances(scene.account))[0].code == -1121  # type: ignore[union-attr]
    for fault, code, word in (
        (Fault("position_mode", at_ms=1), -4061, "one-way"),
        (Fault("multi_assets", at_ms=1), -4168, "switch it off"),
        (Fault("delist", at_ms=1, symbol="BTCUSDT"), -4140, "choose another"),
        (Fault("instrument", at_ms=1, symbol="BTCUSDT", text='{"status": "SETTLING"}'), -4140, "SETTLING"),
        (Fault("agent_revoked", at_ms=1), -2015, "renew the agent"),
        (Fault("agent_expires", at_ms=1), -2015, "renew the agent"),
        (Fault("agent_blocked", at_ms=1, text="10.0.0.1"), -2015, "white-list"),
    ):
        scene = Scene()
        scene.exchange.faults.add(fault)
        asyncio.run(scene.clock.sleep(61_000))
        told = asyncio.run(hindrances(scene.account))
        assert isinstance(told, tuple) and len(told) == 1, (fault, told)
        assert told[0].code == code and word in told[0].reason, (fault, told)


def test_without_a_key_only_public_calls_work() -> None:
    scene = Scene()
    account = AsterAccount(Rest(scene.wire, scene.clock), ("BTCUSDT",), source="simulator")
    told = asyncio.run(account.instruments())
    assert isinstance(told, Refused) and "add one" in told.reason
    assert isinstance(asyncio.run(account.server_time()), int)


def test_contracts_without_a_key_take_what_only_accounts_are_told_from_assumptions() -> None:
    scene = Scene()
    rest = Rest(scene.wire, scene.clock)
    known = Contracts(rest, ("BTCUSDT",), source="AsterDex", signed=False, assumed={"BTCUSDT": instrument()})
    assert asyncio.run(known.read()) == ()
    assert known.instruments["BTCUSDT"].source == "AsterDex; assumed: brackets, fees"
    alone = Contracts(rest, ("BTCUSDT",), source="AsterDex", signed=False)
    assert asyncio.run(alone.read()) == () and alone.instruments == {}
    assert "add a key" in alone.unavailable["BTCUSDT"].reason


def test_a_dead_key_is_probed_once_a_minute() -> None:
    scene = Scene()

    async def talk(account: AsterAccount) -> None:
        scene.exchange.faults.add(Fault("agent_revoked", at_ms=1))
        await scene.clock.sleep(1)
        sent = len(scene.wire.sent)
        for _ in range(60):
            told = await account.place(STOP)
            assert isinstance(told, Refused) and told.code == -2015
            await scene.clock.sleep(10_000)
        assert 10 <= len(scene.wire.sent) - sent <= 12
        for agent in scene.books.credentials.agents.values():
            agent.revoked = False
        await scene.clock.sleep(60_000)
        assert isinstance(await account.place(STOP), Placed)
        assert isinstance(await account.open_orders(), tuple)

    scene.run(talk)


def test_a_key_that_ends_within_a_day_hinders() -> None:
    scene = Scene()
    now = scene.exchange.now_ms
    assert asyncio.run(hindrances(scene.account, now + 86_400_000 + 60_000)) == ()
    [told] = asyncio.run(hindrances(scene.account, now + 86_000_000))  # type: ignore[misc]
    assert told.code == -2015 and "renew" in told.reason


def test_what_is_held_in_a_contract_that_vanished_may_still_be_closed() -> None:
    scene = Scene()

    async def talk(account: AsterAccount) -> None:
        await account.place(order())
        answer = scene.exchange.handle

        def without(request: Request) -> Response:
            if request.path.endswith("/exchangeInfo"):
                return Response(200, {}, b'{"symbols":[]}')
            return answer(request)

        scene.exchange.handle = without  # type: ignore[method-assign]
        [gone] = await account.contracts.read()  # type: ignore[misc]
        assert (gone.symbol, gone.what) == ("BTCUSDT", "gone") and await account.instruments() == {}
        refused = await account.place(order(2))
        assert isinstance(refused, Refused) and refused.code == -4140 and "GONE" in refused.reason
        closed = await account.place(order(3, side=Side.SELL, purpose=Purpose.CLOSE, reduce_only=True))
        assert isinstance(closed, Placed) and closed.order.filled_steps == 10

    scene.run(talk)
