"""Hand-worked cases: what target-first would have brought, acknowledgements, and one account behind several positions.
Numbers and units as in `tests.reference.played`."""

import msgspec

from aister.sim.models import Margin
from tests.reference.drive import Pair
from tests.reference.played import SYMBOL, Played, buy, sell
from tests.reference.streams import MINUTE_MS, pair
from tests.reference.values import LIMIT, STOP, STOP_LIMIT, TAKE, Bar, Order
from tests.sim.market import plain_model


def holding(**settings: object) -> Played:
    """Long 1,000 at 100,005."""
    played = Played(**settings)  # type: ignore[arg-type]
    played.send(buy("in"))
    played.bar(100_000)
    return played


def test_target_first_of_a_take_profit() -> None:
    """Stop at 99,885 taken, target at 100,094 not: 209 ticks x 10,000,000 = 2,090,000,000; its fee 3.5 bp of
    1,000,940,000,000 = 350,329,000 instead of 3.5 bp of 998,850,000,000 = 349,597,500: 2,089,268,500."""
    played = holding()
    played.send(sell("stop", STOP, at=99_900, close=True), sell("target", TAKE, at=100_100, close=True))
    played.bar(100_000, 100_200, 99_800)
    assert played.target_first == 2_090_000_000 - 350_329_000 + 349_597_500


def test_target_first_of_a_resting_limit_is_a_makers() -> None:
    """400 at 100,100: 215 ticks x 4,000,000 = 860,000,000; 1 bp of 400,400,000,000 = 40,040,000 instead of 3.5 bp of
    399,540,000,000 = 139,839,000. The other 600 have no target."""
    played = holding()
    played.send(sell("stop", STOP, at=99_900, close=True), sell("part", LIMIT, 400, at=100_100, reduce=True))
    played.bar(100_000, 100_200, 99_800)
    assert played.target_first == 860_000_000 - 40_040_000 + 139_839_000


def test_target_first_is_clipped_to_the_position_nearest_first() -> None:
    """Targets of 700 at 100,300 and 600 at 100,100: the nearer one whole, of the other 400. 600 x 215 and 400 x 415
    ticks of 10,000: 1,290,000,000 + 1,660,000,000; maker fees 60,060,000 + 40,120,000; stop's 209,758,500 +
    139,839,000."""
    played = holding()
    far = sell("far", LIMIT, 700, at=100_300, reduce=True)
    near = sell("near", LIMIT, 600, at=100_100, reduce=True)
    played.send(sell("stop", STOP, at=99_900, close=True), far, near)
    played.bar(100_000, 100_400, 99_800)
    assert played.target_first == 2_950_000_000 - 100_180_000 + 349_597_500


def test_target_first_against_a_liquidation_pays_its_fee_back() -> None:
    """Leverage 10: liquidated at 90,004 for 1.25 % of 900,040,000,000 = 11,250,500,000. The target of 100,400 would
    have brought 10,396 ticks x 10,000,000 more, for 1 bp of 1,004,000,000,000 = 100,400,000."""
    played = holding(leverage=10)
    played.send(sell("target", LIMIT, at=100_400, reduce=True))
    assert played.bar(100_000, 100_500, 90_000) == [("liquidation", -1_000, 90_004, False)]
    assert (played.ambiguous, played.target_first) == (1, 103_960_000_000 - 100_400_000 + 11_250_500_000)


def test_target_first_says_nothing_where_the_stop_only_rested() -> None:
    """A stop-limit of 99,900 at 99,898 cannot take at 99,895: it rests, nothing was cut, and the target fills after
    all: ambiguous, worth nothing."""
    played = holding()
    played.send(sell("stop", STOP_LIMIT, at=99_900, price=99_898, reduce=True))
    played.send(sell("target", LIMIT, at=100_100, reduce=True))
    assert played.bar(100_000, 100_200, 99_800) == [("target", -1_000, 100_100, True)]
    assert (played.ambiguous, played.target_first) == (1, 0)


def test_an_order_is_acknowledged_after_its_latency_and_the_way_back() -> None:
    """60 s there, 120 s back, at one-minute bars: sent before open 1 it passes that one, arrives, and is acknowledged
    two opens later, at 3."""
    played = Played(wait_ms=60_000, ack_ms=120_000)
    played.send(buy("a", LIMIT, at=90_000))
    for _ in range(4):
        played.bar(100_000)
    assert played.acknowledged == [("a", 3)]


def test_without_latency_an_order_is_acknowledged_when_sent() -> None:
    """Sent before open 1, stamped with it."""
    played = Played()
    played.send(buy("a", LIMIT, at=90_000))
    assert played.acknowledged == [("a", 1)]


def test_what_is_gone_is_not_acknowledged() -> None:
    """120 s back. The market order fills at open 1 and is off the book at open 2; so is the limit withdrawn there. The
    other limit is acknowledged at 2, though it fills in that bar."""
    played = Played(ack_ms=120_000)
    played.send(buy("market"), buy("withdrawn", LIMIT, at=90_000), buy("fills", LIMIT, at=99_000))
    played.bar(100_000)
    played.both.cancel(SYMBOL, "withdrawn", MINUTE_MS)
    assert played.bar(100_000, low=98_000) == [("fills", 1_000, 99_000, True)]
    assert played.acknowledged == [("fills", 2)]


CROSS = msgspec.structs.replace(plain_model(100), margin=Margin("cross", 100))


def two_longs(capital: int) -> Pair:
    """1,000 of each of two symbols at 100,005 on one account, leverage 100: fees 2 x 3.50017500."""
    both = pair(CROSS, ("BTCUSDT", "ETHUSDT"), capital)
    both.bar([flat("BTCUSDT", 0), flat("ETHUSDT", 0)])
    for symbol in ("BTCUSDT", "ETHUSDT"):
        assert both.place(Order(f"in-{symbol}", symbol, "market", 1, 1_000), MINUTE_MS)
    both.bar([flat("BTCUSDT", 1), flat("ETHUSDT", 1)])
    return both


def flat(symbol: str, minute: int, low: int = 100_000) -> Bar:
    return Bar(symbol, minute * MINUTE_MS, 100_000, 100_000, low, 100_000, 10**9)


def test_cross_margin_weighs_both_symbols_at_their_lows() -> None:
    """2,000 less fees: 1,992.99965. ETH at its low of 90,000: -1,000.5, and keeps 0.4 % of 9,000 = 36. BTC falls where
    992.49965 + (t - 100,005) x 0.1 <= 36 + 0.0004 t: t <= 9,044.00035 / 0.0996 = 90,803.2, against us 90,804. A low of
    90,805 is safe for both (ETH's own trigger is then 89,999)."""
    both = two_longs(2_000 * 10**8)
    said = both.bar([flat("BTCUSDT", 2, 90_805), flat("ETHUSDT", 2, 90_000)])
    assert said == []


def test_a_cross_liquidation_leaves_the_other_symbol_what_is_left() -> None:
    """A low of 90,804: BTC goes at its bankruptcy price, 10 x (10,000.5 - 992.49965) = 90,080.0 -> 90,080, for 1.25 %
    of 9,008 = 112.6. 1,992.99965 - 992.5 - 112.6 = 887.89965 are left, for ETH alone: it falls where 0.0996 t <=
    9,112.60035, and goes at 10 x 9,112.60035 -> 91,126."""
    both = two_longs(2_000 * 10**8)
    said = both.bar([flat("BTCUSDT", 2, 90_804), flat("ETHUSDT", 2, 90_000)])
    assert [(line[2], line[3], line[4], line[-1]) for line in said] == [
        (-1, 1_000, 90_080, True),
        (-1, 1_000, 91_126, True),
    ]


def test_a_cross_position_without_a_bar_counts_at_its_last_close() -> None:
    """ETH has no bar: it stays at 100,000, -0.5, and keeps 40. BTC falls where 1,992.49965 + (t - 100,005) x 0.1 <= 40
    + 0.0004 t: t <= 8,048.00035 / 0.0996 = 80,803.2 -> 80,804: a low of 90,804 is safe."""
    both = two_longs(2_000 * 10**8)
    assert both.bar([flat("BTCUSDT", 2, 80_805)]) == []
    said = both.bar([flat("BTCUSDT", 3, 80_804)])
    assert [line[-1] for line in said] == [True]


def test_hedged_legs_of_one_size_do_not_fall_with_the_price() -> None:
    """Leverage 100 and 250 of capital, 1,000 long at 100,005 and 1,000 short at 99,995: 242 are left at any price. Half
    the price asks for less maintenance (2 x 0.4 % of 5,000 = 40), and neither leg is touched."""
    both = pair(msgspec.structs.replace(CROSS, position_mode="hedge"), capital=250 * 10**8)
    both.bar([flat(SYMBOL, 0)])
    for side in (1, -1):
        assert both.place(Order(f"in {side}", SYMBOL, "market", side, 1_000, leg=side), MINUTE_MS)
    assert len(both.bar([flat(SYMBOL, 1)])) == 2
    assert both.bar([flat(SYMBOL, 2, 50_000)]) == []
