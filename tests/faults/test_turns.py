import time
from itertools import count
from pathlib import Path

from tests.faults.turns import Turns


def test_of_several_the_longest_wait_counts(tmp_path: Path) -> None:
    """Two threads of which one waits 30 ms between two looks and the other 20: 30 are told, not 50."""
    places = [tmp_path / "one", tmp_path / "other"]
    for place in places:
        place.write_text("1 0 1", "ascii")
    looks = count()

    def threads() -> list[Path]:
        if next(looks) == 1:
            for place, waited_ms in zip(places, (30, 20), strict=True):
                place.write_text(f"1 {waited_ms * 1_000_000} 1", "ascii")
        return places

    turns = Turns(threads, lambda: 1_000, speed=2.0)
    turns.begin()
    until = time.monotonic() + 10
    while turns.missed_ms(0, 2_000) == 0 and time.monotonic() < until:
        time.sleep(0.01)
    turns.end()
    assert turns.missed_ms(0, 2_000) == 60
    assert turns.missed_ms(2_000, 3_000) == 0
