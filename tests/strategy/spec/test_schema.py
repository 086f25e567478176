"""The published schema is the one the program makes, and every template keeps to it."""

import json
from pathlib import Path

import jsonschema
import pytest

from aister.strategy.spec.schema import spec_schema
from aister.strategy.spec.spec import read_spec
from aister.strategy.templates import template_names, template_text
from tests.strategy.spec.test_refusals import GOOD

PUBLISHED = Path(__file__).parents[3] / "docs" / "strategy-spec.schema.json"
VALIDATOR = jsonschema.Draft202012Validator(spec_schema())


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(spec_schema())
    VALIDATOR.validate(GOOD)


def test_the_published_copy_is_current() -> None:
    """Else: aister strategy schema > docs/strategy-spec.schema.json"""
    assert json.loads(PUBLISHED.read_text(encoding="utf-8")) == spec_schema()


@pytest.mark.parametrize("name", template_names())
def test_templates_keep_to_it(name: str) -> None:
    assert list(VALIDATOR.iter_errors(json.loads(template_text(name)))) == []


def test_the_example_of_the_docs_page_is_sound() -> None:
    page = (PUBLISHED.parent / "strategy-spec.md").read_text(encoding="utf-8")
    example = page.split("```json\n")[1].split("```")[0]
    VALIDATOR.validate(json.loads(example))
    assert read_spec(example).name == "dip"
