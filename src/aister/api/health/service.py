"""Asking every part whether it is well, at most every few seconds however often somebody asks."""

from collections.abc import Callable, Mapping

import msgspec

__all__ = ["Health", "PartHealth", "Probe"]

_GOOD_FOR_S = 5.0
Probe = Callable[[], str]
"""What is wrong with a part, in a sentence that names the remedy; empty when it is well."""


class PartHealth(msgspec.Struct, frozen=True):
    name: str
    ok: bool
    reason: str = ""


class Health:
    """The parts behind `probes`. A probe that fails is a part that is not well, never an error."""

    def __init__(self, probes: Mapping[str, Probe], monotonic: Callable[[], float]) -> None:
        self._probes, self._now = probes, monotonic
        self._found: tuple[PartHealth, ...] = ()
        self._at = -1.0

    def parts(self) -> tuple[PartHealth, ...]:
        now = self._now()
        if self._at < 0 or now - self._at >= _GOOD_FOR_S:
            self._found = tuple(_asked(name, probe) for name, probe in self._probes.items())
            self._at = now
        return self._found


def _asked(name: str, probe: Probe) -> PartHealth:
    try:
        reason = probe()
    except Exception as error:
        reason = f"It could not be looked at ({type(error).__name__}); run `aister doctor`."
    return PartHealth(name, not reason, reason)
