"""A recursive average that is declared known too early is caught by its name; one that waits is clean."""

import numpy as np

from aister.kernels.signals import SETUP
from aister.lab.detectors.reading import Column
from aister.lab.detectors.verdict import Verdict
from aister.lab.detectors.warm_up import detect_warm_up
from aister.ports.market import Market, Series
from aister.ports.signals import Signals
from tests.cheats.strategies import made_market
from tests.fakes.rows import MINUTE_MS

SPAN = 20
LONG_ENOUGH = 7 * SPAN + 10
"""(1 - 2 / 21)^150 < 1e-6."""


def _ema(close: np.ndarray, span: int = SPAN) -> np.ndarray:  # type: ignore[type-arg]
    values = np.empty(len(close))
    value = close[0]
    for place, price in enumerate(close):
        value += 2.0 / (span + 1) * (price - value)
        values[place] = value
    return values


def _features(bars: int) -> object:
    def features(one: Series) -> dict[str, Column]:
        times = one.open_ms + one.interval_ms
        plain = Column(times, one.close, 0)
        return {"close": plain, "slow average": Column(times, _ema(one.close), bars * MINUTE_MS)}

    return features


def _says(market: Market) -> dict[str, Signals]:
    """A long at every close above the average by more than a whole point's tenth, stop at the average."""
    one = market.series[0]
    average = _ema(one.close)
    at = np.flatnonzero(one.close > average + 0.05)
    rows = np.zeros(len(at), SETUP)
    rows["time_ms"], rows["side"], rows["stop_ticks"] = one.open_ms[at] + one.interval_ms, 1, np.rint(average[at] * 10)
    return {one.symbol: Signals(rows, Signals.none().exits)}


def test_an_average_known_too_early_is_caught_by_name() -> None:
    found = detect_warm_up(_says, made_market(600), warm_up_ms=20 * MINUTE_MS, features=_features(20))  # type: ignore[arg-type]
    assert found.verdict is Verdict.CAUGHT
    assert [drift.name for drift in found.drifts if not drift.name.startswith("the ")] == ["slow average"]
    assert found.sentence.startswith("slow average of BTCUSDT at 2025-01-01")
    assert found.drifts[0].relative is not None
    assert found.drifts[0].relative > 1e-6


def test_the_same_average_after_its_warm_up_is_clean() -> None:
    found = detect_warm_up(
        _says,
        made_market(600),
        warm_up_ms=LONG_ENOUGH * MINUTE_MS,
        features=_features(LONG_ENOUGH),  # type: ignore[arg-type]
    )
    assert (found.verdict, found.drifts) == (Verdict.CLEAN, ())
    assert 0 < found.worst <= 1e-6
    assert len(found.starts_ms) == 5


def test_signals_alone_are_enough_to_catch_it() -> None:
    found = detect_warm_up(_says, made_market(600), warm_up_ms=2 * MINUTE_MS)
    assert found.verdict is Verdict.CAUGHT
    assert found.sentence.startswith("the long entry of BTCUSDT")


def test_a_history_shorter_than_the_warm_up_is_not_judged() -> None:
    found = detect_warm_up(_says, made_market(100), warm_up_ms=95 * MINUTE_MS)
    assert found.verdict is Verdict.UNKNOWN
    assert "95 min of warm-up" in found.sentence
    assert "100 min" in found.sentence
