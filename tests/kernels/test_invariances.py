"""Q21: every output declares what happens to it when prices are shifted, scaled or inverted, and keeps to it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aister.kernels.features import symbol_state, tabulate
from aister.kernels.outputs import MOVES, OUTPUTS, SAME, Output
from tests.kernels.walks import MINUTE_MS, Bars, Floats, walk

NAMES = {output.name for output in OUTPUTS}


def undeclared(output: Output) -> bool:
    return not (output.additive or output.scale or output.reciprocal or output.why)


def table(bars: Bars) -> dict[str, Floats]:
    _, out = tabulate(symbol_state(MINUTE_MS), *bars, 0)
    return {name: out[name] for name in NAMES}


def mapped(bars: Bars, o: Floats, h: Floats, l: Floats, c: Floats) -> dict[str, Floats]:
    return table(Bars(bars.open_time_ms, o, h, l, c, bars.v))


def close(got: Floats, expected: Floats) -> bool:
    known = expected[~np.isnan(expected)]
    usual = float(np.median(np.abs(known)))
    return bool(
        (np.isnan(got) == np.isnan(expected)).all() and np.allclose(got, expected, 1e-6, 1e-6 * usual, equal_nan=True)
    )


def shifted(bars: Bars, by: float) -> dict[str, Floats]:
    return mapped(bars, bars.o + by, bars.h + by, bars.l + by, bars.c + by)


def scaled(bars: Bars, k: float) -> dict[str, Floats]:
    return mapped(bars, bars.o * k, bars.h * k, bars.l * k, bars.c * k)


def test_every_output_declares() -> None:
    assert [output.name for output in OUTPUTS if undeclared(output)] == []
    assert undeclared(Output("new", "price", 1, "A value nobody thought about.", "", ""))
    for output in OUTPUTS:
        assert output.additive in ("", SAME, MOVES)
        assert output.scale in ("", SAME, MOVES)
        if output.reciprocal:
            how, partner = output.reciprocal.split()
            assert how in ("same", "inverse")
            assert partner in NAMES


@settings(max_examples=15)
@given(seed=st.integers(0, 10**6), by=st.floats(-50.0, 1_000.0))
def test_shifting_every_price(seed: int, by: float) -> None:
    bars = walk(400, seed)
    before, after = table(bars), shifted(bars, by)
    for output in OUTPUTS:
        if output.additive:
            expected = before[output.name] + by if output.additive == MOVES else before[output.name]
            assert close(after[output.name], expected), output.name


@settings(max_examples=15)
@given(seed=st.integers(0, 10**6), power=st.integers(-4, 4), k=st.floats(1.0, 9.0))
def test_scaling_every_price(seed: int, power: int, k: float) -> None:
    factor = k * 10.0**power
    bars = walk(400, seed)
    before, after = table(bars), scaled(bars, factor)
    for output in OUTPUTS:
        if output.scale:
            expected = before[output.name] * factor if output.scale == MOVES else before[output.name]
            assert close(after[output.name], expected), output.name


@settings(max_examples=15)
@given(seed=st.integers(0, 10**6), over=st.floats(1.0, 1e6))
def test_inverting_every_price(seed: int, over: float) -> None:
    bars = walk(400, seed)
    before = table(bars)
    after = mapped(bars, over / bars.o, over / bars.l, over / bars.h, over / bars.c)
    for output in OUTPUTS:
        if output.reciprocal:
            how, partner = output.reciprocal.split()
            expected = over / before[partner] if how == "inverse" else before[partner]
            assert close(after[output.name], expected), output.name


@pytest.mark.parametrize("output", [output for output in OUTPUTS if not output.additive or not output.scale])
def test_what_is_not_declared_does_not_hold(output: Output) -> None:
    """The control: an invariance left out is one the value has not, so the properties above can fail."""
    bars = walk(400, seed=51)
    before = table(bars)[output.name]
    if not output.additive:
        after = shifted(bars, 40.0)[output.name]
        assert not close(after, before)
        assert not close(after, before + 40.0)
    if not output.scale:
        after = scaled(bars, 2.0)[output.name]
        assert not close(after, before)
        assert not close(after, before * 2.0)
