"""Labels: does a calibration use outcomes before they are known? (quant Q14)

A label of a proposal is known when its barrier is met, and not when it was asked. The calibration is asked again at
moments in time about labels of which those not yet resolved are turned round or left out; its answer must not move.
"""

from collections.abc import Callable, Sequence
from math import isnan

import msgspec
import numpy as np

from aister.lab.detectors.verdict import Found, Verdict, utc_text

__all__ = ["Calibrate", "Label", "Labels", "detect_labels"]

NAME = "unresolved labels"


class Label(msgspec.Struct, frozen=True):
    """An outcome: asked at `asked_ms`, known from `resolved_ms` on; value: 1 the target came first, 0 it did not."""

    asked_ms: int
    resolved_ms: int
    value: float


Calibrate = Callable[[Sequence[Label], int], float]
"""(labels in order of asking, now) -> what is believed now: a skill, a weight, a probability."""


class Labels(Found, frozen=True, kw_only=True):
    """asked: at how many moments; unresolved: labels that were not known then, over all of them; first_ms: the first
    moment whose answer knew one; seed."""

    asked: int
    unresolved: int
    first_ms: int | None
    seed: int


def detect_labels(calibrate: Calibrate, labels: Sequence[Label], *, moments: int = 200, seed: int = 1) -> Labels:
    """Ask at `moments` random times between the first question and the last resolution."""
    if len(labels) < 2:
        return _answer(Verdict.UNKNOWN, f"{len(labels)} labels; two are the least", 0, 0, None, seed)
    begin, end = min(one.asked_ms for one in labels), max(one.resolved_ms for one in labels)
    drawn = np.sort(np.random.default_rng(seed).integers(begin, end + 1, moments))
    unresolved, first = 0, None
    for now_ms in map(int, drawn):
        asked = [one for one in labels if one.asked_ms <= now_ms]
        open_ones = sum(one.resolved_ms >= now_ms for one in asked)
        unresolved += open_ones
        if not open_ones or first is not None:
            continue
        truth = calibrate(asked, now_ms)
        turned = [
            one if one.resolved_ms < now_ms else msgspec.structs.replace(one, value=1.0 - one.value) for one in asked
        ]
        without = [one for one in asked if one.resolved_ms < now_ms]
        if not all(_same(truth, calibrate(others, now_ms)) for others in (turned, without)):
            first = now_ms
    if unresolved == 0:
        said = "at no moment asked was a label unresolved, so that there is nothing to find"
        return _answer(Verdict.UNKNOWN, said, len(drawn), 0, None, seed)
    if first is not None:
        said = f"what it believes at {utc_text(first)} depends on outcomes that were not known then"
        return _answer(Verdict.CAUGHT, said, len(drawn), unresolved, first, seed)
    said = f"at {len(drawn)} moments none of {unresolved:,} labels not yet resolved moved what it believes"
    return _answer(Verdict.CLEAN, said, len(drawn), unresolved, None, seed)


def _same(a: float, b: float) -> bool:
    return a == b or (isnan(a) and isnan(b))


def _answer(verdict: Verdict, sentence: str, asked: int, unresolved: int, first_ms: int | None, seed: int) -> Labels:
    return Labels(
        detector=NAME,
        verdict=verdict,
        sentence=sentence,
        asked=asked,
        unresolved=unresolved,
        first_ms=first_ms,
        seed=seed,
    )
