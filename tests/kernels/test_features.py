"""The feature state: closed bars only, from one stream; live = batch = restored; nothing after t changes t."""

from typing import Any

import numpy as np
import pytest

from aister.kernels import entry
from aister.kernels.features import (
    BAD_BAR,
    LATE_BAR,
    MISPLACED_BAR,
    SLOTS,
    TIMEFRAMES,
    batch,
    live,
    symbol_state,
    tabulate,
    values,
)
from aister.kernels.outputs import OUT, OUTPUTS
from aister.kernels.state import State, restore, snapshot
from tests.kernels.walks import MINUTE_MS, START_MS, Bars, resample, walk

M5, M15, H1, H4 = 1, 2, 3, 4


def one_bar(state: State) -> Any:
    return entry(live, state, 0, 1.0, 1.0, 1.0, 1.0, 0.0)


def feed(state: State, bars: Bars) -> list[int]:
    take = one_bar(state)
    return [take(state, *row) for row in bars.rows()]


def without(bars: Bars, *minutes: int) -> Bars:
    return bars.take(np.setdiff1d(np.arange(bars.c.size), minutes))


def test_live_is_batch_is_restored_to_the_byte() -> None:
    bars = without(walk(3_000, seed=21), 100, 700, 701, 702, 703, 704, 705, 2_000)
    looped, stepped, resumed = (symbol_state(MINUTE_MS) for _ in range(3))
    tables = [tabulate(symbol_state(MINUTE_MS), *bars, slot) for slot in range(SLOTS)]
    nothing = batch(looped, *bars, -1, np.zeros(0, "i8"), np.zeros(0, OUT))
    assert nothing == 0
    take, seen, state = one_bar(stepped), values(stepped), stepped
    rows: list[list[bytes]] = [[] for _ in TIMEFRAMES]
    for i, row in enumerate(bars.rows()):
        if i == 1_234:
            restore(resumed, snapshot(stepped))
            state, seen = resumed, values(resumed)
        closed = take(state, *row)
        for slot in range(SLOTS):
            if closed >> slot & 1:
                rows[slot].append(seen[slot].tobytes())
    assert resumed.tobytes() == looped.tobytes()
    for slot, (opened, out) in enumerate(tables):
        assert out.tobytes() == b"".join(rows[slot])
        assert opened.size == len(rows[slot]) > 10


def test_the_entry_point_is_the_dispatcher_and_there_is_one_signature() -> None:
    bars = walk(300, seed=22)
    fast, plain = symbol_state(MINUTE_MS), symbol_state(MINUTE_MS)
    assert feed(fast, bars) == [live(plain, *row) for row in bars.rows()]
    assert fast.tobytes() == plain.tobytes()
    tabulate(symbol_state(MINUTE_MS), *bars, 0)
    assert len(live.signatures) == len(batch.signatures) == 1  # type: ignore[attr-defined]


def test_entry_refuses_a_kernel_compiled_twice() -> None:
    from aister.kernels import kernel

    @kernel
    def double(x: float) -> float:
        return x + x

    assert entry(double, 1.5)(1.5) == 3.0
    with pytest.raises(TypeError, match="compiled for 2 sets of types"):
        entry(double, 1)


def test_a_timeframe_closes_with_the_base_bar_that_ends_it_and_is_still_between() -> None:
    bars = walk(600, seed=23)
    state = symbol_state(MINUTE_MS)
    take, seen = one_bar(state), values(state)
    before = seen.copy()
    for i, row in enumerate(bars.rows()):
        closed = take(state, *row)
        for slot, (_, interval_ms) in enumerate(TIMEFRAMES):
            ends = (i + 1) * MINUTE_MS % interval_ms == 0
            assert bool(closed >> slot & 1) == ends
            if not ends:
                assert seen[slot].tobytes() == before[slot].tobytes()
        before = seen.copy()
    tf = state["tf"][0]
    assert tf["n"].tolist() == [600, 120, 40, 10, 2]
    assert tf["known_at_ms"].tolist() == [
        START_MS + n * i for n, (_, i) in zip(tf["n"].tolist(), TIMEFRAMES, strict=True)
    ]
    assert (tf["complete"] == 1).all()
    assert (tf["unbroken"] == tf["n"]).all()
    assert (tf["missing"] == 0).all()


@pytest.mark.parametrize("slot", [M5, M15, H1, H4])
def test_larger_bars_are_the_groups_of_base_bars(slot: int) -> None:
    bars = walk(1_440, seed=24)
    opened, out = tabulate(symbol_state(MINUTE_MS), *bars, slot)
    expected = resample(bars, TIMEFRAMES[slot][1])
    assert opened.tolist() == expected.open_time_ms.tolist()
    for name, column in zip(("open", "high", "low", "close"), expected[1:5], strict=True):
        assert out[name].tolist() == column.tolist()
    np.testing.assert_allclose(out["volume"], expected.v, rtol=1e-12)


def test_what_began_before_the_first_base_bar_is_not_built() -> None:
    bars = walk(1_440, seed=25).take(slice(61, None))
    for slot, first in ((M5, 65), (M15, 75), (H1, 120), (H4, 240)):
        opened, _ = tabulate(symbol_state(MINUTE_MS), *bars, slot)
        assert opened[0] == START_MS + first * MINUTE_MS


def test_a_missing_base_bar_makes_its_bars_incomplete_and_nothing_is_filled() -> None:
    state = symbol_state(MINUTE_MS)
    bars = walk(30, seed=26)
    feed(state, without(bars, 7))
    five, quarter = state["tf"][0][M5], state["tf"][0][M15]
    assert (five["n"], five["missing"], five["complete"], five["unbroken"]) == (6, 1, 1, 4)
    assert (quarter["n"], quarter["missing"], quarter["complete"], quarter["unbroken"]) == (2, 1, 1, 1)
    assert state["tf"][0][0]["unbroken"] == 22
    assert state["tf"][0][0]["missing"] == 1


def test_a_missing_last_base_bar_closes_its_bar_late_and_incomplete() -> None:
    state = symbol_state(MINUTE_MS)
    bars = walk(20, seed=27)
    closed = feed(state, without(bars, 9).take(slice(0, 10)))
    five = state["tf"][0][M5]
    assert closed[-2:] == [1, 1 | 1 << M5]  # minute 8, then minute 10 tells that minute 9 never came
    assert (five["n"], five["complete"], five["missing"]) == (2, 0, 1)
    assert (five["open_time_ms"], five["known_at_ms"]) == (START_MS + 5 * MINUTE_MS, START_MS + 11 * MINUTE_MS)
    assert five["out"]["close"] == bars.c[8]


def test_a_bar_that_breaks_one_off_and_completes_another_shows_the_newer() -> None:
    state = symbol_state(MINUTE_MS)
    bars = walk(20, seed=28)
    closed = feed(state, without(bars, 9, 10, 11, 12, 13).take(slice(0, 10)))
    five = state["tf"][0][M5]
    assert closed[-1] == 1 | 1 << M5 | 1 << M15
    assert (five["n"], five["complete"], five["missing"]) == (3, 0, 1 + 4)
    assert five["open_time_ms"] == START_MS + 10 * MINUTE_MS
    assert five["out"]["close"] == bars.c[14]


def test_a_hole_larger_than_a_timeframe_is_counted_and_breaks_the_row() -> None:
    state = symbol_state(MINUTE_MS)
    feed(state, without(walk(60, seed=29), *range(15, 40)))
    five = state["tf"][0][M5]
    assert (five["n"], five["complete"], five["missing"], five["unbroken"]) == (7, 1, 25, 4)


def test_timeframes_below_the_feed_are_unavailable() -> None:
    bars = walk(500, seed=30, interval_ms=TIMEFRAMES[M15][1])
    state = symbol_state(TIMEFRAMES[M15][1])
    closed = feed(state, bars)
    assert {mask & 0b11 for mask in closed} == {0}
    assert all(mask >> M15 & 1 for mask in closed)
    assert state["tf"][0]["n"].tolist() == [0, 0, 500, 125, 31]
    assert np.isnan(values(state)[:2]).all()


OK = (100.0, 101.0, 99.0, 100.5, 1.0)


@pytest.mark.parametrize(
    ("minute", "bar", "refusal"),
    [
        (10.0, (100.0, 99.5, 99.0, 99.2, 1.0), BAD_BAR),
        (10.0, (100.0, 101.0, 99.0, 98.0, 1.0), BAD_BAR),
        (10.0, (0.0, 101.0, 0.0, 100.0, 1.0), BAD_BAR),
        (10.0, (100.0, 101.0, 99.0, 100.0, -1.0), BAD_BAR),
        (10.0, (100.0, 101.0, 99.0, np.nan, 1.0), BAD_BAR),
        (10.0, (100.0, np.inf, 99.0, 100.0, 1.0), BAD_BAR),
        (10.0, (100.0, 101.0, 99.0, 100.0, np.nan), BAD_BAR),
        (9.0, OK, LATE_BAR),
        (3.0, OK, LATE_BAR),
        (10.5, OK, MISPLACED_BAR),
    ],
)
def test_a_refused_bar_changes_nothing(minute: float, bar: tuple[float, ...], refusal: int) -> None:
    state = symbol_state(MINUTE_MS)
    feed(state, walk(10, seed=31))
    before = state.tobytes()
    assert one_bar(state)(state, START_MS + int(minute * MINUTE_MS), *bar) == refusal
    assert state.tobytes() == before
    assert one_bar(state)(state, START_MS + 10 * MINUTE_MS, *OK) == 1


def test_a_batch_names_the_bar_it_refused() -> None:
    bars = walk(100, seed=32)
    bars.h[40] = 1.0
    with pytest.raises(ValueError, match="bar 40 "):
        tabulate(symbol_state(MINUTE_MS), *bars, 0)


def test_noise_after_a_cut_changes_nothing_before_it() -> None:
    bars, noise = walk(2_880, seed=33), walk(2_880, seed=34)
    whole = [tabulate(symbol_state(MINUTE_MS), *bars, slot) for slot in range(SLOTS)]
    for cut in np.random.default_rng(35).integers(1, 2_880, 40).tolist():
        mixed = Bars(*(np.concatenate((a[:cut], b[cut:])) for a, b in zip(bars, noise, strict=True)))
        for slot, (_, interval_ms) in enumerate(TIMEFRAMES):
            closed = cut * MINUTE_MS // interval_ms
            assert (
                tabulate(symbol_state(MINUTE_MS), *mixed, slot)[1][:closed].tobytes()
                == whole[slot][1][:closed].tobytes()
            )


def test_derived_values_follow_their_definitions() -> None:
    _, out = tabulate(symbol_state(MINUTE_MS), *walk(2_000, seed=36), 0)
    now, before = out[500:], out[499:-1]
    for name, expected in {
        "bollinger_position": (now["close"] - now["bollinger_lower"])
        / (now["bollinger_upper"] - now["bollinger_lower"]),
        "bollinger_bandwidth": (now["bollinger_upper"] - now["bollinger_lower"]) / now["sma_20"],
        "swing_position": (now["close"] - now["swing_low"]) / (now["swing_high"] - now["swing_low"]),
        "vwap_distance": (now["close"] - now["vwap"]) / now["atr_14"],
        "ema_20_slope": (now["ema_20"] - before["ema_20"]) / now["atr_14"],
        "ema_50_slope": (now["ema_50"] - before["ema_50"]) / now["atr_14"],
        "ema_spread": (now["ema_20"] - now["ema_50"]) / now["atr_14"],
    }.items():
        assert now[name].tolist() == expected.tolist(), name
    returns = np.diff(np.log(out["close"]))
    windows = np.lib.stride_tricks.sliding_window_view(returns, 96)
    np.testing.assert_allclose(out["volatility_96"][96:], windows.std(axis=1), rtol=1e-9)
    assert (now["swing_high_known_at"] - now["swing_high_formed_at"] == 4 * MINUTE_MS).all()


def test_the_table_of_outputs_is_the_record() -> None:
    assert OUT.names == tuple(output.name for output in OUTPUTS)
    assert len(set(OUT.names)) == len(OUTPUTS)
    assert all(output.unit and output.meaning.endswith(".") and output.warmup >= 1 for output in OUTPUTS)
    state = symbol_state(MINUTE_MS)
    feed(state, walk(120, seed=37))
    for slot in range(SLOTS):
        np.testing.assert_array_equal(values(state)[slot], [state["tf"][0][slot]["out"][name] for name in OUT.names])
