"""The packaged profiles of bounds."""

from aister.api.frame.problems import Refusal
from aister.risk.profile import PROFILES, Limits

__all__ = ["profile_named", "profiles"]


def profiles() -> tuple[Limits, ...]:
    """From the most careful on."""
    return tuple(PROFILES.values())


def profile_named(name: str) -> Limits:
    """Raises `Refusal` (404) when there is none of that name."""
    if name not in PROFILES:
        raise Refusal(404, f"There is no risk profile of that name; choose one of {', '.join(PROFILES)}.")
    return PROFILES[name]
