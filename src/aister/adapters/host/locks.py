"""Do locks hold between two processes in this folder? Tried, not assumed: some file systems say yes to everybody."""

import fcntl
import subprocess
import sys
import tempfile
from pathlib import Path

__all__ = ["HOLDS", "LIES", "REFUSES", "probe_locks"]

HOLDS, LIES, REFUSES = "holds", "lies", "refuses"

# Tries both kinds of lock (flock: one writer per chain; POSIX: what SQLite uses), is told to go on, tries again.
_OTHER = """
import fcntl, sys
def attempt():
    said = []
    for lock, path in ((fcntl.flock, sys.argv[1]), (fcntl.lockf, sys.argv[2])):
        with open(path, "r+b") as file:
            try:
                lock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                said.append("got")
            except (BlockingIOError, PermissionError):
                said.append("busy")
            except OSError:
                said.append("error")
    print(*said, flush=True)
attempt()
sys.stdin.readline()
attempt()
"""


def probe_locks(folder: Path, seen_by_other: Path | None = None) -> str:
    """`HOLDS` when a second process is kept out while we hold a lock and let in afterwards; `LIES` when it gets in
    all the same; `REFUSES` when locks cannot be had at all. `seen_by_other` is the folder as the second process sees
    it.
    """
    try:
        with tempfile.TemporaryDirectory(prefix=".lock-probe-", dir=folder) as ours:
            return _probed(Path(ours), seen_by_other or Path(ours))
    except OSError:
        return REFUSES


def _probed(ours: Path, theirs: Path) -> str:
    for folder in {ours, theirs}:
        for name in ("flock", "posix"):
            (folder / name).touch()
    with (ours / "flock").open("r+b") as one, (ours / "posix").open("r+b") as two:
        fcntl.flock(one, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.lockf(two, fcntl.LOCK_EX | fcntl.LOCK_NB)
        command = [sys.executable, "-I", "-c", _OTHER, str(theirs / "flock"), str(theirs / "posix")]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
            assert other.stdin and other.stdout
            while_held = other.stdout.readline().split()
            fcntl.flock(one, fcntl.LOCK_UN)
            fcntl.lockf(two, fcntl.LOCK_UN)
            other.stdin.write("\n")
            other.stdin.close()
            afterwards = other.stdout.readline().split()
    if "got" in while_held:
        return LIES
    return HOLDS if while_held == ["busy", "busy"] and afterwards == ["got", "got"] else REFUSES
