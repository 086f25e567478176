"""How long an entry may act yet, by the raw log."""

import pytest

from aister.exchange_sim import Seen
from aister.exchange_sim.wire import Request
from tests.faults.fate import OPEN_MS, VOID_MS, open_until, outside

ID = "ai00000000-1-1"


def seen(time_ms: int, body: str, status: int, code: int = 0) -> Seen:
    return Seen(time_ms * 1000, 1, Request("POST", "/fapi/v3/order", "", body.encode()), status, code, "", False)


LOST = seen(1_000, f"newClientOrderId={ID}&nonce=7", 503, -1007)


@pytest.mark.parametrize(
    ("log", "until_ms"),
    [
        ([], 900 + OPEN_MS),
        ([LOST], 1_000 + OPEN_MS),
        ([LOST, seen(2_000, "nonce=7", 200)], 1_000 + OPEN_MS),
        ([LOST, seen(2_000, "nonce=7", 400, -4225)], 2_000 + VOID_MS),
        ([LOST, seen(2_000, "nonce=8", 400, -4225)], 1_000 + OPEN_MS),
        ([seen(1_000, f"newClientOrderId={ID}&nonce=7", 429), LOST], 1_000 + OPEN_MS),
        ([seen(1_000, f"newClientOrderId={ID}&nonce=7", 400, -2019)], 1_000),
    ],
)
def test_an_entry_is_open_until_the_venue_said_no_or_it_can_act_no_more(log: list[Seen], until_ms: int) -> None:
    assert open_until(ID, 900, log) == until_ms


def test_a_trader_that_begins_again_counts_from_there() -> None:
    """Seed 739942068: it died before the entry left, and only its successor had to find that out."""
    assert open_until(ID, 900, [], [5_000]) == 5_000 + OPEN_MS
    assert open_until(ID, 900, [LOST], [500, 5_000, 60_000]) == 60_000 + OPEN_MS
    assert open_until(ID, 900, [LOST], [1_000 + OPEN_MS]) == 1_000 + OPEN_MS
    assert open_until(ID, 900, [seen(1_000, f"newClientOrderId={ID}&nonce=7", 400, -2019)], [5_000]) == 1_000


def test_only_what_lies_outside_counts() -> None:
    def left(since_ms: int, until_ms: int) -> int:
        return until_ms - since_ms

    assert outside(0, 100, [], left) == 100
    assert outside(0, 100, [(20, 40), (30, 50), (90, 300)], left) == 60
    assert outside(0, 100, [(-5, 300)], left) == 0
