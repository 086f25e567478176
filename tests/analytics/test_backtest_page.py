"""The page of a backtest stands alone, says everything, and is not moved by hostile names."""

from html.parser import HTMLParser

import msgspec
import pytest

from aister.analytics.backtested import published, trade_rows
from aister.analytics.deflation import Deflation
from aister.analytics.report.backtest import backtest_page, chance_in_words, warnings
from aister.app.backtests import market_of
from aister.lab.backtest import Backtest, Record, backtest_spec
from aister.lab.settings import Settings
from aister.strategy.templates import template

HOSTILE = (
    "<script>alert(1)</script>",
    "</title><img src=x onerror=alert(1)>",
    "\"><svg onload=alert(1)>' onmouseover='alert(1)",
    "</pre></style><iframe srcdoc='<script>1</script>'>",
    "<base href=//evil.example>\u202e\x1b[31m",
)
LOUD = {"script", "img", "iframe", "object", "embed", "base", "form", "input", "link", "audio", "video"}


class Tags(HTMLParser):
    """Every element and attribute of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


@pytest.fixture(scope="module")
def result() -> Backtest:
    market = market_of("sample", symbols=("BTCUSDT",), start_ms=1_746_835_200_000, end_ms=1_747_180_800_000)
    return backtest_spec(template("kill_zone_open_drive"), market, Settings(random_draws=3), Record(data="sample"))


def test_the_page_says_what_ran_and_how_to_check_it(result: Backtest) -> None:
    page = backtest_page(result)
    assert page == backtest_page(result), "the same result gives the same bytes"
    o = result.origin
    for word in (o.name, o.data_hash, o.code_hash, o.spec_hash, result.trades_digest, result.trial_id, "Buy and hold"):
        assert word in page
    for heading in ("Result after all costs", "Equity", "Figures", "Where it came from", "Trades", "To check it"):
        assert f"<h2>{heading}</h2>" in page
    assert page.count("BTCUSDT") > len(result.trades)


def test_no_script_and_nothing_from_elsewhere(result: Backtest) -> None:
    found = Tags(backtest_page(result))
    assert not found.tags & LOUD and not {"src", "href", "srcset"} & found.attributes
    assert not [name for name in found.attributes if name.startswith("on")]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_words_stay_words(result: Backtest, hostile: str) -> None:
    origin = msgspec.structs.replace(
        result.origin,
        name=hostile,
        description=hostile,
        data=hostile,
        spec=hostile,
        timeframe=hostile,
        settings={hostile: hostile},
        assumptions={hostile: hostile},
        flags=(hostile,),
        versions={hostile: hostile},
        walls=(hostile,),
    )
    other = msgspec.structs.replace(result, origin=origin)
    plain, found = Tags(backtest_page(result)), Tags(backtest_page(other))
    assert found.tags == plain.tags and found.attributes == plain.attributes
    assert "\x1b" not in backtest_page(other) and "\u202e" not in backtest_page(other)
    assert hostile not in other._repr_html_()


def test_json_holds_what_the_result_holds(result: Backtest) -> None:
    told = msgspec.json.decode(msgspec.json.encode(published(result)))
    assert len(told["trades"]) == len(result.trades) == len(trade_rows(result))
    assert told["capital"] == 10_000 and told["equity"]["quote"][0] == 10_000
    assert told["equity"]["turnover"][-1] == pytest.approx(told["performance"]["figures"]["turnover"] * 10_000)
    assert told["drawdown_at_bar_closes"]["depth"] > 0.001 > told["performance"]["figures"]["max_drawdown"]
    assert told["open_since_ms"] == {} == {symbol: 1 for symbol, steps in told["held_at_end"].items() if steps}
    first, row = told["trades"][0], result.trades[0]
    assert first["side"] == ("long" if row["side"] > 0 else "short")
    assert first["pnl"] == pytest.approx(int(row["pnl"]) / 1e8) and first["reason"]


def test_what_must_be_known_first_is_said(result: Backtest) -> None:
    assert any("too few to conclude" in line for line in warnings(result))
    grave = msgspec.structs.replace(
        result, liquidation_fees=1, unknown_impacts=3, held={"BTCUSDT": 5}, unsound=2, open_since_ms={"BTCUSDT": 0}
    )
    lines = " / ".join(warnings(grave))
    for word in ("liquidated", "3 fills", "still open at the end", "BTCUSDT since 1970-01-01 00:00", "2 setups"):
        assert word in lines


def test_luck_that_is_not_known_is_not_told_as_a_probability(result: Backtest) -> None:
    replace = msgspec.structs.replace
    unknown = Deflation(0.1, 29, 3, 3, None, None, None, None, None)
    figures = replace(result.performance.figures, trades=40)
    one = replace(result, performance=replace(result.performance, figures=figures, deflation=unknown))
    words, page = chance_in_words(one), backtest_page(one)
    assert "What luck makes of 3 trials on this data is not known" in words and "Deflated Sharpe" not in words
    assert "not known: fewer than two have 30 days" in page
