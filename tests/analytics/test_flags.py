"""Flags in words: every flag that the product sets says what it means for the figures."""

import ast
from pathlib import Path

import pytest

from aister.analytics.report.flags import flag_in_short, flag_in_words

SOURCES = Path(__file__).resolve().parents[2] / "src" / "aister"


@pytest.mark.parametrize(
    ("flag", "short", "meaning"),
    [
        ("proxy: binance", "prices recorded at binance", "another venue's wicks"),
        ("proxy: spot", "spot prices in place of the perpetual's", "stops, liquidations and funding"),
        ("funding proxy: binance", "funding rates recorded at binance", "an estimate"),
        ("funding: assumed", "funding partly or wholly assumed", "0.01 % per 8 hours"),
        ("instruments: assumed", "contract terms assumed", "check them there"),
        ("gaps: BTCUSDT 3", "3 bars of BTCUSDT missing", "next bar's open"),
        ("gaps: BTCUSDT 1", "1 bar of BTCUSDT missing", "next bar's open"),
        ("source: not stated", "origin of the files not stated", "aister data import --source"),
        ("prices: block bootstrap, seed 3", "prices made up by block bootstrap, seed 3", "no market"),
        ("answers that could not act: 4", "answers that could not act", "4; it entered while"),
    ],
)
def test_a_flag_says_what_is_so_and_what_it_means(flag: str, short: str, meaning: str) -> None:
    assert flag_in_short(flag) == short
    assert flag_in_words(flag).startswith(f"{short}: ") and meaning in flag_in_words(flag)


def test_the_assumed_rate_is_the_one_that_is_charged() -> None:
    from aister.adapters.feeds.settlements import ASSUMED_RATE_E8_PER_8H

    assert f"{ASSUMED_RATE_E8_PER_8H / 1e6:g} % per 8 hours" in flag_in_words("funding: assumed")


def test_what_is_not_known_comes_back_as_it_is() -> None:
    assert flag_in_words("mark: proxy") == flag_in_short("mark: proxy") == "mark: proxy"


def test_every_flag_in_the_sources_has_words() -> None:
    """Strings of the form `kind: ...` in the files that set flags."""
    setters = ("adapters/feeds/recorded.py", "adapters/feeds/recordings.py", "app/backtests.py", "lab/paths.py")
    found = set()
    for name in (*setters, "app/python_strategies.py"):
        for node in ast.walk(ast.parse((SOURCES / name).read_text(encoding="utf-8"))):
            if isinstance(node, ast.Set | ast.Tuple | ast.SetComp):
                parts = [node.elt] if isinstance(node, ast.SetComp) else node.elts
                for part in parts:
                    text = part.values[0] if isinstance(part, ast.JoinedStr) else part
                    if isinstance(text, ast.Constant) and isinstance(text.value, str) and ": " in text.value:
                        found.add(text.value)
    assert len(found) >= 7, found
    for start in found:
        assert flag_in_words(f"{start}1") != f"{start}1" or flag_in_words(start) != start, start
