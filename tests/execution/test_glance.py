"""Between two surveys: what the positions show is acted on before any trade explains it."""

from aister.core.events import EntriesFrozen, OrderCanceled, OrderFilled, OrderUnknown, PositionShown
from aister.core.trade import OrderType, Purpose, Side
from aister.exchange_sim import Fault
from tests.execution.kept import US, Kept
from tests.execution.scene import SYMBOL, order, stop

NO_STREAM = Fault("drop", user_streams=True)
LAGGING = Fault("lag", ms=30_000)
"""Orders and trades younger than 30 s are not seen; positions are."""


def test_what_rests_while_the_venue_is_flat_goes_within_five_seconds_and_its_end_is_told_when_asked_for() -> None:
    """Seed 739942018: the trade that closed the position was in a frame that got lost, and cannot be read yet."""
    scene = Kept()

    async def story() -> None:
        scene.send(order(f"{US}-1-1"), stop(f"{US}-2-1"))
        await scene.wait(3_000)
        scene.fault(NO_STREAM, LAGGING)
        await scene.account.place(order("web-1", Side.SELL, 100, purpose=Purpose.CLOSE, reduce_only=True))
        await scene.wait(5_000)
        assert (scene.steps, scene.resting()) == (0, [])
        assert not [one for one in scene.reports if isinstance(one, OrderCanceled)]  # the books still hold 100
        await scene.wait(34_000)
        assert [one.fill.client_id for one in scene.reports if isinstance(one, OrderFilled)][1:] == ["web-1"]
        scene.courier.cancel(SYMBOL, f"{US}-2-1", 0)
        (gone,) = [one for one in await scene.wait(100) if isinstance(one, OrderCanceled)]
        assert gone.client_id == f"{US}-2-1"

    scene.keep(story)


def test_a_stop_taken_away_is_told_when_something_is_held_after_all() -> None:
    scene = Kept()

    async def story() -> None:
        scene.send(order(f"{US}-1-1"), stop(f"{US}-2-1"))
        await scene.wait(3_000)
        scene.fault(NO_STREAM, LAGGING)
        await scene.account.place(order("web-1", Side.SELL, 100, purpose=Purpose.CLOSE, reduce_only=True))
        await scene.wait(5_000)
        await scene.account.place(order("web-2"))
        (gone,) = [one for one in await scene.wait(3_500) if isinstance(one, OrderCanceled)]
        assert gone.client_id == f"{US}-2-1"

    scene.keep(story)


def test_a_position_whose_entry_nobody_tells_of_is_shown_at_once_and_again() -> None:
    """Seed 1012: filled, the answer and the frames lost, look-ups behind."""
    scene = Kept(Fault("request", method="POST", path="order", outcome="done", code=-1007, count=1))

    async def story() -> None:
        scene.fault(NO_STREAM, LAGGING)
        scene.send(order(f"{US}-1-1"))
        shown = [one for one in await scene.wait(3_600) if isinstance(one, PositionShown)]
        assert [(one.symbol, one.leg, one.steps) for one in shown] == [(SYMBOL, 0, 100)]
        assert [one for one in await scene.wait(8_000) if isinstance(one, PositionShown)]
        assert [one for one in scene.reports if isinstance(one, OrderUnknown)]
        assert scene.filled() == 0
        await scene.wait(30_000)
        assert scene.filled() == 100

    scene.keep(story)


def test_positions_are_not_read_while_there_is_nothing_to_look_after() -> None:
    scene = Kept()

    async def story() -> None:
        await scene.wait(29_000)
        assert sum(one.path.endswith("positionRisk") for one in scene.world.sent) == 2  # two surveys
        scene.send(order(f"{US}-1-1"), stop(f"{US}-2-1"))
        await scene.wait(29_000)
        assert 10 <= sum(one.path.endswith("positionRisk") for one in scene.world.sent) <= 16

    scene.keep(story)
    assert [one.cause for one in scene.reports if isinstance(one, EntriesFrozen)] == ["start"]


def test_a_stop_of_unknown_outcome_is_cancelled_as_soon_as_it_lands() -> None:
    """Seed 739942183: what may arrive is not waited for when it is no longer wanted."""
    scene = Kept(Fault("request", method="POST", path="order", outcome="late", code=-1007, ms=8_000, count=1))

    async def story() -> None:
        scene.fault(LAGGING, Fault("lose_void"))
        scene.send(stop(f"{US}-2-1"))
        await scene.wait(1_000)
        scene.courier.cancel(SYMBOL, f"{US}-2-1", 0)
        await scene.wait(24_000)
        assert scene.resting() == []
        (gone,) = [one for one in scene.reports if isinstance(one, OrderCanceled)]
        assert gone.client_id == f"{US}-2-1"

    scene.keep(story)


def test_positions_show_what_rests_to_be_of_use_only_while_something_is_held() -> None:
    """A stop that waits for an entry on its way is left alone."""
    scene = Kept()

    async def story() -> None:
        scene.send(stop(f"{US}-2-1"), order(f"{US}-1-1", type=OrderType.LIMIT, price_ticks=990_000))
        await scene.wait(8_000)
        assert scene.resting() == [OrderType.STOP_MARKET, OrderType.LIMIT]

    scene.keep(story)


def test_two_stops_that_were_called_gone_and_show_again_do_not_both_go() -> None:
    """Seed 741000055: each of them was needed by the other's leave."""
    scene = Kept()

    async def story() -> None:
        scene.send(order(f"{US}-1-1"), stop(f"{US}-2-1"), stop(f"{US}-3-1", 980_000))
        await scene.wait(1_000)
        for name in ("2-1", "3-1"):
            scene.courier.disown(f"{US}-{name}", "the venue does not show it")
        await scene.recovery_of().reconcile()
        await scene.wait(200)
        assert scene.resting() == [OrderType.STOP_MARKET]
        scene.send(order(f"{US}-4-1", Side.SELL, 100, purpose=Purpose.CLOSE, reduce_only=True))
        await scene.wait(4_500)
        assert (scene.steps, scene.resting()) == (0, [])

    scene.keep(story)


def test_cancels_without_an_answer_are_made_again_within_the_time_for_orphans() -> None:
    """Seed 740000054: three cancels in a row got no answer."""
    scene = Kept(Fault("request", method="DELETE", path="order", status=0, count=3))

    async def story() -> None:
        scene.send(order(f"{US}-1-1"), stop(f"{US}-2-1"))
        await scene.wait(1_000)
        scene.courier.cancel(SYMBOL, f"{US}-2-1", 0)
        await scene.wait(5_000)
        assert scene.resting() == []

    scene.keep(story)


def test_a_stop_that_the_venue_takes_away_silently_is_missed_within_seconds() -> None:
    scene = Kept(Fault("cancel_stop", ms=45_000, count=1))

    async def story() -> None:
        scene.send(order(f"{US}-1-1"), stop(f"{US}-2-1"))
        await scene.wait(46_000)
        assert scene.resting() == []
        (gone,) = [one for one in await scene.wait(5_500) if isinstance(one, OrderCanceled)]
        assert gone.client_id == f"{US}-2-1"

    scene.keep(story)


def test_what_somebody_of_ours_put_beside_a_position_goes_soon_after_it() -> None:
    """Seed 744000016: a stop of the watcher's outlived its position until the next survey."""
    scene = Kept()

    async def story() -> None:
        scene.send(order(f"{US}-1-1"), stop(f"{US}-2-1"))
        await scene.wait(3_000)
        await scene.account.place(stop(f"{US}-ws-77-1", 980_000))
        scene.send(order(f"{US}-3-1", Side.SELL, 100, purpose=Purpose.CLOSE, reduce_only=True))
        scene.courier.cancel(SYMBOL, f"{US}-2-1", 0)
        await scene.wait(4_500)
        assert (scene.steps, scene.resting()) == (0, [])

    scene.keep(story)


def test_an_order_in_no_book_of_ours_goes_with_the_position_though_no_look_up_shows_it() -> None:
    """Seed 739942013: a stop of the watcher's, which only the stream had told of."""
    scene = Kept()

    async def story() -> None:
        scene.send(order(f"{US}-1-1"), stop(f"{US}-2-1"))
        await scene.wait(1_000)
        scene.fault(LAGGING)
        await scene.account.place(stop(f"{US}-ws-1-1", 985_000))
        await scene.wait(3_000)
        assert len(scene.resting()) == 2
        scene.fault(NO_STREAM)
        await scene.account.place(order("web-1", Side.SELL, 100, purpose=Purpose.CLOSE, reduce_only=True))
        await scene.wait(5_000)
        assert (scene.steps, scene.resting()) == (0, [])

    scene.keep(story)


def test_a_guard_goes_when_the_positions_have_shown_its_entry_whole_and_then_nothing() -> None:
    """Seed 739942068: the entry filled and somebody else closed, and no trade of either can be read."""
    scene = Kept()

    async def story() -> None:
        scene.send(stop(f"{US}-1-1"))
        await scene.wait(1_000)
        scene.fault(NO_STREAM, LAGGING)
        scene.send(order(f"{US}-2-1"))
        await scene.wait(4_000)
        assert scene.steps == 100
        await scene.account.place(order("web-1", Side.SELL, 100, purpose=Purpose.CLOSE, reduce_only=True))
        await scene.wait(5_000)
        assert (scene.steps, scene.resting()) == (0, [])

    scene.keep(story)
