"""A dependency nobody gave a reason for is found."""

from collections.abc import Callable
from pathlib import Path

import pytest

from checks import dependencies
from checks.tree import ROOT

PROJECT = """
[build-system]
requires = ["hatchling>=1"]
[project]
dependencies = ["Msg_Spec>=0.2,<1"]
[project.optional-dependencies]
dev = ["ruff"]
"""
PAGE = """
| name | reason |
|---|---|
| `msg-spec` | frozen structs on the hot path |
| ruff | style and format in one tool |
"""
HATCHLING = "| `hatchling` | builds the wheel from source |\n"


@pytest.mark.parametrize(
    ("page", "finding"),
    [
        (PAGE + HATCHLING, ""),
        (PAGE, "the direct dependency hatchling is not listed"),
        ("", "the direct dependency msg-spec is not listed"),
        (PAGE + HATCHLING + "| `arq` | a queue we once thought of |\n", "arq is listed but"),
        (PAGE + "| `hatchling` | needed |\n", "hatchling is listed without a reason"),
    ],
)
def test_the_page_and_the_project_agree(
    tmp_path: Path, plant: Callable[[str, str], Path], page: str, finding: str
) -> None:
    plant("pyproject.toml", PROJECT)
    plant("docs/dependencies.md", page)
    found = "\n".join(dependencies.findings(tmp_path))
    assert finding in found
    assert bool(found) == bool(finding)


def test_the_tree_as_it_stands_gives_every_reason() -> None:
    assert list(dependencies.findings(ROOT)) == []


def test_every_direct_dependency_is_pinned() -> None:
    pinned = {line.split("==")[0] for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line}
    assert dependencies.declared(ROOT) <= pinned
