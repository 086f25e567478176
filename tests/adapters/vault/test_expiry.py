"""What is said and allowed before an agent ends: a millisecond on either side of each line."""

import pytest

from aister.adapters.vault.expiry import expiry

HOUR = 3_600_000
END = 1_800_000_000_000


@pytest.mark.parametrize(
    ("left", "opens", "alert"),
    [
        (7 * 24 * HOUR + 1, True, -1),
        (7 * 24 * HOUR, True, 7 * 24 * HOUR),
        (24 * HOUR + 1, True, 7 * 24 * HOUR),
        (24 * HOUR, False, 24 * HOUR),
        (HOUR + 1, False, 24 * HOUR),
        (HOUR, False, HOUR),
        (1, False, HOUR),
        (0, False, 0),
        (-HOUR, False, 0),
    ],
)
def test_alerts_and_the_last_entry(left: int, opens: bool, alert: int) -> None:
    told = expiry("main", END, END - left)
    assert (told.opens, told.alert_ms) == (opens, alert)
    assert bool(told.sentence) is (alert >= 0)
    if alert >= 0:
        assert "main" in told.sentence and "create a new agent" in told.sentence
        assert ("Nothing new" in told.sentence) is (not opens and left > 0)


def test_an_unknown_end_is_said() -> None:
    told = expiry("main", 0, END)
    assert told.opens and told.alert_ms == -1 and "not known" in told.sentence
