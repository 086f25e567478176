"""Files the command line leaves: asked about before the work starts, written whole or not at all.

A device, a FIFO or an open descriptor is written through, never replaced; behind a link the file it leads to is
written and the link stays. Market data, the state folder and what another flag writes are no place for them.
"""

import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from aister.core.errors import StorageError, UsageError

__all__ = ["apart", "leave_json", "means_stdout", "same", "say", "whole", "writable", "write_json", "write_text"]

_LABEL = 11
_STDOUT = ("-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1")


def means_stdout(target: str) -> bool:
    """Whether this names standard output: '-' or one of the paths under which systems offer it."""
    return target in _STDOUT


def writable(path: Path) -> None:
    """Raises `UsageError` when nothing can be written there: no such folder, a folder of that name, no permission, a
    disk or a socket."""
    if path.is_dir():
        raise UsageError(f"{path} is a folder; name a file in it.")
    place = _real(path)
    if not place.parent.is_dir():
        raise UsageError(f"The folder {place.parent} does not exist; create it or name another.")
    mode = _mode(place)
    if _passes_through(mode):
        if not os.access(place, os.W_OK):
            raise UsageError(f"{path} cannot be written (Permission denied); name another place.")
        return
    if place.is_symlink() or (mode is not None and not stat.S_ISREG(mode)):
        raise UsageError(f"{path} is neither a file nor a stream; name a file.")
    from tempfile import mkstemp

    try:
        handle, probe = mkstemp(dir=place.parent, prefix=f".{place.name[:80]}.")
    except OSError as error:
        raise UsageError(f"Nothing can be written in {place.parent} ({error.strerror}); name another folder.") from None
    os.close(handle)
    os.unlink(probe)


def apart(path: Path, home: Path, feed: Path | None = None) -> None:
    """Raises `UsageError` when the target lies in the state folder, in the folder that is fed, or is the fed file or
    what describes it."""
    from aister.adapters.store.instruments import INSTRUMENTS

    place = _real(path)
    if place.is_relative_to(_real(home)):
        raise UsageError(f"{path} lies in AISTER_HOME, where the journal and the data are kept; name another place.")
    if feed is None:
        return
    source = _real(feed)
    if place.is_relative_to(source) or (not source.is_dir() and place == source.parent / INSTRUMENTS):
        where = "lies in the folder of" if source.is_dir() else "is a file of"
        raise UsageError(f"{path} {where} the market data that are read; name another place.")
    if place.exists() and place.samefile(source):
        raise UsageError(f"{path} is the market data that are read; name another place.")


def same(one: Path, other: Path) -> bool:
    """Whether two targets would end in one file. A stream such as /dev/null takes both."""
    first, second = _real(one), _real(other)
    if _passes_through(_mode(first)):
        return False
    return first == second or (first.exists() and second.exists() and first.samefile(second))


@contextmanager
def whole(path: Path) -> Iterator[TextIO]:
    """A text stream whose content becomes the file when the block ends well; else the old file stays untouched.
    Devices, FIFOs and descriptors get the text as it comes. Raises `StorageError` when the disk refuses."""
    from tempfile import mkstemp

    place, probe = _real(path), ""
    mode = _mode(place)
    try:
        if _passes_through(mode):
            with os.fdopen(_opened(place), "w", encoding="utf-8") as stream:
                yield stream
            return
        handle, probe = mkstemp(dir=place.parent, prefix=f".{place.name[:80]}.")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(probe, 0o644 if mode is None else stat.S_IMODE(mode))
        os.replace(probe, place)
        probe = ""
    except OSError as error:
        reason = error.strerror or str(error)
        raise StorageError(f"{path} could not be written ({reason}); make room or name another place.") from None
    finally:
        if probe:
            Path(probe).unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """The file as a whole, or the old one untouched; raises `StorageError` when the disk refuses."""
    with whole(path) as file:
        file.write(text)


def write_json(path: Path, value: Any) -> None:
    """The value as indented JSON; figures that are not finite become null."""
    import msgspec

    write_text(path, msgspec.json.format(msgspec.json.encode(value), indent=1).decode() + "\n")


def leave_json(value: Any, json_path: str) -> None:
    """The value as indented JSON where `--json` asked for it: '-' prints it on standard output, '' nowhere."""
    import msgspec

    if json_path == "-":
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(value), indent=1) + b"\n")
        sys.stdout.buffer.flush()
    elif json_path:
        write_json(Path(json_path), value)


def say(line: str) -> None:
    """Print a line whose first eleven columns name what it tells; on a terminal what does not fit stands below what is
    told. Control and bidirectional characters appear escaped."""
    from shutil import get_terminal_size
    from textwrap import fill

    from aister.cli import shown

    text = shown(line)
    if sys.stdout.isatty() and (width := get_terminal_size().columns) > 3 * _LABEL and text[:1].isupper():
        label, told = text[:_LABEL], text[_LABEL:]
        text = fill(told, width, initial_indent=label, subsequent_indent=" " * _LABEL, break_on_hyphens=False)
    print(text)


def _real(path: Path) -> Path:
    """Where a path leads through all its links. A descriptor's own path stays as it is: what it names may have no
    other."""
    text = os.path.abspath(path)
    if text.startswith(("/dev/fd/", "/proc/self/fd/")) or text in ("/dev/stdout", "/dev/stderr"):
        return Path(text)
    return Path(os.path.realpath(text))


def _mode(place: Path) -> int | None:
    """The file's kind and permissions, None when there is none. An open descriptor counts as a stream, whatever it is
    open on."""
    try:
        found = place.stat().st_mode
    except OSError:
        return None
    return stat.S_IFIFO | 0o600 if _is_descriptor(place) else found


def _opened(place: Path) -> int:
    """A descriptor to write to. One that is open already is shared, so that what it has written is not overwritten."""
    if _is_descriptor(place):
        return os.dup(2 if place.name == "stderr" else int(place.name))
    return os.open(place, os.O_WRONLY | os.O_NOCTTY)


def _is_descriptor(place: Path) -> bool:
    return str(place).startswith(("/dev/fd/", "/proc/self/fd/")) or str(place) == "/dev/stderr"


def _passes_through(mode: int | None) -> bool:
    return mode is not None and (stat.S_ISCHR(mode) or stat.S_ISFIFO(mode))
