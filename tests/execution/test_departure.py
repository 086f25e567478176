"""What an order is sent as, and what keeps an entry from leaving."""

import pytest

from aister.core.events import OrderRejected
from aister.core.trade import OrderType, Purpose, Side
from aister.execution.departure import as_sent, crossing
from aister.execution.states import Course, State
from tests.execution.scene import Scene, order, stop

LIMIT = order("ai00000000-1-1", type=OrderType.LIMIT, price_ticks=999_000)


def working(one: object, state: State = State.ACKED) -> Course:
    return Course(one, state)  # type: ignore[arg-type]


def test_a_limit_entry_rests_only_where_a_stop_rests() -> None:
    assert as_sent(LIMIT, []).worst_ticks == 999_000
    assert as_sent(LIMIT, [working(stop(), State.SENT)]).worst_ticks == 999_000
    assert as_sent(LIMIT, [working(stop())]) == LIMIT
    assert as_sent(order(), []) == order()
    target = order(side=Side.SELL, type=OrderType.LIMIT, purpose=Purpose.TARGET, price_ticks=1_010_000)
    assert as_sent(target, []) == target


@pytest.mark.parametrize(("ticks", "crosses"), [(998_999, False), (999_000, True), (999_001, True)])
def test_an_entry_may_not_meet_an_own_order_to_the_tick(ticks: int, crosses: bool) -> None:
    resting = working(order("ai00000000-9-1", Side.SELL, type=OrderType.LIMIT, price_ticks=999_000))
    buying = order(type=OrderType.LIMIT, price_ticks=ticks)
    assert bool(crossing(buying, [resting])) is crosses
    selling = order(side=Side.SELL, type=OrderType.LIMIT, price_ticks=2 * 999_000 - ticks)
    bid = working(order("ai00000000-9-2", type=OrderType.LIMIT, price_ticks=999_000))
    assert bool(crossing(selling, [bid])) is crosses


def test_what_reduces_is_never_held_back_and_ended_orders_cross_nothing() -> None:
    ask = order("ai00000000-9-1", Side.SELL, type=OrderType.LIMIT, price_ticks=999_000)
    buying = order(type=OrderType.LIMIT, price_ticks=1_000_000)
    assert crossing(buying, [working(ask, State.CANCELLED)]) == ""
    reducing = order(type=OrderType.LIMIT, price_ticks=1_000_000, purpose=Purpose.TARGET, reduce_only=True)
    assert crossing(reducing, [working(ask)]) == ""
    other = order("ai00000000-9-1", Side.SELL, type=OrderType.LIMIT, price_ticks=999_000, symbol="ETHUSDT")
    assert crossing(buying, [working(other)]) == ""


def test_a_crossing_entry_never_leaves_and_says_with_which_order_it_would_have_traded() -> None:
    scene = Scene()

    async def story() -> None:
        scene.send(order("ai00000000-1-1", Side.SELL, type=OrderType.LIMIT, price_ticks=1_001_000))
        await scene.wait(1_000)
        scene.send(order("ai00000000-2-1", type=OrderType.LIMIT, price_ticks=1_001_000))
        await scene.wait(1_000)

    scene.play(story)
    (refused,) = [one for one in scene.reports if isinstance(one, OrderRejected)]
    assert refused.client_id == "ai00000000-2-1" and "ai00000000-1-1" in refused.reason
    assert scene.posts == 1


def test_entries_and_reductions_say_what_shall_happen_when_they_meet_an_own_order() -> None:
    scene = Scene()

    async def story() -> None:
        scene.send(order("ai00000000-1-1"), stop("ai00000000-2-1"))
        await scene.wait(1_000)
        scene.send(order("ai00000000-3-1", Side.SELL, 100, purpose=Purpose.CLOSE, reduce_only=True))
        await scene.wait(1_000)

    scene.play(story)
    bodies = [one.body.decode() for one in scene.world.sent if one.method == "POST" and one.path.endswith("/order")]
    says = {one[one.index("ai00000000") :][:14]: one.partition("stpMode=")[2].partition("&")[0] for one in bodies}
    assert says == {"ai00000000-1-1": "EXPIRE_TAKER", "ai00000000-2-1": "", "ai00000000-3-1": "EXPIRE_MAKER"}
    assert scene.steps == 0
