"""MAE and MFE by hand and by a plain loop, and where the order inside a bar is unknown the worse is taken."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aister.analytics.excursions import excursions, summarise
from aister.core.money import UNIT
from aister.kernels.trades import LIQUIDATION, STOP, TARGET, TIME
from tests.fakes.rows import MINUTE_MS, START_MS, market, series, trades

HIGH = np.array([101.0, 104.0, 103.0, 109.0, 102.0])
LOW = np.array([99.0, 98.0, 97.0, 95.0, 96.0])
BARS = series(np.full(5, 100.0), high=HIGH, low=LOW)
UNIT_PER_STEP = 100 * 1_000 * 10_000  # 100 quote = 1,000 ticks of 0.1; one tick x one step = 10,000 money units


def one(first: int, inside: int, last: int, left_inside: int, side: int, leave: float, reason: int) -> np.ndarray:
    """10 steps from 100.0 in bar `first` to `leave` in bar `last`, at their opens or inside them."""
    return trades(
        1,
        entry_ms=START_MS + first * MINUTE_MS + inside * (MINUTE_MS - 1),
        exit_ms=START_MS + last * MINUTE_MS + left_inside * (MINUTE_MS - 1),
        side=side,
        entry_cost=10 * 1_000 * 10_000,
        exit_value=round(leave * 10) * 10 * 10_000,
        risk=2 * 10 * 10 * 10_000,
        reason=reason,
    )


@pytest.mark.parametrize(
    ("trade", "against", "ahead"),
    [
        (one(1, 0, 3, 0, 1, 100.0, TIME), 3.0, 4.0),  # bars 1 and 2 whole
        (one(1, 0, 3, 0, -1, 100.0, TIME), 4.0, 3.0),
        (one(1, 1, 3, 0, 1, 100.0, TIME), 3.0, 3.0),  # entered inside bar 1: its high may have come before
        (one(1, 0, 3, 1, 1, 108.0, TARGET), 5.0, 8.0),  # left inside bar 3: its low may have come before
        (one(1, 0, 3, 1, 1, 98.0, STOP), 3.0, 4.0),  # stopped: what lies beyond was not held
        (one(1, 0, 3, 1, 1, 96.0, LIQUIDATION), 4.0, 4.0),
        (one(1, 0, 3, 0, 1, 95.0, TIME), 5.0, 4.0),  # the exit's own price counts
        (one(1, 1, 1, 1, 1, 98.0, STOP), 2.0, 0.0),  # in and out of one bar
        (one(1, 1, 1, 1, -1, 98.0, TARGET), 4.0, 2.0),
    ],
)
def test_by_hand(trade: np.ndarray, against: float, ahead: float) -> None:
    found = excursions(trade, market(BARS))
    assert (found.mae[0], found.mfe[0]) == (pytest.approx(against / 100), pytest.approx(ahead / 100))
    assert (found.mae_r[0], found.mfe_r[0]) == (pytest.approx(against / 2), pytest.approx(ahead / 2))


@settings(max_examples=60)
@given(st.integers(0, 10_000), st.integers(1, 6))
def test_a_plain_loop_over_the_bars_agrees(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    close = 100 + np.cumsum(rng.integers(-3, 4, 40)) / 10
    bars = series(close, high=close + 0.5, low=close - 0.5)
    first, length = rng.integers(0, 30, count), rng.integers(1, 10, count)
    inside, left = rng.integers(0, 2, count), rng.integers(0, 2, count)
    side, reason = rng.choice([1, -1], count), rng.choice([STOP, TIME, TARGET], count)
    exits = 1_000 + rng.integers(-30, 30, count)
    rows = trades(
        count,
        entry_ms=START_MS + first * MINUTE_MS + inside * (MINUTE_MS - 1),
        exit_ms=START_MS + (first + length) * MINUTE_MS + left * (MINUTE_MS - 1),
        side=side,
        reason=reason,
        entry_cost=10 * 1_000 * 10_000,
        exit_value=10 * exits * 10_000,
    )
    found = excursions(rows, market(bars))
    for k in range(count):
        worst = best = 0.0
        ahead = side[k] * (exits[k] / 10 - 100)
        worst, best = max(worst, -ahead), max(best, ahead)
        for bar in range(first[k], first[k] + length[k] + 1):
            up, down = bars.high[bar] - 100, 100 - bars.low[bar]
            for_, against = (up, down) if side[k] > 0 else (down, up)
            leaving = bar == first[k] + length[k]
            if leaving and not left[k]:
                continue
            if not (leaving and reason[k] == STOP):
                worst = max(worst, against)
            if not leaving and not (bar == first[k] and inside[k]):
                best = max(best, for_)
        assert (found.mae[k] * 100, found.mfe[k] * 100) == (pytest.approx(worst), pytest.approx(best))


def test_each_trade_is_read_off_its_own_symbol_and_without_a_stop_has_no_r() -> None:
    other = series(np.full(5, 50.0), "ETHUSDT")
    rows = np.concatenate([one(1, 0, 3, 0, 1, 100.0, TIME)] * 2)
    rows["symbol"], rows["risk"], rows["entry_cost"], rows["exit_value"] = [0, 1], [20, 0], *[[10**8, 5 * 10**7]] * 2
    found = excursions(rows, market(BARS, other))
    assert found.mae.tolist() == pytest.approx([0.03, 0.0]) and np.isnan(found.mae_r[1])
    assert len(excursions(trades(0), market(BARS)).mae) == 0


def test_the_summary_tells_winners_from_losers() -> None:
    won, lost = one(1, 0, 3, 0, 1, 102.0, TIME), one(1, 0, 3, 0, 1, 97.0, TIME)
    won["pnl"], lost["pnl"] = UNIT, -UNIT
    rows = np.concatenate([won, lost])
    reach = summarise(rows, excursions(rows, market(BARS)))
    assert reach.winners_mae_r == (pytest.approx(1.5), pytest.approx(1.5))
    assert reach.losers_mfe_r == (pytest.approx(2.0), pytest.approx(2.0))
    assert reach.edge == pytest.approx(4 / 3) and reach.kept == pytest.approx(0.5)
    nothing = summarise(rows[:0], excursions(rows[:0], market(BARS)))
    assert nothing.winners_mae_r is nothing.losers_mfe_r is nothing.edge is nothing.kept is None
