"""The numbers of a spec that could have been others, and the specs around it that have them 5 to 20 % off."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import msgspec
import numpy as np

from aister.strategy.spec.canon import canonical, spec_hash
from aister.strategy.spec.refusal import SpecRefused
from aister.strategy.spec.spec import read_spec
from aister.strategy.spec.tree import Spec
from aister.strategy.spec.vocabulary import kind_of

__all__ = ["Parameter", "neighbours", "parameters_of"]

_FIXED = ("version", "name", "description", "timeframe", "sizing", "break_even_after", "share", "ago", "symbols")
_WHOLE = ("minutes", "bars", "life")
_STEPS = (0.8, 0.85, 0.9, 0.95, 1.0, 1.05, 1.1, 1.15, 1.2)
_ATTEMPTS = 20

Place = tuple[str | int, ...]


class Parameter(msgspec.Struct, frozen=True):
    """A number of the rules: where it stands in the canonical spec, its value, whether it is a whole one."""

    place: Place
    value: float
    whole: bool

    @property
    def path(self) -> str:
        return "/" + "/".join(str(part).replace("/", "~1") for part in self.place)

    def at(self, factor: float) -> int | float:
        """The value times a factor, whole where it has to be."""
        return max(1, round(self.value * factor)) if self.whole else self.value * factor


def parameters_of(spec: Spec) -> tuple[Parameter, ...]:
    """Constants of `let` and of the rules, spans, multiples, targets, horizon and trail; not sizes, shares, how many
    targets or closes back, and not zero, of which 20 % is nothing."""
    return tuple(_found(canonical(spec), (), False))


def _found(value: Any, place: Place, whole: bool) -> Iterator[Parameter]:
    if isinstance(value, dict):
        kind = kind_of(value["feature"]) if isinstance(value.get("feature"), str) else None
        wholes = {given.name for given in kind.parameters if given.bound.whole} if kind is not None else set()
        for key, part in value.items():
            if key not in _FIXED:
                yield from _found(part, (*place, key), key in _WHOLE or key in wholes)
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from _found(part, (*place, index), False)
    elif isinstance(value, int | float) and not isinstance(value, bool) and value != 0:
        yield Parameter(place, float(value), whole)


def neighbours(spec: Spec, count: int, seed: int) -> tuple[tuple[Spec, ...], int]:
    """Up to `count` different specs whose parameters are all within 20 % of this one's, drawn from the grid of steps of
    5 %, and how many draws were no sound spec. Fewer where there are too few parameters to make them of."""
    parameters, rng = parameters_of(spec), np.random.default_rng(seed)
    plain = canonical(spec)
    seen, found, refused = {spec_hash(spec)}, list[Spec](), 0
    for _ in range(_ATTEMPTS * count if parameters else 0):
        if len(found) == count:
            break
        other = deepcopy(plain)
        for parameter, factor in zip(parameters, rng.choice(_STEPS, len(parameters)), strict=True):
            _put(other, parameter.place, parameter.at(float(factor)))
        try:
            made = read_spec(other)
        except SpecRefused:
            refused += 1
            continue
        digest = spec_hash(made)
        if digest not in seen:
            seen.add(digest)
            found.append(made)
    return tuple(found), refused


def _put(value: Any, place: Place, number: int | float) -> None:
    for part in place[:-1]:
        value = value[part]
    value[place[-1]] = number
