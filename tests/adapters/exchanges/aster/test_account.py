"""The client against the simulated exchange, in memory: the exchange was written from the same page by another hand,
and verifies signatures with eth-account."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec
import pytest

from aister.adapters.exchanges.aster.account import AsterAccount
from aister.adapters.exchanges.aster.contracts import Contracts
from aister.adapters.exchanges.aster.readiness import hindrances
from aister.adapters.exchanges.aster.rest import Rest
from aister.adapters.exchanges.aster.sign import ApiKey
from aister.core.trade import Order, OrderType, Purpose, Side
from aister.exchange_sim import (
    READINGS,
    Agent,
    Credentials,
    Exchange,
    Fault,
    Faults,
    Limits,
    Readings,
    Request,
    Response,
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
from aister.ports.signer import Call, Declined, Signed
from tests.adapters.exchanges.aster.scripted import USER, LocalSigner
from tests.exchange_sim.floor import MINUTE_MS, slices
from tests.fakes.wire import ExchangeClock, IndoorWire
from tests.sim.market import MONEY, instrument

T = TypeVar("T")
FLAT = (100_000.0, 100_000.0, 100_000.0, 100_000.0)


class Scene:
    """One exchange, one account with 10,000 USDT, the client of it."""

    def __init__(
        self,
        *prices: tuple[float, float, float, float],
        symbols: tuple[str, ...] = ("BTCUSDT",),
        watched: tuple[str, ...] | None = None,
        settings: Settings | None = None,
        scheme: str = "v3",
    ) -> None:
        listed = {symbol: instrument(symbol) for symbol in symbols}
        feed = slices(*(prices or (FLAT,) * 30), symbols=symbols)
        self.exchange = Exchange(listed, feed, MINUTE_MS, settings, faults=Faults())
        self.clock = ExchangeClock(self.exchange)
        self.wire = IndoorWire(self.exchange, self.clock)
        self.signer: Any = LocalSigner(self.clock) if scheme == "v3" else OldSigner(self.clock)
        credentials = Credentials(USER, {LocalSigner(self.clock).address.lower(): Agent("")}, "key", "secret")
        for address in credentials.agents:
            credentials.agents[address] = Agent(address)
        self.books = self.exchange.add_account(credentials, 10_000 * MONEY)
        rest = Rest(self.wire, self.clock, self.signer, scheme=scheme)
        self.account = AsterAccount(rest, watched or symbols, source="simulator")

    def run(self, talk: Callable[[AsterAccount], Awaitable[T]]) -> T:
        async def scene() -> T:
            assert isinstance(await self.account.instruments(), dict)
            return await talk(self.account)

        return asyncio.run(scene())


class OldSigner:
    """An API key (V1)."""

    def __init__(self, clock: ExchangeClock) -> None:
        self.key = ApiKey("key", b"secret")
        self.clock = clock
        self.address = "key"

    def sign(self, call: Call) -> Signed | Declined:
        return self.key.sign(call.params, self.clock.now_ms() * 1000)


def order(number: int = 1, **given: Any) -> Order:
    return Order(
        **{
            "client_id": f"abcd-{number:x}-1",
            "intent_id": str(number),
            "symbol": "BTCUSDT",
            "side": Side.BUY,
            "type": OrderType.MARKET,
            "purpose": Purpose.ENTRY,
            "steps": 10,
            "price_ticks": 0,
            "trigger_ticks": 0,
            "reduce_only": False,
            "close_position": False,
        }
        | given
    )


STOP = order(
    2,
    side=Side.SELL,
    type=OrderType.STOP_MARKET,
    purpose=Purpose.STOP,
    steps=0,
    trigger_ticks=990_000,
    close_position=True,
)


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
        assert await account.countdown("BTCUSDT", 60_000) is True
        assert await account.countdown("BTCUSDT", 0) is True

    scene.run(talk)


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
