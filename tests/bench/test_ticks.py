"""Rows made for the tick bench: the share of trades it says, both clocks in order, the same from one seed."""

import numpy as np

from aister.bench import BENCHES, bench
from aister.bench.ticks import seeded_rows, trades_only
from aister.kernels.ticks import LEVEL, TRADE


def test_seeded_rows_are_what_they_say() -> None:
    rows = seeded_rows(50_000, 3)
    assert abs(float((rows["kind"] == TRADE).mean()) - 0.24) < 0.01
    assert (np.diff(rows["exchange_ns"]) >= 0).all() and (np.diff(rows["local_ns"]) >= 0).all()
    assert rows.tobytes() == seeded_rows(50_000, 3).tobytes()
    assert (rows["ticks"] > 0).all()
    assert trades_only(rows, 100) > 0
    assert "ticks" in BENCHES and callable(bench("ticks"))


def test_the_sides_of_seeded_rows_never_cross() -> None:
    """Kept plainly, level by level: engines disagree about what a crossed book displays."""
    shown: dict[int, set[int]] = {1: set(), -1: set()}
    rows = seeded_rows(20_000, 3)
    for row in rows[rows["kind"] == LEVEL]:
        (shown[int(row["side"])].add if row["steps"] else shown[int(row["side"])].discard)(int(row["ticks"]))
        if row["steps"] and all(shown.values()):
            assert max(shown[1]) < min(shown[-1])
