"""Q33: after its declared warm-up, no value remembers where history began by more than 1e-6 of its scale."""

import numpy as np
import pytest

from aister.kernels.averages import START_EFFECT, decay_bars
from aister.kernels.features import symbol_state, tabulate
from aister.kernels.outputs import OUTPUTS, Output
from tests.kernels.walks import MINUTE_MS, walk

LATER = 1_500
RECURSIVE = ("ema_20", "ema_50", "rsi_14", "macd_signal", "atr_14", "adx_14", "plus_di_14", "ema_spread")


def start_effect(output: Output, seed: int, after: int) -> float:
    """Largest difference, relative to its usual size, that starting 1,500 bars later makes from bar `after` on."""
    bars = walk(2_950, seed)
    early = tabulate(symbol_state(MINUTE_MS), *bars, 0)[1][output.name][LATER:]
    late = tabulate(symbol_state(MINUTE_MS), *bars.take(slice(LATER, None)), 0)[1][output.name]
    effect = np.abs(late - early)[after - 1 :] / np.nanmedian(np.abs(early))
    assert np.isfinite(effect).any()
    return float(np.nanmax(effect))


@pytest.mark.parametrize("output", OUTPUTS, ids=lambda output: output.name)
def test_the_start_of_history_is_forgotten_after_the_warm_up(output: Output) -> None:
    assert max(start_effect(output, seed, output.warmup) for seed in (41, 42, 43)) < START_EFFECT


@pytest.mark.parametrize("name", RECURSIVE)
def test_and_not_long_before(name: str) -> None:
    """The control: with half the warm-up of a recursive rule its start still shows, so the test above can fail."""
    output = next(output for output in OUTPUTS if output.name == name)
    assert max(start_effect(output, seed, output.warmup // 2) for seed in (41, 42, 43)) > START_EFFECT


def test_decay_is_the_smallest_number_of_bars() -> None:
    for retained in (0.5, 13 / 14, 49 / 51):
        k = decay_bars(retained)
        assert retained**k < START_EFFECT <= retained ** (k - 1)
        assert decay_bars(retained, stages=2) > k
