"""The detectors' page stands alone, says every verdict with its figures, and is not moved by hostile words."""

import msgspec
import pytest

from aister.app.backtests import market_of
from aister.lab.backtest import Record
from aister.lab.detectors.blind import CodeLookAhead
from aister.lab.detectors.case import case_of_spec
from aister.lab.detectors.effort import Effort
from aister.lab.detectors.examine import Examined, examine
from aister.lab.detectors.lookahead import Offence
from aister.lab.detectors.monte_carlo import Paths, Spread, TradeOrder
from aister.lab.detectors.page import detectors_page
from aister.lab.detectors.verdict import Found, Verdict
from aister.lab.detectors.warm_up import Drift, WarmUp
from aister.lab.settings import Settings
from aister.strategy.templates import template
from tests.analytics.test_backtest_page import HOSTILE, LOUD, Tags

EFFORT = Effort(cuts=2, whole_day=False, starts=2, cells=8, draws=20, paths=2)
CAUGHT = {"verdict": Verdict.CAUGHT, "sentence": "it was caught"}


@pytest.fixture(scope="module")
def result() -> Examined:
    market = market_of("sample", symbols=("BTCUSDT",), start_ms=1_746_835_200_000, end_ms=1_747_440_000_000)
    case = case_of_spec(template("kill_zone_open_drive"), market, Settings(), Record(data="sample"))
    return examine(case, EFFORT)


def test_the_page_says_what_was_found_and_how_to_check_it(result: Examined) -> None:
    page = detectors_page(result)
    assert page == detectors_page(result), "the same answers give the same bytes"
    for word in (result.name, result.data_hash, result.code_hash, result.spec_hash, "DETECTORS"):
        assert word in page
    for found in result.found:
        assert f"<h3>{found.detector} " in page
    for heading in ("Verdicts", "One by one", "To check it", "Caught", "Clean", "Not enough data"):
        assert f"<h2>{heading}</h2>" in page
    assert page.count("<article") == len(result.found) == 8
    assert page.count('<span class="at">x ') == 4, "a bar for each multiple of costs"


def test_no_script_and_nothing_from_elsewhere(result: Examined) -> None:
    found = Tags(detectors_page(result))
    assert not found.tags & LOUD and not {"src", "href", "srcset"} & found.attributes
    assert not [name for name in found.attributes if name.startswith("on")]


def test_every_figure_of_what_was_caught_is_drawn(result: Examined) -> None:
    spread = Spread(0.01, 0.05, 0.21)
    look = Offence("BTCUSDT", 0, "long entry", "goes away", 60_000, "bars", 120_000)
    answers: tuple[Found, ...] = (
        CodeLookAhead(
            detector="look-ahead", cuts=3, day_ms=None, day_cuts=0, signals=9, seed=1, first=look, alone=True, **CAUGHT
        ),
        WarmUp(
            detector="warm-up", warm_up_ms=60_000, starts_ms=(1,), compared=5, worst=1e-8, seed=1, **CAUGHT,
            drifts=(Drift("BTCUSDT", "1h.<b>", 0, 1, 0.5), Drift("BTCUSDT", "the long entry", 0, 1, None)),
        ),
        TradeOrder(detector="trade-order", draws=7, drawdown=spread, own=0.04, rank=0.2, seed=1, **CAUGHT),
        Paths(
            detector="paths", paths=4, longest_days=10, drawdown=spread, net=Spread(-0.2, -0.1, 0.1), own_net=0.02,
            rank=0.9, profitable=0.25, trades=40.0, seeds=(1, 4), **CAUGHT,
        ),
    )  # fmt: skip
    page = detectors_page(msgspec.structs.replace(result, found=answers))
    for word in ("2 min", "1h.&lt;b&gt;", "another", "1.0 % … 21.0 %", "−20.0 % … +10.0 %", "+2.00 %", "25.0 %"):
        assert word in page, word
    assert page.count('class="limit"') == 2 and page.count('class="own"') == 2
    assert "It was caught." in page and '<div class="big num loss">4</div>' in page


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_words_stay_words(result: Examined, hostile: str) -> None:
    said = Found(detector=hostile, verdict=Verdict.CAUGHT, sentence=hostile)
    plain = Found(detector="x", verdict=Verdict.CAUGHT, sentence="x")
    other = msgspec.structs.replace(
        result,
        name=hostile,
        parameters=hostile,
        symbols=(hostile,),
        data=hostile,
        assumptions={hostile: hostile},
        flags=(hostile,),
        found=(said,),
    )
    meant = msgspec.structs.replace(result, parameters="x", flags=("x",), found=(plain,))
    page = detectors_page(other)
    assert (Tags(page).tags, Tags(page).attributes) == (
        Tags(detectors_page(meant)).tags,
        Tags(detectors_page(meant)).attributes,
    )
    assert "\x1b" not in page and "\u202e" not in page
