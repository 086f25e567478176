"""Hand-worked cases: getting out, and what costs money on the way. Numbers and units as in `tests.reference.played`."""

from tests.reference.played import Played, buy, sell
from tests.reference.values import LIMIT, STOP, TAKE


def long_at_100_005(**settings: int) -> Played:
    """1,000 steps bought at 100,005 for a fee of 350,017,500; no range so far."""
    played = Played(**settings)
    played.send(buy("in"))
    played.bar(100_000)
    return played


def test_a_stop_fills_at_its_trigger_less_spread_and_extra() -> None:
    """Stop at 99,000: 99,000 x 1.5 bp = 14.85 -> 15: 98,985. Realised -1,020 ticks x 10,000,000 = -10,200,000,000; fee
    3.5 bp of 989,850,000,000 = 346,447,500."""
    played = long_at_100_005()
    played.send(sell("stop", STOP, at=99_000, close=True))
    assert played.bar(100_000, low=98_950) == [("stop", -1_000, 98_985, False)]
    assert played.earned == -350_017_500 - 10_200_000_000 - 346_447_500


def test_a_stop_that_is_only_touched_fills() -> None:
    """Low = trigger = 99,000: a stop needs no trade through."""
    played = long_at_100_005()
    played.send(sell("stop", STOP, at=99_000, close=True))
    assert played.bar(100_000, low=99_000) == [("stop", -1_000, 98_985, False)]


def test_a_gap_through_a_stop_fills_at_the_open() -> None:
    """Open 98,000: 98,000 x 1.5 bp = 14.7 -> 15: 97,985, 1,015 ticks below the stop."""
    played = long_at_100_005()
    played.send(sell("stop", STOP, at=99_000, close=True))
    assert played.bar(98_000) == [("stop", -1_000, 97_985, False)]


def test_the_extra_follows_the_true_ranges() -> None:
    """Two true ranges so far: 0 (the entry bar) and 1,400 (100,700 - 99,300); mean 700, 10 % = 70 > 1 bp of 99,000 =
    9.9. With the half-spread of 4.95: ceil(74.95) = 75: 98,925."""
    played = long_at_100_005()
    played.bar(100_000, 100_700, 99_300)
    played.send(sell("stop", STOP, at=99_000, close=True))
    assert played.bar(100_000, low=98_900) == [("stop", -1_000, 98_925, False)]


def test_a_true_range_counts_the_gap() -> None:
    """The second bar is 98,000 flat after a close of 100,000: true range 2,000; with the entry bar's 0 the mean is
    1,000, 10 % = 100. Stop at 97,000: half-spread 4.85, ceil(104.85) = 105: 96,895."""
    played = long_at_100_005()
    played.bar(98_000)
    played.send(sell("stop", STOP, at=97_000, close=True))
    assert played.bar(98_000, low=96_900) == [("stop", -1_000, 96_895, False)]


def test_only_the_last_fourteen_ranges_count() -> None:
    """One bar of range 1,400, then 13 flat ones: mean 100, 10 % = 10 > 9.9; + 4.95 = 14.95 -> 15: 98,985. After one
    more flat bar the 1,400 has left: the floor of 9.9 + 4.95 = 14.85 -> 15 too, so the stop is put at 90,000, where
    the floor is 9: with the range 10 + 4.5 = 14.5 -> 15, without 9 + 4.5 = 13.5 -> 14."""
    for flat, fills_at in ((13, 89_985), (14, 89_986)):
        played = long_at_100_005()
        played.bar(100_000, 100_700, 99_300)
        for _ in range(flat):
            played.bar(100_000)
        played.send(sell("stop", STOP, at=90_000, close=True))
        assert played.bar(100_000, low=90_000) == [("stop", -1_000, fills_at, False)]


def test_a_take_profit_pays_the_half_spread_only() -> None:
    """Trigger 101,000, touched: 101,000 x 0.5 bp = 5.05 -> 6: 100,994. Realised 989 ticks x 10,000,000 = 9,890,000,000;
    fee 3.5 bp of 1,009,940,000,000 = 353,479,000."""
    played = long_at_100_005()
    played.send(sell("target", TAKE, at=101_000, close=True))
    assert played.bar(100_000, high=101_000) == [("target", -1_000, 100_994, False)]
    assert played.earned == -350_017_500 + 9_890_000_000 - 353_479_000


def test_a_gap_through_a_take_profit_is_ours() -> None:
    """Open 101,500 beyond the trigger of 101,000: 101,500 - ceil(5.075) = 101,494."""
    played = long_at_100_005()
    played.send(sell("target", TAKE, at=101_000, close=True))
    assert played.bar(101_500) == [("target", -1_000, 101_494, False)]


def test_a_bar_with_stop_and_target_takes_the_stop_and_counts_it() -> None:
    """The stop of 99,900 and the target of 100,100 lie in one bar: 99,900 - ceil(14.985) = 99,885, ambiguous."""
    played = long_at_100_005()
    played.send(sell("stop", STOP, at=99_900, close=True), sell("target", TAKE, at=100_100, close=True))
    assert played.bar(100_000, 100_200, 99_800) == [("stop", -1_000, 99_885, False)]
    assert played.ambiguous == 1


def test_a_bar_with_only_the_target_is_not_ambiguous() -> None:
    """High 100,200, low 99,950 above the stop: 100,100 - ceil(5.005) = 100,094."""
    played = long_at_100_005()
    played.send(sell("stop", STOP, at=99_900, close=True), sell("target", TAKE, at=100_100, close=True))
    assert played.bar(100_000, 100_200, 99_950) == [("target", -1_000, 100_094, False)]
    assert played.ambiguous == 0


def test_a_limit_entry_cannot_take_its_target_in_the_same_bar() -> None:
    """A buy limit at 99,900 fills inside a bar that also trades at 100,500. Its target of 100,400 waits for the next
    bar: 100,400 - ceil(5.02) = 100,394."""
    played = Played()
    played.send(buy("in", LIMIT, at=99_900))
    target = sell("target", TAKE, at=100_400, close=True)
    assert played.bar(100_000, 100_500, 99_800, after_rest=[target]) == [("in", 1_000, 99_900, True)]
    assert played.bar(100_000, 100_500) == [("target", -1_000, 100_394, False)]


def test_a_limit_entry_can_be_stopped_in_the_same_bar() -> None:
    """The buy limit at 99,900 fills, its stop at 99,850 arrives after the fill, and the low of 99,800 is below it:
    99,850 - ceil(14.9775) = 99,835. Realised -65 ticks x 10,000,000."""
    played = Played()
    played.send(buy("in", LIMIT, at=99_900))
    stop = sell("stop", STOP, at=99_850, close=True)
    assert played.bar(100_000, low=99_800, after_rest=[stop]) == [
        ("in", 1_000, 99_900, True),
        ("stop", -1_000, 99_835, False),
    ]
    assert played.steps == 0


def test_a_position_opened_at_the_open_can_be_stopped_in_the_bar() -> None:
    """In at 100,005; the stop of 99,900 arrives after that fill and the bar trades at 99,800: 99,885."""
    played = Played()
    played.send(buy("in"))
    stop = sell("stop", STOP, at=99_900, close=True)
    assert played.bar(100_000, low=99_800, after_open=[stop]) == [
        ("in", 1_000, 100_005, False),
        ("stop", -1_000, 99_885, False),
    ]


def test_a_position_opened_at_the_open_can_take_its_target_in_the_bar() -> None:
    """In at 100,005; the target of 100,400 is reached within the same bar: 100,394."""
    played = Played()
    played.send(buy("in"))
    target = sell("target", TAKE, at=100_400, close=True)
    assert played.bar(100_000, high=100_500, after_open=[target]) == [
        ("in", 1_000, 100_005, False),
        ("target", -1_000, 100_394, False),
    ]


def test_inside_a_bar_the_nearest_stop_acts_first() -> None:
    """600 stopped at 99,500 - ceil(14.925) = 99,485, the other 400 at 98,985, though the far stop is older."""
    played = long_at_100_005()
    played.send(sell("far", STOP, at=99_000, close=True), sell("near", STOP, steps=600, at=99_500, reduce=True))
    assert played.bar(100_000, low=98_900) == [("near", -600, 99_485, False), ("far", -400, 98_985, False)]


def test_in_a_gap_the_stop_crossed_first_acts_first() -> None:
    """Open 98,000: the stop of 99,500 (1,500 away) before the one of 99,000; both fill at 97,985."""
    played = long_at_100_005()
    played.send(sell("far", STOP, at=99_000, close=True), sell("near", STOP, steps=600, at=99_500, reduce=True))
    assert played.bar(98_000) == [("near", -600, 97_985, False), ("far", -400, 97_985, False)]


def test_a_reducing_order_is_clipped_to_the_position() -> None:
    """Long 1,000 with a reduce-only sell limit of 1,000, of which a market sell has taken 700 before: 300 are left to
    reduce, and the order is gone."""
    played = long_at_100_005()
    played.send(sell("target", LIMIT, at=100_500, reduce=True), sell("some", steps=700))
    assert played.bar(100_000, high=100_600) == [("some", -700, 99_995, False), ("target", -300, 100_500, True)]
    assert (played.steps, played.working) == (0, [])


def test_a_reduce_limit_earns_the_maker_fee() -> None:
    """Sold at 100,500 as maker: realised 495 x 10,000,000 = 4,950,000,000, fee 1 bp of 1,005,000,000,000 =
    100,500,000."""
    played = long_at_100_005()
    played.send(sell("target", LIMIT, at=100_500, reduce=True))
    played.bar(100_000, high=100_501)
    assert played.earned == -350_017_500 + 4_950_000_000 - 100_500_000


def test_a_partial_close_takes_its_share_of_the_cost_half_even() -> None:
    """One step at 100,005 and two at 100,007 (open 100,001 + 6): cost (100,005 + 200,014) x 10,000 = 3,000,190,000. One
    sold at 100,000 - 5 = 99,995: its cost is 1,000,063,333.33 -> 1,000,063,333; realised 999,950,000 less that =
    -113,333. Fees 350,018 (350,017.5), 2 x 350,024.5 = 700,049, 349,982 (349,982.5)."""
    played = Played()
    played.send(buy("a", steps=1))
    played.bar(100_000)
    played.send(buy("b", steps=2))
    played.bar(100_001)
    played.send(sell("c", steps=1))
    played.bar(100_000)
    assert played.earned == -113_333 - 350_018 - 700_049 - 349_982


def test_a_short_is_stopped_above() -> None:
    """Short at 99,995; stop at 101,000 with a high of 101,100: 101,000 x 1.5 bp = 15.15 -> 16: 101,016."""
    played = Played()
    played.send(sell("in"))
    played.bar(100_000)
    played.send(buy("stop", STOP, at=101_000, close=True))
    assert played.bar(100_000, high=101_100) == [("stop", 1_000, 101_016, False)]


def test_a_short_takes_its_profit_below() -> None:
    """Short at 99,995; target 99,000: 99,000 + ceil(4.95) = 99,005. Realised 990 x 10,000,000 = 9,900,000,000; fees
    349,982,500 and 3.5 bp of 990,050,000,000 = 346,517,500."""
    played = Played()
    played.send(sell("in"))
    played.bar(100_000)
    played.send(buy("target", TAKE, at=99_000, close=True))
    assert played.bar(100_000, low=98_990) == [("target", 1_000, 99_005, False)]
    assert played.earned == 9_900_000_000 - 349_982_500 - 346_517_500


def test_a_market_exit_after_a_missing_bar_pays_extra() -> None:
    """The minute before is missing: 100,000 - ceil(5 + 10) = 99,985."""
    played = long_at_100_005()
    played.send(sell("out", reduce=True))
    assert played.bar(100_000, skip=1) == [("out", -1_000, 99_985, False)]


def test_longs_pay_a_positive_funding_rate() -> None:
    """1 bp (10,000 in 1e-8) of 100,000 x 1,000 x 10,000 = 10^12 is 100,000,000."""
    played = long_at_100_005()
    played.funding(10_000, 100_000)
    assert played.earned == -350_017_500 - 100_000_000


def test_shorts_receive_a_positive_funding_rate() -> None:
    """The same 100,000,000, received; the fee on the entry at 99,995 was 349,982,500."""
    played = Played()
    played.send(sell("in"))
    played.bar(100_000)
    played.funding(10_000, 100_000)
    assert played.earned == -349_982_500 + 100_000_000


def test_funding_is_charged_before_the_open_trades() -> None:
    """Settled at 100,000 while 1,000 are held, then sold at the open: both happen."""
    played = long_at_100_005()
    played.send(sell("out"))
    played.funding(-10_000, 100_000)
    assert played.bar(100_000) == [("out", -1_000, 99_995, False)]
    assert played.earned == -350_017_500 + 100_000_000 - 100_000_000 - 349_982_500


def test_a_canceled_order_does_nothing() -> None:
    """The stop is withdrawn before the bar that would have hit it."""
    played = long_at_100_005()
    played.send(sell("stop", STOP, at=99_000, close=True))
    played.both.cancel("BTCUSDT", "stop", played.minute * 60_000)
    assert played.bar(100_000, low=98_000) == []
    assert played.steps == 1_000
