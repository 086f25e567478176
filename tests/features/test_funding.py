"""Funding exists after it is settled, and its clock is the data's own."""

from hypothesis import given
from hypothesis import strategies as st

from aister.core.events import FundingSettled
from aister.features.funding import GRACE_MS, funding_values

HOUR_MS = 3_600_000
T = 1_746_403_200_000


def read(last: FundingSettled | None, time_ms: int) -> tuple[dict[str, float], dict[str, str]]:
    values: dict[str, float] = {}
    unavailable: dict[str, str] = {}
    funding_values(last, time_ms, values, unavailable)
    assert not values.keys() & unavailable.keys()
    assert len(values) + len(unavailable) == 4
    return values, unavailable


def test_nothing_is_known_before_the_first_settlement() -> None:
    values, unavailable = read(None, T)
    assert values == {}
    assert set(unavailable.values()) == {"no funding settlement has been seen yet"}


def test_the_clock_follows_the_interval_in_the_data() -> None:
    for hours in (1, 4, 8):
        values, _ = read(FundingSettled(T, "X", 10_000, hours * HOUR_MS), T + HOUR_MS // 2)
        assert values["funding.rate"] == 1e-4
        assert values["funding.rate_8h"] == 1e-4 * 8 / hours
        assert values["funding.minutes_to_next"] == hours * 60 - 30
        assert values["funding.minutes_since"] == 30


def test_a_late_settlement_makes_everything_stale_with_its_age() -> None:
    last = FundingSettled(T, "X", -2_500, 8 * HOUR_MS)
    values, _ = read(last, T + 8 * HOUR_MS + GRACE_MS)
    assert values["funding.minutes_to_next"] == 0.0
    assert values["funding.rate"] == -2.5e-5
    values, unavailable = read(last, T + 9 * HOUR_MS)
    assert values == {}
    assert unavailable["funding.rate"] == (
        "the settlement due 60 minutes ago has not arrived; the last one is 540 minutes old"
    )


@given(rate=st.integers(-3_000_000, 3_000_000), since=st.integers(0, 8 * HOUR_MS))
def test_since_and_to_next_add_up(rate: int, since: int) -> None:
    values, _ = read(FundingSettled(T, "X", rate, 8 * HOUR_MS), T + since)
    assert abs(values["funding.minutes_since"] + values["funding.minutes_to_next"] - 480.0) < 1e-9
    assert round(values["funding.rate"] * 1e8) == rate
