"""The venue's clock: estimated from round trips, untouched by steps of this machine's."""

from aister.adapters.exchanges.aster.timing import VenueClock
from tests.adapters.exchanges.aster.scripted import START_MS, Hands


def ask(hands: Hands, clock: VenueClock, ahead_ms: int, there: int, back: int) -> None:
    sent = hands.monotonic_ms()
    hands.move(there)
    server = hands.now_ms() + ahead_ms
    hands.move(back)
    clock.heard(server, sent, hands.monotonic_ms())


def test_before_any_measurement_the_wall_clock_stands_in() -> None:
    hands = Hands()
    clock = VenueClock(hands)
    assert clock.now_ms() == START_MS and not clock.measured and clock.skew_ms() == 0


def test_the_shortest_round_trip_counts() -> None:
    hands = Hands()
    clock = VenueClock(hands)
    ask(hands, clock, 3_000, 400, 10)
    assert clock.now_ms() - hands.now_ms() == 3_000 + 195  # half the asymmetry of the way
    ask(hands, clock, 3_000, 10, 10)
    ask(hands, clock, 3_000, 10, 700)
    hands.move(60_000)
    assert clock.now_ms() - hands.now_ms() == 3_000 and clock.skew_ms() == -3_000


def test_old_measurements_give_way_to_newer_ones() -> None:
    hands = Hands()
    clock = VenueClock(hands)
    ask(hands, clock, 1_000, 1, 1)
    hands.move(400_000)
    assert clock.now_ms() - hands.now_ms() == 1_000
    ask(hands, clock, 1_040, 50, 50)
    assert clock.now_ms() - hands.now_ms() == 1_040


def test_a_step_of_the_venues_own_clock_counts_at_once() -> None:
    hands = Hands()
    clock = VenueClock(hands)
    ask(hands, clock, 0, 1, 1)
    ask(hands, clock, -20_000, 40, 40)
    assert clock.now_ms() - hands.now_ms() == -20_000


def test_a_step_of_the_wall_clock_is_noticed_and_measured_anew() -> None:
    hands = Hands()
    clock = VenueClock(hands)
    ask(hands, clock, 0, 5, 5)
    hands.wall -= 3_600_000
    assert clock.watch() and not clock.measured and clock.lost
    ask(hands, clock, 3_600_000, 5, 5)
    assert clock.measured and not clock.lost and clock.skew_ms() == -3_600_000
    hands.move(10_000)
    assert not clock.watch()
    assert clock.now_ms() == hands.now_ms() + 3_600_000
