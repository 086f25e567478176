"""The packaged specs, and judging others: by themselves and against the costs of the instruments there are."""

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from aister.api.frame.problems import Refusal
from aister.core.instrument import Instrument
from aister.sim.models import FillModel
from aister.strategy.spec.canon import spec_hash
from aister.strategy.spec.checks import unfit
from aister.strategy.spec.refusal import Finding, SpecRefused
from aister.strategy.spec.schema import spec_schema
from aister.strategy.spec.spec import read_spec
from aister.strategy.spec.tree import Spec
from aister.strategy.templates import template, template_names, template_text

__all__ = ["Judgement", "Specs", "Summary"]


class Summary(msgspec.Struct, frozen=True):
    name: str
    description: str
    timeframe: str
    symbols: tuple[str, ...]
    sides: tuple[str, ...]
    hash: str


class Judgement(msgspec.Struct, frozen=True):
    """`hash` is empty for a spec that cannot be read."""

    sound: bool
    name: str
    hash: str
    findings: tuple[Finding, ...]


class Specs:
    def __init__(self, instruments: Mapping[str, Instrument]) -> None:
        usual = FillModel()
        self._costs_e8 = {symbol: usual.round_trip_e8(one) for symbol, one in instruments.items()}

    def names(self) -> tuple[str, ...]:
        return template_names()

    def summary(self, name: str) -> Summary:
        """Raises `Refusal` (404) when there is none of that name."""
        spec = self._template(name)
        sides = tuple(word for _, word, _ in spec.sides)
        return Summary(spec.name, spec.description, spec.timeframe, spec.symbols, sides, spec_hash(spec))

    def text(self, name: str) -> dict[str, Any]:
        """The spec as it is packaged. Raises `Refusal` (404) when there is none of that name."""
        self._template(name)
        found: dict[str, Any] = json.loads(template_text(name))
        return found

    def schema(self) -> dict[str, Any]:
        return spec_schema()

    def judge(self, text: bytes) -> Judgement:
        """Everything that is wrong with a spec, each with its place as a JSON pointer; nothing is kept or run."""
        try:
            spec = read_spec(text.decode("utf-8-sig"), "The spec")
        except UnicodeDecodeError:
            return Judgement(False, "", "", (Finding("", "not UTF-8 text; write the spec as JSON"),))
        except SpecRefused as refused:
            return Judgement(False, "", "", refused.findings)
        findings = tuple(unfit(spec, costs_e8=self._costs_e8))
        return Judgement(not findings, spec.name, spec_hash(spec), findings)

    def _template(self, name: str) -> Spec:
        if name not in template_names():
            raise Refusal(404, f"There is no packaged spec of that name; choose one of {', '.join(template_names())}.")
        return template(name)
