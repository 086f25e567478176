"""From what a command line names to a strategy: built in, a packaged template, or a spec in a file of the user's."""

from collections.abc import Callable
from pathlib import Path

import msgspec

from aister.core.errors import UsageError
from aister.execution.bracket import ManagementRules, ScalingRules
from aister.lab.settings import managed, scaled
from aister.risk.profile import Limits
from aister.strategy.confluence import Confluence
from aister.strategy.ema_cross import EmaCross
from aister.strategy.spec.canon import canonical
from aister.strategy.spec.grammar import MOST_TEXT
from aister.strategy.spec.live import SpecStrategy
from aister.strategy.spec.program import program_of
from aister.strategy.spec.spec import read_spec
from aister.strategy.spec.tree import Spec
from aister.strategy.spec.vocabulary import warm_up_ms
from aister.strategy.strategy import Strategy
from aister.strategy.templates import template, template_names

__all__ = [
    "STRATEGIES",
    "history_ms",
    "in_words",
    "make_strategy",
    "management_of",
    "named_spec",
    "narrowed",
    "scaling_of",
    "spec_of",
]

STRATEGIES: dict[str, Callable[[], Strategy]] = {"confluence": Confluence, "ema_cross": EmaCross}
"""The strategies that are code."""


def named_spec(named: str) -> Spec | None:
    """The spec of a template or of a JSON file, None for a strategy that is code. Raises `UsageError` when it is none
    of them, `SpecRefused` when the file is no sound spec."""
    if named in STRATEGIES:
        return None
    if named in template_names():
        return template(named)
    path = Path(named).expanduser()
    if path.suffix != ".json" and not path.is_file():
        known = ", ".join((*STRATEGIES, *template_names()))
        raise UsageError(f"There is no strategy {named!r}; choose one of {known}, or name a spec file (.json).")
    if path.suffix == ".py":
        raise UsageError(
            f"{named} is Python, which only `aister backtest` runs; name a template or a spec file (.json)."
        )
    try:
        with path.open("rb") as file:
            text = file.read(MOST_TEXT + 1)
        return read_spec(text.decode("utf-8-sig"), named)
    except OSError as error:
        raise UsageError(f"{named} cannot be read ({error.strerror}); name a spec file.") from None
    except UnicodeDecodeError:
        raise UsageError(f"{named} is not UTF-8 text; write the spec as JSON.") from None


def in_words(spec: Spec) -> str:
    """The whole spec as one line of JSON, for settings: what runs is what was read then."""
    return msgspec.json.encode(canonical(spec)).decode()


def history_ms(spec: Spec | None) -> int:
    """How much before the first bar features may look at: the longest warm-up of the catalogue, 396 bars of 4h, is 66
    days; a spec may ask for features that need more."""
    asked = 0 if spec is None else warm_up_ms(program_of(spec).reads)
    return max(66 * 86_400_000, asked)


def spec_of(strategy: str, spec: str) -> Spec | None:
    """The spec that settings carry, or the template they name."""
    if spec:
        return read_spec(spec, strategy)
    return template(strategy) if strategy in template_names() else None


def make_strategy(strategy: str, spec: Spec | None) -> Strategy:
    return SpecStrategy(spec) if spec is not None else STRATEGIES[strategy]()


def management_of(spec: Spec | None) -> ManagementRules:
    """How open positions are managed: as the spec says, for strategies that are code as the engine's default."""
    return ManagementRules() if spec is None else managed(spec)


def scaling_of(spec: Spec | None) -> ScalingRules:
    """What may be added to open positions: as the spec says, for strategies that are code nothing."""
    return ScalingRules() if spec is None else scaled(spec)


def narrowed(limits: Limits, spec: Spec | None) -> Limits:
    """The bounds of the profile, tightened to what the spec asks for; a spec never loosens one."""
    if spec is None:
        return limits
    asked = spec.sizing
    tightened = {
        "risk_e8": min(limits.risk_e8, asked.risk_e8 or limits.risk_e8),
        "symbol_e8": min(limits.symbol_e8, asked.notional_e8 or limits.symbol_e8),
        "leverage": min(limits.leverage, asked.leverage or limits.leverage),
    }
    return msgspec.structs.replace(limits, **tightened)
