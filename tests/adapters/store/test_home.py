"""State lives in one private folder, and a folder others need is never taken for it."""

from pathlib import Path

import pytest

from aister.adapters.store.home import home, open_home
from aister.core.errors import StorageError


def test_made_private_and_moved_by_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AISTER_HOME", str(tmp_path / "a" / "b"))
    assert open_home() == tmp_path / "a" / "b"
    assert home().stat().st_mode & 0o777 == 0o700
    home().chmod(0o755)
    assert open_home().stat().st_mode & 0o777 == 0o700
    monkeypatch.delenv("AISTER_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert home() == tmp_path / ".aister"


@pytest.mark.parametrize("kind", ["sticky", "the user's home", "a file"])
def test_folders_that_are_not_for_us(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    folder = tmp_path / "x"
    if kind == "a file":
        folder.write_text("")
    else:
        folder.mkdir()
        folder.chmod(0o1777 if kind == "sticky" else 0o755)
    monkeypatch.setenv("AISTER_HOME", str(folder))
    monkeypatch.setenv("HOME", str(folder if kind == "the user's home" else tmp_path))
    mode = folder.stat().st_mode
    with pytest.raises(StorageError, match="set AISTER_HOME to a folder"):
        open_home()
    assert folder.stat().st_mode == mode
