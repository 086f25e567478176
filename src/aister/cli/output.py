"""Files the command line leaves: asked about before the work starts, written whole or not at all."""

import os
import tempfile
from pathlib import Path
from typing import Any

from aister.core.errors import StorageError, UsageError

__all__ = ["writable", "write_json", "write_text"]


def writable(path: Path) -> None:
    """Raises `UsageError` when a file cannot be written there: no such folder, a folder of that name, no permission."""
    if path.is_dir():
        raise UsageError(f"{path} is a folder; name a file in it.")
    if not path.parent.is_dir():
        raise UsageError(f"The folder {path.parent} does not exist; create it or name another.")
    try:
        handle, probe = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:80]}.")
    except OSError as error:
        raise UsageError(f"Nothing can be written in {path.parent} ({error.strerror}); name another folder.") from None
    os.close(handle)
    os.unlink(probe)


def write_text(path: Path, text: str) -> None:
    """The file as a whole, or the old one untouched; raises `StorageError` when the disk refuses."""
    probe = ""
    try:
        handle, probe = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:80]}.")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(probe, 0o644)
        os.replace(probe, path)
    except OSError as error:
        if probe:
            Path(probe).unlink(missing_ok=True)
        reason = error.strerror or str(error)
        raise StorageError(f"{path} could not be written ({reason}); make room or name another place.") from None


def write_json(path: Path, value: Any) -> None:
    """The value as indented JSON; figures that are not finite become null."""
    import msgspec

    write_text(path, msgspec.json.format(msgspec.json.encode(value), indent=1).decode() + "\n")
