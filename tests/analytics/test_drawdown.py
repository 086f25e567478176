"""The deepest drawdown is the one over every close and every fill, however few points are kept."""

from pathlib import Path

import numpy as np
import pytest

from aister.analytics.collect import collect
from aister.analytics.drawdown import Drawdown, Waterline, deepest_fall
from aister.analytics.metrics import measure
from aister.core.audit import Audit
from aister.core.events import BarClosed, FundingPaid, InstrumentListed, OrderFilled, RunStarted
from aister.core.money import UNIT
from aister.core.trade import Purpose, Side
from tests.fakes.audits import HOUR_MS, MINUTE_MS, START_MS, Tape, one_trade


def plainly(times: list[int], values: list[float]) -> Drawdown:
    """The same from the whole series at once."""
    series = np.array(values)
    below = 1.0 - series / np.maximum.accumulate(series)
    bottom = int(below.argmax())
    if below[bottom] == 0.0:
        return Drawdown()
    peak = int(np.flatnonzero(below[:bottom] == 0.0)[-1])
    after = np.flatnonzero(series[bottom:] >= series[peak])
    return Drawdown(below[bottom], times[peak], times[bottom], times[bottom + after[0]] if after.size else None)


@pytest.mark.parametrize("seed", range(40))
def test_point_by_point_is_all_at_once(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = (100.0 + np.cumsum(rng.integers(-2, 3, 60))).tolist()
    line, pieces = Waterline(), []
    for time, value in enumerate(values):
        line.see(time, value)
        if rng.random() < 0.2:
            pieces.append(line.since())
    pieces.append(line.since())
    assert line.deepest == plainly(list(range(60)), values) == deepest_fall(range(60), np.array(values))
    assert max(pieces) == line.deepest.depth


def test_a_series_that_never_falls_has_none() -> None:
    line = Waterline()
    for time in range(5):
        line.see(time, 1.0 + time // 2)
    assert line.deepest == Drawdown() and line.since() == 0.0
    assert deepest_fall(range(5), np.array([1.0, 1.0, 2.0, 2.0, 3.0])) == deepest_fall([], np.empty(0)) == Drawdown()


def test_a_fall_between_two_hours_is_seen_with_its_peak() -> None:
    """Long 10 x 0.001 at 1,000.0 quote: a minute's close 100 below 1,050 costs 1.0 and is back within the hour."""
    tape = Tape(capital=1_000.0)
    tape.bar(59, 1_000.0)
    tape.fill(START_MS + HOUR_MS, Purpose.ENTRY, Side.BUY, 10, 10_000, 0.0, "s-1-r-long")
    for minute, close in enumerate((1_000.0, 1_050.0, 980.0, 950.0, 1_040.0, 1_060.0), 60):
        tape.bar(minute, close)
    tape.hours(1, 3, 1_060.0)
    result = collect(tape.end())
    minute = START_MS + HOUR_MS + MINUTE_MS
    peak = 1_000 + 0.01 * 50
    deepest = Drawdown(1 - (peak - 1.0) / peak, minute + MINUTE_MS, minute + 3 * MINUTE_MS, minute + 5 * MINUTE_MS)
    assert result.equity.deepest == deepest
    assert dict(zip(result.equity.times_ms, result.equity.drawdown, strict=True))[START_MS + 2 * HOUR_MS] == (
        deepest.depth
    )
    m = measure(result, seed=1)
    assert (m.max_drawdown, m.drawdown_ms, m.drawdown_recovered) == (deepest.depth, 4 * MINUTE_MS, True)


def over_all_closes(audits: list[Audit]) -> tuple[list[int], list[float]]:
    """Equity at every moment at which all bars of that time have closed, and after every fill: nothing skipped."""
    times, values = [], []
    cash, held, close, unit = 0, {}, {}, {}

    def look(time_ms: int) -> None:
        times.append(time_ms)
        values.append(float(cash + sum(n * round(close[s] * unit[s][1]) * unit[s][0] for s, n in held.items())))

    for audit, after in zip(audits, [*audits[1:], None], strict=True):
        match audit.event:
            case RunStarted(capital=capital):
                cash = capital
                look(audit.event.time_ms)
            case InstrumentListed(instrument=one):
                unit[one.symbol] = (one.unit, 1e8 / one.tick_e8)
            case FundingPaid(amount=amount):
                cash -= amount
            case OrderFilled(fill=f):
                cash -= f.side * f.price_ticks * f.steps * unit[f.symbol][0] + f.fee
                held[f.symbol] = held.get(f.symbol, 0) + f.side * f.steps
                look(f.time_ms)
            case BarClosed(symbol=symbol, time_ms=time_ms):
                close[symbol] = audit.event.close
                whole = after is None or not isinstance(after.event, BarClosed) or after.event.time_ms != time_ms
                if whole:
                    look(time_ms)
    return times, values


def test_it_is_the_one_over_all_closes_of_a_hand_made_journal() -> None:
    audits = one_trade().audits
    assert collect(audits).equity.deepest == plainly(*over_all_closes(audits))


@pytest.mark.parametrize("days", [11, 16])
def test_it_is_the_one_over_all_closes_of_a_real_run(tmp_path: Path, days: int) -> None:
    from aister.app.build import build_run, open_data, open_run_journal
    from aister.app.settings import RunSettings
    from aister.engine.runner import run_sync

    settings = RunSettings(strategy="ema_cross", mind="none", end_ms=START_MS + days * 24 * HOUR_MS)
    feed = open_data(settings)
    journal = open_run_journal(tmp_path, settings, feed)
    run_sync(build_run(settings, feed, journal).run)
    audits = list(journal.records())
    result = collect(audits)
    times, values = over_all_closes(audits)
    expected = plainly(times, values)
    assert result.equity.deepest == expected
    assert measure(result, seed=1).max_drawdown == max(result.equity.drawdown) == expected.depth > 0.0
    kept = np.array(result.equity.amounts, float)
    assert len(kept) < len(times) / 50
    assert (1 - kept / np.maximum.accumulate(kept)).max() < expected.depth, "the kept points alone would miss it"
    assert result.equity.amounts[-1] / UNIT == pytest.approx(values[-1] / UNIT)
    journal.close()  # type: ignore[attr-defined]
