"""What decides is named file by file where a room holds more than that: the list is what a run really imports."""

import subprocess
import sys

import pytest

from checks.tree import ROOT
from tests.deciding import FILES


@pytest.mark.parametrize("room", FILES)
def test_just_the_files_that_a_recorded_run_imports_are_named(room: str) -> None:
    command = [sys.executable, "-c", "import sys, tests.parity.specs, tests.parity.runs; print(*sys.modules)"]
    loaded = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    assert {name.split(".")[2] for name in loaded if name.startswith(f"aister.{room}.")} == set(FILES[room])
