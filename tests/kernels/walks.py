"""Seeded random-walk bars for the kernel tests."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

MINUTE_MS = 60_000
START_MS = 1_746_403_200_000
"""2025-05-05 00:00 UTC."""

Floats = npt.NDArray[np.float64]


class Bars(NamedTuple):
    """Columns of base bars, in the order kernels take them."""

    open_time_ms: npt.NDArray[np.int64]
    o: Floats
    h: Floats
    l: Floats
    c: Floats
    v: Floats

    def take(self, chosen: slice | npt.NDArray[np.bool_] | npt.NDArray[np.int64]) -> "Bars":
        return Bars(*(column[chosen].copy() for column in self))

    def rows(self) -> list[tuple[int, float, float, float, float, float]]:
        return list(zip(*(column.tolist() for column in self), strict=True))


def walk(n: int, seed: int, start: float = 100.0, interval_ms: int = MINUTE_MS, start_ms: int = START_MS) -> Bars:
    """n bars of a geometric random walk, 10 bp a bar, opening where the last one closed."""
    rng = np.random.default_rng(seed)
    c = start * np.exp(np.cumsum(rng.normal(0.0, 1e-3, n)))
    o = np.concatenate(([start], c[:-1]))
    h = np.maximum(o, c) * (1.0 + rng.exponential(3e-4, n))
    l = np.minimum(o, c) * (1.0 - rng.exponential(3e-4, n))
    return Bars(start_ms + interval_ms * np.arange(n), o, h, l, c, rng.exponential(10.0, n))


def resample(bars: Bars, interval_ms: int) -> Bars:
    """Larger bars by grouping, written the slow way: the first group must be whole."""
    groups: dict[int, list[int]] = {}
    for i, t in enumerate(bars.open_time_ms.tolist()):
        groups.setdefault(t - t % interval_ms, []).append(i)
    return Bars(
        np.array(list(groups)),
        np.array([bars.o[i[0]] for i in groups.values()]),
        np.array([bars.h[i].max() for i in groups.values()]),
        np.array([bars.l[i].min() for i in groups.values()]),
        np.array([bars.c[i[-1]] for i in groups.values()]),
        np.array([sum(bars.v[i].tolist()) for i in groups.values()]),
    )
