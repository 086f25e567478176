"""Which code computed a result: a digest over the sources of every room that decides one."""

import hashlib
from functools import cache
from pathlib import Path

__all__ = ["code_hash"]

ROOMS = ("core", "kernels", "ports", "features", "strategy", "execution", "sim", "lab")


@cache
def code_hash() -> str:
    """SHA-256 over names and contents of the Python and JSON files of `ROOMS`. A comment changes it: it says that the
    code is not known to be the same, never that it is."""
    house = Path(__file__).resolve().parent.parent
    digest = hashlib.sha256()
    for room in ROOMS:
        for path in sorted((house / room).rglob("*")):
            if path.suffix in (".py", ".json") and path.is_file():
                digest.update(path.relative_to(house).as_posix().encode() + b"\0")
                digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
