"""seccomp: of the kernel's calls, those that computing needs; every other one is refused with EPERM.

No sockets of any kind, no new process or thread, no signals, no namespaces, no tracing, no shared memory. Files are
opened as far as Landlock lets them.
"""

import ctypes
import os
import struct

from aister.adapters.sandbox.kernel_calls import call

__all__ = ["ALLOWED", "only_compute"]

_X86_64, _AARCH64 = 0xC000_003E, 0xC000_00B7
_SECCOMP = {_X86_64: 317, _AARCH64: 277}
_MACHINES = {"x86_64": _X86_64, "aarch64": _AARCH64}
_X32 = 0x4000_0000
_FILTER, _WHOLE_PROCESS = 1, 1
_ALLOW, _REFUSE, _KILL = 0x7FFF_0000, 0x0005_0000 | 1, 0x8000_0000
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06

ALLOWED: dict[str, tuple[int | None, int | None]] = {
    "read": (0, 63),
    "write": (1, 64),
    "futex": (202, 98),
    "mmap": (9, 222),
    "munmap": (11, 215),
    "mprotect": (10, 226),
    "madvise": (28, 233),
    "mremap": (25, 216),
    "brk": (12, 214),
    "openat": (257, 56),
    "open": (2, None),
    "close": (3, 57),
    "fstat": (5, 80),
    "stat": (4, None),
    "lstat": (6, None),
    "newfstatat": (262, 79),
    "statx": (332, 291),
    "access": (21, None),
    "faccessat": (269, 48),
    "faccessat2": (439, 439),
    "lseek": (8, 62),
    "pread64": (17, 67),
    "readv": (19, 65),
    "writev": (20, 66),
    "getdents64": (217, 61),
    "readlink": (89, None),
    "readlinkat": (267, 78),
    "getcwd": (79, 17),
    "fcntl": (72, 25),
    "dup": (32, 23),
    "fadvise64": (221, 223),
    "poll": (7, None),
    "ppoll": (271, 73),
    "select": (23, None),
    "pselect6": (270, 72),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "sigaltstack": (131, 132),
    "restart_syscall": (219, 128),
    "getpid": (39, 172),
    "getppid": (110, 173),
    "gettid": (186, 178),
    "getuid": (102, 174),
    "geteuid": (107, 175),
    "getgid": (104, 176),
    "getegid": (108, 177),
    "uname": (63, 160),
    "sysinfo": (99, 179),
    "getrusage": (98, 165),
    "times": (100, 153),
    "time": (201, None),
    "gettimeofday": (96, 169),
    "clock_gettime": (228, 113),
    "clock_getres": (229, 114),
    "clock_nanosleep": (230, 115),
    "nanosleep": (35, 101),
    "sched_yield": (24, 124),
    "sched_getaffinity": (204, 123),
    "getrandom": (318, 278),
    "membarrier": (324, 283),
    "rseq": (334, 293),
    "set_robust_list": (273, 99),
    "exit": (60, 93),
    "exit_group": (231, 94),
}
"""Name: its number on x86_64 and on aarch64; None where that machine has no such call."""


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_void_p))


def only_compute() -> str:
    """Install the filter, for good. Returns what stands, in words. Raises OSError where this machine has none."""
    machine = _MACHINES.get(os.uname().machine)
    if machine is None:
        raise OSError(f"no filter is written for {os.uname().machine}")
    code = _program(machine)
    held = ctypes.create_string_buffer(code)
    program = _Program(len(code) // 8, ctypes.addressof(held))
    call(_SECCOMP[machine], _FILTER, _WHOLE_PROCESS, ctypes.byref(program))
    return f"seccomp, {len(ALLOWED)} calls allowed"


def _program(machine: int) -> bytes:
    """Classic BPF over (number at 0, machine at 4): wrong machine kills, listed numbers pass, the rest is refused."""
    column = 0 if machine == _X86_64 else 1
    lines = [(_LOAD, 0, 0, 4), (_EQUAL, 1, 0, machine), (_RETURN, 0, 0, _KILL), (_LOAD, 0, 0, 0)]
    if machine == _X86_64:
        lines += [(_AT_LEAST, 0, 1, _X32), (_RETURN, 0, 0, _KILL)]
    for numbers in ALLOWED.values():
        number = numbers[column]
        if number is not None:
            lines += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ALLOW)]
    lines.append((_RETURN, 0, 0, _REFUSE))
    return b"".join(struct.pack("=HBBI", *line) for line in lines)
