"""An exchange opened on a feed: what lies before its start, and where its clock stands."""

from collections.abc import Iterator

import pytest

from aister.core.errors import DataError
from aister.core.instrument import Instrument
from aister.exchange_sim import Exchange, open_exchange
from aister.ports.feed import MarketSlice
from tests.exchange_sim.floor import FLAT, MINUTE_MS, START_MS, Client, slices, verify
from tests.sim.market import instrument


class FiveMinutes:
    """A feed of five bars."""

    base_interval_ms = MINUTE_MS
    symbols = ("BTCUSDT",)
    data_hash = "five"
    flags = ()

    @property
    def instruments(self) -> dict[str, Instrument]:
        return {"BTCUSDT": instrument()}

    def slices(self) -> Iterator[MarketSlice]:
        return slices(*[FLAT] * 5)


def test_history_can_be_read_and_is_not_played() -> None:
    made = open_exchange(FiveMinutes(), history=3, verify=verify)
    assert made.now_ms == START_MS + 3 * MINUTE_MS
    rows = Client(made).public("klines", symbol="BTCUSDT", interval="1m")
    assert [row[0] for row in rows] == [START_MS + i * MINUTE_MS for i in range(4)]
    assert {row[5] for row in rows[:3]} == {"60.0"}
    made.advance(START_MS + 10 * MINUTE_MS)
    assert Client(made, user="0x" + "22" * 20).order("BUY")["status"] == "NEW"


def test_a_bar_that_is_already_past_is_played_at_once() -> None:
    """A feed that gets its bars late (by hand, from a line that was down) is caught up with, not waited for."""
    late: list[MarketSlice] = list(slices(*[FLAT] * 2))
    feed = iter([late[0]])
    made = Exchange({"BTCUSDT": instrument()}, feed, MINUTE_MS, verify=verify)
    made.advance(START_MS + 5 * MINUTE_MS)
    made.market._slices = iter(late[1:])
    made.advance(START_MS + 6 * MINUTE_MS)
    rows = Client(made).public("klines", symbol="BTCUSDT", interval="1m")
    assert [row[0] for row in rows] == [START_MS, START_MS + MINUTE_MS]


def test_times_are_shifted_by_whole_intervals() -> None:
    wanted = 1_800_000_012_345
    made = open_exchange(FiveMinutes(), history=1, start_ms=wanted, verify=verify)
    assert 0 <= wanted - made.now_ms < MINUTE_MS
    assert made.now_ms % MINUTE_MS == START_MS % MINUTE_MS


def test_a_feed_that_is_all_history_is_refused() -> None:
    with pytest.raises(DataError, match="ends within"):
        open_exchange(FiveMinutes(), history=5, verify=verify)
