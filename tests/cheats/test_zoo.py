"""Every known cheat is caught by name with its first offending row; its honest twin and our own features are
clean."""

import numpy as np
import pytest

from aister.features.lookahead import Bars, Table, every_cut, find_lookahead, random_cuts, with_other_future
from aister.kernels.features import TIMEFRAMES, symbol_state, tabulate
from aister.kernels.outputs import OUTPUTS
from tests.cheats.zoo import CHEATS, HONEST
from tests.kernels.walks import MINUTE_MS, walk

MINUTES = 200


def market(count: int = MINUTES, seed: int = 7) -> Bars:
    return Bars(MINUTE_MS, *walk(count, seed))


FIRST_ROW = {
    "shift(-1)": (0, MINUTE_MS),
    "centred window": (0, 5 * MINUTE_MS),
    "full-sample normaliser": (0, (MINUTES - 1) * MINUTE_MS),
    "forming higher-timeframe bar": (0, 59 * MINUTE_MS),
    "bar labelled by open": (1, MINUTE_MS),
}
"""The first row that any cut between two bars can expose, and how far it reads. (A bar labelled by its open is
exposed from the second on: before the first bar closes there is nothing to cut.)"""


@pytest.mark.parametrize("name", CHEATS)
def test_every_cheat_is_caught_by_name(name: str) -> None:
    bars = market()
    found = find_lookahead(CHEATS[name], bars, every_cut(bars), seed=1)
    assert [finding.column for finding in found] == [name]
    assert str(found[0]).startswith(f"{name}: row ")


@pytest.mark.parametrize("name", FIRST_ROW)
def test_the_first_offending_row_and_its_reach(name: str) -> None:
    bars = market()
    finding = find_lookahead(CHEATS[name], bars, every_cut(bars), seed=1)[0]
    row, reach_ms = FIRST_ROW[name]
    assert finding.row == row
    assert finding.claimed_ms <= finding.cut_ms
    if name != "forming higher-timeframe bar":
        assert finding.reach_ms == reach_ms
    else:  # the hour's high may have been made before its last minute, so noise after it changes nothing below it
        assert finding.reach_ms is not None
        assert 0 < finding.reach_ms <= reach_ms


def test_a_pivot_at_its_origin_is_caught_at_the_first_swing_that_later_bars_decide() -> None:
    bars = market()
    finding = find_lookahead(CHEATS["pivot at its origin"], bars, every_cut(bars), seed=1)[0]
    swings = CHEATS["pivot at its origin"](bars)
    assert finding.row == 0
    assert finding.claimed_ms == swings.known_at_ms[0]


@pytest.mark.parametrize("name", HONEST)
def test_the_honest_twin_is_clean(name: str) -> None:
    bars = market()
    assert find_lookahead(HONEST[name], bars, every_cut(bars), seed=1) == ()


def test_a_single_cheating_column_among_honest_ones_is_the_one_named() -> None:
    def compute(bars: Bars) -> Table:
        columns = HONEST["centred window"](bars).columns | CHEATS["shift(-1)"](bars).columns
        return Table(bars.close_time_ms, columns)

    bars = market()
    found = find_lookahead(compute, bars, random_cuts(bars, 20, seed=3), seed=1)
    assert [finding.column for finding in found] == ["shift(-1)"]


@pytest.mark.parametrize("slot", range(len(TIMEFRAMES)))
def test_our_own_features_are_clean(slot: int) -> None:
    interval_ms = TIMEFRAMES[slot][1]

    def compute(bars: Bars) -> Table:
        opened, out = tabulate(
            symbol_state(MINUTE_MS), bars.open_time_ms, bars.open, bars.high, bars.low, bars.close, bars.volume, slot
        )
        return Table(opened + interval_ms, {output.name: out[output.name].copy() for output in OUTPUTS})

    bars = market(2_000)
    assert len(compute(bars).known_at_ms) >= 8
    assert find_lookahead(compute, bars, random_cuts(bars, 40, seed=slot), seed=1) == ()


def test_our_own_features_are_caught_when_dated_by_their_open() -> None:
    """The control of the control: the same values with the wrong date are a cheat, and every price is named."""

    def compute(bars: Bars) -> Table:
        opened, out = tabulate(
            symbol_state(MINUTE_MS), bars.open_time_ms, bars.open, bars.high, bars.low, bars.close, bars.volume, 2
        )
        return Table(opened, {name: out[name].copy() for name in ("open", "high", "low", "close", "volume")})

    bars = market(300)
    found = find_lookahead(compute, bars, random_cuts(bars, 40, seed=5), seed=1)
    assert {"high", "low", "close", "volume"} <= {finding.column for finding in found}


def test_the_other_future_keeps_the_past_and_changes_the_rest() -> None:
    bars = market()
    cut_ms = int(bars.close_time_ms[99])
    other = with_other_future(bars, cut_ms, seed=1)
    for name in ("open", "high", "low", "close", "volume"):
        assert (getattr(other, name)[:100] == getattr(bars, name)[:100]).all()
        assert (getattr(other, name)[100:] != getattr(bars, name)[100:]).all()
    assert (other.low <= np.minimum(other.open, other.close)).all()
    assert (other.high >= np.maximum(other.open, other.close)).all()
    assert (other.volume > 0).all()
    assert (bars.close == market().close).all()
