"""Tries everything that a strategy must not reach, and says what it got."""

import contextlib
import ctypes
import gc
import mmap
import os
import signal
import socket
import subprocess
import threading
from pathlib import Path

from aister.strategy import PythonStrategy


def tcp(address):
    with socket.create_connection(address, timeout=1):
        return "connected"


def unix(path):
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as line:
        line.connect(path)
        return "connected"


def raw_socket():
    return ctypes.CDLL(None, use_errno=True).socket(1, 1, 0)


def fork_bomb():
    born = 0
    for _ in range(200):
        if os.fork() == 0:
            os._exit(0)
        born += 1
    return born


def a_thread():
    thread = threading.Thread(target=print)
    thread.start()
    return "started"


def parents():
    return [Path(f"/proc/{pid}/environ").read_bytes() for pid in (os.getppid(), 1, os.getpid())]


def descriptors():
    """Every open descriptor that is not one of the strategy's own five."""
    found = []
    for number in range(1_024):
        with contextlib.suppress(OSError):
            os.fstat(number)
            found.append(number)
    return found[9:]


def write(path):
    Path(path).write_text("x")
    return "written"


def raise_limits():
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    return "raised"


def future():
    """Whatever large buffer this process holds: bars that were not revealed must read as nothing."""
    maps = [found for found in gc.get_objects() if isinstance(found, mmap.mmap)]
    return [bytes(found[-64:]) for found in maps if any(found[-64:])]


class Thief(PythonStrategy):
    timeframe = "1m"

    def __init__(self, home="", port=0, parent=0):
        self.attempts = {
            "environment": lambda: {k: v for k, v in os.environ.items() if "CANARY" in v or "CANARY" in k} or None,
            "key file": lambda: Path(home, "agent.key").read_text(),
            "home": lambda: os.listdir(home),
            "database": lambda: Path(home, "journal.db").read_bytes(),
            "passwords": lambda: Path("/etc/passwd").read_text(),
            "root": lambda: os.listdir("/"),
            "proc of others": parents,
            "proc of the parent": lambda: Path(f"/proc/{parent}/environ").read_bytes(),
            "memory of the parent": lambda: os.open(f"/proc/{parent}/mem", os.O_RDONLY),
            "signal to the parent": lambda: os.kill(parent, signal.SIGTERM) or "sent",
            "signal to all": lambda: os.kill(-1, signal.SIGTERM) or "sent",
            "a session of its own": lambda: os.setsid() or "left",
            "signer socket": lambda: unix(os.path.join(home, "signer.sock")),
            "tcp": lambda: tcp(("127.0.0.1", port)),
            "names": lambda: socket.getaddrinfo("example.com", 80),
            "udp": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
            "socket behind python's back": lambda: None if raw_socket() < 0 else "opened",
            "fork": fork_bomb,
            "a program": lambda: subprocess.run(["/bin/true"], check=True),
            "exec": lambda: os.execv("/bin/true", ["true"]),
            "a thread": a_thread,
            "writing": lambda: write(os.path.join(home, "marker")),
            "writing to /tmp": lambda: write(f"/tmp/aister-marker-{parent}"),
            "deleting": lambda: os.unlink(os.path.join(home, "agent.key")) or "deleted",
            "memory": lambda: bytearray(10 * 1_073_741_824),
            "limits": raise_limits,
            "inherited descriptors": lambda: descriptors() or None,
        }

    def on_bar(self, bar, account):
        if self.attempts:
            for name, attempt in self.attempts.items():
                try:
                    got = attempt()
                except BaseException as refused:
                    print(f"{name}: refused: {type(refused).__name__}")
                else:
                    print(f"{name}: refused: nothing" if got is None else f"{name}: GOT {str(got)[:80]}")
            print(f"future: GOT {future()}" if future() else "future: refused: nothing")
            self.attempts = {}
