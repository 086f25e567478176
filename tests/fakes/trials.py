"""Trials made by hand."""

from typing import Any

import msgspec
import numpy as np

from aister.core.trial import Trial, TrialOutcome, packed

DAY_MS = 86_400_000
START_DAY = 20_089  # 2025-01-01

_TRIAL = Trial(
    owner_id="local",
    kind="backtest",
    spec_hash="abc",
    spec='{"entry":"15m.ema_20 > 15m.ema_50"}',
    symbols=("BTCUSDT",),
    span_ms=(START_DAY * DAY_MS, (START_DAY + 10) * DAY_MS),
    interval_ms=60_000,
    data_hash="data",
    code_hash="code",
    fill_model="defaults",
    seed=1,
    settings={"capital": "10000"},
    outcome=TrialOutcome.FINISHED,
    first_day=START_DAY,
    returns=packed(np.linspace(-0.01, 0.01, 10)),
    figures={"sharpe_daily": 0.1, "sharpe_annual": None},
    name="a trial",
    made_ms=1_700_000_000_000,
)


def trial(**fields: Any) -> Trial:
    """A backtest of ten days of BTCUSDT, with these fields."""
    return msgspec.structs.replace(_TRIAL, **fields)


def sweep(count: int, **fields: Any) -> list[Trial]:
    """Cells of one grid: each its own rules and its own returns."""
    rng = np.random.default_rng(7)
    return [
        trial(
            **{
                "kind": "sweep",
                "spec_hash": f"cell-{cell}",
                "spec": f'{{"entry":"15m.ema_{cell} > 15m.ema_50"}}',
                "returns": packed(rng.normal(0, 0.01, 10)),
                **fields,
            }
        )
        for cell in range(count)
    ]
