"""The kernel cache: an edited rule is never answered from an old compilation, and nobody else can put one there."""

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import aister.kernels
from aister.kernels import CacheRefused, cache

SOURCES = Path(aister.kernels.__file__).parent

PROBE = """
from aister.kernels import kernel
from aister.kernels.averages import EMA, ema, set_ema
from aister.kernels.state import allocate

@kernel
def batch(state, n):
    v = 0.0
    for i in range(n):
        v = ema(state[0], float(i))
    return v

@kernel
def other(x):
    return x + 1.0

if __name__ == "__main__":
    state = allocate(EMA)
    set_ema(state[0], 3)
    print(batch(state, 10), other(1.0))
"""


class Copy:
    """A copy of the kernels with one driver more, to be edited and run in processes of its own."""

    def __init__(self, folder: Path) -> None:
        self.kernels = folder / "site" / "aister" / "kernels"
        shutil.copytree(SOURCES, self.kernels, ignore=shutil.ignore_patterns("__pycache__"))
        (self.kernels.parent / "__init__.py").touch()
        (self.kernels / "probe.py").write_text(PROBE)
        self.root = folder / "cache"

    def edit(self, file: str, old: str, new: str) -> None:
        text = (self.kernels / file).read_text()
        assert text.count(old) == 1
        (self.kernels / file).write_text(text.replace(old, new))

    def run(self, **environment: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-B", "-m", "aister.kernels.probe"]
        settings = {"PYTHONPATH": str(self.kernels.parents[1]), "AISTER_CACHE": str(self.root), **environment}
        return subprocess.run(command, env={**os.environ, **settings}, capture_output=True, text=True, check=False)

    def folders(self) -> list[Path]:
        return sorted(self.root.glob("kernels-*"))


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return Copy(tmp_path)


def test_an_edited_step_changes_the_batch_that_calls_it(copy: Copy) -> None:
    cold, warm = copy.run(), copy.run()
    assert cold.stdout == warm.stdout == "8.0 2.0\n"
    assert cold.stderr.count("aister: compiling kernels") == 1
    assert str(copy.folders()[0]) in cold.stderr
    assert warm.stderr == ""
    copy.edit("averages.py", "return v + a * (x - v)", "return v + a * (x - v) + 1000.0")
    edited = copy.run()
    assert edited.stdout != cold.stdout
    assert float(edited.stdout.split()[0]) > 1000.0
    assert "compiling kernels" in edited.stderr
    assert len(copy.folders()) == 2


def test_and_without_the_digest_it_would_not(copy: Copy) -> None:
    """The control: with one folder for all sources, numba serves the old batch."""
    copy.edit("cache.py", "return digest.hexdigest()", 'return "0123456789abcdef"')
    before = copy.run().stdout
    copy.edit("averages.py", "return v + a * (x - v)", "return v + a * (x - v) + 1000.0")
    assert copy.run().stdout == before


def test_without_a_writable_root_and_beside_read_only_code_it_still_runs_and_says_so(copy: Copy) -> None:
    copy.root.write_text("a file where the folder should be")
    site = copy.kernels.parents[1]
    before = sorted(site.rglob("*"))
    folders = [site, *(path for path in before if path.is_dir())]
    for folder in folders:
        folder.chmod(0o555)
    try:
        ran = copy.run(TMPDIR=str(copy.root.parent))
    finally:
        for folder in folders:
            folder.chmod(0o755)
    assert ran.stdout == "8.0 2.0\n"
    assert "the kernel cache cannot be written" in ran.stderr
    assert "AISTER_CACHE" in ran.stderr
    assert list(copy.root.parent.glob("aister-kernels-*")) == []
    assert sorted(site.rglob("*")) == before


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache root for `private_folder(SOURCES)`."""
    monkeypatch.setenv("AISTER_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_the_folder_is_private(root: Path) -> None:
    folder = cache.private_folder(SOURCES)
    assert folder.parent == root
    assert [stat.S_IMODE(path.stat().st_mode) for path in (root, folder)] == [0o700, 0o700]
    assert cache.private_folder(SOURCES) == folder


def replace_by_link(folder: Path) -> None:
    folder.rename(folder.with_name("away"))
    folder.symlink_to(folder.with_name("away"))


@pytest.mark.parametrize(
    ("alter", "complaint"),
    [
        (lambda folder: folder.parent.chmod(0o777), "may be written by others"),
        (lambda folder: folder.chmod(0o770), "may be written by others"),
        (replace_by_link, "not a plain folder"),
    ],
)
def test_a_folder_others_could_alter_is_refused(root: Path, alter: Callable[[Path], None], complaint: str) -> None:
    alter(cache.private_folder(SOURCES))
    with pytest.raises(CacheRefused, match=f"{complaint}.*AISTER_CACHE"):
        cache.private_folder(SOURCES)


def test_a_folder_of_somebody_else_is_refused(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.private_folder(SOURCES)
    monkeypatch.setattr(os, "getuid", lambda: 12_345)
    with pytest.raises(CacheRefused, match=r"not to you.*AISTER_CACHE"):
        cache.private_folder(SOURCES)


def test_folders_unused_for_a_week_are_dropped_and_nothing_else(root: Path) -> None:
    root.mkdir(mode=0o700)
    for name in ("kernels-old", "kernels-recent", "somebody's"):
        (root / name).mkdir()
        (root / name / "a.nbi").touch()
    for name in ("kernels-old", "somebody's"):
        os.utime(root / name, (10**9, 10**9))
    kept = cache.private_folder(SOURCES)
    assert {path.name for path in root.iterdir()} == {kept.name, "kernels-recent", "somebody's"}


def test_the_digest_covers_every_source(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    seen = set()
    for file, text in (("a.py", ""), ("a.py", "x"), ("deep/b.py", ""), ("deep/b.py", "x"), ("a.py", "")):
        (tmp_path / file).write_text(text)
        seen.add(cache.source_digest(tmp_path))
    assert len(seen) == 5
    (tmp_path / "notes.txt").write_text("not a source")
    assert cache.source_digest(tmp_path) in seen


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="Linux paths")
def test_where_the_cache_lies(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AISTER_CACHE", str(tmp_path / "chosen"))
    assert cache.user_cache_root() == tmp_path / "chosen"
    monkeypatch.delenv("AISTER_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache.user_cache_root() == tmp_path / "xdg" / "aister"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AISTER_HOME", str(tmp_path / "state"))
    assert cache.user_cache_root() == tmp_path / ".cache" / "aister"
