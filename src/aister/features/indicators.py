"""Indicators with parameters: `indicator("ema_34")`, `indicator("bollinger_upper_20_2.5")`.

A name is a kind and its parameters, `kind_p1[_p2..]`; a feature id puts a timeframe before it: `15m.ema_34`. `KINDS`
lists the kinds with the names and ranges of their parameters, and what each value is: unit, warm-up, meaning,
invariances. The names without parameters that the catalogue has always had (`macd`, `bollinger_upper`, `swing_high`)
are indicators with the parameters of `STANDARD`, and the same values.

    indicator(name)   -> Indicator, or UsageError in one sentence: unknown kind, wrong count, NaN, out of range, and
                         any spelling but the canonical one (`ema_034`, `keltner_upper_20_2.0`)
    name_of(kind, *p) -> the canonical name, for grids of parameters

Batch reads them as columns (`columns.FeatureColumns`), live as features (`market.Features(..., indicators=...)`), both
through the same steps, bit for bit.
"""

import math
from functools import lru_cache

import msgspec

from aister.core.errors import UsageError
from aister.features.kind import Kind, Parameter
from aister.features.kinds import KINDS, STANDARD

__all__ = ["KINDS", "STANDARD", "Indicator", "Kind", "Parameter", "indicator", "name_of"]


class Indicator(msgspec.Struct, frozen=True):
    """One kind with its parameters. It becomes known when the last bar that it reads closes.

    name: canonical, with all parameters; warmup: closed bars of its timeframe before the start of history matters less
    than 1e-6 (Q33), unavailable until then; additive, scale, reciprocal, why: as `catalogue.Feature`, partners by their
    canonical names; undetermined: the reason given where, warmed up, the bars do not determine it; opcode: (family,
    part) of `aister.kernels.table`, None for the bar itself and the day's average price.
    """

    name: str
    kind: str
    parameters: tuple[float, ...]
    unit: str
    warmup: int
    meaning: str
    additive: str
    scale: str
    reciprocal: str
    why: str
    undetermined: str
    opcode: tuple[int, int] | None


@lru_cache(maxsize=65_536)
def indicator(name: str) -> Indicator:
    """What a name like `ema_34` or `macd` stands for. Raises `UsageError` saying what is wrong with it."""
    if name in STANDARD:
        return indicator(STANDARD[name])
    kind, given = _split(name)
    values = tuple(_number(name, text) for text in given)
    if len(values) != len(kind.parameters):
        raise UsageError(
            f"{name!r} has {len(values)} of the {len(kind.parameters)} parameters of {kind.name}: write it "
            f"{_form(kind)}."
        )
    for parameter, value in zip(kind.parameters, values, strict=True):
        _check(name, parameter, value)
    if kind.ordered and not values[0] < values[1]:
        raise UsageError(f"{name!r}: {kind.parameters[0].name} must be smaller than {kind.parameters[1].name}.")
    canonical = name_of(kind.name, *values)
    if canonical != name:
        raise UsageError(f"{name!r} has one spelling only: write it {canonical!r}.")
    return _made(kind, canonical, values)


def name_of(kind: str, *parameters: float) -> str:
    """The name of a kind with these parameters: shortest decimals, no trailing zeros. Nothing is checked."""
    return "_".join((kind, *(_text(value) for value in parameters)))


def _text(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(float(value))


def _made(kind: Kind, name: str, values: tuple[float, ...]) -> Indicator:
    named = {p.name: _text(value) for p, value in zip(kind.parameters, values, strict=True)}
    how, _, partner = kind.reciprocal.partition(" ")
    return Indicator(
        name=name,
        kind=kind.name,
        parameters=values,
        unit=kind.unit,
        warmup=kind.warmup(*(int(value) for value in values)),
        meaning=kind.meaning.format(**named),
        additive=kind.additive,
        scale=kind.scale,
        reciprocal=f"{how} {name_of(partner, *values)}" if partner else "",
        why=kind.why,
        undetermined=kind.undetermined.format(**named),
        opcode=kind.opcode,
    )


def _split(name: str) -> tuple[Kind, list[str]]:
    """The kind, and the texts after it that are meant as parameters."""
    parts = name.split("_")
    count = len(parts)
    while count > 1 and (
        parts[count - 1][:1] in set("+-.0123456789") or parts[count - 1].lower() in ("nan", "inf", "")
    ):
        count -= 1
    kind = KINDS.get("_".join(parts[:count]))
    if kind is None:
        raise UsageError(f"There is no indicator {name!r}; the kinds are {', '.join(sorted(KINDS))}.")
    return kind, parts[count:]


def _number(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise UsageError(f"{name!r}: {text!r} is no number.") from None
    if not math.isfinite(value):
        raise UsageError(f"{name!r}: {text!r} is no finite number.")
    return value


def _check(name: str, parameter: Parameter, value: float) -> None:
    low, high = _text(parameter.low), _text(parameter.high)
    if parameter.whole and value != int(value):
        raise UsageError(f"{name!r}: {parameter.name} must be a whole number from {low} to {high}.")
    if not parameter.low <= value <= parameter.high:
        raise UsageError(f"{name!r}: {parameter.name} must be from {low} to {high}.")


def _form(kind: Kind) -> str:
    return "_".join((kind.name, *(p.name.upper() for p in kind.parameters)))
