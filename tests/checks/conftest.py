"""A copy of the tree to plant violations in, and an empty one."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from checks.tree import ROOT


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """This tree's source and contracts, without git, to be spoilt."""
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__", "*.parquet"))
    shutil.copy(ROOT / ".importlinter", tmp_path)
    return tmp_path


@pytest.fixture
def plant(tmp_path: Path) -> Callable[[str, str], Path]:
    """Write a file (its folders too) into the temporary tree."""

    def write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return write
