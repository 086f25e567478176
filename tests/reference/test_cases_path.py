"""Hand-worked cases: the walk through a bar of `ohlc_path`. Numbers and units as in `tests.reference.played`."""

import pytest

from tests.reference.path import walk
from tests.reference.played import Played, buy, sell
from tests.reference.values import LIMIT, STOP, STOP_LIMIT, TAKE, TRAILING, Bar


def on_path(**settings: object) -> Played:
    return Played(intrabar="ohlc_path", **settings)  # type: ignore[arg-type]


def holding(**settings: object) -> Played:
    """Long 1,000 at 100,005."""
    played = on_path(**settings)
    played.send(buy("in"))
    played.bar(100_000)
    return played


def test_the_walk_goes_to_the_nearer_extreme_first() -> None:
    """Open 10, high 12, low 7: up first. With a low of 8 both are 2 away: down first."""
    assert walk(Bar("", 0, 10, 12, 7, 9)) == [10, 11, 12, 11, 10, 9, 8, 7, 8, 9]
    assert walk(Bar("", 0, 10, 12, 8, 9)) == [10, 9, 8, 9, 10, 11, 12, 11, 10, 9]


@pytest.mark.parametrize(
    ("high", "fill"),
    [(100_200, ("stop", -1_000, 99_885, False)), (100_150, ("target", -1_000, 100_094, False))],
)
def test_the_path_decides_between_stop_and_target(high: int, fill: tuple[object, ...]) -> None:
    """Low 99,800, 200 away. A high of 100,200 is as far: down first, the stop of 99,900 at 99,900 - ceil(14.985) =
    99,885. A high of 100,150 is nearer: the target of 100,100 at 100,100 - ceil(5.005) = 100,094. Ambiguous both
    times; of target-first nothing is said."""
    played = holding()
    played.send(sell("stop", STOP, at=99_900, close=True), sell("target", TAKE, at=100_100, close=True))
    assert played.bar(100_000, high, 99_800) == [fill]
    assert (played.ambiguous, played.target_first) == (1, 0)


def test_a_limit_needs_a_tick_beyond_its_price() -> None:
    """A buy limit of 99,900 is not filled by a low of 99,900; by one of 99,899 it is, at 99,900."""
    played = on_path()
    played.send(buy("in", LIMIT, at=99_900))
    assert played.bar(100_000, low=99_900) == []
    assert played.bar(100_000, low=99_899) == [("in", 1_000, 99_900, True)]


def test_a_limit_entry_can_take_its_target_on_the_rest_of_the_path() -> None:
    """Down to 99,800 first (200 away, the high 500): in at 99,900, then up to the target: 100,400 - ceil(5.02) =
    100,394. Under stop_first it would wait for the next bar."""
    played = on_path()
    played.send(buy("in", LIMIT, at=99_900))
    target = sell("target", TAKE, at=100_400, close=True)
    assert played.bar(100_000, 100_500, 99_800, after_rest=[target]) == [
        ("in", 1_000, 99_900, True),
        ("target", -1_000, 100_394, False),
    ]


def test_a_target_that_the_path_has_passed_waits() -> None:
    """The high of 100,150 is nearer and comes first; the entry at 99,900 is on the way down and 100,140 is not seen
    again in this bar: 100,140 - ceil(5.007) = 100,134 in the next."""
    played = on_path()
    played.send(buy("in", LIMIT, at=99_900))
    target = sell("target", TAKE, at=100_140, close=True)
    assert played.bar(100_000, 100_150, 99_800, 99_850, after_rest=[target]) == [("in", 1_000, 99_900, True)]
    assert played.bar(100_000, 100_150) == [("target", -1_000, 100_134, False)]


def test_a_market_order_sent_on_the_way_fills_where_the_path_stands() -> None:
    """The limit of 99,900 fills when the market is at 99,899. A market sell then gets 99,899 - ceil(4.995) = 99,894."""
    played = on_path()
    played.send(buy("in", LIMIT, at=99_900))
    assert played.bar(100_000, low=99_800, after_rest=[sell("out")]) == [
        ("in", 1_000, 99_900, True),
        ("out", -1_000, 99_894, False),
    ]


def test_a_limit_sent_on_the_way_arrives_there() -> None:
    """With the market at 99,899 a sell limit of 99,890 takes: 99,894. One of 99,950 rests and fills on the way back up,
    at 99,951, as maker."""
    for price, ticks, maker in ((99_890, 99_894, False), (99_950, 99_950, True)):
        played = on_path()
        played.send(buy("in", LIMIT, at=99_900))
        out = sell("out", LIMIT, at=price)
        assert played.bar(100_000, low=99_800, after_rest=[out])[1:] == [("out", -1_000, ticks, maker)]


def test_a_trailing_stop_is_raised_and_hit_on_one_path() -> None:
    """1 % behind. Up to 101,000 first (1,000 away, the low 1,500): trigger floor(101,000 x 0.99) = 99,990, reached on
    the way down: 99,990 x 1.5 bp = 14.9985 -> 15: 99,975."""
    played = holding()
    played.send(sell("trail", TRAILING, callback_e8=1_000_000, reduce=True))
    assert played.bar(100_000, 101_000, 98_500, 99_500) == [("trail", -1_000, 99_975, False)]


def test_a_trailing_stop_does_not_know_the_high_before_the_path_has_been_there() -> None:
    """Down to 99,010 first (990 away): its trigger is still 99,000. Up to 101,000: 99,990. The close of 99,991 leaves
    it."""
    played = holding()
    played.send(sell("trail", TRAILING, callback_e8=1_000_000, reduce=True))
    assert played.bar(100_000, 101_000, 99_010, 99_991) == []
    assert played.bar(99_991, low=99_990, close=99_990)[0][:2] == ("trail", -1_000)


def test_a_stop_limit_that_cannot_take_rests_and_makes() -> None:
    """Triggered at 100,400, a taker would pay 100,406 > 100,403: it rests, and the market at 100,400 is already a tick
    beyond its price: maker at 100,403. With a limit of 100,399 it needs 100,398 on the way back."""
    played = on_path()
    played.send(buy("a", STOP_LIMIT, at=100_400, price=100_403))
    assert played.bar(100_000, high=100_500, close=100_450) == [("a", 1_000, 100_403, True)]
    for close, fills in ((100_399, []), (100_398, [("a", 1_000, 100_399, True)])):
        played = on_path()
        played.send(buy("a", STOP_LIMIT, at=100_400, price=100_399))
        assert played.bar(100_000, high=100_500, close=close) == fills


def test_a_gap_is_worked_at_the_open_before_the_path() -> None:
    """Open 98,000 through the stop of 99,000: 98,000 x 1.5 bp = 14.7 -> 15: 97,985, though the path goes up first."""
    played = holding()
    played.send(sell("stop", STOP, at=99_000, close=True))
    assert played.bar(98_000, 99_500, 96_000) == [("stop", -1_000, 97_985, False)]


def test_a_liquidation_lies_on_the_path() -> None:
    """Trigger 90,366 (see the case under stop_first). Up to 100,900 first (900 away), where the target fills: nothing
    is left to liquidate on the way to 90,000."""
    played = holding(leverage=10)
    played.send(sell("target", LIMIT, at=100_500, reduce=True))
    assert played.bar(100_000, 100_900, 90_000) == [("target", -1_000, 100_500, True)]
    played = holding(leverage=10)
    assert played.bar(100_000, 100_900, 90_000) == [("liquidation", -1_000, 90_004, False)]


def test_under_lower_timeframe_each_bar_takes_the_stop_first() -> None:
    """The nearer high would make the path take the target; here the stop: 99,885, ambiguous, and said what the target
    would have brought: 209 ticks of 10,000,000 less 731,500 of fee more."""
    played = Played(intrabar="lower_timeframe")
    played.send(buy("in"))
    played.bar(100_000)
    played.send(sell("stop", STOP, at=99_900, close=True), sell("target", TAKE, at=100_100, close=True))
    assert played.bar(100_000, 100_150, 99_800) == [("stop", -1_000, 99_885, False)]
    assert (played.ambiguous, played.target_first) == (1, 2_089_268_500)
