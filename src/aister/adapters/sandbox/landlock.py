"""Landlock: the kernel lets this process read below the folders named and refuses every other file, every TCP port,
and signals and abstract sockets to processes outside (Linux 5.13; what each version adds is in the tables)."""

import ctypes
import os
from collections.abc import Iterable
from pathlib import Path

from aister.adapters.sandbox.kernel_calls import call

__all__ = ["landlock_version", "only_read"]

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_ASK_VERSION = 1
_BENEATH = 1
_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 5: 16}  # how many rights the version knows; each is a bit
_TCP_SINCE, _TCP = 4, 0b11  # bind, connect
_SCOPES_SINCE, _SCOPES = 6, 0b11  # abstract unix sockets, signals


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("tcp", ctypes.c_uint64), ("scopes", ctypes.c_uint64))


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("allowed", ctypes.c_uint64), ("folder", ctypes.c_int32))


def landlock_version() -> int:
    """The version this kernel speaks, 0 for none."""
    try:
        return call(_CREATE_RULESET, None, 0, _ASK_VERSION)
    except OSError:
        return 0


def only_read(places: Iterable[Path]) -> str:
    """From here on this process reads below these folders (or these files) and nothing else: no writing, no TCP where
    the version knows it. Returns what stands, in words. Raises OSError where the kernel has no Landlock.

    Paths to unix sockets are not covered: `seccomp` forbids sockets altogether.
    """
    version = landlock_version()
    if version == 0:
        raise OSError("this kernel has no Landlock")
    rights = (1 << _FILE_RIGHTS[max(known for known in _FILE_RIGHTS if known <= version)]) - 1
    tcp = _TCP if version >= _TCP_SINCE else 0
    scopes = _SCOPES if version >= _SCOPES_SINCE else 0
    ruleset = _Ruleset(rights, tcp, scopes)
    size = 24 if scopes else 16 if tcp else 8
    rules = call(_CREATE_RULESET, ctypes.byref(ruleset), size, 0)
    try:
        for place in places:
            _allow(rules, place)
        call(_RESTRICT_SELF, rules, 0)
    finally:
        os.close(rules)
    return f"landlock abi {version}"


def _allow(rules: int, place: Path) -> None:
    try:
        opened = os.open(place, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # what is not there needs no permission
    try:
        allowed = _READ_FILE | _READ_DIR if place.is_dir() else _READ_FILE
        call(_ADD_RULE, rules, _BENEATH, ctypes.byref(_Beneath(allowed, opened)), 0)
    finally:
        os.close(opened)
