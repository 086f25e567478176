"""The twelve cheats of quant Q19, as strategies: each is caught by the detector that should, and its twin is clean."""

import pytest

from aister.lab.detectors.fills import detect_fills
from aister.lab.detectors.labels import detect_labels
from aister.lab.detectors.lookahead import detect_lookahead
from aister.lab.detectors.revisions import detect_revised
from aister.lab.detectors.verdict import Verdict
from tests.cheats.strategies import (
    CALIBRATIONS,
    LOOKING,
    as_it_was,
    corrections,
    from_corrected_history,
    made_labels,
    made_market,
    momentum,
    targets_first,
    trailing,
    wide_market,
)

THROUGH = {"funding rate before settlement": "funding"}
SAME_BAR = "same-bar high before low"
RAISED = "trailing stop raised and hit in the same bar"
ELSEWHERE = {SAME_BAR, RAISED, "revised bar", "calibration from unresolved trades"}


def test_there_are_twelve() -> None:
    assert len(set(LOOKING) | ELSEWHERE) == 12


@pytest.mark.parametrize("name", LOOKING)
def test_what_looks_ahead_is_caught(name: str) -> None:
    found = detect_lookahead(LOOKING[name][0], made_market(120), cuts=40, seed=2)
    assert found.verdict is Verdict.CAUGHT
    assert found.first is not None
    assert found.first.through == THROUGH.get(name, "bars")
    assert found.first.time_ms <= found.first.cut_ms
    if found.first.through == "bars":
        assert found.first.reach_ms is not None
        assert found.first.reach_ms >= 60_000
    assert "the long entry of BTCUSDT at 2025-01-01" in found.sentence


@pytest.mark.parametrize("name", LOOKING)
def test_its_honest_twin_is_clean(name: str) -> None:
    found = detect_lookahead(LOOKING[name][1], made_market(120), cuts=20, seed=2)
    assert (found.verdict, found.first) == (Verdict.CLEAN, None)
    assert found.day_cuts == 119  # every moment between two bars of the day
    assert found.signals > 0


def test_a_high_before_a_low_is_caught_by_name() -> None:
    found = detect_fills(targets_first(wide_market(), honest=False), wide_market())
    assert found.verdict is Verdict.CAUGHT
    assert set(found.by_rule) == {SAME_BAR}
    assert SAME_BAR in found.sentence


def test_a_stop_raised_and_hit_in_one_bar_is_caught_by_name() -> None:
    found = detect_fills(trailing(wide_market(), honest=False), wide_market())
    assert found.verdict is Verdict.CAUGHT
    assert RAISED in found.by_rule
    assert found.by_rule[RAISED] == max(found.by_rule.values())


@pytest.mark.parametrize("trades", [targets_first, trailing])
def test_their_honest_twins_are_clean(trades: object) -> None:
    claims = trades(wide_market(), honest=True)  # type: ignore[operator]
    found = detect_fills(claims, wide_market())
    assert (found.verdict, found.broken) == (Verdict.CLEAN, ())
    assert found.trades == len(claims) > 20


def test_signals_from_corrected_history_are_caught() -> None:
    market = made_market(80)
    found = detect_revised(from_corrected_history(market), momentum, market, corrections(market))
    assert (found.detector, found.verdict) == ("revised bar", Verdict.CAUGHT)
    assert found.first is not None
    assert found.first[1] == corrections(market)[0].open_ms + 60_000  # the close of the first bar that was corrected


def test_signals_from_the_bars_as_they_were_are_clean() -> None:
    market = made_market(80)
    found = detect_revised(as_it_was(market), momentum, market, corrections(market))
    assert (found.verdict, found.first) == (Verdict.CLEAN, None)
    assert found.revisions == len(corrections(market)) > 5


def test_a_calibration_from_unresolved_trades_is_caught() -> None:
    cheat, honest = CALIBRATIONS
    caught = detect_labels(cheat, made_labels())
    assert (caught.detector, caught.verdict) == ("unresolved labels", Verdict.CAUGHT)
    assert caught.first_ms is not None
    clean = detect_labels(honest, made_labels())
    assert (clean.verdict, clean.first_ms) == (Verdict.CLEAN, None)
    assert clean.unresolved > 100
