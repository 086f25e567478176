"""The account's stream against the simulated exchange under virtual time: trades, keys, cuts, silence, disorder."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aister.adapters.exchanges.aster.account import AsterAccount
from aister.adapters.exchanges.aster.line import LineSettings
from aister.adapters.exchanges.aster.rest import Rest
from aister.adapters.exchanges.aster.userstream import UserStream
from aister.adapters.exchanges.aster.wire import Lost
from aister.core.trade import Side
from aister.exchange_sim import Agent, Credentials, Exchange, Fault, Faults, Settings
from aister.ports.exchange import OrderNews, PositionNews, StreamState, TermsNews, VenueNews, VenueStatus
from tests.adapters.exchanges.aster.scene import FLAT, STOP, order
from tests.adapters.exchanges.aster.scripted import USER, Hands, LocalSigner, ScriptedWire
from tests.exchange_sim.floor import MINUTE_MS, slices
from tests.fakes.virtual import World
from tests.sim.market import MONEY, instrument

SECOND, HOUR = 1_000, 3_600_000
STEP = 100_000  # a contract nobody listed counts 1e-8


class Scene:
    def __init__(self, *faults: Fault, settings: Settings | None = None, line: LineSettings | None = None) -> None:
        self.faults = Faults()
        listed = {"BTCUSDT": instrument()}
        self.exchange = Exchange(listed, slices(*(FLAT,) * 30), MINUTE_MS, settings, faults=self.faults)
        start = self.exchange.now_ms
        self.faults.add(*(_at(fault, start) for fault in faults))
        self.world = World(self.exchange)
        signer: Any = LocalSigner(self.world)  # type: ignore[arg-type]
        address = signer.address.lower()
        self.books = self.exchange.add_account(Credentials(USER, {address: Agent(address)}), 10_000 * MONEY)
        rest = Rest(self.world, self.world, signer)
        self.account = AsterAccount(rest, ("BTCUSDT",), source="simulator")
        self.news: list[VenueNews] = []
        settings_ = line or LineSettings(silence_ms=0)
        self.stream = UserStream(rest, self.world, self.world, self.account.contracts, self.news.append, line=settings_)

    def play(self, scene: Callable[[], Coroutine[Any, Any, None]]) -> None:
        async def with_stream() -> None:
            assert isinstance(await self.account.instruments(), dict)
            reader = asyncio.ensure_future(self.stream.run())
            await self.world.sleep(SECOND)
            await scene()
            await self.world.sleep(SECOND)
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)

        self.world.run(with_stream())

    def states(self) -> list[bool]:
        return [one.up for one in self.news if isinstance(one, StreamState)]

    def fills(self) -> list[int]:
        return [one.execution.trade_id for one in self.news if isinstance(one, OrderNews) and one.execution is not None]


def _at(fault: Fault, start_ms: int) -> Fault:
    until = fault.until_ms and fault.until_ms + start_ms
    return msgspec.structs.replace(fault, at_ms=fault.at_ms + start_ms, until_ms=until)


def test_a_trade_is_told_with_its_order_its_money_and_its_position() -> None:
    scene = Scene()

    async def trade() -> None:
        await scene.account.place(order(worst_ticks=1_001_000))
        await scene.account.place(STOP)
        await scene.account.set_leverage("BTCUSDT", 7)
        asked.append(await scene.account.executions("BTCUSDT", 0))

    asked: list[object] = []
    scene.play(trade)
    assert scene.states() == [True]
    filled = next(one for one in scene.news if isinstance(one, OrderNews) and one.execution is not None)
    assert (filled.order.client_id, filled.order.status, filled.order.filled_steps) == (
        "abcd-1-1",
        VenueStatus.FILLED,
        10,
    )
    assert filled.execution is not None and filled.execution.fee > 0
    assert (filled.execution.steps, filled.execution.side, filled.execution.maker) == (10, Side.BUY, False)
    assert asked == [(filled.execution,)]  # what the stream told is what a look-up tells
    moved = next(one for one in scene.news if isinstance(one, PositionNews))
    assert moved.positions == (("BTCUSDT", 0, 10),) and moved.wallet == 10_000 * MONEY - filled.execution.fee
    stop = scene.news[-2]
    assert isinstance(stop, OrderNews) and stop.order.close_position and stop.order.status is VenueStatus.NEW
    assert isinstance(scene.news[-1], TermsNews) and scene.news[-1].what == "leverage is 7"


@pytest.mark.parametrize("how", ["", "silently"])
def test_an_expired_key_is_replaced(how: str) -> None:
    scene = Scene(Fault("expire_listen_key", at_ms=10 * SECOND, text=how))

    async def later() -> None:
        await scene.world.sleep(20 * SECOND if not how else HOUR)
        await scene.account.place(order(worst_ticks=1_001_000))

    scene.play(later)
    assert scene.states() == [True, False, True]
    assert len(scene.fills()) == 1


def test_a_key_found_dead_while_renewing_asks_for_a_survey() -> None:
    quick = LineSettings(silence_ms=0, renew_ms=60 * SECOND, overlap_ms=4 * SECOND)
    scene = Scene(Fault("expire_listen_key", at_ms=10 * SECOND, text="silently"), line=quick)

    async def later() -> None:
        await scene.world.sleep(20 * SECOND)
        await scene.account.place(order(worst_ticks=1_001_000))  # nobody hears of it
        await scene.world.sleep(60 * SECOND)

    scene.play(later)
    assert scene.states() == [True, False, True] and not scene.fills()


def test_the_key_is_kept_alive_for_a_day_and_the_connection_renewed_without_a_word() -> None:
    scene = Scene()

    async def a_day_and_more() -> None:
        await scene.world.sleep(25 * HOUR)
        await scene.account.place(order(worst_ticks=1_001_000))

    scene.play(a_day_and_more)
    assert scene.states() == [True]
    assert len(scene.world.opened) == 2 and len(set(scene.world.opened)) == 1  # one key all along
    assert len(scene.fills()) == 1


def test_while_two_connections_are_heard_nothing_is_told_twice() -> None:
    scene = Scene(line=LineSettings(silence_ms=0, renew_ms=5 * SECOND, overlap_ms=4 * SECOND))

    async def trade() -> None:
        for number in range(1, 30):
            await scene.account.place(order(number, steps=1, worst_ticks=1_001_000))
            await scene.world.sleep(SECOND)

    scene.play(trade)
    assert scene.states() == [True]
    assert len(scene.fills()) == len(set(scene.fills())) == 29
    assert len(scene.world.opened) > 2


@pytest.mark.parametrize("act", ["cut", "half_open", "restart"])
def test_a_lost_connection_is_told_and_made_again(act: str) -> None:
    scene = Scene(Fault(act, at_ms=5 * SECOND, ms=3 * SECOND, user_streams=act != "restart"))

    async def later() -> None:
        await scene.world.sleep(60 * SECOND)
        await scene.account.place(order(worst_ticks=1_001_000))

    scene.play(later)
    assert scene.states()[0] and scene.states()[-1]
    assert scene.states().count(False) >= 1
    assert len(scene.fills()) == 1


def test_copies_are_dropped_and_disorder_never_takes_an_order_back() -> None:
    scene = Scene(Fault("duplicate", ms=700), Fault("reorder", ms=900), Fault("partial", fill_e4=4_000, ms=300))

    async def trade() -> None:
        for number in range(1, 12):
            await scene.account.place(order(number, steps=10, worst_ticks=1_001_000))
            await scene.world.sleep(250)
        await scene.world.sleep(5 * SECOND)

    scene.play(trade)
    assert len(scene.fills()) == len(set(scene.fills())) > 11
    told: dict[str, int] = {}
    for one in scene.news:
        if isinstance(one, OrderNews):
            assert one.order.filled_steps >= told.get(one.order.client_id, 0)
            told[one.order.client_id] = one.order.filled_steps
    assert set(told.values()) <= {10, 4}
    last = [one for one in scene.news if isinstance(one, PositionNews)]
    assert [one.time_ms for one in last if one.positions] == sorted(one.time_ms for one in last if one.positions)


def test_unknown_events_pass_and_unreadable_ones_ask_for_a_survey() -> None:
    scene = Scene(Fault("announce", at_ms=2 * SECOND))

    async def wait() -> None:
        await scene.world.sleep(5 * SECOND)
        assert scene.states() == [True]
        for connection in scene.exchange.hub.connections.values():
            scene.exchange.hub.send(connection, {"e": "ORDER_TRADE_UPDATE", "E": 1, "o": {"s": "BTCUSDT"}})
        scene.world.wake()
        await scene.world.sleep(5 * SECOND)

    scene.play(wait)
    assert scene.states() == [True, False, True]
    lost = next(one for one in scene.news if isinstance(one, StreamState) and not one.up)
    assert "ORDER_TRADE_UPDATE" in lost.why


def test_without_a_key_each_reason_is_told_once() -> None:
    scene = Scene(Fault("request", path="listenKey", status=503, until_ms=30 * SECOND))

    async def wait() -> None:
        await scene.world.sleep(70 * SECOND)

    scene.play(wait)
    assert scene.states()[0] is False and scene.states().index(True) == len(scene.states()) - 1
    reasons = [one.why for one in scene.news if isinstance(one, StreamState)]
    assert len(reasons) == len(set(reasons))


FILLS = 4


def history(number: int) -> list[bytes]:
    """What a venue tells of one order: new, filled in parts, and cancelled with its last part left or filled whole."""
    told = [("NEW", "NEW", 0, 0)]
    told += [("TRADE", "PARTIALLY_FILLED", part, 10 * number + part) for part in range(1, FILLS)]
    ends = ("CANCELED", "CANCELED", FILLS - 1, 0) if number % 2 else ("TRADE", "FILLED", FILLS, 10 * number + FILLS)
    rows = []
    for step, (what, status, filled, trade) in enumerate([*told, ends]):
        row = {"s": "BTCUSDT", "c": f"abcd-{number}-1", "S": "BUY", "o": "LIMIT", "q": f"0.00{FILLS}", "p": "100000.0"}
        row |= {"x": what, "X": status, "i": number, "l": "0.001", "z": f"0.00{filled}", "L": "100000.0", "t": trade}
        if what != "TRADE":
            row["l"] = "0"
        frame = {"e": "ORDER_TRADE_UPDATE", "E": 1_000 + step // 2, "T": 1_000 + step, "o": row | {"ps": "BOTH"}}
        rows.append(msgspec.json.encode(frame))
    return rows


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_order_and_any_copies_of_a_truthful_history_end_the_same(data: st.DataObject) -> None:
    frames = [frame for number in (1, 2) for frame in history(number)]
    copies = data.draw(st.lists(st.sampled_from(frames), max_size=8))
    arriving = data.draw(st.permutations(frames + copies))
    news: list[VenueNews] = []
    clock: Any = Hands()
    rest = Rest(ScriptedWire(lambda sent: Lost(False, ""), clock), clock)
    account = AsterAccount(rest, ("BTCUSDT",), source="test")
    stream = UserStream(rest, rest._wire, clock, account.contracts, news.append)
    for frame in arriving:
        stream._frame(frame)
    told = [one for one in news if isinstance(one, OrderNews)]
    trades = [one.execution.trade_id for one in told if one.execution is not None]
    assert sorted(trades) == [11, 12, 13, 21, 22, 23, 24]
    for number, status, filled in ((1, VenueStatus.CANCELED, 3), (2, VenueStatus.FILLED, 4)):
        states = [one.order for one in told if one.order.venue_id == number]
        sizes = [state.filled_steps for state in states]
        assert sizes == sorted(sizes) and sizes[-1] == filled * STEP
        assert states[-1].status is status
        ends = [state.status.working for state in states]
        assert ends == sorted(ends, reverse=True)  # once over, never working again
