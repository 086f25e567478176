"""Templates are clean, a peek is caught with its time and reach, and what cannot be judged is said to be so."""

import numpy as np
import pytest

from aister.adapters.feeds.recorded import open_feed
from aister.kernels.signals import EXIT, SETUP
from aister.lab.detectors.lookahead import detect_lookahead
from aister.lab.detectors.reading import SpecReading
from aister.lab.detectors.verdict import Verdict
from aister.lab.detectors.warm_up import detect_warm_up
from aister.lab.detectors.worlds import OtherFutures, between, moments, other_instruments, until
from aister.ports.market import Market
from aister.ports.signals import Signals
from aister.strategy.templates import template, template_names
from tests.cheats.strategies import made_market
from tests.fakes.rows import MINUTE_MS, START_MS

COST_E8 = 100_000


@pytest.fixture(scope="module")
def sample() -> Market:
    return open_feed("sample").market()


@pytest.mark.parametrize("name", template_names())
def test_every_template_is_clean(name: str, sample: Market) -> None:
    reading = SpecReading(template(name), dict.fromkeys(sample.symbols, COST_E8))
    found = detect_lookahead(reading.says, sample, cuts=4, whole_day=False)
    assert (found.verdict, found.first) == (Verdict.CLEAN, None)
    warm = detect_warm_up(reading.says, sample, warm_up_ms=reading.warm_up_ms, features=reading.features, starts=3)
    assert (warm.verdict, warm.drifts) == (Verdict.CLEAN, ())
    assert warm.worst <= 1e-6
    assert warm.compared > 1_000


def test_a_template_is_clean_at_every_bar_of_its_busiest_day(sample: Market) -> None:
    one = Market(sample.series[:1], sample.span_ms, "one")
    reading = SpecReading(template("swing_structure"), {"BTCUSDT": COST_E8})
    found = detect_lookahead(reading.says, one, cuts=1, warm_up_ms=reading.warm_up_ms)
    assert found.verdict is Verdict.CLEAN
    assert found.day_ms is not None
    assert found.day_cuts == 1_440


def _row(time_ms: int, stop: int = 1) -> np.ndarray:  # type: ignore[type-arg]
    rows = np.zeros(1, SETUP)
    rows["time_ms"], rows["side"], rows["stop_ticks"] = time_ms, 1, stop
    return rows


def _peeks(at: int, ahead: int) -> object:
    """Says one thing, at bar `at`: the close of the bar `ahead` later, or nothing when there is none."""

    def says(market: Market) -> dict[str, Signals]:
        one = market.series[0]
        if len(one.close) <= at + ahead:
            return {one.symbol: Signals.none()}
        time_ms = int(one.open_ms[at]) + one.interval_ms
        return {one.symbol: Signals(_row(time_ms, round(one.close[at + ahead] * 10)), np.zeros(0, EXIT))}

    return says


@pytest.mark.parametrize("ahead", [1, 7, 60])
def test_the_reach_of_a_peek(ahead: int) -> None:
    found = detect_lookahead(_peeks(50, ahead), made_market(200), cuts=150)  # type: ignore[arg-type]
    assert found.verdict is Verdict.CAUGHT
    assert found.first is not None
    assert (found.first.time_ms, found.first.what) == (START_MS + 51 * MINUTE_MS, "long entry")
    assert found.first.reach_ms == ahead * MINUTE_MS
    assert "2025-01-01 00:51" in found.sentence


def test_signals_that_follow_the_brackets_are_caught() -> None:
    def says(market: Market) -> dict[str, Signals]:
        one = market.series[0]
        return {one.symbol: Signals(_row(int(one.open_ms[0]), one.instrument.min_steps), np.zeros(0, EXIT))}

    found = detect_lookahead(says, made_market(), cuts=5, whole_day=False)
    assert found.first is not None
    assert (found.verdict, found.first.through) == (Verdict.CAUGHT, "instruments")
    assert "brackets and filters" in found.sentence


def test_exits_are_judged_too() -> None:
    def says(market: Market) -> dict[str, Signals]:
        one = market.series[0]
        falls = np.flatnonzero(np.diff(one.close) < 0)  # known a bar later
        rows = np.zeros(len(falls), EXIT)
        rows["time_ms"], rows["side"] = one.open_ms[falls] + one.interval_ms, -1
        return {one.symbol: Signals(Signals.none().setups, rows)}

    found = detect_lookahead(says, made_market(100), cuts=90, whole_day=False)
    assert found.first is not None
    assert (found.verdict, found.first.what) == (Verdict.CAUGHT, "short exit")


def test_silence_is_not_called_clean() -> None:
    found = detect_lookahead(lambda market: {"BTCUSDT": Signals.none()}, made_market(), cuts=5)
    assert found.verdict is Verdict.UNKNOWN
    assert "says nothing" in found.sentence


def test_worlds_share_their_past_and_nothing_else() -> None:
    market = made_market(240)
    others, cut_ms = OtherFutures(market, 5), int(moments(market)[99])
    one, was = others.after(cut_ms).series[0], market.series[0]
    for name in ("open", "high", "low", "close", "volume"):
        assert (getattr(one, name)[:100] == getattr(was, name)[:100]).all()
        assert (getattr(one, name)[100:] != getattr(was, name)[100:]).mean() > 0.9
    assert (one.low[100:] <= np.minimum(one.open, one.close)[100:]).all()
    assert (one.high[100:] >= np.maximum(one.open, one.close)[100:]).all()
    settled = was.funding_ms < cut_ms
    assert (one.funding_e8[settled] == was.funding_e8[settled]).all()
    assert (one.funding_e8[~settled] != was.funding_e8[~settled]).all()
    cut = until(market, cut_ms).series[0]
    assert len(cut.open_ms) == 100
    assert (cut.funding_ms < cut_ms).all()


def test_a_settlement_at_the_cut_is_not_known_yet() -> None:
    market = made_market(240)
    cut_ms = int(market.series[0].funding_ms[3])
    assert until(market, cut_ms).series[0].funding_ms[-1] < cut_ms


def test_a_part_of_a_market_begins_and_ends_where_asked() -> None:
    part = between(made_market(240), START_MS + 60 * MINUTE_MS, START_MS + 90 * MINUTE_MS)
    assert part.span_ms == (START_MS + 60 * MINUTE_MS, START_MS + 90 * MINUTE_MS)
    assert part.series[0].funding_ms.tolist() == [START_MS + 60 * MINUTE_MS]


def test_other_instruments_keep_grid_and_fees() -> None:
    was = made_market().series[0].instrument
    other = other_instruments(made_market()).series[0].instrument
    assert (other.tick_e8, other.step_e8, other.taker_e8) == (was.tick_e8, was.step_e8, was.taker_e8)
    assert other.min_steps != was.min_steps
    assert other.band_up_e8 != was.band_up_e8
