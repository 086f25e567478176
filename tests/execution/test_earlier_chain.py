"""Ids that an earlier chain of this installation gave out and a new one gives out again."""

from aister.core.events import OrderRejected, OrderUnknown
from aister.core.trade import Purpose, Side
from aister.exchange_sim import Fault
from tests.execution.scene import Scene, order


def test_an_order_that_never_arrived_is_not_taken_for_one_of_an_earlier_chain_with_its_id() -> None:
    scene = Scene(stream=False)

    async def story() -> None:
        account, world = scene.account, scene.world
        await account.place(order(steps=100))
        await world.sleep(1_000)
        await account.place(order("ai00000000-1-2", Side.SELL, 100, purpose=Purpose.CLOSE, reduce_only=True))
        await world.sleep(3_600_000)
        scene.courier.begins(account.now_ms())
        at_ms = account.now_ms() - scene.start_ms
        scene.fault(Fault("request", method="POST", path="order", code=-1007, count=1, at_ms=at_ms))
        scene.send(order(steps=100))
        await world.sleep(300_000)

    scene.play(story)
    reports = scene.courier.take_reports()
    assert [type(one) for one in reports] == [OrderUnknown, OrderRejected]
    course = scene.courier.course("ai00000000-1-1")
    assert scene.steps == 0 and course is not None and course.told_filled == 0
