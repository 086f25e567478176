"""What covers a position, and what the watcher does when nothing does."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aister.core.trade import Order, OrderType, Purpose, Side
from aister.execution.cover import protects, uncovered
from aister.execution.watch import Watch
from aister.ports.exchange import Refused, Unknown, Unreachable, VenueOrder, VenuePosition, VenueStatus
from tests.execution.scene import SYMBOL

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


def look(
    watch: Watch, time_ms: int, *orders: VenueOrder, position: VenuePosition | None = None, alone: bool = False
) -> tuple[Order, ...]:
    return watch.look(time_ms, (position or held(),), orders, alone=alone)


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
        (resting(kind=OrderType.STOP, closes=False, reduce=True, steps=100), held(), False),  # a limit may not fill
    ],
)
def test_what_protects(order_: VenueOrder, position: VenuePosition, covers: bool) -> None:
    assert protects(order_, position) is covers
    assert uncovered(position, [order_]) == (0 if covers else 100)


@pytest.mark.parametrize(
    ("order_", "position", "covers"),
    [
        (resting(trigger=950), held(), True),
        (resting(trigger=949), held(), True),  # one tick of rounding
        (resting(trigger=948), held(), False),
        (resting(trigger=999), held(), True),  # nearer
        (resting(trigger=1), held(), False),  # in cross no liquidation price is told
        (resting(Side.BUY, 951), held(-100, mark=900), True),
        (resting(Side.BUY, 952), held(-100, mark=900), False),
        (resting(kind=OrderType.TRAILING_STOP_MARKET), held(), False),  # nobody can read where it lies
    ],
)
def test_a_stop_farther_than_wanted_covers_nothing(order_: VenueOrder, position: VenuePosition, covers: bool) -> None:
    assert protects(order_, position, 950) is covers
    assert uncovered(position, [order_], 950) == (0 if covers else 100)
    assert protects(order_, position), "where nobody knows better it counts"


@given(st.lists(st.integers(1, 60), max_size=4))
def test_quantity_stops_cover_what_they_add_up_to(sizes: list[int]) -> None:
    orders = [resting(closes=False, reduce=True, steps=size) for size in sizes]
    assert uncovered(held(), orders) == max(0, 100 - sum(sizes))


def test_it_waits_puts_the_stop_back_then_closes() -> None:
    watch = Watch(US, (SYMBOL,))
    assert look(watch, 0, resting(trigger=940), resting(trigger=950)) == ()
    assert look(watch, 1_000) == () and watch.bare == {(SYMBOL, 0): 1_000}
    (back,) = look(watch, 4_000)
    assert (back.purpose, back.side, back.trigger_ticks, back.close_position) == (Purpose.STOP, Side.SELL, 950, True)
    assert look(watch, 5_000) == ()
    (out,) = look(watch, 7_000)
    assert (out.purpose, out.side, out.steps, out.reduce_only) == (Purpose.CLOSE, Side.SELL, 100, True)
    assert out.client_id != back.client_id
    assert look(watch, 8_000, position=held(0)) == () and watch.bare == {}


def test_a_stop_that_the_price_has_passed_or_that_was_never_seen_means_out() -> None:
    for seen, mark in ((True, 940), (False, 1_000)):
        watch = Watch(US, (SYMBOL,))
        look(watch, 0, *([resting()] if seen else []))
        look(watch, 1, position=held(mark=mark))
        (out,) = look(watch, 3_001, position=held(mark=mark))
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
        for act in look(watch, now, *orders, position=position):
            assert uncovered(position, orders)
            assert act.side * steps < 0 and (act.close_position or (act.reduce_only and act.steps == abs(steps)))


def test_what_did_not_leave_is_tried_again_soon_and_a_refused_stop_means_out() -> None:
    watch = Watch(US, (SYMBOL,))
    look(watch, 0, resting())
    look(watch, 1)
    (first,) = look(watch, 3_001)
    watch.told(first, Unreachable("busy"), 3_001)
    assert look(watch, 3_500) == ()
    (again,) = look(watch, 4_001)
    assert again.purpose is Purpose.STOP
    watch.told(again, Refused(-4120, "no such order here"), 4_001)
    (out,) = look(watch, 4_001)
    assert out.purpose is Purpose.CLOSE and SYMBOL in watch.unusable
    assert look(watch, 5_000, position=held(0)) == ()
    look(watch, 6_000, resting())
    (at_once,) = look(watch, 6_001, alone=True)
    assert at_once.purpose is Purpose.CLOSE  # the venue takes no stops of it: none is tried


def test_it_knows_its_own_entries_from_everything_else() -> None:
    watch = Watch(US, (SYMBOL,))
    entry = resting(kind=OrderType.LIMIT, closes=False)
    ids = (f"{US}-5-1", "ai11111111-5-1", "web_1", f"{US}-ws-5-1")
    orders = [msgspec.structs.replace(entry, client_id=one) for one in ids]
    guards = [
        msgspec.structs.replace(resting(), client_id=ids[0]),
        msgspec.structs.replace(entry, client_id=ids[0], reduce_only=True),
    ]
    assert [one.client_id for one in watch.left_behind([*orders, *guards])] == [ids[0]]


def test_what_the_venue_says_is_protected_is_not_closed_because_its_reads_lag() -> None:
    watch, told = Watch(US, (SYMBOL,)), Refused(-4130, "An open stop or take profit with closePosition exists.")
    assert look(watch, 0, resting()) == () == look(watch, 1_000)
    sent: list[tuple[int, Purpose]] = []
    for time_ms in range(1_000, 50_000, 500):
        for act in look(watch, time_ms):
            sent.append((time_ms, act.purpose))
            watch.told(act, told, time_ms)
    closed = [time_ms for time_ms, purpose in sent if purpose is Purpose.CLOSE]
    assert len(sent) > 5 and closed and closed[0] >= 36_000  # by then no read lags
    assert look(watch, 50_500, resting()) == () and not watch.bare


def test_a_stop_that_is_shown_and_does_not_cover_excuses_nothing() -> None:
    watch, position = Watch(US, (SYMBOL,)), held(liquidation=960)
    assert look(watch, 0, resting(trigger=970), position=position) == ()
    look(watch, 1_000, resting(), position=position)  # beyond the liquidation now
    (put_back,) = look(watch, 4_000, resting(), position=position)
    assert put_back.purpose is Purpose.STOP
    watch.told(put_back, Refused(-4130, "exists"), 4_000)
    (closed,) = look(watch, 4_500, resting(), position=position)
    assert closed.purpose is Purpose.CLOSE


def own(trigger: int, **more: object) -> VenueOrder:
    return msgspec.structs.replace(resting(trigger=trigger), client_id=f"{US}-7-1", **more)


def test_a_stop_of_ours_that_lies_farther_than_before_is_put_back_where_it_was() -> None:
    watch = Watch(US, (SYMBOL,))
    assert look(watch, 0, own(940), own(950)) == ()  # the better one beside the old
    assert look(watch, 1_000, own(940)) == () and watch.bare == {(SYMBOL, 0): 1_000}
    (back,) = look(watch, 4_000, own(940))
    assert (back.purpose, back.trigger_ticks, back.close_position) == (Purpose.STOP, 950, True)
    assert look(watch, 5_000, own(940), own(949)) == () and not watch.bare


def test_where_the_stop_belongs_is_asked_anew_of_another_position() -> None:
    for other in (held(-100, mark=900), msgspec.structs.replace(held(), entry_ticks=980), held(0)):
        watch = Watch(US, (SYMBOL,))
        assert look(watch, 0, own(950)) == ()
        look(watch, 1_000, own(930), msgspec.structs.replace(own(960), side=Side.BUY), position=other)
        assert not watch.bare


def test_a_nearer_stop_of_somebody_else_may_go_again_and_one_of_a_part_says_nothing_of_the_whole() -> None:
    watch = Watch(US, (SYMBOL,))
    part = own(990, steps=10, close_position=False, reduce_only=True)
    assert look(watch, 0, own(950), resting(trigger=980), part) == ()
    assert look(watch, 1_000, own(950)) == () and not watch.bare


def test_its_own_stops_are_taken_back_when_nothing_is_held() -> None:
    watch = Watch(US, (SYMBOL,))
    look(watch, 0, resting())
    look(watch, 1)
    (put,) = look(watch, 3_001)
    watch.told(put, Unknown("no answer", 0, 3_001), 3_001)
    assert watch.own and watch.left_over(4_000, [held()]) == ()
    assert watch.left_over(4_500, [held(0)]) == ()  # by one read
    assert watch.left_over(5_000, [held(0)]) == ((SYMBOL, put.client_id),) == watch.left_over(6_000, [])
    assert watch.left_over(6_500, []) == ()  # asked half a second ago
    gone = Refused(-2011, "no such order")
    watch.taken_back(put.client_id, gone, 7_000)
    assert watch.left_over(8_000, [])  # it may arrive yet
    watch.taken_back(put.client_id, gone, 3_001 + 65_000)
    assert not watch.own
    other = msgspec.structs.replace(resting(), client_id=put.client_id)
    look(watch, 80_000, other)  # an earlier watcher's: it was seen, so that one word settles it
    assert watch.left_over(80_500, []) == ()
    assert watch.left_over(81_000, []) == ((SYMBOL, put.client_id),)
    watch.taken_back(put.client_id, Unknown("no answer", 0, 0), 81_000)
    assert watch.own
    watch.taken_back(put.client_id, gone, 82_000)
    assert not watch.own


def test_one_read_that_shows_nothing_held_neither_strips_nor_forgets() -> None:
    watch = Watch(US, (SYMBOL,))
    look(watch, 0, resting())
    look(watch, 1)
    (put,) = look(watch, 3_001)
    mine = msgspec.structs.replace(resting(), client_id=put.client_id)
    assert look(watch, 5_000, mine) == () and not watch.unsure
    assert look(watch, 6_000, position=held(0)) == () and watch.left_over(6_000, [held(0)]) == ()  # a read that lags
    assert watch.unsure
    assert look(watch, 6_500, alone=True)[0].purpose is Purpose.STOP  # its trigger is still known
    assert not watch.unsure
    look(watch, 7_000, position=held(0))
    assert watch.unsure
    look(watch, 7_500, position=held(0))
    assert not watch.unsure and watch.left_over(7_500, [held(0)])
    assert look(watch, 8_000, alone=True)[0].purpose is Purpose.CLOSE  # another one, of which nothing is known


@pytest.mark.parametrize("code", [-2015, -1022, -1021, 0])
def test_only_the_word_that_it_is_not_there_ends_the_watch_over_its_own_stop(code: int) -> None:
    watch = Watch(US, (SYMBOL,))
    mine = msgspec.structs.replace(resting(), client_id=f"{US}-ws-1-1")
    look(watch, 0, mine)
    look(watch, 1_000, position=held(0))
    assert watch.left_over(2_000, [held(0)]) == ((SYMBOL, mine.client_id),)
    watch.taken_back(mine.client_id, Refused(code, "no"), 2_000)
    assert watch.own and watch.left_over(3_000, [held(0)]) == ((SYMBOL, mine.client_id),)
    watch.taken_back(mine.client_id, Refused(-2013, "no such order"), 3_000)
    assert not watch.own


def test_what_is_too_large_for_one_close_is_closed_in_parts_a_second_apart() -> None:
    watch = Watch(US, (SYMBOL,))
    (close,) = look(watch, 10_000, alone=True)
    assert close.steps == 100
    watch.told(close, Refused(-4005, "above the most"), 10_050)
    assert look(watch, 10_500, alone=True) == ()
    (part,) = look(watch, 11_050, alone=True)
    assert (part.purpose, part.steps) == (Purpose.CLOSE, 50) and part.client_id != close.client_id
    watch.told(part, Unknown("silence", 0, 0), 11_060)
    (other,) = look(watch, 12_060, alone=True, position=held(30))
    assert other.steps == 30
    for time_ms in (13_000, 60_000):
        assert look(watch, time_ms, alone=True, position=held(0)) == ()
    (close,) = look(watch, 70_000, alone=True)
    assert close.steps == 100  # of another position nothing is known
