"""Where AISTER keeps its state: `AISTER_HOME`, or `~/.aister`. The kernel cache is not state and lives elsewhere."""

import os
import stat
from pathlib import Path

from aister.core.errors import StorageError

__all__ = ["home", "open_home"]


def home(*, checked: bool = True) -> Path:
    """The state folder, existing or not. `AISTER_HOME` moves all of it. Raises `StorageError` when something else than
    a folder has its name, unless `checked` is off."""
    moved = os.environ.get("AISTER_HOME", "")
    folder = Path(moved).expanduser().absolute() if moved else Path.home() / ".aister"
    if checked and any(os.path.exists(one) and not os.path.isdir(one) for one in (folder, *folder.parents)):
        raise StorageError(f"{folder} is a file or lies below one; set AISTER_HOME to a folder.")
    return folder


def open_home() -> Path:
    """The state folder, created if need be, readable by its owner only (0700).

    Raises `StorageError` when it cannot be made, belongs to somebody else, or is a folder others need
    (the root, a home folder, a sticky folder such as /tmp).
    """
    folder = home()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.stat()
        if stat.S_IMODE(found.st_mode) & 0o077:
            if found.st_uid != os.getuid() or found.st_mode & stat.S_ISVTX or folder in (Path.home(), Path("/")):
                raise StorageError(
                    f"{folder} is open to other users; set AISTER_HOME to a folder of your own (mode 0700)."
                )
            folder.chmod(0o700)
    except OSError as error:
        raise StorageError(
            f"{folder} cannot be used ({error.strerror}); set AISTER_HOME to a folder you can write."
        ) from error
    return folder
