"""Namespaces: a world with no network device, no other process and no rights outside it (Linux, where the kernel lets
this user make one)."""

import os
import signal
import sys
from pathlib import Path
from typing import NoReturn

from aister.adapters.sandbox.kernel_calls import set_death_signal, unshare

__all__ = ["enter_namespaces"]

_USER, _NET, _PID, _IPC, _UTS, _MOUNT = 0x1000_0000, 0x4000_0000, 0x2000_0000, 0x0800_0000, 0x0400_0000, 0x0002_0000
_NOBODY = 65_534


def enter_namespaces() -> tuple[str, str]:
    """Go on in new user, net, pid, ipc, uts and mount namespaces, as process 1 of them and as nobody; the process that
    called only waits for it. Returns (what stands, "") or ("", why not). Call before any thread is started."""
    user, group = os.getuid(), os.getgid()
    try:
        unshare(_USER | _NET | _PID | _IPC | _UTS | _MOUNT)
    except OSError as refused:
        return "", str(refused)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{_NOBODY} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{_NOBODY} {group} 1")
    set_death_signal(signal.SIGKILL)  # unshare has cleared it
    inner = os.fork()
    if inner:
        _wait_for(inner)
    set_death_signal(signal.SIGKILL)
    return "namespaces user, net, pid, ipc, uts, mount", ""


def _wait_for(inner: int) -> NoReturn:
    """Hold nothing open, end as the inner process ended. Whoever kills this process kills the inner one."""
    sys.stdout = sys.stderr = None
    os.closerange(0, 256)
    _, status = os.waitpid(inner, 0)
    code = os.waitstatus_to_exitcode(status)
    os._exit(code if code >= 0 else 128 - code)
