"""The head of a chain, kept outside the journal file: how many records there are and their last hash, sealed.

`heads/CHAIN` has two slots of 512 bytes written in turn, so that a kill in the middle of a write leaves the other one;
both are written in place (3 us; replacing a file by renaming took 500), and the file never grows, so a full disk cannot
stop it. Every byte counts: a slot that is not exactly what its fields spell is reported as changed. So does every
turn: slot 0 holds even turns and slot 1 odd ones, the two always neighbours, so that no slot can stand in for the
other.
"""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import msgspec

from aister.adapters.store.keys import JournalKey
from aister.core.errors import StorageError

__all__ = ["Head", "HeadFile", "boot", "head_path", "read_heads", "start_heads"]

_SLOT = 512
_READS = 3


class Head(msgspec.Struct, frozen=True):
    """`sequence` records, the newest hashing to `head` (hex). `synced` of them had reached the disk itself when this
    was written, in boot session `boot`; in mode "normal" a power loss may take the rest."""

    turn: int
    chain_id: str
    sequence: int
    head: str
    synced: int
    boot: str
    mode: str
    seal: str

    def genuine(self, key: JournalKey) -> bool:
        return key.genuine(_bytes(self.seal), "head", *msgspec.structs.astuple(self)[:-1])


def head_path(home: Path, chain_id: str) -> Path:
    return home / "heads" / chain_id


def boot() -> str:
    """What distinguishes this start of the machine from the next, or "" where the system does not say."""
    with contextlib.suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    if sys.platform == "darwin":
        asked = subprocess.run(["sysctl", "-n", "kern.bootsessionuuid"], capture_output=True, text=True, check=False)
        return asked.stdout.strip()
    return ""


def read_heads(path: Path, key: JournalKey, chain_id: str) -> tuple[list[Head], bool]:
    """The genuine slots, newest first, and whether the file is whole: both slots genuine, each in its place, one turn
    apart. A missing file is ([], True). A writer may be in the middle of a slot, so a file that is not whole is read
    again."""
    found: list[Head] = []
    for _ in range(_READS):
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return [], True
        except OSError as error:
            raise StorageError(f"{path} cannot be read ({error.strerror}); make it readable for you.") from None
        slots = [_parsed(content[at : at + _SLOT]) for at in range(0, len(content), _SLOT)]
        found = [slot for slot in slots if slot and slot.genuine(key) and slot.chain_id == chain_id]
        if len(content) == 2 * _SLOT and _in_turn(found):
            return sorted(found, key=lambda slot: -slot.turn), True
    return sorted(found, key=lambda slot: -slot.turn), False


def _in_turn(slots: list[Head]) -> bool:
    turns = [slot.turn for slot in slots]
    return [turn % 2 for turn in turns] == [0, 1] and abs(turns[0] - turns[1]) == 1


def start_heads(path: Path, key: JournalKey, chain_id: str, mode: str, genesis: bytes) -> None:
    """The head file of a chain without records, whole or not at all."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        for turn in (0, 1):
            os.pwrite(descriptor, _slot(key, (turn, chain_id, 0, genesis.hex(), 0, boot(), mode)), _SLOT * turn)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    draft.replace(path)


class HeadFile:
    """The one writer of a chain's head file, which `start_heads` has made."""

    def __init__(self, path: Path, key: JournalKey, chain_id: str, mode: str, turn: int) -> None:
        self._key, self._chain_id, self._mode, self._boot = key, chain_id, mode, boot()
        self._path, self._turn = path, turn
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)

    def write(self, sequence: int, head: bytes, synced: int, durable: bool) -> None:
        """Write the next slot; with `durable` wait until the disk has it."""
        self._turn += 1
        slot = _slot(self._key, (self._turn, self._chain_id, sequence, head.hex(), synced, self._boot, self._mode))
        try:
            os.pwrite(self._descriptor, slot, _SLOT * (self._turn % 2))
            if durable:
                os.fsync(self._descriptor)
        except OSError as error:
            raise StorageError(
                f"{self._path} cannot be written ({error.strerror}); free the disk and start again."
            ) from None

    def close(self) -> None:
        os.close(self._descriptor)


def _slot(key: JournalKey, fields: tuple[int, str, int, str, int, str, str]) -> bytes:
    return _rendered(Head(*fields, seal=key.seal("head", *fields).hex()))


def _rendered(head: Head) -> bytes:
    return msgspec.json.encode(head).ljust(_SLOT - 1) + b"\n"


def _parsed(raw: bytes) -> Head | None:
    try:
        head = msgspec.json.decode(raw, type=Head)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return head if _rendered(head) == raw else None


def _bytes(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""
