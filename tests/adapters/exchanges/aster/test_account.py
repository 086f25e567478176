"""The client against the simulated exchange, in memory: the exchange was written from the same page by another hand,
and verifies signatures with eth-account."""

from typing import Any

import msgspec
import pytest

from aister.adapters.exchanges.aster.account import AsterAccount
from aister.core.trade import Order, OrderType, Purpose, Side
from aister.exchange_sim import (
    READINGS,
    Fault,
    Limits,
    Readings,
    Settings,
)
from aister.ports.exchange import (
    Cancelled,
    Money,
    Open,
    Placed,
    Refused,
    Unknown,
    Unreachable,
    VenueOrder,
    VenueStatus,
)
from aister.ports.signer import Declined
from tests.adapters.exchanges.aster.scene import STOP, Scene, order
from tests.sim.market import MONEY

OTHER_READINGS = [{name: value} for name, values in READINGS.items() for value in values[1:]]


@pytest.mark.parametrize(("scheme", "reading"), [("v1", {}), ("v3", {}), *(("v3", one) for one in OTHER_READINGS)])
def test_a_trade_from_entry_to_close_under_every_reading(scheme: str, reading: dict[str, Any]) -> None:
    scene = Scene(scheme=scheme, settings=Settings(readings=Readings(**reading)))

    async def talk(account: AsterAccount) -> None:
        entered = await account.place(order(worst_ticks=1_001_000))
        assert isinstance(entered, Placed), entered
        assert (entered.order.status, entered.order.filled_steps) == (VenueStatus.FILLED, 10)
        stop = await account.place(STOP)
        assert isinstance(stop, Placed) and stop.order.kind is OrderType.STOP_MARKET, stop
        assert stop.order.close_position and stop.order.trigger_ticks == 990_000
        target = await account.place(
            order(3, side=Side.SELL, type=OrderType.LIMIT, purpose=Purpose.TARGET, price_ticks=1_020_000,
                  reduce_only=True)
        )  # fmt: skip
        assert isinstance(target, Placed) and target.order.reduce_only
        held = await account.survey()
        assert isinstance(held, Open), held
        assert {one.client_id for one in held.orders} == {"abcd-2-1", "abcd-3-1"}
        [position] = held.positions
        assert (position.symbol, position.steps, position.leg) == ("BTCUSDT", 10, 0)
        entry = scene.books.trades[0]
        assert position.cost == entry.ticks * 10 * 10_000
        assert not held.terms.hedged and not held.terms.multi_assets
        assert 9_990 * MONEY < held.money.wallet < 10_000 * MONEY and held.money.available < held.money.wallet
        gone = await account.cancel("BTCUSDT", "abcd-3-1")
        assert gone == Cancelled("abcd-3-1", 0)
        again = await account.cancel("BTCUSDT", "abcd-3-1")
        assert isinstance(again, Refused) and again.code == -2011
        closed = await account.place(order(4, side=Side.SELL, purpose=Purpose.CLOSE, reduce_only=True))
        assert isinstance(closed, Placed) and closed.order.status is VenueStatus.FILLED
        found = await account.order("BTCUSDT", "abcd-4-1")
        assert isinstance(found, VenueOrder) and found.filled_steps == 10
        assert await account.order("BTCUSDT", "nobody") is None
        trades = await account.executions("BTCUSDT", 0)
        assert isinstance(trades, tuple)
        assert [(one.client_id, one.side, one.steps, one.maker) for one in trades] == [
            ("abcd-1-1", Side.BUY, 10, False),
            ("abcd-4-1", Side.SELL, 10, False),
        ]
        assert all(one.fee > 0 and one.fee_asset == "USDT" for one in trades)
        income = await account.income(0, account.now_ms())
        assert isinstance(income, tuple)
        kinds = {kind for _, _, kind, _ in income}
        assert {"TRANSFER", "COMMISSION"} <= kinds
        money = await account.money()
        assert isinstance(money, Money)
        assert money.wallet == sum(amount for _, _, _, amount in income)

    scene.run(talk)


def test_ids_are_asked_for_after_a_restart() -> None:
    scene = Scene()

    async def talk(account: AsterAccount) -> None:
        await account.place(order())
        fresh = AsterAccount(account.rest, ("BTCUSDT",), source="simulator")
        assert isinstance(await fresh.instruments(), dict)
        [trade] = await fresh.executions("BTCUSDT", 0)  # type: ignore[misc]
        assert trade.client_id == "abcd-1-1"

    scene.run(talk)


def test_what_the_venue_does_not_know_of_itself_is_unknown_with_the_nonce_it_carried() -> None:
    for outcome in ("done", "refused"):
        for status, code in ((503, -1007), (503, 0), (0, 0)):
            scene = Scene()

            async def talk(account: AsterAccount, scene: Scene = scene, outcome: str = outcome) -> None:
                told = await account.place(order())
                assert isinstance(told, Unknown), told
                assert told.nonce_us == scene.signer.last and abs(told.sent_ms - scene.exchange.now_ms) < 5_000
                found = await account.order("BTCUSDT", "abcd-1-1")
                assert isinstance(found, VenueOrder) if outcome == "done" else found is None

            scene.exchange.faults.add(
                Fault("request", path="order", method="POST", count=1, outcome=outcome, status=status, code=code)
            )
            scene.run(talk)


def test_a_request_under_way_is_voided_by_its_nonce() -> None:
    scene = Scene()
    scene.exchange.faults.add(
        Fault("request", path="order", method="POST", count=1, outcome="late", status=0, ms=20_000)
    )

    async def talk(account: AsterAccount) -> None:
        told = await account.place(order())
        assert isinstance(told, Unknown)
        assert await account.void(told.nonce_us) is True
        await scene.clock.sleep(30_000)
        assert await account.order("BTCUSDT", "abcd-1-1") is None
        placed = await account.place(order(2))
        assert isinstance(placed, Placed)
        assert await account.void(scene.signer.last) is False  # that one has acted

    scene.run(talk)


@pytest.mark.parametrize(
    ("fault", "order_"),
    [
        (Fault("request", path="order", method="POST", status=429, ms=5_000), STOP),
        (Fault("request", path="order", method="POST", status=418, ms=120_000), STOP),
        (Fault("request", path="order", method="POST", status=403), STOP),
    ],
)
def test_a_gate_that_keeps_requests_out_says_when_to_come_back(fault: Fault, order_: Order) -> None:
    scene = Scene()
    scene.exchange.faults.add(msgspec.structs.replace(fault, count=1))

    async def talk(account: AsterAccount) -> None:
        told = await account.place(order_)
        assert isinstance(told, Unreachable) and told.retry_ms > account.now_ms()
        sent = len(scene.wire.sent)
        again = await account.place(order_)
        assert isinstance(again, Unreachable) and len(scene.wire.sent) == sent  # it never left
        await scene.clock.sleep(told.retry_ms - account.now_ms() + 1)
        assert isinstance(await account.open_orders("BTCUSDT"), Unreachable)  # the stop goes first
        placed = await account.place(order_)
        assert isinstance(placed, Placed), placed

    scene.run(talk)


def test_signer_trouble_leaves_nothing_sent() -> None:
    scene = Scene()

    async def talk(account: AsterAccount) -> None:
        sent = len(scene.wire.sent)
        account.told_mark("BTCUSDT", 100_000 * 10**8)
        scene.signer.declines = Declined("cap", "The order is above the cap set at arming; make it smaller.")
        told = await account.place(order())
        assert isinstance(told, Refused) and "above the cap" in told.reason
        scene.signer.declines = Declined("clock", "The nonce is ahead of the clock; wait.")
        assert isinstance(await account.place(order()), Unreachable)
        scene.signer.gone = True
        assert isinstance(await account.place(order()), Unreachable)
        assert len(scene.wire.sent) == sent

    scene.run(talk)


def test_rights_and_epoch_travel_with_every_call() -> None:
    scene = Scene()

    async def talk(account: AsterAccount) -> None:
        account.epoch = 7
        await account.place(order(worst_ticks=1_001_000))
        await account.place(STOP)
        await account.cancel("BTCUSDT", STOP.client_id)
        await account.positions()
        rights = [(call.right, call.epoch) for call in scene.signer.calls[-4:]]
        assert rights == [("trade", 7), ("reduce", 7), ("reduce", 7), ("read", -1)]
        assert scene.signer.calls[-4].notional == 100_100 * MONEY // 100

    scene.run(talk)


def test_refusals_of_filters_never_leave_the_house() -> None:
    scene = Scene()

    async def talk(account: AsterAccount) -> None:
        sent = len(scene.wire.sent)
        account.told_mark("BTCUSDT", 100_000 * 10**8)
        for wrong, code in (
            (order(steps=0), -4003),
            (order(steps=10**8), -4005),
            (order(type=OrderType.LIMIT, price_ticks=1_200_000), -4016),
            (order(symbol="ETHUSDT"), -1121),
        ):
            told = await account.place(wrong)
            assert isinstance(told, Refused) and told.code == code and told.reason.endswith(".")
        assert len(scene.wire.sent) == sent

    scene.run(talk)


def test_the_venues_refusals_name_the_remedy() -> None:
    scene = Scene()

    async def talk(account: AsterAccount) -> None:
        told = await account.place(order(steps=100_000))
        assert isinstance(told, Refused) and told.code in (-2019, -2027), told
        close = order(2, side=Side.SELL, purpose=Purpose.CLOSE, reduce_only=True)
        told = await account.place(close)
        assert isinstance(told, Refused) and told.code == -2022, told

    scene.run(talk)


def test_settings_that_are_so_already_count_as_done() -> None:
    scene = Scene()

    async def talk(account: AsterAccount) -> None:
        assert await account.set_leverage("BTCUSDT", 7) is True
        for _ in range(2):
            assert await account.set_isolated("BTCUSDT", True) is True
        [position] = await account.positions("BTCUSDT")  # type: ignore[misc]
        assert (position.leverage, position.isolated) == (7, True)
        assert isinstance(await account.set_leverage("BTCUSDT", 1000), Refused)

    scene.run(talk)


def test_a_flood_of_entries_meets_no_429_and_leaves_room_for_the_stop() -> None:
    scene = Scene(settings=Settings(limits=Limits(weight_per_minute=300, orders_per_minute=50)))

    async def talk(account: AsterAccount) -> None:
        placed = 0
        for number in range(1, 90):
            account.told_mark("BTCUSDT", 100_000 * 10**8)
            told = await account.place(order(number, type=OrderType.LIMIT, price_ticks=960_000))
            placed += isinstance(told, Placed)
            if isinstance(told, Placed):
                assert isinstance(await account.cancel("BTCUSDT", told.order.client_id), Cancelled)
            else:
                assert isinstance(told, Unreachable) and told.retry_ms > account.now_ms()
        assert placed == 40  # of 50: a fifth is not for entries
        for number in range(100, 110):
            stop = msgspec.structs.replace(STOP, client_id=f"abcd-{number:x}-1")
            assert isinstance(await account.place(stop), Placed)
        assert isinstance(await account.place(STOP), Unreachable)  # the venue's own limit
        assert all(seen.status != 429 for seen in scene.exchange.log)

    scene.run(talk)
