"""The governor against a venue that counts by either reading of its minute, under a clock of the test."""

from collections import deque

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aister.adapters.exchanges.aster.governor import Governor, Rank
from aister.adapters.exchanges.aster.messages import RateLimit

LIMITS = (RateLimit("REQUEST_WEIGHT", "MINUTE", 1, 100), RateLimit("ORDERS", "MINUTE", 1, 50))


class Venue:
    """Counts what arrives: from full minute to full minute, or over the last 60 s."""

    def __init__(self, rolling: bool) -> None:
        self.rolling = rolling
        self.seen: deque[tuple[float, int, int]] = deque()

    def counts(self, now: float) -> tuple[int, int]:
        begin = now - 60_000 if self.rolling else now - now % 60_000 - 1e-9
        recent = [one for one in self.seen if one[0] > begin]
        return sum(one[1] for one in recent), sum(one[2] for one in recent)

    def take(self, weight: int, orders: int, now: float) -> dict[str, str]:
        self.seen.append((now, weight, orders))
        used, placed = self.counts(now)
        headers = {"x-mbx-used-weight-1m": str(used)}
        return headers | ({"x-mbx-order-count-1m": str(placed)} if orders else {})


CALLS = st.lists(
    st.tuples(
        st.sampled_from([0, 1, 50, 900, 7000, 20_000]),
        st.sampled_from([(Rank.PROTECT, 1, 1), (Rank.PROTECT, 1, 0), (Rank.WATCH, 5, 0), (Rank.WATCH, 40, 0),
                         (Rank.ENTER, 1, 1), (Rank.ENTER, 1, 1), (Rank.GATHER, 10, 0)]),
        st.integers(1, 40),
    ),
    max_size=40,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(CALLS, st.booleans())
def test_no_limit_is_passed_under_either_reading_and_entries_leave_the_reserve(
    calls: list[tuple[int, tuple[Rank, int, int], int]], rolling: bool
) -> None:
    venue, governor, now = Venue(rolling), Governor(LIMITS), 12_345.0
    for pause, (rank, weight, orders), times in calls:
        now += pause
        for _ in range(times):
            now += 3
            wait = governor.ask(rank, weight, orders, now)
            assert 0 <= wait <= 61_001
            if wait:
                if rank is not Rank.PROTECT:
                    continue
                now += wait
                assert governor.ask(rank, weight, orders, now) == 0
            headers = venue.take(weight, orders, now)
            governor.heard(governor.ticket, 200, headers, now)
            used, placed = venue.counts(now)
            assert used <= 100 and placed <= 50
            if rank is Rank.ENTER:
                assert used <= 90 and placed <= 40


@pytest.mark.parametrize("rolling", [True, False])
def test_a_stop_finds_room_while_entries_fill_everything_they_may(rolling: bool) -> None:
    venue, governor, now = Venue(rolling), Governor(LIMITS), 60_000.0
    sent = 0
    while governor.ask(Rank.ENTER, 1, 1, now) == 0:
        governor.heard(governor.ticket, 200, venue.take(1, 1, now), now)
        sent += 1
    assert sent == 40
    for _ in range(10):
        assert governor.ask(Rank.PROTECT, 1, 1, now) == 0
        governor.heard(governor.ticket, 200, venue.take(1, 1, now), now)
    assert governor.ask(Rank.PROTECT, 1, 1, now) > 0  # the venue's own limit
    assert governor.ask(Rank.PROTECT, 1, 0, now) == 0  # a cancel is no order


def test_what_others_used_holds_entries_back_and_never_a_stop() -> None:
    governor = Governor(LIMITS)
    assert governor.ask(Rank.WATCH, 1, 0, 0) == 0
    governor.heard(governor.ticket, 200, {"x-mbx-used-weight-1m": "90"}, 10)
    assert governor.used(10) == (90, 0)
    wait = governor.ask(Rank.ENTER, 1, 1, 20)
    assert 60_000 <= wait <= 61_001
    assert governor.ask(Rank.PROTECT, 1, 1, 20) == 0
    assert governor.ask(Rank.ENTER, 1, 1, 20 + wait) == 0


def test_an_older_reply_does_not_undo_a_newer_count() -> None:
    governor = Governor(LIMITS)
    governor.ask(Rank.WATCH, 1, 0, 0)
    first = governor.ticket
    governor.ask(Rank.WATCH, 1, 0, 1)
    governor.heard(governor.ticket, 200, {"x-mbx-used-weight-1m": "70"}, 5)
    governor.heard(first, 200, {"x-mbx-used-weight-1m": "1"}, 6)
    assert governor.used(7)[0] == 70


def test_too_many_requests_pause_all_and_longer_each_time() -> None:
    governor, now, waits = Governor(LIMITS), 0.0, []
    for _ in range(4):
        assert governor.ask(Rank.PROTECT, 1, 1, now) == 0
        governor.heard(governor.ticket, 429, {}, now)
        wait = governor.ask(Rank.PROTECT, 1, 1, now)
        waits.append(wait)
        now += wait
    assert waits == [1001, 2001, 4001, 8001]
    assert governor.ask(Rank.PROTECT, 1, 1, now) == 0
    governor.heard(governor.ticket, 429, {"retry-after": "30"}, now)
    assert governor.ask(Rank.PROTECT, 1, 1, now) == 30_001


def test_after_a_ban_the_missing_stop_goes_first() -> None:
    governor = Governor(LIMITS)
    governor.ask(Rank.WATCH, 1, 0, 0)
    governor.heard(governor.ticket, 418, {}, 0)
    assert governor.ask(Rank.ENTER, 1, 1, 10) > 120_000
    stop = governor.ask(Rank.PROTECT, 1, 1, 10)
    assert stop == 119_991
    at = 10.0 + stop
    assert governor.ask(Rank.WATCH, 1, 0, at) > 0
    assert governor.ask(Rank.ENTER, 1, 1, at) > 0
    assert governor.ask(Rank.PROTECT, 1, 1, at) == 0
    assert governor.ask(Rank.WATCH, 1, 0, at) == 0


def test_without_a_stop_waiting_nobody_waits_for_one_and_bans_grow() -> None:
    governor = Governor(LIMITS)
    governor.ask(Rank.WATCH, 1, 0, 0)
    governor.heard(governor.ticket, 418, {}, 0)
    assert governor.ask(Rank.WATCH, 1, 0, 120_001) == 0
    governor.heard(governor.ticket, 418, {}, 120_001)
    assert governor.ask(Rank.PROTECT, 1, 0, 120_001) == 240_001
    governor.heard(governor.ticket, 418, {"retry-after": "9" * 30}, 120_001)
    assert governor.ask(Rank.PROTECT, 1, 0, 120_001) <= 3 * 86_400_000 + 1


def test_a_venue_that_only_fails_is_probed() -> None:
    governor, now = Governor(LIMITS), 0.0
    for _ in range(5):
        assert governor.ask(Rank.WATCH, 1, 0, now) == 0
        governor.heard(governor.ticket, 503, {}, now)
        now += 100
    probes = soon = 0
    while now < 1_800_000:
        for rank in (Rank.WATCH, Rank.ENTER, Rank.GATHER):
            if governor.ask(rank, 1, 0, now) == 0:
                probes += 1
                soon += now < 20_000
                governor.heard(governor.ticket, 503, {}, now)
        now += 500
    assert soon <= 10 and 170 <= probes - soon <= 180
    now += 10_000
    assert governor.ask(Rank.PROTECT, 1, 1, now) == 0
    governor.heard(governor.ticket, 200, {}, now)
    assert governor.ask(Rank.ENTER, 1, 1, now) == 0


def test_a_stop_is_tried_sooner_than_anything_else_in_the_first_minute_of_failure() -> None:
    governor, now, tries = Governor(LIMITS), 0.0, []
    for _ in range(5):
        governor.ask(Rank.PROTECT, 1, 1, now)
        governor.heard(governor.ticket, 0, {}, now)
    while now < 30_000:
        if governor.ask(Rank.PROTECT, 1, 1, now) == 0:
            tries.append(now)
            governor.heard(governor.ticket, 0, {}, now)
        now += 100
    assert 10 <= len(tries) <= 15


def test_behind_a_firewall_what_protects_is_tried_nearly_every_second_and_its_answer_lets_the_rest_go() -> None:
    governor, now, tries = Governor(LIMITS), 0.0, []
    governor.ask(Rank.WATCH, 1, 0, now)
    governor.heard(governor.ticket, 403, {}, now)
    while now < 9_000:
        assert governor.ask(Rank.WATCH, 1, 0, now) > 0
        if governor.ask(Rank.PROTECT, 1, 1, now) == 0:
            tries.append(now)
            governor.heard(governor.ticket, 403, {}, now)
        now += 100
    assert tries == [900 * number for number in range(1, 10)]
    now = 10_000
    assert governor.ask(Rank.PROTECT, 1, 1, now) == 0
    governor.heard(governor.ticket, 200, {}, now)
    assert governor.ask(Rank.WATCH, 1, 0, now + 2) == 0
    for headers, status in (({"retry-after": "60"}, 403), ({}, 418)):
        governor.heard(governor.ticket, status, headers, now)
        governor.heard(governor.ticket, 403, {}, now)
        assert governor.ask(Rank.PROTECT, 1, 1, now + 30_000) > 0


def test_limits_are_the_venues_own_and_what_was_sent_keeps_counting() -> None:
    governor = Governor()
    for _ in range(80):
        assert governor.ask(Rank.ENTER, 1, 1, 0) == 0
    governor.limits((*LIMITS, RateLimit("RAW_REQUESTS", "MINUTE", 5, 1), RateLimit("ORDERS", "SECOND", 10, 500)))
    assert governor.used(0) == (80, 80)
    assert governor.ask(Rank.ENTER, 1, 1, 0) > 0
    governor.limits(())
    assert governor.ask(Rank.ENTER, 1, 1, 0) > 0
    assert Governor((RateLimit("ORDERS", "MINUTE", 1, 1),)).ask(Rank.ENTER, 1, 1, 0) == 61_000
