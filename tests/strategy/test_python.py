"""What a user's class may see."""

import math
import subprocess
import sys

import pytest

from aister.strategy import Account, Bar, PythonStrategy

COLUMNS = {
    "time_ms": [60, 120, 180],
    "open": [1.0, 2.0, 3.0],
    "high": [1.5, 2.5, 3.5],
    "low": [0.5, 1.5, 2.5],
    "close": [1.2, 2.2, 3.2],
    "volume": [10.0, 20.0, 30.0],
    "1m.ema_20": [math.nan, 2.0, 2.1],
}


def at(row: int) -> Bar:
    bar = Bar("BTCUSDT", COLUMNS)
    bar._at = row
    return bar


def test_a_bar_reads_its_own_close_and_the_past() -> None:
    bar = at(1)
    assert (bar.time_ms, bar.open, bar.high, bar.low, bar.close, bar.volume) == (120, 2.0, 2.5, 1.5, 2.2, 20.0)
    assert (bar["1m.ema_20"], bar["close"], bar.before("close", 1), bar.before("close", 0)) == (2.0, 2.2, 1.2, 2.2)
    assert math.isnan(bar.before("1m.ema_20")) and math.isnan(bar.before("close", 2))


def test_a_bar_has_no_future() -> None:
    with pytest.raises(ValueError, match="future"):
        at(1).before("close", -1)


def test_a_feature_that_was_not_asked_for_is_an_error() -> None:
    with pytest.raises(KeyError):
        at(1)["1m.ema_50"]


def test_an_account_in_prices_and_money() -> None:
    held = Account([0, -1, 0, 1_000, 1_100, 60, 3, 5 * 10**8], 0.1, 1e-8)
    assert (held.free, held.side, held.waiting, held.trades, held.opened_ms) == (False, -1, False, 3, 60)
    assert (held.entry, held.stop, held.equity) == pytest.approx((100.0, 110.0, 5.0))
    flat = Account([1, 0, 0, 0, 0, 0, 3, 10**8], 0.1, 1e-8)
    assert flat.free and math.isnan(flat.entry) and math.isnan(flat.stop)


def test_the_base_class_says_what_to_write() -> None:
    with pytest.raises(NotImplementedError, match="on_bar"):
        PythonStrategy().on_bar(at(0), Account([1] + [0] * 7, 1.0, 1.0))


def test_importing_the_contract_loads_nothing_heavy() -> None:
    code = (
        "import sys; from aister.strategy import PythonStrategy, Enter; "
        "print([m for m in ('numba', 'numpy', 'pyarrow') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
