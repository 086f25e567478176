"""Cost: the same signals with fees and half-spreads at 0, 1, 2 and 3 times; from which multiple on nothing is left.

Everything else that costs (impact, funding, what stops pay beyond the spread) stays as it is. The gate asks for profit
at twice the costs (quant Q40).
"""

from itertools import pairwise
from typing import Any

import msgspec

from aister.lab.detectors.trying import Look, Trying, look_of
from aister.lab.detectors.verdict import FEWEST_TRADES, Found, Verdict
from aister.sim.models import FillModel

__all__ = ["MULTIPLES", "Cost", "at_costs", "detect_cost"]

NAME = "cost"
MULTIPLES = (0.0, 1.0, 2.0, 3.0)
STRESS = 2.0
_SEARCHES = 8


class Cost(Found, frozen=True, kw_only=True):
    """looks: (multiple of fees and half-spreads, result), in order; break_even: the multiple at which the net result
    passes through zero, None where it is below zero at no costs or above it at the largest."""

    looks: tuple[tuple[float, Look], ...]
    break_even: float | None


def at_costs(model: FillModel, multiple: float) -> FillModel:
    """The model with its fees and half-spreads times `multiple`."""
    slippage, fees = model.slippage, model.fees
    return msgspec.structs.replace(
        model,
        fees=msgspec.structs.replace(fees, scale_e4=round(fees.scale_e4 * multiple)),
        slippage=msgspec.structs.replace(
            slippage,
            half_spread_e8=tuple((base, round(rate * multiple)) for base, rate in slippage.half_spread_e8),
            other_half_spread_e8=round(slippage.other_half_spread_e8 * multiple),
        ),
    )


def detect_cost(tried: Trying) -> Cost:
    """Run it at every multiple, then close in on the break-even between the two where it lies."""
    prepared, trials = tried.prepared(), []

    def look(multiple: float) -> Look:
        model = at_costs(tried.model, multiple)
        simulated = tried.simulate(prepared, model=model)
        trials.append(tried.trial(NAME, simulated, varied=f"fees and half-spreads x {multiple:g}", model=model))
        return look_of(simulated, tried.capital)

    looks = {multiple: look(multiple) for multiple in MULTIPLES}
    break_even = None
    for low, high in pairwise(MULTIPLES):
        if looks[low].net_return > 0 >= looks[high].net_return:
            break_even = _between(look, low, high)
            break
    tried.keep(trials)
    return _judged(tuple(looks.items()), break_even)


def _between(look: Any, low: float, high: float) -> float:
    for _ in range(_SEARCHES):
        middle = (low + high) / 2
        low, high = (middle, high) if look(middle).net_return > 0 else (low, middle)
    return (low + high) / 2


def _judged(looks: tuple[tuple[float, Look], ...], break_even: float | None) -> Cost:
    by = dict(looks)
    stressed, free = by[STRESS], by[0.0]
    if by[1.0].trades < FEWEST_TRADES:
        verdict = Verdict.UNKNOWN
        said = f"{by[1.0].trades} trades; a verdict about costs needs {FEWEST_TRADES}"
    elif stressed.net_return > 0:
        verdict = Verdict.CLEAN
        said = f"{stressed.net_return:+.2%} at twice the fees and spreads"
    else:
        verdict = Verdict.CAUGHT
        said = f"{stressed.net_return:+.2%} at twice the fees and spreads"
    if by[1.0].trades and free.net_return <= 0:
        said += f"; it loses even with none of them ({free.net_return:+.2%})"
    elif break_even is not None:
        said += f"; nothing is left from {break_even:.2f} times on"
    elif by[1.0].trades:
        said += f"; still earning at {MULTIPLES[-1]:g} times"
    return Cost(detector=NAME, verdict=verdict, sentence=said, looks=looks, break_even=break_even)
