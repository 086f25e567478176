"""How rules are compiled (`kernels/rules.py` leans on numba's inside): the same answer from Python and from a kernel,
one set of types, and out of the cache into a driver that did not exist when it was compiled."""

import os
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import numpy.typing as npt
from hypothesis import given, settings
from hypothesis import strategies as st

from aister.kernels import Record, kernel, rare, step
from aister.kernels.averages import EMA, ema, set_ema
from aister.kernels.sizing import size_for_risk
from aister.kernels.state import State, allocate

WHOLE = st.integers(0, 10**12)


@kernel
def _sized(wallet: int, risk_e8: int, distance: int, unit: int) -> int:
    return size_for_risk(wallet, risk_e8, distance, unit)


@settings(max_examples=60, deadline=None)
@given(wallet=WHOLE, risk_e8=st.integers(0, 10**8), distance=st.integers(0, 10**7), unit=st.integers(1, 10**6))
def test_a_rule_called_from_python_is_the_rule_in_a_kernel(wallet: int, risk_e8: int, distance: int, unit: int) -> None:
    assert size_for_risk(wallet, risk_e8, distance, unit) == _sized(wallet, risk_e8, distance, unit)


@kernel
def _averages(state: State, xs: npt.NDArray[np.float64], out: npt.NDArray[np.float64]) -> None:
    s = state[0]
    for i in range(xs.size):
        out[i] = ema(s, xs[i])


def test_a_rule_with_a_memory_leaves_the_same_bytes_either_way() -> None:
    xs = np.random.default_rng(1).normal(100.0, 1.0, 200)
    driven, called, out = allocate(EMA), allocate(EMA), np.empty(200)
    for state in (driven, called):
        set_ema(state[0], 7)
    _averages(driven, xs, out)
    by_hand = np.array([ema(called[0], x) for x in xs])
    assert by_hand.tobytes() == out.tobytes()
    assert called.tobytes() == driven.tobytes()


@step
def _doubled(s: Record, by: int) -> int:
    s.count += by
    return int(s.count) * 2


@rare
def _halved(s: Record, by: int) -> int:
    s.count -= by
    return int(s.count) // 2


@kernel
def _all_kinds_of_integers(state: State, small: npt.NDArray[np.int32], wide: npt.NDArray[np.int64], given: int) -> int:
    s = state[0]
    total = _doubled(s, 1) + _doubled(s, small[0]) + _doubled(s, wide[0]) + _doubled(s, given)
    return total + _halved(s, 3) + _halved(s, small[0]) + _halved(s, wide[0]) + _halved(s, given)


def test_a_constant_and_a_variable_are_one_set_of_types() -> None:
    state = allocate(np.dtype([("count", "i8")]))
    given = state, np.array([2], np.int32), np.array([3], np.int64), 4
    assert _all_kinds_of_integers(*given) == 2 * (1 + 3 + 6 + 10) + 7 // 2 + 5 // 2 + 2 // 2 + -2 // 2
    # a driver that no cache holds, or nothing would ask for the rules
    numba.njit(error_model="numpy")(_all_kinds_of_integers.py_func)(*given)  # type: ignore[attr-defined]
    assert [len(one.signatures) for one in (_doubled, _halved)] == [1, 1]  # type: ignore[attr-defined]


RULES = """
import numpy as np
from aister.kernels import kernel, rare, step

@step
def inner(s, x):
    s.sum += x
    return s.sum

@rare
def outer(s, x):
    return inner(s, x) * 2 + inner(s, 1)

@kernel
def first(state, xs):
    total = 0
    for i in range(xs.size):
        total += outer(state[0], xs[i])
    return total

@kernel
def second(state, xs):
    return outer(state[0], xs[0]) - inner(state[0], xs[1])
"""
ASK = """
import sys
import numpy as np
import made_up
state, xs = np.zeros(8, "u1").view([("sum", "i8")]), np.array([5, 7])
print(getattr(made_up, sys.argv[1])(state, xs), int(state[0]["sum"]))
for one in (made_up.inner, made_up.outer):
    print(sum(one.stats.cache_hits.values()), sum(one.stats.cache_misses.values()))
"""


def asked(folder: Path, driver: str) -> list[str]:
    """What a process of its own prints that runs this driver on the cache in `folder`."""
    path = os.pathsep.join([str(folder), *sys.path])
    environment = {**os.environ, "AISTER_CACHE": str(folder / "cache"), "PYTHONPATH": path}
    done = subprocess.run(
        [sys.executable, "-c", ASK, driver], env=environment, capture_output=True, text=True, check=True, timeout=400
    )
    return done.stdout.split("\n")[:-1]


def test_a_rule_out_of_the_cache_serves_a_driver_made_later(tmp_path: Path) -> None:
    """5, then 1: 2 x 5 + 6 = 16; 7, then 1: 2 x 13 + 14 = 40. The second driver: 16 less 6 + 7 = 3."""
    (tmp_path / "made_up.py").write_text(RULES)
    assert asked(tmp_path, "first") == ["56 14", "0 1", "0 1"]
    assert asked(tmp_path, "second") == ["3 13", "1 0", "1 0"]
