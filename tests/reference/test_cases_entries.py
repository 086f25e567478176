"""Hand-worked cases: getting in. Numbers and units as in `tests.reference.played`."""

from tests.reference.played import Played, buy, sell
from tests.reference.values import LIMIT, STOP


def test_market_buy_pays_the_half_spread() -> None:
    """100,000 + ceil(100,000 x 0.00005) = 100,005. Notional 100,005 x 1,000 x 10,000 = 1,000,050,000,000; fee 3.5 bp =
    350,017,500."""
    played = Played()
    played.send(buy("a"))
    assert played.bar(100_000) == [("a", 1_000, 100_005, False)]
    assert played.earned == -350_017_500


def test_market_sell_gives_the_half_spread() -> None:
    """100,000 - 5 = 99,995. Notional 999,950,000,000; fee 3.5 bp = 349,982,500."""
    played = Played()
    played.send(sell("a"))
    assert played.bar(100_000) == [("a", -1_000, 99_995, False)]
    assert played.earned == -349_982_500


def test_the_half_spread_rounds_outward() -> None:
    """At 100,001 it is 5.00005 ticks, so 6: a buy at 100,007; a sell at 100,001 - 6 = 99,995."""
    played = Played()
    played.send(buy("a", steps=10), sell("b", steps=20))
    assert played.bar(100_001) == [("a", 10, 100_007, False), ("b", -20, 99_995, False)]


def test_a_fee_of_half_a_unit_goes_to_the_even_side() -> None:
    """One step at 100,005: notional 1,000,050,000 x 0.00035 = 350,017.5 -> 350,018 (even). One sold at 99,995:
    349,982.5 -> 349,982. Realised 99,995 - 100,005 = -10 ticks x 10,000 = -100,000. Together -800,000."""
    played = Played()
    played.send(buy("a", steps=1), sell("b", steps=1))
    played.bar(100_000)
    assert played.earned == -(350_018 + 349_982 + 100_000)


def test_a_limit_needs_a_trade_through() -> None:
    """A buy at 99,900 with a low of 99,900 is only touched. The next bar trades at 99,899: filled at its own price as
    maker; fee 1 bp of 99,900 x 10,000,000 = 999,000,000,000 is 99,900,000."""
    played = Played()
    played.send(buy("a", LIMIT, at=99_900))
    assert played.bar(100_000, low=99_900) == []
    assert played.bar(100_000, low=99_899) == [("a", 1_000, 99_900, True)]
    assert played.earned == -99_900_000


def test_a_limit_beyond_the_market_pays_as_taker_when_it_arrives() -> None:
    """A buy at 100,010 meets an open of 100,000, where a taker pays 100,005 <= 100,010: filled there, taker fee."""
    played = Played()
    played.send(buy("a", LIMIT, at=100_010))
    assert played.bar(100_000) == [("a", 1_000, 100_005, False)]
    assert played.earned == -350_017_500


def test_a_limit_within_the_spread_rests() -> None:
    """A buy at 100,003 meets an open of 100,000: a taker would pay 100,005 > 100,003, so it rests; the low of 99,990 is
    through it: 100,003 as maker."""
    played = Played()
    played.send(buy("a", LIMIT, at=100_003))
    assert played.bar(100_000, low=99_990) == [("a", 1_000, 100_003, True)]


def test_a_resting_limit_is_not_bettered_by_a_gap() -> None:
    """A buy rests at 99,500 through one bar; the next opens at 99,000. It fills at 99,500, its own price."""
    played = Played()
    played.send(buy("a", LIMIT, at=99_500))
    assert played.bar(100_000) == []
    assert played.bar(99_000, low=98_900) == [("a", 1_000, 99_500, True)]


def test_the_nearest_limit_fills_first() -> None:
    """Buys at 99,700 and 99,800, the lower one older; the low of 99,000 reaches both: 99,800 is 200 from the open,
    99,700 is 300."""
    played = Played()
    played.send(buy("low", LIMIT, at=99_700), buy("near", LIMIT, at=99_800))
    assert played.bar(100_000, low=99_000) == [("near", 1_000, 99_800, True), ("low", 1_000, 99_700, True)]


def test_of_equal_limits_the_oldest_fills_first() -> None:
    """Two sells at 100,300 and a high of 100,301: in the order in which they were sent."""
    played = Played()
    played.send(sell("old", LIMIT, at=100_300, steps=10), sell("new", LIMIT, at=100_300, steps=20))
    assert played.bar(100_000, high=100_301) == [("old", -10, 100_300, True), ("new", -20, 100_300, True)]


def test_what_is_due_at_the_open_goes_oldest_first() -> None:
    """A marketable limit sent before a market order: both pay 100,005, the limit first."""
    played = Played()
    played.send(buy("limit", LIMIT, at=100_500, steps=10), buy("market", steps=20))
    assert played.bar(100_000) == [("limit", 10, 100_005, False), ("market", 20, 100_005, False)]


def test_an_entry_stop_pays_half_spread_and_extra_at_its_trigger() -> None:
    """A buy stop at 100,400, high 100,400: 100,400 x (0.5 bp + 1 bp) = 15.06 -> 16: 100,416. (No range so far, so the
    extra is its floor of 1 bp.)"""
    played = Played()
    played.send(buy("a", STOP, at=100_400))
    assert played.bar(100_000, high=100_400) == [("a", 1_000, 100_416, False)]


def test_an_entry_stop_jumped_by_the_open_fills_at_the_open() -> None:
    """A buy stop at 100,400, open 100,600: 100,600 x 1.5 bp = 15.09 -> 16: 100,616."""
    played = Played()
    played.send(buy("a", STOP, at=100_400))
    assert played.bar(100_600) == [("a", 1_000, 100_616, False)]


def test_of_two_entry_stops_the_nearest_acts_first() -> None:
    """Flat, a buy stop at 100,300 and a sell stop at 99,800, both in the range. 99,800 is nearer (200 against 300):
    sold at 99,800 - ceil(14.97) = 99,785; then the buy stop at 100,300 + ceil(15.045) = 100,316 closes the short.
    Realised (99,785 - 100,316) x 10,000,000 = -5,310,000,000; fees 3.5 bp of 997,850,000,000 = 349,247,500 and of
    1,003,160,000,000 = 351,106,000."""
    played = Played()
    played.send(buy("up", STOP, at=100_300), sell("down", STOP, at=99_800))
    assert played.bar(100_000, 100_500, 99_700) == [("down", -1_000, 99_785, False), ("up", 1_000, 100_316, False)]
    assert played.earned == -5_310_000_000 - 349_247_500 - 351_106_000


def test_an_order_beyond_its_worst_price_expires() -> None:
    """A market buy that may pay 100,004 at most: it would pay 100,005. One that may pay 100,005 does."""
    played = Played()
    played.send(buy("tight", worst=100_004), buy("fits", worst=100_005))
    assert played.bar(100_000) == [("fits", 1_000, 100_005, False)]
    assert played.working == []


def test_one_way_a_larger_sell_turns_the_position_around() -> None:
    """Long 400 at 100,005; a market sell of 1,000 at 99,995 closes 400 and opens a short of 600 in one fill.
    Realised -10 ticks x 400 x 10,000 = -40,000,000. Fees 3.5 bp of 400,020,000,000 = 140,007,000 and of
    999,950,000,000 = 349,982,500."""
    played = Played()
    played.send(buy("a", steps=400))
    played.bar(100_000)
    played.send(sell("b"))
    assert played.bar(100_000) == [("b", -1_000, 99_995, False)]
    assert played.steps == -600
    assert played.earned == -40_000_000 - 140_007_000 - 349_982_500


def test_after_a_missing_bar_an_entry_pays_nothing_extra() -> None:
    """The minute before is missing; a market buy that opens a position still pays 100,005."""
    played = Played()
    played.send(buy("a"))
    assert played.bar(100_000, skip=1) == [("a", 1_000, 100_005, False)]
