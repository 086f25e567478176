"""One order's course: whatever the order in which a true history is heard, it ends in the same state."""

import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from aister.core.trade import Order, OrderType, Purpose, Side
from aister.execution.states import NEXT, Course, Heard, State
from aister.ports.exchange import Execution, VenueOrder, VenueStatus

SYMBOL = "BTCUSDT"


def order(steps: int = 100, purpose: Purpose = Purpose.ENTRY) -> Order:
    return Order("a", "i", SYMBOL, Side.BUY, OrderType.LIMIT, purpose, steps, 1000, 0, False, False)


def seen(status: VenueStatus, filled: int, steps: int = 100) -> VenueOrder:
    return VenueOrder("a", 7, SYMBOL, Side.BUY, OrderType.LIMIT, status, steps, filled, 1000, 0, False, False, 0, 1)


def trade(number: int, steps: int) -> Execution:
    return Execution(number, 7, "a", SYMBOL, Side.BUY, steps, 1000, 0, "USDT", 0, False, 0, number)


def histories() -> st.SearchStrategy[tuple[list[Any], State]]:
    """What can truly be heard of one order, and how it ends."""

    @st.composite
    def made(draw: st.DrawFn) -> tuple[list[Any], State]:
        words: list[Any] = [Heard.LEFT]
        if draw(st.booleans()):
            words.append(Heard.LOST)
        end = draw(st.sampled_from([State.FILLED, State.CANCELLED, State.EXPIRED, State.REJECTED, State.ACKED]))
        if end is State.REJECTED:
            return [*words, Heard.REFUSED], end
        words.append(seen(VenueStatus.NEW, 0))
        parts = draw(st.lists(st.integers(1, 30), max_size=3))
        done = 0
        for number, part in enumerate(parts, 1):
            done += part
            words += [trade(number, part), seen(VenueStatus.PARTIALLY_FILLED, done)]
        if end is State.FILLED:
            words += [trade(99, 100 - done), seen(VenueStatus.FILLED, 100)]
        elif end is not State.ACKED:
            words.append(seen(VenueStatus[{"CANCELLED": "CANCELED"}.get(end.name, end.name)], done))
        return words, State.PARTIALLY_FILLED if end is State.ACKED and parts else end

    return made()


def hear(course: Course, words: list[Any]) -> Course:
    for word in words:
        if isinstance(word, Heard):
            course.hear(word)
        elif isinstance(word, VenueOrder):
            course.see(word)
        else:
            course.traded(word)
    return course


@settings(max_examples=200, deadline=None)
@given(histories(), st.integers(0, 2**32), st.lists(st.integers(0, 20), max_size=5))
def test_a_history_in_any_order_and_with_repetitions_ends_the_same(
    history: tuple[list[Any], State], seed: int, again: list[int]
) -> None:
    words, end = history
    mixed = [*words, *(words[i % len(words)] for i in again)]
    random.Random(seed).shuffle(mixed)
    straight, other = hear(Course(order()), words), hear(Course(order()), mixed)
    assert straight.state is other.state is end
    assert (straight.filled, straight.missing, straight.settled) == (other.filled, 0, end.ended)


def test_the_table_is_whole_and_final_states_stay() -> None:
    assert len(NEXT) == len(State) * len(Heard)
    for state in (State.FILLED, State.CANCELLED, State.EXPIRED):
        assert {NEXT[state, word] for word in Heard} <= {state, State.FILLED}
    assert NEXT[State.UNKNOWN, Heard.LEFT] is State.UNKNOWN
    assert NEXT[State.ACKED, Heard.LOST] is State.ACKED
    assert NEXT[State.ACKED, Heard.REFUSED] is State.ACKED


def test_an_order_thought_absent_that_lands_after_all_is_real() -> None:
    course = hear(Course(order()), [Heard.LEFT, Heard.LOST, Heard.REFUSED])
    assert course.state is State.REJECTED
    assert hear(course, [seen(VenueStatus.NEW, 0)]).state is State.ACKED


def test_a_fill_after_the_cancel_is_counted_and_missing_ones_are_known_to_be() -> None:
    course = hear(Course(order()), [Heard.LEFT, seen(VenueStatus.CANCELED, 40)])
    assert (course.state, course.missing, course.settled) == (State.CANCELLED, 40, False)
    hear(course, [trade(1, 40)])
    assert (course.state, course.missing, course.settled) == (State.CANCELLED, 0, True)
