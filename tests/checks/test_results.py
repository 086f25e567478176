"""A result is tied to the code it measured; a published figure without a true result is found."""

import json
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from checks import figures
from checks.campaign import standing
from checks.results import code_hash, measuring, read_result, write_result

FIGURE = "# AISTER\n\nit loses <!-- result: lottery.loss.mean -->{}<!-- /result --> per trade\n"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree with one source folder, one result that measured it, and one figure from it."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "step.py").write_text("x = 1\n")
    publish(tmp_path)
    say(tmp_path, "-1,234.57")
    return tmp_path


def publish(root: Path) -> Path:
    measured = {"loss": {"mean": -1234.567}, "word": "kept"}
    return write_result(
        "lottery",
        command="make campaign",
        seeds=range(1000),
        figures=measured,
        paths_measured=["src"],
        duration_s=1.25,
        root=root,
    )


def say(root: Path, text: str) -> None:
    (root / "README.md").write_text(FIGURE.format(text))


def found(root: Path) -> str:
    return "\n".join(figures.findings(root))


def test_a_result_holds_what_repeating_it_takes(tree: Path) -> None:
    record = read_result("lottery", tree)
    assert record["command"] == "make campaign"
    assert record["seeds"] == "0..999"
    assert record["duration_s"] == 1.2
    assert record["measured"] == {"paths": ["src"], "sha256": code_hash(["src"], tree)}
    assert {"python", "numpy", "numba", "aister", "system"} <= record["versions"].keys()


@pytest.mark.parametrize("text", ["-1234.567", "-1,234.57", "-1234.6", "-1235"])
def test_a_figure_holds_at_its_own_precision(tree: Path, text: str) -> None:
    say(tree, text)
    assert found(tree) == ""


@pytest.mark.parametrize("text", ["-1234.5", "1235", "-1234.56", "about 1235", "", "nan"])
def test_a_figure_that_differs_from_its_result_is_found(tree: Path, text: str) -> None:
    say(tree, text)
    assert found(tree).startswith("README.md:3: says ")
    assert "-1234.567" in found(tree)


def test_a_figure_without_a_result_is_found(tree: Path) -> None:
    (tree / "docs/results/lottery.json").unlink()
    assert "README.md:3: the result lottery is missing" in found(tree)


def test_a_figure_whose_result_has_no_such_key_is_found(tree: Path) -> None:
    (tree / "README.md").write_text(FIGURE.format("1").replace("loss.mean", "loss.median"))
    assert "README.md:3: the result lottery has no figure loss.median" in found(tree)


@pytest.mark.parametrize("change", ["edit", "add", "rename", "remove all"])
def test_a_figure_that_measured_other_code_is_found(tree: Path, change: str) -> None:
    step = tree / "src" / "step.py"
    match change:
        case "edit":
            step.write_text("x = 2\n")
        case "add":
            (tree / "src" / "other.py").write_text("")
        case "rename":
            step.rename(tree / "src" / "steps.py")
        case "remove all":
            step.unlink()
            (tree / "src").rmdir()
    assert "measured other code" in found(tree)
    assert "OTHER CODE" in "\n".join(standing(tree, since=0.0))
    if change != "remove all":
        publish(tree)
        assert found(tree) == ""


def test_a_figure_whose_code_and_date_are_shown_may_be_older_than_the_code(tree: Path) -> None:
    record = read_result("lottery", tree)
    dated = "<!-- result: lottery.code -->{}<!-- /result -->, <!-- result: lottery.date -->{}<!-- /result -->\n"
    (tree / "src" / "step.py").write_text("x = 4\n")
    (tree / "README.md").write_text(FIGURE.format("-1,234.6") + dated.format(record["measured"]["sha256"][:12], "x"))
    assert "says 'x', but the result lottery has date" in found(tree)
    assert figures.fill(tree) == ["README.md"]
    assert found(tree) == ""
    (tree / "README.md").write_text((tree / "README.md").read_text().replace(record["measured"]["sha256"][:12], "beef"))
    assert "has code" in found(tree)
    (tree / "README.md").write_text(FIGURE.format("-1,234.6") + dated.split(",", maxsplit=1)[0].format("x"))
    assert "measured other code" in found(tree)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"figures": {}, "measured": []}'])
def test_a_broken_result_is_found(tree: Path, content: str) -> None:
    (tree / "docs/results/lottery.json").write_text(content)
    assert found(tree).startswith("README.md:3: docs/results/lottery.json ")


def test_a_figure_left_open_is_found(tree: Path) -> None:
    (tree / "README.md").write_text("<!-- result: lottery.word -->kept\n")
    assert "README.md:1: a figure is opened but not closed" in found(tree)


def test_documents_below_docs_are_read_and_quoted_examples_are_not(tree: Path) -> None:
    (tree / "docs" / "deep").mkdir()
    (tree / "docs" / "deep" / "page.md").write_text("`<!-- result: a.b -->`\n\n```\n<!-- result: a.b -->\n```\n")
    assert found(tree) == ""
    (tree / "docs" / "deep" / "page.md").write_text(FIGURE.format("7"))
    assert found(tree).startswith("docs/deep/page.md:3: says '7'")


def test_filling_in_keeps_the_precision_and_leaves_the_untrustworthy(tree: Path) -> None:
    say(tree, "0.0")
    assert figures.fill(tree) == ["README.md"]
    assert (tree / "README.md").read_text() == FIGURE.format("-1,234.6")
    assert figures.fill(tree) == []
    (tree / "src" / "step.py").write_text("x = 3\n")
    say(tree, "0.0")
    assert figures.fill(tree) == []


def test_the_hash_knows_content_and_names_but_not_caches(tree: Path) -> None:
    before = code_hash(["src"], tree)
    (tree / "src" / "__pycache__").mkdir()
    (tree / "src" / "__pycache__" / "step.pyc").write_bytes(b"1")
    assert code_hash(["src"], tree) == before == code_hash(["src", "src/step.py"], tree)
    with pytest.raises(FileNotFoundError, match="gone"):
        code_hash(["gone"], tree)
    with pytest.raises(FileNotFoundError):
        code_hash([], tree)


def test_measuring_publishes_only_what_ended_well(tree: Path) -> None:
    before = (tree / "docs/results/lottery.json").read_bytes()

    def lottery() -> AbstractContextManager[dict[str, Any]]:
        return measuring("lottery", command="make campaign", seeds=[3, 5], paths=["src"], root=tree)

    with pytest.raises(ZeroDivisionError), lottery() as got:
        got["x"] = 1 / 0
    with pytest.raises(ValueError, match="no figures"), lottery():
        pass
    with pytest.raises(RuntimeError, match="changed while it ran"), lottery() as got:
        got["x"] = 1
        (tree / "src" / "step.py").write_text("x = 4\n")
    assert (tree / "docs/results/lottery.json").read_bytes() == before

    with lottery() as got:
        got["x"] = 2
    record = json.loads((tree / "docs/results/lottery.json").read_text())
    assert record["figures"] == {"x": 2}
    assert record["seeds"] == [3, 5]
    assert sorted(path.name for path in (tree / "docs/results").iterdir()) == ["lottery.json"]


@pytest.mark.parametrize("name", ["", "Up", "a/b", "../a", "a_b", "a--b"])
def test_a_result_name_is_plain_words(tree: Path, name: str) -> None:
    with pytest.raises(ValueError, match="result name"):
        read_result(name, tree)
