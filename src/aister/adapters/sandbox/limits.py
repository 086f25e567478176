"""Resource limits, which every Unix has: memory, processor time, files."""

import sys
from pathlib import Path

import msgspec

__all__ = ["Allowance", "set_limits"]


class Allowance(msgspec.Struct, frozen=True):
    """What a strategy may use. cpu_s: processor seconds; memory_mb: beyond what the interpreter already holds; wall_s:
    the whole run; load_s: from start until the class is made; answer_mb: all it may say; print_kb: kept of what it
    prints; without: walls left out, for trying what remains."""

    cpu_s: int = 600
    memory_mb: int = 2_048
    wall_s: float = 900.0
    load_s: float = 60.0
    answer_mb: int = 256
    print_kb: int = 16
    without: tuple[str, ...] = ()


def set_limits(cpu_s: int, memory_mb: int) -> tuple[str, tuple[str, ...]]:
    """Set them for this process, for good. Returns what stands, and the names this system refused."""
    import resource  # noqa: PLC0415 - not on every system

    held = _address_space()
    spent = resource.getrusage(resource.RUSAGE_SELF)
    cpu = int(spent.ru_utime + spent.ru_stime) + cpu_s + 1
    wanted = {
        "RLIMIT_CPU": cpu,
        "RLIMIT_FSIZE": 0,
        "RLIMIT_CORE": 0,
        "RLIMIT_NOFILE": 64,
        "RLIMIT_NPROC": 1,
        "RLIMIT_MEMLOCK": 0,
        "RLIMIT_MSGQUEUE": 0,
        "RLIMIT_AS": held + memory_mb * 1_048_576,
    }
    refused = []
    for name, value in wanted.items():
        kind = getattr(resource, name, None)
        if kind is None:
            continue
        try:
            resource.setrlimit(kind, (value, value))
        except (OSError, ValueError):
            refused.append(name)
    return f"limits of {cpu_s} s and {memory_mb} MB", tuple(refused)


def _address_space() -> int:
    if sys.platform != "linux":
        return 4 * 1_073_741_824
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    return pages * 4_096
