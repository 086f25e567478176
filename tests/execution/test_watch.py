"""What covers a position, and what the watcher does when nothing does."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aister.core.trade import OrderType, Purpose, Side
from aister.exchange_sim import Fault
from aister.execution.cover import protects, uncovered
from aister.execution.watch import Watch
from aister.ports.exchange import AccountTerms, Money, Open, VenueOrder, VenuePosition, VenueStatus
from tests.execution.scene import SYMBOL, Scene, order, stop

US = "ai00000000"


def held(steps: int = 100, mark: int = 1_000, liquidation: int = 0, leg: int = 0) -> VenuePosition:
    return VenuePosition(SYMBOL, leg, steps, 0, mark, liquidation, 20, False)


def resting(
    side: Side = Side.SELL,
    trigger: int = 950,
    steps: int = 0,
    closes: bool = True,
    reduce: bool = False,
    **more: object,
) -> VenueOrder:
    told = {"kind": OrderType.STOP_MARKET, "status": VenueStatus.NEW, "symbol": SYMBOL, "leg": 0} | more
    return VenueOrder(
        "a", 1, told["symbol"], side, told["kind"], told["status"], steps, 0, 0, trigger, reduce, closes, told["leg"], 1
    )  # type: ignore[arg-type]


def shown(time_ms: int, *orders: VenueOrder, position: VenuePosition | None = None) -> Open:
    return Open(time_ms, orders, (position or held(),), Money(0, 0), AccountTerms(False, False))


@pytest.mark.parametrize(
    ("order_", "position", "covers"),
    [
        (resting(), held(), True),
        (resting(Side.BUY, 1_050), held(-100), True),
        (resting(Side.BUY), held(), False),
        (resting(), held(-100), False),
        (resting(kind=OrderType.TAKE_PROFIT_MARKET), held(), False),
        (resting(kind=OrderType.LIMIT, closes=False, reduce=True, steps=100), held(), False),
        (resting(status=VenueStatus.CANCELED), held(), False),
        (resting(symbol="ETHUSDT"), held(), False),
        (resting(leg=1), held(), False),
        (resting(closes=False, steps=100), held(), False),  # not reduce-only: it could open the other way
        (resting(closes=False, reduce=True, steps=100), held(), True),
        (resting(trigger=800), held(liquidation=850), False),  # liquidated before
        (resting(trigger=860), held(liquidation=850), True),
    ],
)
def test_what_protects(order_: VenueOrder, position: VenuePosition, covers: bool) -> None:
    assert protects(order_, position) is covers
    assert uncovered(position, [order_]) == (0 if covers else 100)


@given(st.lists(st.integers(1, 60), max_size=4))
def test_quantity_stops_cover_what_they_add_up_to(sizes: list[int]) -> None:
    orders = [resting(closes=False, reduce=True, steps=size) for size in sizes]
    assert uncovered(held(), orders) == max(0, 100 - sum(sizes))


def test_it_waits_puts_the_stop_back_then_closes() -> None:
    watch = Watch(US, (SYMBOL,))
    assert watch.look(shown(0, resting(trigger=940), resting(trigger=950))) == ()
    assert watch.look(shown(1_000)) == () and watch.bare == {(SYMBOL, 0): 1_000}
    (back,) = watch.look(shown(4_000))
    assert (back.purpose, back.side, back.trigger_ticks, back.close_position) == (Purpose.STOP, Side.SELL, 950, True)
    assert watch.look(shown(5_000)) == ()
    (out,) = watch.look(shown(7_000))
    assert (out.purpose, out.side, out.steps, out.reduce_only) == (Purpose.CLOSE, Side.SELL, 100, True)
    assert out.client_id != back.client_id
    assert watch.look(shown(8_000, position=held(0))) == () and watch.bare == {}


def test_a_stop_that_the_price_has_passed_or_that_was_never_seen_means_out() -> None:
    for seen, mark in ((True, 940), (False, 1_000)):
        watch = Watch(US, (SYMBOL,))
        watch.look(shown(0, *([resting()] if seen else [])))
        watch.look(shown(1, position=held(mark=mark)))
        (out,) = watch.look(shown(3_001, position=held(mark=mark)))
        assert out.purpose is Purpose.CLOSE


@settings(max_examples=100)
@given(
    st.lists(st.tuples(st.integers(0, 3_000), st.integers(-50, 50), st.booleans(), st.sampled_from(Side)), max_size=20)
)
def test_it_only_ever_reduces_what_is_held_and_leaves_covered_positions_alone(
    sights: list[tuple[int, int, bool, Side]],
) -> None:
    watch, now = Watch(US, (SYMBOL,)), 0
    for wait, steps, stopped, side in sights:
        now += wait
        position = held(steps)
        orders = [resting(side, 950 if side < 0 else 1_050)] if stopped else []
        for act in watch.look(shown(now, *orders, position=position)):
            assert uncovered(position, orders)
            assert act.side * steps < 0 and (act.close_position or (act.reduce_only and act.steps == abs(steps)))


@pytest.mark.parametrize("refused", [False, True])
def test_a_position_whose_trader_hangs_is_protected_or_closed_within_ten_seconds(refused: bool) -> None:
    faults = [Fault("cancel_stop", ms=2_000, count=1)]
    if refused:
        faults.append(Fault("refuse_stop", code=-4120, at_ms=1_500))
    scene = Scene(*faults, stream=False)

    async def story() -> None:
        scene.send(order(f"{US}-1-1"), stop(f"{US}-2-1"))
        await scene.wait(1_000)
        await scene.courier.stop()  # the trader hangs
        watch = Watch(US, (SYMBOL,))
        for _ in range(11):
            seen = await scene.account.survey()
            assert isinstance(seen, Open)
            await asyncio.gather(*(scene.account.place(one) for one in watch.look(seen)))
            await scene.wait(1_000)

    scene.play(story)
    if refused:
        assert scene.steps == 0
    else:
        assert [one.type for one in scene.books.venue.open_orders(SYMBOL)] == [OrderType.STOP_MARKET]
        assert scene.steps == 100
