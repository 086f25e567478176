"""The few operating-system calls that Python has no function for. Each raises OSError, as `os` does."""

import ctypes
import os
import sys

__all__ = ["call", "drop_capabilities", "forbid_dumps", "forbid_new_privileges", "set_death_signal", "unshare"]

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38
_CAPABILITY_VERSION = 0x2008_0522
_UNSIGNED_LONG = ctypes.c_ulong


def _library() -> ctypes.CDLL:
    if sys.platform != "linux":
        raise OSError("only Linux has these calls")
    return ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def call(number: int, *arguments: object) -> int:
    """The system call of that number; integers are passed as unsigned long."""
    system = _library().syscall
    system.restype = ctypes.c_long
    given = [_UNSIGNED_LONG(value) if isinstance(value, int) else value for value in arguments]
    return _checked(system(ctypes.c_long(number), *given), f"system call {number}")


def _control(option: int, value: int) -> None:
    zero = _UNSIGNED_LONG(0)
    _checked(_library().prctl(option, _UNSIGNED_LONG(value), zero, zero, zero), f"prctl {option}")


def forbid_new_privileges() -> None:
    """No program started from here on gains rights by its file's bits. Landlock and seccomp ask for it."""
    _control(_PR_SET_NO_NEW_PRIVS, 1)


def forbid_dumps() -> None:
    """No core file of this process, and no other process of its user looks into its memory or environment."""
    _control(_PR_SET_DUMPABLE, 0)


def set_death_signal(number: int) -> None:
    """Receive this signal when the parent dies."""
    _control(_PR_SET_PDEATHSIG, number)


def unshare(flags: int) -> None:
    """Leave the namespaces of these flags for new ones."""
    _checked(_library().unshare(flags), "unshare")


def drop_capabilities() -> None:
    """Give up every capability, for good."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
    nothing = (ctypes.c_uint32 * 6)()
    _checked(_library().capset(ctypes.byref(header), ctypes.byref(nothing)), "capset")
