"""Each trade once, within bounds, also over a restart."""

from hypothesis import given, settings
from hypothesis import strategies as st

from aister.core.audit import Audit, PlaceOrder
from aister.core.events import EntriesThawed, OrderCanceled
from aister.core.trade import Fill, FillKind, Side
from aister.execution.courier import CourierRules
from aister.execution.traded import Traded
from aister.ports.exchange import Execution
from tests.execution.scene import SYMBOL, Scene, order


def trade(number: int, time_ms: int | None = None) -> Execution:
    at = 1_000 + number if time_ms is None else time_ms
    return Execution(number, 1, f"ai00000000-{number:x}-1", "BTCUSDT", Side.BUY, 5, 100, 0, "", 0, False, 0, at)


def fill(of: Execution) -> Fill:
    return Fill(
        time_ms=of.time_ms,
        symbol=of.symbol,
        client_id=of.client_id,
        intent_id="",
        purpose="",
        side=of.side,
        steps=of.steps,
        price_ticks=of.price_ticks,
        fee=0,
        maker=False,
        kind=FillKind.TRADE,
    )


@settings(max_examples=50)
@given(st.lists(st.integers(0, 30), max_size=60))
def test_each_is_told_once(numbers: list[int]) -> None:
    known = Traded()
    assert sum(known.fresh(trade(number)) for number in numbers) == len(set(numbers))


@settings(max_examples=50)
@given(st.lists(st.integers(0, 9), max_size=30), st.integers(0, 9))
def test_what_the_journal_holds_is_not_told_again_and_its_double_is(numbers: list[int], other: int) -> None:
    known = Traded()
    for number in numbers:
        known.before(fill(trade(number)))
    fresh = [known.fresh(trade(100 + place, 1_000 + other)) for place in range(len(numbers) + 2)]
    like = [known_like.fresh(trade(other)) for known_like in [known]]
    assert fresh == [True] * len(fresh) and like == [other not in numbers]


def test_it_stays_within_its_bounds_and_tells_nothing_twice() -> None:
    known = Traded(kept=100)
    for number in range(1_000):
        known.before(fill(trade(number)))
    for number in range(1_000, 3_000):
        assert known.fresh(trade(number))
        assert not known.fresh(trade(number)) and not known.fresh(trade(number - 400))
    assert len(known._trades) < 200 and len(known._before) < 200
    assert not any(known.fresh(trade(number)) for number in range(3_000))


def test_of_the_orders_a_journal_tells_of_only_the_newest_ended_ones_are_kept() -> None:
    scene = Scene(stream=False, rules=CourierRules(kept=50))

    async def story() -> None:
        for number in range(1_000):
            sent = order(f"ai00000000-{number:x}-1")
            scene.courier.recall(Audit(2 * number, EntriesThawed(number, "x"), (PlaceOrder(sent),)))
            if number != 3:
                gone = OrderCanceled(number, SYMBOL, sent.client_id, "x")
                scene.courier.recall(Audit(2 * number + 1, gone, ()))

    scene.play(story)
    assert len(scene.courier._courses) <= 101
    assert [one.order.client_id for one in scene.courier.courses()] == ["ai00000000-3-1"]
