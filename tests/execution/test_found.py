"""Positions found at the start, long absences, outages: what a trader makes of a venue that went on without it."""

import asyncio

import pytest

from aister.core.audit import Audit, PlaceOrder
from aister.core.commands import AcceptAbsence
from aister.core.events import (
    BarClosed,
    CommandGiven,
    EntriesFrozen,
    EntriesThawed,
    OrderCanceled,
    OrderFilled,
    OrderRejected,
    PositionFound,
)
from aister.core.trade import OrderType, Purpose, Side
from aister.exchange_sim import Fault
from aister.execution.courier import Courier
from aister.execution.recovery import Recovery, RecoveryRules
from aister.execution.traits import VenueTraits
from tests.engine.rig import BTC, setup
from tests.execution.scene import FLAT, SYMBOL, Scene, order, stop
from tests.execution.trader import Trader

US = "ai00000000"
DAY_MS = 86_400_000
LONG = setup(2, stop=99_000.0, targets=((103_000.0, 10_000),))
FALL = (100_000.0, 100_000.0, 98_000.0, 98_500.0)
ADOPT, FLATTEN = RecoveryRules(found="adopt"), RecoveryRules(found="flatten")


def restored(rules: RecoveryRules, prices: list[tuple[float, float, float, float]], minutes: int) -> Trader:
    """In at minute 4, dead at 4:30, started again from a journal that ends before the entry."""
    return Trader(
        LONG, prices=prices, traits=VenueTraits("before", "limit"), recovering=rules, forgets_ms=200_000
    ).trade(minutes, 270_000)


def test_a_position_in_no_book_is_kept_with_the_stop_it_has_and_that_stop_is_the_traders_again() -> None:
    trader = restored(ADOPT, [FLAT] * 12, 9)
    assert trader.there == trader.steps == 50
    (found,) = [one.event for one in trader.audits if isinstance(one.event, PositionFound)]
    assert found.stop is not None and found.stop.client_id.startswith(US)
    assert [one.client_id for one in trader.books.open_orders()] == [found.stop.client_id]
    assert trader.engine.desks[BTC].resident_stop_ticks == 990_000
    assert trader.longest_naked_ms == 0
    assert trader.courier.teller.frozen == {}


def test_its_stop_ends_it_like_any_other() -> None:
    trader = restored(ADOPT, [FLAT] * 7 + [FALL] + [(98_500.0,) * 4] * 4, 10)
    assert trader.there == trader.steps == 0 and trader.free
    assert [one.reason for one in trader.closed] == ["stop"]
    assert trader.books.venue.open_orders(BTC) == []


def test_by_the_other_policy_it_is_closed() -> None:
    trader = restored(FLATTEN, [FLAT] * 12, 9)
    assert trader.there == trader.steps == 0 and trader.free
    assert trader.books.venue.open_orders(BTC) == []


class Away(Scene):
    """A trader that comes back after a long time: what it did before is in `audits`, what it hears then in `heard`."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__(*faults, stream=False)
        self.audits: list[Audit] = []

    def told(self, *orders: object) -> None:
        self.audits.append(Audit(0, EntriesThawed(self.account.now_ms(), "start"), tuple(map(PlaceOrder, orders))))  # type: ignore[arg-type]

    async def back(self, rules: RecoveryRules | None = None) -> tuple[Courier, Recovery, "asyncio.Task[None]"]:
        """The next life, with its books read."""
        self.audits += [Audit(0, one, ()) for one in self.reports]
        self.courier = Courier(self.account, sleep=self.world.sleep)
        for audit in self.audits:
            self.courier.recall(audit)
        self.reports.clear()
        self.courier.start()
        self.courier.resume()
        recovery = Recovery(
            self.account,
            self.courier,
            lambda: self.courier.ours(US, (SYMBOL,)),
            sleep=self.world.sleep,
            rules=rules,
        )
        await recovery.start()
        return self.courier, recovery, asyncio.ensure_future(recovery.run())


@pytest.mark.parametrize("days", [10, 40])
def test_after_a_long_absence_the_books_are_the_venues_the_rest_is_unknowable_and_a_person_decides(days: int) -> None:
    scene = Away()
    limit = order(f"{US}-3-1", type=OrderType.LIMIT, price_ticks=900_000)
    silent = order(f"{US}-4-1", type=OrderType.LIMIT, price_ticks=910_000)
    first = (order(f"{US}-1-1"), stop(f"{US}-2-1"), limit)

    async def story() -> None:
        scene.told(*first, silent)
        scene.send(*first)
        await scene.wait(2_000)
        await scene.courier.stop()
        await scene.account.cancel(SYMBOL, limit.client_id)  # by somebody, while nobody here looked
        await scene.world.sleep(3 * DAY_MS)
        await scene.account.place(order("web_1", Side.SELL, 40, reduce_only=True))
        await scene.world.sleep((days - 3) * DAY_MS)
        courier, recovery, keeper = await scene.back()
        await scene.wait(120_000)
        assert courier.teller.held[SYMBOL, 0] == scene.steps == 60
        ends = {one.client_id: one.reason for one in scene.reports if isinstance(one, OrderCanceled | OrderRejected)}
        assert set(ends) == {limit.client_id, silent.client_id}
        assert all("unknowable" in reason for reason in ends.values())
        fills = [one.fill for one in scene.reports if isinstance(one, OrderFilled)]
        assert [(one.side, one.steps, one.purpose) for one in fills] == [(Side.SELL, 40, "")]
        assert list(courier.teller.frozen) == ["absence"] and f"{days}.0 days" in courier.teller.frozen["absence"]
        assert recovery.findings == ()
        recovery.observe(Audit(9, CommandGiven(scene.account.now_ms(), AcceptAbsence("Ada", "I looked")), ()))
        assert courier.teller.frozen == {}
        keeper.cancel()

    scene.play(story)
    assert scene.books.venue.open_orders(SYMBOL)[0].close_position


def test_a_short_absence_needs_nobody_and_a_restart_before_a_person_decided_still_waits() -> None:
    scene = Away()

    async def story() -> None:
        scene.told(order(f"{US}-1-1"), stop(f"{US}-2-1"))
        scene.send(order(f"{US}-1-1"), stop(f"{US}-2-1"))
        await scene.wait(2_000)
        await scene.courier.stop()
        await scene.world.sleep(6 * DAY_MS)
        courier, _, keeper = await scene.back()
        await scene.wait(5_000)
        assert courier.teller.frozen == {}
        keeper.cancel()
        await courier.stop()
        scene.audits.append(Audit(1, EntriesFrozen(scene.account.now_ms(), "absence", "away"), ()))
        courier, _, keeper = await scene.back()
        await scene.wait(5_000)
        assert list(courier.teller.frozen) == ["absence"]
        keeper.cancel()
        await courier.stop()
        scene.audits.append(Audit(2, CommandGiven(scene.account.now_ms(), AcceptAbsence("Ada", "why")), ()))
        courier, _, keeper = await scene.back()
        assert courier.teller.frozen == {}
        keeper.cancel()

    scene.play(story)


def test_after_maintenance_entries_wait_for_a_whole_bar_and_after_a_hiccup_for_none() -> None:
    scene = Away(
        Fault("request", status=503, at_ms=10_000, until_ms=20_000),
        Fault("request", status=503, at_ms=60_000, until_ms=60_000 + 1_800_000),
    )

    async def story() -> None:
        courier, recovery, keeper = await scene.back()
        recovery.observe(bar(0))
        await scene.wait(45_000)
        assert courier.teller.frozen == {}
        await scene.wait(1_700_000)
        assert list(courier.teller.frozen) == ["venue"]
        asked = len(scene.world.sent)
        await scene.wait(60_000)
        assert len(scene.world.sent) - asked <= 24  # three looks at everything, and the positions, at most every 10 s
        await scene.wait(120_000)
        assert list(courier.teller.frozen) == ["resume"] and "30 minutes" in courier.teller.frozen["resume"]
        back_ms = recovery.resuming.back_ms
        recovery.observe(bar(back_ms - 1))
        assert list(courier.teller.frozen) == ["resume"]
        recovery.observe(bar(back_ms))
        assert courier.teller.frozen == {}
        keeper.cancel()

    scene.play(story)


def test_after_maintenance_entries_wait_for_fresh_order_books_too_and_say_for_which() -> None:
    """503 for half an hour, then an empty book, then one that moves."""
    scene = Away(Fault("request", status=503, at_ms=60_000, until_ms=60_000 + 1_800_000))

    async def story() -> None:
        courier, recovery, keeper = await scene.back(RecoveryRules(booked=True))
        recovery.observe(bar(0))
        assert recovery.resuming.back_ms == 0
        await scene.wait(1_900_000)
        back_ms = recovery.resuming.back_ms
        assert list(courier.teller.frozen) == ["resume"] and back_ms > 0
        recovery.resuming.books("that of BTCUSDT has no asks")
        recovery.observe(bar(back_ms))
        assert "has no asks" in courier.teller.frozen["resume"]
        recovery.observe(bar(back_ms + 60_000))
        assert list(courier.teller.frozen) == ["resume"]
        recovery.resuming.books("")
        assert courier.teller.frozen == {} and recovery.resuming.back_ms == 0
        keeper.cancel()

    scene.play(story)


def test_an_outage_that_the_start_itself_meets_is_waited_out_like_any_other() -> None:
    scene = Away(Fault("request", status=503, at_ms=1_000, until_ms=1_800_000))

    async def story() -> None:
        await scene.wait(1_500)
        recovery = Recovery(
            scene.account, scene.courier, lambda: scene.courier.ours(US, (SYMBOL,)), sleep=scene.world.sleep
        )
        recovery.observe(bar(0))
        await recovery.start()
        assert list(scene.courier.teller.frozen) == ["resume"]
        recovery.observe(bar(recovery.resuming.back_ms))
        assert scene.courier.teller.frozen == {}

    scene.play(story)


@pytest.mark.parametrize("told_of_bars", [True, False])
def test_a_restart_does_not_cut_short_the_wait_for_a_bar(told_of_bars: bool) -> None:
    scene = Away()

    async def story() -> None:
        teller = scene.courier.teller
        teller.frozen_before("resume", "The venue was away for 30 minutes")
        recovery = Recovery(
            scene.account, scene.courier, lambda: scene.courier.ours(US, (SYMBOL,)), sleep=scene.world.sleep
        )
        if told_of_bars:
            recovery.observe(bar(0))
        await recovery.start()
        assert list(teller.frozen) == (["resume"] if told_of_bars else [])
        recovery.observe(bar(recovery.resuming.back_ms))
        assert teller.frozen == {}

    scene.play(story)


def bar(open_time_ms: int) -> Audit:
    price = 100_000.0
    return Audit(0, BarClosed(open_time_ms + 60_000, SYMBOL, open_time_ms, price, price, price, price, 1.0), ())


def test_what_the_venue_closes_by_itself_leaves_no_order_behind_and_names_its_cause() -> None:
    trader = Trader(
        LONG,
        prices=[FLAT] * 12,
        faults=(Fault("adl", at_ms=300_000, symbol=BTC, fill_e4=10_000),),
        traits=VenueTraits("before", "limit"),
    ).trade(6)
    assert trader.there == trader.steps == 0
    assert trader.books.venue.open_orders(BTC) == []
    assert [one.reason for one in trader.closed] == ["adl"]
    sent = [one.order.purpose for one in trader.said(PlaceOrder)]
    assert sent.count(Purpose.ENTRY) == 1
