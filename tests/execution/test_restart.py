"""A restart reads the journal once, and a million records would be taken again within a minute."""

from pathlib import Path

from tests.execution.restart import restarted, written

RECORDS, LEAST_A_SECOND = 6_000, 1_000_000 / 60


def test_every_record_is_taken_again_from_one_reading_and_fast_enough_without_a_snapshot(tmp_path: Path) -> None:
    done = restarted(tmp_path, written(tmp_path, RECORDS))
    assert done.records >= RECORDS and done.readings == 1.0
    assert done.records / (done.open_s + done.repeat_s) >= LEAST_A_SECOND
