"""The walls around a strategy: raised by the child itself before it has seen the strategy's source, and reported."""

import sys
import sysconfig
from pathlib import Path

import msgspec

from aister.adapters.sandbox.kernel_calls import drop_capabilities, forbid_new_privileges
from aister.adapters.sandbox.landlock import only_read
from aister.adapters.sandbox.limits import set_limits
from aister.adapters.sandbox.namespaces import enter_namespaces
from aister.adapters.sandbox.seccomp import only_compute

__all__ = ["Walls", "leave_the_world", "raise_walls"]

_LANDLOCK, _NAMESPACES, _SECCOMP = "landlock", "namespaces", "seccomp"


class Walls(msgspec.Struct, frozen=True):
    """standing: what holds, in words; missing: what this system lacks, with the reason; open: which of `files`,
    `network` and `processes` nothing guards."""

    standing: tuple[str, ...]
    missing: tuple[str, ...]
    open: tuple[str, ...]

    def __str__(self) -> str:
        text = f"walls: {', '.join(self.standing)}"
        if self.missing:
            text += f"; missing: {', '.join(self.missing)}"
        return f"{text}; OPEN: {', '.join(self.open)}" if self.open else text


def leave_the_world(without: tuple[str, ...] = ()) -> tuple[str, str]:
    """First half, before anything is imported that starts threads: new namespaces. Returns (what stands, why not)."""
    if _NAMESPACES in without:
        return "", "left out on request"
    return enter_namespaces()


def raise_walls(
    world: tuple[str, str], package: Path, cpu_s: int, memory_mb: int, without: tuple[str, ...] = ()
) -> Walls:
    """Second half, once everything trusted is imported: privileges, limits, files, calls. `world`: the first half's
    answer; `without`: walls to leave out, for trying what remains."""
    standing, missing = ([world[0]], []) if world[0] else ([], [f"namespaces ({world[1]})"])
    limits, refused = set_limits(cpu_s, memory_mb)
    standing.append(limits)
    missing += [f"{name} (refused)" for name in refused]
    raised = {_NAMESPACES} if world[0] else set()
    for name, raising in (
        ("privileges", _give_up_privileges),
        (_LANDLOCK, lambda: only_read(_readable(package))),
        (_SECCOMP, only_compute),
    ):
        try:
            if name in without:
                raise OSError("left out on request")
            standing.append(raising())
            raised.add(name)
        except OSError as refusal:
            missing.append(f"{name} ({refusal.strerror or refusal})")
    guards = {
        "files": {_LANDLOCK},
        "network": {_NAMESPACES, _SECCOMP},
        "sockets": {_SECCOMP},
        "processes": {_NAMESPACES, _SECCOMP},
    }
    unguarded = tuple(what for what, by in guards.items() if not by & raised)
    return Walls(tuple(standing), tuple(missing), unguarded)


def _give_up_privileges() -> str:
    forbid_new_privileges()
    drop_capabilities()
    return "no privileges"


def _readable(package: Path) -> list[Path]:
    """The Python installation, this package, the libraries they load, the zone names; no key, no database, no /proc."""
    paths = sysconfig.get_paths()
    installation = [Path(paths[name]) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    system = [Path(name) for name in ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/share/zoneinfo")]
    devices = [Path("/dev/null"), Path("/dev/urandom"), Path("/etc/ld.so.cache")]
    return [*installation, Path(sys.base_prefix) / "lib", package, *system, *devices]
