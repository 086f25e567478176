"""Orders on their way to the simulated exchange and back, by the exchange's own books."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from aister.core.audit import Audit, PlaceOrder
from aister.core.events import (
    EntriesThawed,
    OrderAccepted,
    OrderCanceled,
    OrderFilled,
    OrderRejected,
    OrderUnknown,
    RunStarted,
    VenueReport,
)
from aister.core.trade import OrderType, Side
from aister.exchange_sim import Fault
from aister.execution.absence import NOT_SHOWN
from aister.execution.courier import Courier
from tests.execution.scene import FLAT, SYMBOL, Scene, order, stop

LIMIT = {"type": OrderType.LIMIT, "price_ticks": 990_000}
DOWN = ((100_000.0, 100_000.0, 100_000.0, 100_000.0), (100_000.0, 100_000.0, 98_000.0, 98_500.0), *(FLAT,) * 20)


def kinds(reports: list[VenueReport]) -> list[str]:
    return [type(one).__name__ for one in reports]


@pytest.mark.parametrize("stream", [True, False])
def test_an_entry_fills_and_is_told_once_in_order(stream: bool) -> None:
    scene = Scene(stream=stream)

    async def story() -> None:
        scene.send(order(), order())  # the same order handed over twice leaves once
        await scene.wait(3_000)

    scene.play(story)
    assert kinds(scene.reports) == ["OrderAccepted", "OrderFilled"]
    done = scene.reports[-1]
    assert isinstance(done, OrderFilled) and done.done and done.fill.purpose == "entry"
    assert (scene.posts, scene.steps, scene.filled()) == (1, 100, 100)


def test_a_resting_order_is_cancelled_and_a_refused_one_is_told_why() -> None:
    scene = Scene()

    async def story() -> None:
        scene.send(order("a", **LIMIT), order("b", steps=0))
        await scene.wait(500)
        scene.courier.cancel(SYMBOL, "a", 0)
        await scene.wait(500)

    scene.play(story)
    assert kinds([one for one in scene.reports if getattr(one, "client_id", "") == "a"]) == [
        "OrderAccepted",
        "OrderCanceled",
    ]
    (no,) = [one for one in scene.reports if isinstance(one, OrderRejected)]
    assert (no.client_id, no.reason[:6]) == ("b", "-4003 ")


@pytest.mark.parametrize("stream", [True, False])
def test_a_stop_closes_the_position_and_its_trade_is_told(stream: bool) -> None:
    scene = Scene(prices=DOWN, stream=stream)

    async def story() -> None:
        scene.send(order(), stop())
        await scene.wait(130_000)
        if not stream:  # nobody told of it: a survey would find it gone, and look it up
            found = await scene.account.order(SYMBOL, "ai00000000-2-1")
            scene.courier.see(found)  # type: ignore[arg-type]
            await scene.wait(2_000)

    scene.play(story)
    fills = [one for one in scene.reports if isinstance(one, OrderFilled)]
    assert [(one.fill.purpose, one.fill.side, one.fill.steps, one.done) for one in fills] == [
        ("entry", Side.BUY, 100, True),
        ("stop", Side.SELL, 100, True),
    ]
    assert scene.steps == 0 and scene.courier.teller.held[SYMBOL, 0] == 0


@pytest.mark.parametrize("outcome", ["done", "refused", "late"])
@pytest.mark.parametrize("code", [0, -1007])
def test_an_unknown_outcome_is_found_out_and_never_sent_again(outcome: str, code: int) -> None:
    scene = Scene(
        Fault("request", path="order", method="POST", outcome=outcome, code=code, count=1, ms=20_000),
        Fault("lag", ms=30_000, until_ms=40_000),
        Fault("lose_void"),
        stream=False,
    )

    async def story() -> None:
        scene.send(order())
        await scene.wait(5_000)
        await scene.wait(70_000)

    scene.play(story)
    assert scene.posts == 1
    assert isinstance(scene.reports[0], OrderUnknown)
    if outcome == "refused":
        assert kinds(scene.reports) == ["OrderUnknown", "OrderRejected"]
        assert scene.reports[-1].time_ms >= scene.reports[0].time_ms + 60_000
    else:
        assert kinds(scene.reports) == ["OrderUnknown", "OrderAccepted", "OrderFilled"]
    assert scene.steps == scene.filled() == (0 if outcome == "refused" else 100)


def test_a_noop_that_works_settles_it_sooner() -> None:
    scene = Scene(Fault("request", path="order", method="POST", outcome="late", count=1, ms=20_000), stream=False)

    async def story() -> None:
        scene.send(order())
        await scene.wait(45_000)

    scene.play(story)
    assert (kinds(scene.reports), scene.steps) == (["OrderUnknown", "OrderRejected"], 0)


def test_silence_is_asked_about_and_the_stream_may_answer_first() -> None:
    scene = Scene(Fault("request", path="order", method="POST", outcome="done", status=0, count=1))

    async def story() -> None:
        scene.send(order())
        await scene.wait(5_000)

    scene.play(story)
    assert kinds(scene.reports) == ["OrderAccepted", "OrderFilled"]


def test_what_never_left_is_tried_again_protection_as_long_as_it_takes() -> None:
    scene = Scene(Fault("request", path="order", method="POST", status=429, ms=8_000, count=1))

    async def story() -> None:
        scene.send(order("e"), stop("s"))
        await scene.wait(15_000)

    scene.play(story)
    told = {one.client_id: type(one) for one in scene.reports if not isinstance(one, OrderFilled)}
    assert told["s"] is OrderAccepted
    assert told["e"] in (OrderRejected, OrderAccepted)


def test_an_entry_withdrawn_before_it_left_never_leaves() -> None:
    scene = Scene(Fault("request", path="order", method="POST", status=429, ms=1_000))

    async def story() -> None:
        scene.send(order("a", **LIMIT))
        await scene.wait(100)
        before = scene.posts
        scene.courier.cancel(SYMBOL, "a", 0)
        await scene.wait(5_000)
        assert scene.posts == before

    scene.play(story)
    assert kinds(scene.reports) == ["OrderCanceled"]
    assert isinstance(scene.reports[0], OrderCanceled) and scene.reports[0].reason == "withdrawn before it left"


def test_a_cancel_whose_answer_is_lost_is_repeated_until_it_is_gone() -> None:
    scene = Scene(Fault("request", path="order", method="DELETE", outcome="done", code=-1007, count=1), stream=False)

    async def story() -> None:
        scene.send(order("a", **LIMIT))
        await scene.wait(300)
        scene.courier.cancel(SYMBOL, "a", 0)
        await scene.wait(3_000)

    scene.play(story)
    assert kinds(scene.reports) == ["OrderAccepted", "OrderCanceled"]


def test_partial_fills_with_frames_lost_doubled_and_out_of_order_are_booked_once() -> None:
    for kind in ("drop", "duplicate", "reorder"):
        scene = Scene(
            Fault("partial", fill_e4=3_000, ms=400), Fault(kind, stream="ORDER_TRADE_UPDATE", ms=900, count=3)
        )

        async def story(scene: Scene = scene) -> None:
            scene.send(order())
            await scene.wait(8_000)

        scene.play(story)
        assert scene.steps == scene.filled() == 100
        ends = [one.done for one in scene.reports if isinstance(one, OrderFilled)]
        assert ends == [*[False] * (len(ends) - 1), True]


def test_a_fill_that_nobody_asked_for_is_told_too() -> None:
    scene = Scene(Fault("adl", at_ms=5_000, fill_e4=4_000, symbol=SYMBOL))

    async def story() -> None:
        scene.send(order())
        await scene.wait(8_000)

    scene.play(story)
    assert scene.steps == 60
    last = scene.reports[-1]
    assert isinstance(last, OrderFilled)
    assert (last.fill.kind, last.fill.purpose, last.fill.side, last.fill.steps) == ("liquidation", "", Side.SELL, 40)


def test_a_chain_begins_with_what_was_heard_first_not_with_the_minute_it_was_started_in() -> None:
    """A trade of the last run in that minute was told on top of what the new one had taken over."""
    scene = Scene()

    async def story() -> None:
        began_ms, first_ms = scene.account.now_ms() - 60_000, scene.account.now_ms() - 20_000
        started = RunStarted(began_ms, "o", "ai00000000", "aster", "none", "", "", 1, 10_000)
        for number, event in enumerate((started, EntriesThawed(first_ms, "x"), EntriesThawed(first_ms + 5, "y"))):
            scene.courier.recall(Audit(number, event, ()))
        assert scene.courier.begun_ms == first_ms and scene.courier.known_ms == first_ms + 5

    scene.play(story)


def test_after_a_restart_what_was_told_is_not_told_again_and_the_rest_is_looked_up() -> None:
    scene = Scene()

    async def story() -> None:
        one, two = order("a"), stop("s")
        scene.send(one, two)
        await scene.wait(500)
        await scene.courier.stop()
        second = Courier(scene.account, sleep=scene.world.sleep)
        second.recall(Audit(0, EntriesThawed(1, "x"), (PlaceOrder(one), PlaceOrder(two))))
        for number, report in enumerate(scene.reports, 1):
            if not (isinstance(report, OrderAccepted) and report.client_id == "s"):
                second.recall(Audit(number, report, ()))
        assert second.teller.held == {(SYMBOL, 0): 100}
        second.start()
        second.resume()
        scene.courier = second
        before = scene.posts
        told = await scene.wait(5_000)
        assert scene.posts == before
        assert kinds(told) == ["OrderUnknown", "OrderAccepted"]

    scene.play(story)
    assert [one.type for one in scene.books.venue.open_orders(SYMBOL)] == [OrderType.STOP_MARKET]


@pytest.mark.parametrize(("ago_ms", "left"), [(60_000, ["s"]), (70_000, [])])
def test_a_stop_that_a_life_before_called_gone_may_rest_as_long_as_look_ups_can_lag(
    ago_ms: int, left: list[str]
) -> None:
    """Seed 745000037: it worked on while flat, because the next life believed the journal."""
    scene = Scene()

    async def story() -> None:
        told_ms = scene.account.now_ms() - ago_ms
        records = (
            Audit(0, EntriesThawed(told_ms - 1_000, "x"), (PlaceOrder(stop("s")),)),
            Audit(1, OrderAccepted(told_ms - 900, SYMBOL, "s"), ()),
            Audit(2, OrderCanceled(told_ms, SYMBOL, "s", NOT_SHOWN), ()),
        )
        for audit in records:
            scene.courier.recall(audit)
        scene.courier.resume()
        assert [one.order.client_id for one in scene.courier.lingering()] == left
        assert not list(scene.courier.courses())

    scene.play(story)


def test_work_is_idle_when_everything_has_its_answer() -> None:
    scene = Scene()

    async def story() -> None:
        scene.send(order(), stop())
        await asyncio.wait_for(scene.courier.idle(), 5)
        assert all(one.state.arrived for one in scene.courier.courses())

    scene.play(story)


def test_an_error_of_the_program_in_one_errand_leaves_nothing_that_hangs() -> None:
    """It is told, entries freeze; the order is asked about, and the next entry, cancel and reading of trades go on."""
    scene = Scene(stream=False)
    broken = {"place": 1, "order": 1, "cancel": 1, "executions": 1}

    def failing_first(name: str) -> Callable[..., Awaitable[object]]:
        whole = getattr(scene.account, name)

        async def call(*args: object) -> object:
            broken[name] -= 1
            if broken[name] >= 0:
                raise ValueError(f"{name} is broken")
            return await whole(*args)

        return call

    for name in broken:
        setattr(scene.account, name, failing_first(name))

    async def story() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
        scene.send(order("ai00000000-1-1"), order("ai00000000-1-2", **LIMIT))
        await scene.wait(2_000)
        scene.courier.catch_up(SYMBOL)
        scene.courier.cancel(SYMBOL, "ai00000000-1-2", 0)
        await scene.wait(1_000)
        scene.courier.see(await scene.account.order(SYMBOL, "ai00000000-1-2"))  # type: ignore[arg-type]
        scene.courier.catch_up(SYMBOL)
        await scene.wait(70_000)

    scene.play(story)
    ends = [(type(one).__name__, one.client_id[-1]) for one in scene.reports if hasattr(one, "client_id")]
    assert ends == [("OrderUnknown", "1"), ("OrderAccepted", "2"), ("OrderCanceled", "2"), ("OrderRejected", "1")]
    assert "courier" in scene.courier.teller.frozen and max(broken.values()) < 0
    assert not scene.books.venue.open_orders(SYMBOL)
