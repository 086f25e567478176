"""Numerical rules, each written once as a step and driven by everybody: batch, event engine, simulator, training.

A *step* is one rule, `(s, inputs) -> value`, where `s` is a numba Record: one element of a structured numpy array whose
dtype is the rule's documented memory. It mutates `s` and returns its output, sees one bar at a time and so cannot see
the next, and takes no array: an array argument costs atomic reference counts at every bar. A *kernel* is a driver:
arrays in, a loop over steps.

    EMA = np.dtype([("v", "f8"), ("a", "f8")])

    @step
    def ema(s, x):
        s.v += s.a * (x - s.v)
        return s.v

    @kernel
    def batch(state, xs, out):
        s = state[0]
        for i in range(xs.size):
            out[i] = ema(s, xs[i])

    live = entry(one_bar, state, 0.0)      # cross from Python once per bar, never once per indicator

No fastmath, no parallel, division by zero gives inf or nan: so step by step = batch = restored from a snapshot, to the
byte. Kernels compile when first used, say so once, and are cached under a digest of their own sources (see `cache`).
Kernels import numpy, numba and each other only: otherwise the digest would miss something.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

from aister.kernels.cache import CacheRefused, settle
from aister.kernels.rules import KernelCompiler
from aister.kernels.rules import rule as compiled

__all__ = ["CACHE", "CacheRefused", "Record", "entry", "kernel", "rare", "step"]

_type_of: Callable[[object], Any] = numba.typeof
_njit: Callable[..., Any] = numba.njit
F = TypeVar("F", bound=Callable[..., Any])

Record = Any
"""What a step calls `s`: a numba Record in a kernel; its type is known to numba, not to the type checker."""

CACHE: Path = settle(Path(__file__).parent)
"""The folder in which this process keeps compiled kernels."""


def step(rule: F) -> F:
    """Compile a rule: Record and scalars in, scalar (or a tuple of them) out; inlined into the kernel driving it."""
    return cast(F, compiled(rule, inline=True))


def rare(rule: F) -> F:
    """Compile a rule that is called seldom: not forced inline, so that a kernel holds it once for all that call it."""
    return cast(F, compiled(rule, inline=False))


def kernel(driver: F) -> F:
    """Compile a driver: arrays in and out, the interpreter lock released while it runs."""
    options = {"error_model": "numpy", "nogil": True, "cache": True, "forceinline": False}
    return cast(F, _njit(pipeline_class=KernelCompiler, **options)(driver))


def entry(compiled: Callable[..., Any], *example: Any) -> Callable[..., Any]:
    """Return the C function behind `compiled` for arguments of the types of `example`, which is not run.

    Calling it skips numba's dispatch (2.0 > 0.9 us with eight arguments) and with it the check of argument types: call
    it positionally, with arrays of the very dtype of the example. Raises TypeError if the kernel was already compiled
    for other types (an int where a float was meant compiles a second version silently).
    """
    dispatcher = cast(Any, compiled)
    dispatcher.compile(tuple(_type_of(value) for value in example))
    signatures = dispatcher.signatures
    if len(signatures) != 1:
        raise TypeError(
            f"{dispatcher.__name__} is compiled for {len(signatures)} sets of types, call it with one: {signatures}"
        )
    return cast(Callable[..., Any], dispatcher.overloads[signatures[0]].entry_point)
