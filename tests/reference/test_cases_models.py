"""Hand-worked cases: kinds of orders and parts of the fill model. Numbers and units as in `tests.reference.played`."""

from tests.reference.played import SYMBOL, Played, buy, sell
from tests.reference.values import LIMIT, STOP, STOP_LIMIT, TAKE_LIMIT, TRAILING


def holding(**settings: object) -> Played:
    """Long 1,000 at 100,005 for a fee of 350,017,500."""
    played = Played(**settings)  # type: ignore[arg-type]
    played.send(buy("in"))
    played.bar(100_000)
    return played


def test_the_volume_cap_leaves_the_rest_to_the_next_open() -> None:
    """5 % of 10,000 steps are 500: half of the order now, the other half at the next open, both at 100,005."""
    played = Played(volume_share_e4=500)
    played.send(buy("a"))
    assert played.bar(100_000, volume=10_000) == [("a", 500, 100_005, False)]
    assert played.bar(100_000, volume=10_000) == [("a", 500, 100_005, False)]


def test_what_is_left_of_a_stop_goes_on_without_extra() -> None:
    """Stop at 99,000: 500 of 1,000 fill at 98,985 (15 ticks of half-spread and extra). The rest is a market order at
    the next open of 98,900: 98,900 - ceil(4.945) = 98,895."""
    played = holding(volume_share_e4=500)
    played.send(sell("stop", STOP, at=99_000, close=True))
    assert played.bar(100_000, low=98_900, close=98_900, volume=10_000) == [("stop", -500, 98_985, False)]
    assert played.bar(98_900, volume=10_000) == [("stop", -500, 98_895, False)]


def test_a_post_only_order_that_would_take_expires() -> None:
    """A buy at 100,010 where a taker pays 100,005: gone, unfilled. One at 100,004 rests and fills at a low of
    100,003."""
    played = Played()
    played.send(buy("takes", LIMIT, at=100_010, post_only=True), buy("rests", LIMIT, at=100_004, post_only=True))
    assert played.bar(100_000, low=100_000) == [("rests", 1_000, 100_004, True)]
    assert played.working == []


def test_a_stop_limit_takes_within_its_limit() -> None:
    """Triggered at 100,400; a taker pays 100,400 + ceil(5.02) = 100,406, within 100,410, and no extra."""
    played = Played()
    played.send(buy("a", STOP_LIMIT, at=100_400, price=100_410))
    assert played.bar(100_000, high=100_500) == [("a", 1_000, 100_406, False)]


def test_a_stop_limit_beyond_its_limit_rests_for_the_next_bar() -> None:
    """A taker at 100,400 would pay 100,406 > 100,403: it rests, though this bar trades below 100,403, and fills as
    maker when the next one trades at 100,402."""
    played = Played()
    played.send(buy("a", STOP_LIMIT, at=100_400, price=100_403))
    assert played.bar(100_000, high=100_500, close=100_450) == []
    assert played.bar(100_450, low=100_402) == [("a", 1_000, 100_403, True)]


def test_a_take_profit_limit_needs_a_trade_through() -> None:
    """Trigger and price 101,000, high 101,000: triggered, touched, resting. The next bar trades at 101,001: maker."""
    played = holding()
    played.send(sell("target", TAKE_LIMIT, at=101_000, price=101_000, reduce=True))
    assert played.bar(100_000, high=101_000) == []
    assert played.bar(100_000, high=101_001) == [("target", -1_000, 101_000, True)]


def test_a_trailing_stop_acts_on_a_bar_from_the_next() -> None:
    """1 % behind 100,000 is 99,000. A bar up to 101,000 and down to 99,500 does not reach that; from then on the
    trigger is 101,000 x 0.99 = 99,990. True ranges so far 0 and 1,500: mean 750, 10 % = 75; half-spread 4.9995: 80 in
    all: 99,910."""
    played = holding()
    played.send(sell("trail", TRAILING, callback_e8=1_000_000, reduce=True))
    assert played.bar(100_000, 101_000, 99_500, 100_000) == []
    assert played.bar(100_000, low=99_990) == [("trail", -1_000, 99_910, False)]


def test_a_trailing_stop_waits_for_its_activation() -> None:
    """Active from 100,500 on. A high of 100,400 leaves it asleep and a low of 98,000 does nothing; after a high of
    100,600 its trigger is floor(100,600 x 0.99) = 99,594."""
    played = holding()
    played.send(sell("trail", TRAILING, callback_e8=1_000_000, activation=100_500, reduce=True))
    assert played.bar(100_000, 100_400, 98_000, 100_000) == []
    assert played.bar(100_000, 100_600) == []
    assert played.bar(100_000, low=99_595) == []
    assert [fill[0] for fill in played.bar(100_000, low=99_594)] == ["trail"]


def test_the_first_of_an_oco_group_withdraws_the_other() -> None:
    """The target of 100,500 fills as maker; the stop of its group is gone before the next bar falls to 98,000."""
    played = holding()
    played.send(sell("target", LIMIT, at=100_500, reduce=True, group=1), sell("stop", STOP, at=99_000, group=1))
    assert played.bar(100_000, high=100_501) == [("target", -1_000, 100_500, True)]
    assert played.working == []
    assert played.bar(100_000, low=98_000) == []


def test_latency_of_a_bar_passes_one_open() -> None:
    """60 s at one-minute bars: the next open passes, the one after it fills: 100,200 + ceil(5.01) = 100,206."""
    played = Played(wait_ms=60_000)
    played.send(buy("a"))
    assert played.bar(100_000) == []
    assert played.bar(100_200) == [("a", 1_000, 100_206, False)]


def test_an_isolated_long_is_liquidated_at_bankruptcy() -> None:
    """Leverage 10: margin 100,005,000,000 of a cost of 1,000,050,000,000. Maintenance 0.4 % (9,037 of notional):
    (1,000,050 - 100,005) x 10^6 / (10^7 x 0.996) = 90,365.97, against us 90,366; 90,367 is still safe. Taker there:
    90,366 - ceil(13.55) = 90,352, but no better than bankruptcy, 900,045 x 10^6 / 10^7 = 90,004.5 -> 90,004.
    Realised -10,001 x 10^7; fee 1.25 % of 900,040,000,000 = 11,250,500,000."""
    played = holding(leverage=10)
    assert played.bar(100_000, low=90_367, close=100_000) == []
    safe = holding(leverage=10)
    assert safe.bar(100_000, low=90_366) == [("liquidation", -1_000, 90_004, False)]
    assert safe.earned == -350_017_500 - 100_010_000_000 - 11_250_500_000


def test_hedged_legs_stand_side_by_side() -> None:
    """1,000 long and 1,000 short at once. A sell of 2,000 on the long leg only reduces it: 1,000 at 99,995."""
    played = Played(position_mode="hedge")
    played.send(buy("long", leg=1), sell("short", leg=-1))
    assert played.bar(100_000) == [("long", 1_000, 100_005, False), ("short", -1_000, 99_995, False)]
    played.send(sell("out", steps=2_000, leg=1))
    assert played.bar(100_000) == [("out", -1_000, 99_995, False)]
    legs = played.both.matcher.legs
    assert (legs[SYMBOL, 1].steps, legs[SYMBOL, -1].steps) == (0, -1_000)
