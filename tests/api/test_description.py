"""The description is true: answers are what it says they are, its examples too."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from aister.api.application import PUBLIC
from tests.api.served import Asker, parts
from tests.api.test_walk import JSON, body, closed, real

DOCUMENT = Asker(parts()).get("/api/v1/openapi.json").json()


def conforms(schema: dict[str, Any], value: Any) -> None:
    """Raises `ValidationError`."""
    Draft202012Validator({**schema, "components": DOCUMENT["components"]}).validate(value)


def check_answer(method: str, path: str, answer: Any) -> None:
    """The status is described, and the body is of the kind described for it."""
    told = DOCUMENT["paths"][path][method.lower()]["responses"][str(answer.status_code)]
    conforms(told["content"][answer.headers["content-type"]]["schema"], answer.json())


def test_answers_are_as_described() -> None:
    described = [*closed(), *((m, p) for m, p in sorted(PUBLIC) if p in DOCUMENT["paths"])]
    for bearer in ("an-owner", "a-key", ""):
        answers = Asker(parts(), bearer).all([(m, real(p), body(m)) for m, p in described])
        for (method, path), answer in zip(described, answers, strict=True):
            check_answer(method, path, answer)
    wrong = [(m, p) for m, p in described if "{" in p]
    for (method, path), answer in zip(
        wrong,
        Asker(parts(), "an-owner").all([(m, p.replace("{", "").replace("}", ""), {}) for m, p in wrong]),
        strict=True,
    ):
        assert answer.status_code == 404
        check_answer(method, path, answer)
    for answer in Asker(parts(), "an-owner").all([("POST", "/api/v1/setup", {"content": b"{", **JSON})]):
        check_answer("POST", "/api/v1/setup", answer)


def test_an_answer_that_is_not_as_described_is_noticed() -> None:
    told = Asker(parts(), "an-owner").get("/api/v1/system").json()
    with pytest.raises(ValidationError):
        conforms({"$ref": "#/components/schemas/SystemTold"}, told | {"up_s": "long"})


def test_what_is_told_has_an_example_that_is_one() -> None:
    seen = 0
    for name, schema in DOCUMENT["components"]["schemas"].items():
        for example in [*schema.get("examples", []), *([schema["example"]] if "example" in schema else [])]:
            conforms({"$ref": f"#/components/schemas/{name}"}, example)
            seen += 1
    assert seen >= 10


def test_every_operation_says_who_may_and_how_it_fails() -> None:
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            public = (method.upper(), path) in PUBLIC
            assert (
                ("security" in operation) is ("x-role" in operation) is ("401" in operation["responses"]) is not public
            )
            assert operation["description"] and {"421", "429", "503"} <= operation["responses"].keys()
    names = [one["operationId"] for methods in DOCUMENT["paths"].values() for one in methods.values()]
    assert len(set(names)) == len(names)


def test_those_who_ask_first_at_once_get_the_same() -> None:
    answers = Asker(parts()).all([("GET", path, {}) for path in ("/", "/api/v1/openapi.json") * 5])
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 2
    assert answers[1].json() == DOCUMENT
