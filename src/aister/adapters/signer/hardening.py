"""What a process that is about to hold a key does first: nobody of the same user looks into it, it leaves no core file,
it holds nothing it was not given (A1). Root can look into every process; that is why a key trades and cannot withdraw.
"""

import os
import resource
import signal
from collections.abc import Iterable

import msgspec

from aister.adapters.sandbox.kernel_calls import forbid_dumps, forbid_new_privileges, set_death_signal

__all__ = ["Hardened", "harden"]

_MOST_FILES = 128


class Hardened(msgspec.Struct, frozen=True, array_like=True):
    """`standing`: what holds; `missing`: what this system does not have, with its reason."""

    standing: tuple[str, ...]
    missing: tuple[str, ...]


def harden(keep: Iterable[int], *, outlives_parent: bool = False) -> Hardened:
    """Do it, for good. `keep`: descriptors that stay open beside 0, 1 and 2. Linux has all of it."""
    standing, missing = [], []
    steps = [
        ("memory and environment closed to others, no dumps", forbid_dumps),
        ("no new privileges", forbid_new_privileges),
        ("no core file", lambda: resource.setrlimit(resource.RLIMIT_CORE, (0, 0))),
        ("few descriptors", lambda: _limit_files(_MOST_FILES)),
        ("nothing inherited", lambda: _close_all_but(keep)),
        ("empty environment", os.environ.clear),
    ]
    if not outlives_parent:
        steps.append(("ends with its parent", lambda: set_death_signal(signal.SIGKILL)))
    for name, step in steps:
        try:
            step()
            standing.append(name)
        except (OSError, ValueError) as refusal:
            missing.append(f"{name} ({refusal})")
    os.umask(0o077)
    return Hardened(tuple(standing), tuple(missing))


def _limit_files(most: int) -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _close_all_but(keep: Iterable[int]) -> None:
    low = 3
    for kept in sorted(keep):
        os.closerange(low, kept)
        low = kept + 1
    os.closerange(low, max(low, 65_536))
