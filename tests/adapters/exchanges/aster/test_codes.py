"""Codes: what may still happen after them, and that each names a remedy in one sentence."""

import pytest

from aister.adapters.exchanges.aster.codes import CODES, Kind, meaning


def test_codes_after_which_an_order_may_exist() -> None:
    assert {code for code, one in CODES.items() if one.kind is Kind.UNKNOWN} == {-1000, -1001, -1006, -1007}


def test_each_is_one_plain_sentence() -> None:
    for code, one in CODES.items():
        assert one.sentence.endswith(".") and ". " not in one.sentence and len(one.sentence) < 180, code


@pytest.mark.parametrize(
    ("code", "word"),
    [
        (-2015, "white-list"),  # bad credentials, missing permission
        (-1022, "agent's key"),
        (-4061, "one-way"),  # hedge-mode mismatch
        (-1121, "choose another"),  # unknown symbol
        (-2019, "add funds"),  # insufficient margin
        (-4140, "choose another"),  # delisted
        (-1021, "synchronise"),  # wrong clock
        (-2018, "add funds"),
    ],
)
def test_what_users_meet_names_the_remedy(code: int, word: str) -> None:
    assert word in meaning(code).sentence


def test_an_unlisted_code_is_a_no_in_the_venues_words_made_harmless() -> None:
    told = meaning(-9999, 'boo\x1b[31m\n<script>"' + "x" * 500)
    assert told.kind is Kind.REFUSED
    assert "\x1b" not in told.sentence and "\n" not in told.sentence and len(told.sentence) < 160
