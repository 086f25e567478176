"""A process that begins with nothing of its parent's: no environment, no open file but one socket, no folder, no
terminal, and no code that was not installed with this package."""

import socket
import subprocess
import sys
from pathlib import Path

__all__ = ["bare_command", "start_bare"]


def start_bare(main: str, *given: object, heard: bool) -> tuple[subprocess.Popen[bytes], socket.socket]:
    """Run `main` ("aister.room.module:function") with the number of an inherited socket and what else is `given`
    (anything whose `repr` is Python); return the process and our end of that socket, to be closed. `heard`: what it
    prints as an error goes where ours does, and else nowhere. Raises `OSError`."""
    ours, theirs = socket.socketpair()
    with theirs:
        try:
            child = subprocess.Popen(
                bare_command(main, theirs.fileno(), *given),
                env={"LANG": "C.UTF-8"},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=None if heard else subprocess.DEVNULL,
                close_fds=True,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
        except BaseException:
            ours.close()
            raise
    return child, ours


def bare_command(main: str, *given: object, unbuffered: bool = False) -> list[str]:
    """What runs `main` with these arguments in a Python that reads no settings, no site of the user's and no folder
    but this package's, and writes no bytecode."""
    module, _, function = main.partition(":")
    root = str(Path(__file__).resolve().parents[2])
    start = (
        f"import sys; {root!r} in sys.path or sys.path.insert(0, {root!r}); "
        f"from {module} import {function}; {function}({', '.join(map(repr, given))})"
    )
    flags = ["-I", "-B", *(["-u"] if unbuffered else []), "-X", "utf8"]
    return [sys.executable, *flags, "-c", start]
