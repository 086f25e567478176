"""Nobody becomes owner by being first (B2)."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from aister.api.frame.problems import Refusal
from aister.api.setup.service import CLAIM_S, SIGNED_IN_S, Setup, new_token
from aister.core.people import Role
from tests.api.served import SET_UP, Asker, Hands, parts

PATH = "/api/v1/setup"


def claims(asker: Asker, tokens: list[str]) -> list[int]:
    return [a.status_code for a in asker.all([("POST", PATH, {"json": {"token": token}}) for token in tokens])]


def test_of_a_hundred_with_the_token_one_becomes_owner_and_of_a_hundred_without_none() -> None:
    asker = Asker(parts())
    assert claims(asker, [f"guess-{i}" for i in range(100)]) == [403] * 100
    assert sorted(claims(asker, [SET_UP] * 100)) == [201] + [403] * 99


def test_threads_that_claim_at_once_get_one_owner_between_them() -> None:
    setup = Setup(SET_UP, Hands())

    def attempt(_: int) -> bool:
        try:
            setup.claim(SET_UP)
        except Refusal:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(64))) == 1


def test_the_answer_signs_its_owner_in_until_it_ends() -> None:
    hands = Hands()
    setup = Setup(SET_UP, hands)
    made = parts(hands, setup=setup, identify=setup.identify)
    answer = Asker(made)("POST", PATH, json={"token": SET_UP})
    assert answer.headers["cache-control"] == "no-store"
    bearer = answer.json()["token"]
    owner = setup.identify(bearer)
    assert owner is not None and owner.role is Role.OWNER
    assert Asker(made, bearer).get("/api/v1/system").status_code == 200
    assert Asker(made, SET_UP).get("/api/v1/system").status_code == 401
    hands.s += SIGNED_IN_S - 1
    assert Asker(made, bearer).get("/api/v1/system").status_code == 200
    hands.s += 1
    assert Asker(made, bearer).get("/api/v1/system").status_code == 401


@pytest.mark.parametrize(("later", "status"), [(CLAIM_S - 1, 201), (CLAIM_S, 403), (10 * CLAIM_S, 403)])
def test_the_token_is_good_for_an_hour(later: int, status: int) -> None:
    hands = Hands()
    asker = Asker(parts(hands))
    hands.s += later
    assert claims(asker, [SET_UP]) == [status]


@pytest.mark.parametrize("token", ["", " ", f"{SET_UP} ", SET_UP[:-1], SET_UP.upper(), "x" * 201, "\x00", "é"])
def test_what_is_nearly_the_token_is_not_it(token: str) -> None:
    asker = Asker(parts())
    assert claims(asker, [token])[0] in (403, 422)
    assert claims(asker, [SET_UP]) == [201]


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"[]", b"null", b'"x"', b'{"token": 1}', b'{"token": null}', b'{"token": ["x"]}', b"{", b"\xff",
     b'{"token": "\\ud800"}', b'{"token": "x", "\\ud800": 1}', json.dumps({"token": SET_UP, "role": "owner"}).encode(),
     b"[" * 100_000, b"{" * 100_000, b'{"token":' * 300 + b"1" + b"}" * 300],
)  # fmt: skip
def test_what_is_no_claim_is_refused_with_a_sentence_and_spends_nothing(body: bytes) -> None:
    asker = Asker(parts())
    answer = asker("POST", PATH, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 403, 422)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"] and SET_UP not in answer.text
    assert claims(asker, [SET_UP]) == [201]


def test_only_digests_are_kept() -> None:
    setup = Setup(SET_UP, Hands())
    bearer = setup.claim(SET_UP)
    held = repr(vars(setup))
    assert SET_UP not in held and bearer not in held


def test_tokens_are_long_and_differ() -> None:
    made = {new_token() for _ in range(100)}
    assert len(made) == 100 and all(len(token) >= 43 for token in made)
