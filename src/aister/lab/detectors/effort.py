"""How hard detectors look."""

import msgspec

from aister.core.errors import UsageError

__all__ = ["FOR_CODE", "Effort"]


class Effort(msgspec.Struct, frozen=True, kw_only=True):
    """cuts: random cut times; whole_day: every bar of one day besides (of code: every close of the span, shown one at a
    time); starts: later beginnings; cells: neighbours; draws: orders of the trades; paths: of price; seed: of all of
    them."""

    cuts: int = 200
    whole_day: bool = True
    starts: int = 5
    cells: int = 60
    draws: int = 1_000
    paths: int = 100
    seed: int = 1

    def check(self) -> "Effort":
        """The effort; raises `UsageError` for what cannot be."""
        most = {"cuts": 100_000, "starts": 1_000, "cells": 10_000, "draws": 1_000_000, "paths": 100_000}
        for name, limit in most.items():
            if not 1 <= getattr(self, name) <= limit:
                raise UsageError(f"--{name} must lie between 1 and {limit:,}.")
        if not 0 <= self.seed < 2**62:
            raise UsageError("--seed must be a whole number from 0 to 2^62 - 1; for example 1.")
        return self


FOR_CODE = Effort(cuts=20, cells=24, paths=30)
"""What is usual for a Python strategy, which starts a process each time it is asked."""
