"""Each import contract bites: a violation planted in a copy of the tree is refused, and named."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Plant = Callable[[str, str], Path]


def lint(root: Path) -> tuple[int, str]:
    """Exit status and words of import-linter on the tree at `root`, whatever is installed."""
    environment = {**os.environ, "PYTHONPATH": str(root / "src"), "NO_COLOR": "1", "COLUMNS": "200"}
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_the_tree_as_it_stands_keeps_every_contract(copy: Path) -> None:
    code, said = lint(copy)
    assert code == 0, said
    assert "0 broken" in said


@pytest.mark.parametrize(
    ("planted", "text", "contract"),
    [
        ("core/planted.py", "import aister.engine\n", "The house: imports go down only"),
        ("features/planted.py", "import aister.council\n", "The house: imports go down only"),
        ("council/planted.py", "import aister.risk\n", "The house: imports go down only"),
        ("core/planted.py", "import time\n", "No I/O, clock, chance or torch from core to engine"),
        ("engine/planted.py", "import random\n", "No I/O, clock, chance or torch from core to engine"),
        ("kernels/planted.py", "import aister.core\n", "kernels know no noun"),
        ("cli/planted.py", "import aister.ports.venue\n", "Only the gateway sends; only venues implement one"),
        ("adapters/planted.py", "import torch\n", "What trades never loads torch"),
    ],
    ids=lambda value: str(value).strip().replace(" ", "-"),
)
def test_a_forbidden_import_is_refused(copy: Path, plant: Plant, planted: str, text: str, contract: str) -> None:
    plant(f"src/aister/{planted}", text)
    code, said = lint(copy)
    assert code == 1, said
    assert f"{contract} BROKEN" in said
    assert f"aister.{planted.removesuffix('.py').replace('/', '.')}" in said


def test_a_cycle_is_refused(copy: Path, plant: Plant) -> None:
    plant("src/aister/core/planted_a.py", "import aister.core.planted_b\n")
    plant("src/aister/core/planted_b.py", "import aister.core.planted_a\n")
    code, said = lint(copy)
    assert code == 1, said
    assert "No cycles at any depth BROKEN" in said
    assert "planted_a" in said


def test_a_room_nobody_declared_is_refused(copy: Path, plant: Plant) -> None:
    plant("src/aister/utils/__init__.py", "")
    code, said = lint(copy)
    assert code == 1, said
    assert "aister.utils" in said
