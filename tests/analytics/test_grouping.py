"""Every trade is in one group of each table, the one of its entry."""

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aister.analytics.grouping import groups
from aister.core.money import UNIT
from tests.fakes.rows import trades


def at(*when: int) -> int:
    return int(datetime(*when, tzinfo=UTC).timestamp()) * 1_000  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("entered", "zone", "session", "weekday"),
    [
        (at(2025, 1, 6, 7, 0), "london_open", "closed", "Monday"),  # 02:00 in New York, 07:00 in London
        (at(2025, 1, 6, 9, 59, 59), "london_open", "london", "Monday"),
        (at(2025, 1, 6, 10, 0), "outside", "london", "Monday"),
        (at(2025, 1, 7, 14, 29, 59), "new_york_open", "london", "Tuesday"),
        (at(2025, 1, 7, 14, 30), "new_york_open", "london + new_york", "Tuesday"),
        (at(2025, 7, 7, 14, 30), "london_close", "london + new_york", "Monday"),  # summer: 10:30, 15:30
        (at(2025, 1, 8, 20, 59), "outside", "new_york", "Wednesday"),
        (at(2025, 1, 11, 1, 0), "asian", "closed", "Saturday"),  # 20:00 on Friday in New York
        (at(2025, 1, 11, 15, 0), "london_close", "closed", "Saturday"),
    ],
)
def test_a_trade_belongs_where_it_was_entered(entered: int, zone: str, session: str, weekday: str) -> None:
    found = groups(trades(1, entry_ms=entered, exit_ms=entered + 9), ["BTCUSDT"])
    names = {table: rows[0].name for table, rows in found.items() if table != "symbol"}
    assert names == {"side": "long", "weekday": weekday, "kill_zone": zone, "session": session}


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 10**8), st.sampled_from([1, -1]), st.integers(0, 2), st.integers(-9, 9))))
def test_every_table_holds_every_trade_once(made: list[tuple[int, int, int, int]]) -> None:
    columns = np.array(made, np.int64).reshape(-1, 4)
    rows = trades(
        len(made),
        entry_ms=1_735_689_600_000 + columns[:, 0] * 1_000,
        side=columns[:, 1],
        symbol=columns[:, 2],
        pnl=columns[:, 3] * UNIT,
        fees=UNIT,
        slippage=UNIT,
    )
    found = groups(rows, ["A", "B", "C"])
    assert list(found) == ["side", "symbol", "weekday", "kill_zone", "session"]
    for table in found.values():
        assert sum(group.trades for group in table) == len(made)
        assert sum(group.pnl for group in table) == pytest.approx(columns[:, 3].sum())
        assert sum(group.costs for group in table) == pytest.approx(2 * len(made))
    for group in found["side"]:
        mine = columns[columns[:, 1] == (1 if group.name == "long" else -1), 3]
        assert group.win_rate == pytest.approx((mine > 0).mean()) and group.expectancy == pytest.approx(mine.mean())
        assert group.expectancy_r == pytest.approx(mine.mean() / 10)
