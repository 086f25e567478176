"""Rows made for the tick bench: the share of trades it says, both clocks in order, the same from one seed."""

import numpy as np

from aister.bench import BENCHES, bench
from aister.bench.ticks import seeded_rows, trades_only
from aister.kernels.ticks import TRADE


def test_seeded_rows_are_what_they_say() -> None:
    rows = seeded_rows(50_000, 3)
    assert abs(float((rows["kind"] == TRADE).mean()) - 0.24) < 0.01
    assert (np.diff(rows["exchange_ns"]) >= 0).all() and (np.diff(rows["local_ns"]) >= 0).all()
    assert rows.tobytes() == seeded_rows(50_000, 3).tobytes()
    assert (rows["ticks"] > 0).all()
    assert trades_only(rows, 100) > 0
    assert "ticks" in BENCHES and callable(bench("ticks"))
