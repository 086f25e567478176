"""The report stands alone, says everything, and is not moved by what stands in its data (B6)."""

import re
from html.parser import HTMLParser

import msgspec
import pytest

from aister.analytics.collect import collect
from aister.analytics.findings import About, Findings, Kelly, examine
from aister.analytics.published import published
from aister.analytics.report import debate as debating
from aister.analytics.report import report
from aister.analytics.report.candles import merged
from aister.analytics.report.charts import nice_steps, thinned
from aister.analytics.report.tradable import tradable
from aister.analytics.report.words import age, escaped, figure, funding, signed, utc
from aister.analytics.run_result import Candles, RunResult
from aister.core.council import Stance
from tests.analytics.test_benchmarks import walk
from tests.fakes.audits import DAY_MS, HOUR_MS, START_MS, Tape, one_trade

# markup, attributes that break out, scripts by every road, terminal and bidirectional tricks, spreadsheet formulas
HOSTILE = (
    "<script>alert(1)</script>",
    "</style><script>alert(1)</script>",
    "</title><img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "' onmouseover='alert(1)",
    "<img src=//evil.example/x>",
    "<a href=javascript:alert(1)>x</a>",
    "<iframe srcdoc='<script>1</script>'>",
    "<base href=//evil.example>",
    "<meta http-equiv=refresh content=0;url=//evil.example>",
    "<link rel=stylesheet href=//evil.example>",
    "<!--",
    "-->",
    "]]>",
    "&lt;script&gt;",
    "&#60;script&#62;",
    "\x00<script>",
    "<scr\x00ipt>",
    "<ScRiPt >",
    "<svg/onload=alert`1`>",
    "<math><mtext></mtext><style>*{background:url(//evil.example)}",
    "<details open ontoggle=alert(1)>",
    "<input autofocus onfocus=alert(1)>",
    "url(//evil.example/x)",
    "@import '//evil.example'",
    "<object data=//evil.example>",
    "<embed src=//evil.example>",
    "<form action=//evil.example>",
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "\u202eevil",
    "\u2066x\u2069",
    "a\u200bb",
    "\ufeff",
    "\x1b[31mred",
    "\x1b]8;;http://evil.example\x07link\x1b]8;;\x07",
    "\x9b31m",
    "\r\nSet-Cookie: x",
    "\n{}",
    "[link=http://evil.example]x[/link]",
    "=cmd|'/c calc'!A0",
    "+1+1",
    "-2+3",
    "@SUM(1)",
    "\t=1",
    "{{7*7}}",
    "${7*7}",
    "{% x %}",
    "%0d%0a",
    "\\u003cscript\\u003e",
    "<style>@import url(//evil.example)</style>",
    "<textarea>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<template>",
    "<xmp>",
    "<plaintext>",
    "<video src=//evil.example onerror=alert(1)>",
    "<audio src=x onerror=alert(1)>",
    "＜script＞",
    "'';!--\"<XSS>=&{()}",
)

_ALLOWED = {
    "html",
    "head",
    "meta",
    "title",
    "style",
    "body",
    "header",
    "main",
    "footer",
    "section",
    "span",
    "div",
    "h1",
    "h2",
    "h3",
    "h4",
    "p",
    "dl",
    "dt",
    "dd",
    "ul",
    "li",
    "details",
    "summary",
    "table",
    "thead",
    "tbody",
    "tfoot",
    "tr",
    "th",
    "td",
    "svg",
    "path",
    "text",
    "g",
    "a",
    "circle",
    "b",
    "i",
    "s",
    "code",
    "label",
    "input",
}


class Reader(HTMLParser):
    """Every element and attribute a browser would see."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str, str]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data


UNPROVEN = Kelly(proven=False, outcomes=3, effective_n=2.5, needed=100, bound=None, unproven_share=0.25)


def findings(result: RunResult, **settings: str) -> Findings:
    about = About("SAMPLE", settings or {"profile": "balanced"}, {"journal_hash": "a" * 64}, {"aister": "0.1.0"})
    bars = walk(1, count=2 * 1440)
    return examine(result, about, UNPROVEN, lambda symbol: bars)


@pytest.fixture(scope="module")
def page() -> str:
    return report(findings(collect(one_trade().audits, flags=("proxy: binance",), assumptions={"fees": "as listed"})))


def assert_nothing_runs_or_loads(page: str) -> Reader:
    seen = Reader(page)
    assert seen.tags <= _ALLOWED, seen.tags - _ALLOWED
    for tag, name, value in seen.attributes:
        assert not name.startswith("on"), (tag, name)
        assert name not in (
            "src",
            "srcset",
            "srcdoc",
            "action",
            "formaction",
            "data",
            "poster",
            "background",
            "xlink:href",
        ), (tag, name)
        if name == "href":
            assert re.fullmatch(r"#[td]\d+", value), value
    style = page[page.index("<style>") : page.index("</style>")]
    assert "url(" not in style and "@import" not in style
    assert page.count("<style>") == 1
    return seen


def test_the_page_stands_alone(page: str) -> None:
    seen = assert_nothing_runs_or_loads(page)
    policy = next(
        value for tag, name, value in seen.attributes if tag == "meta" and name == "content" and "default-src" in value
    )
    assert (
        policy.startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:") and "script-src" not in policy
    )
    assert page.index("Content-Security-Policy") < page.index("<title>")


@pytest.mark.parametrize("hostile", HOSTILE)
def test_text_from_data_stays_text(hostile: str) -> None:
    tape = Tape()
    tape.hours(0, 1, 1e5)
    tape.ask(60, rule=hostile, stance=Stance.VETO, reasons=(hostile,), argument=hostile, feature=hostile)
    tape.ask(90, rule=hostile, argument=hostile, granted=0, limit=hostile)
    tape.hours(2, 30, 1e5)
    result = collect(tape.end(), flags=(hostile,), assumptions={hostile: hostile})
    started = msgspec.structs.replace(result.started, mind=hostile, venue=hostile)
    result = msgspec.structs.replace(result, started=started, commands=((0, hostile),))
    page = report(findings(result, **{"profile": hostile}))
    seen = assert_nothing_runs_or_loads(page)
    assert (
        seen.text.count("".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in hostile).strip())
        >= 5
    )
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]", page)


def test_it_says_everything_plainly(page: str) -> None:
    text = Reader(page).text
    for words in (
        "SAMPLE",
        "prices recorded at binance: another venue's wicks",
        "Capital10,000.00 USDT",
        "Seed7",
        "Result after all costs",
        "Buy and hold",
        "Matched random entry",
        "1 trade: not enough data",
        "−11.30 USDT after 0.70 fees",
        "annualised figures need 90",
        "P&L is net of fees and funding",
        "Round 1, blind",
        "Consultant, the Visionary",
        "target 50.0 %",
        "15m.rsi_14 61.25",
        "0.3333 × +0.4055",
        "+0.1352",
        "granted 0.010 BTC",
        "kelly",
        "portfolio_heat",
        "answered 250 ms later",
        "Outcome known",
        "What held it back",
        "a" * 64,
        "UTC",
    ):
        assert words in text, words
    assert '<tr id="t1">' in page and 'href="#d1"' in page


def test_the_state_of_kelly_stands_beside_the_limits(page: str) -> None:
    """Q1: what is not proven says so, and on how many outcomes it rests."""
    text = Reader(page).text
    assert "Kelly UNPROVEN, n = 2: 3 outcomes, worth 2 independent ones; 100 of a certified strategy are needed" in text
    assert "at most 25 % of what the profile allows" in text
    known = findings(collect(one_trade().audits))
    assert published(known)["kelly"] == {"state": "UNPROVEN", **msgspec.structs.asdict(UNPROVEN)}
    proven = Kelly(proven=True, outcomes=140, effective_n=121.0, needed=100, bound=0.0175, unproven_share=0.25)
    known = msgspec.structs.replace(known, kelly=proven)
    assert "Kelly PROVEN, n = 121" in Reader(report(known)).text and "lower bound of 1.75 % of equity" in report(known)
    assert published(known)["kelly"]["state"] == "PROVEN"


def test_the_page_says_what_favours_the_benchmark(page: str) -> None:
    assert "it pays no slippage, which favours it" in Reader(page).text


def test_funding_is_paid_or_received_in_words_and_negative_when_paid_in_tables() -> None:
    assert (funding(5.0), funding(-5.0), funding(0.0)) == (
        "5.00 funding paid", "5.00 funding received", "0.00 funding paid",
    )  # fmt: skip
    for amount, words, row in (
        (300, "3.00 funding paid", "Funding paid"),
        (-300, "3.00 funding received", "Funding received"),
    ):
        whole = findings(collect(one_trade().audits))
        metrics = msgspec.structs.replace(whole.metrics, funding=amount / 100)
        page = report(msgspec.structs.replace(whole, metrics=metrics))
        assert words in page
        assert f"<td>{row}</td><td class=n>{signed(-amount / 100)}</td>" in page


def test_a_moved_stop_shows_the_one_that_was_hit() -> None:
    whole = findings(collect(one_trade().audits))
    (one,) = whole.result.trades
    assert one.hit_stop == one.stop_price and '<span class="soft">first ' not in report(whole)
    moved = msgspec.structs.replace(one, hit_stop=one.stop_price + 250.0)
    page = report(msgspec.structs.replace(whole, result=msgspec.structs.replace(whole.result, trades=(moved,))))
    assert f'{one.stop_price + 250.0:,.1f} <span class="soft">first {one.stop_price:,.1f}</span>' in page
    by_target = msgspec.structs.replace(one, hit_stop=None)
    page = report(msgspec.structs.replace(whole, result=msgspec.structs.replace(whole.result, trades=(by_target,))))
    assert f"<td class=n>{one.stop_price:,.1f}</td>" in page


def test_from_when_on_a_trade_was_possible() -> None:
    def told(hours: int, ask: int | None) -> str:
        tape = Tape()
        if ask is None:
            tape.hours(0, hours, 1e5)
        else:
            tape.hours(0, ask, 1e5)
            tape.ask(60 * ask)
            tape.hours(ask, hours, 1e5)
        return tradable(collect(tape.end()))

    said = told(300, 210)
    assert said.startswith(f"No trade was possible before {utc(START_MS + 202 * HOUR_MS)} UTC: the 1h ATR")
    assert "takes 202 hours of bars. The first question to the council came on" in said
    assert told(100, None).startswith("No trade was possible on this span")
    assert told(300, None) == ""  # nothing was asked, for reasons of its own
    assert told(100, 50) == ""  # history was there: what is needed was known earlier


def test_the_same_findings_give_the_same_page() -> None:
    first, again = (report(findings(collect(one_trade().audits))) for _ in range(2))
    assert first == again


def test_debates_beyond_the_budget_keep_their_line(monkeypatch: pytest.MonkeyPatch) -> None:
    tape = one_trade(end=False)
    for quarter in range(20):
        tape.ask(48 * 60 + 15 * quarter, trade=False, rule=f"rule_{quarter}")
    result = collect(tape.end())
    whole = report(findings(result))
    assert "left out" not in whole
    monkeypatch.setattr(debating, "BUDGET", 12_000)
    cut = report(findings(result))
    assert cut.count('<details id="d') == 21 and "is left out" in cut
    assert "trade 1</a>" in cut  # the one that traded is kept before the others
    assert len(cut) < len(whole)


def test_the_json_has_what_the_interface_promises() -> None:
    plain = published(findings(collect(one_trade().audits, flags=("proxy: binance",))))
    again = msgspec.json.decode(msgspec.json.encode(plain))
    assert {
        "trades",
        "decisions",
        "metrics",
        "journal_hash",
        "flags",
        "assumptions",
        "seed",
        "versions",
        "settings",
    } <= again.keys()
    (trade,), (decision,) = again["trades"], again["decisions"]
    assert (trade["pnl"], trade["size"], trade["side"], trade["fills"][0]["price"]) == (-11.3, 0.01, "long", 100_000.0)
    assert (decision["filled"], decision["label"], decision["reviews"][0]["limits"][0]["limit"]) == (
        True,
        "stop",
        "kelly",
    )
    assert decision["statements"][0]["evidence"] == [{"feature": "15m.rsi_14", "value": 61.25}]
    assert decision["ballot"]["outcome"] == "TRADE"
    assert again["metrics"]["sharpe_annual"] is None and "sharpe_annual" in again["metrics"]["unavailable"]
    assert again["benchmarks"]["matched_random"]["draws"] == 1_000


def test_a_run_without_trades_decisions_or_bars_is_a_page_too() -> None:
    empty = Tape()
    assert "No trades" in report(findings(collect(empty.audits)))
    quiet = Tape()
    quiet.hours(0, 3, 100.0)
    page = report(findings(collect(quiet.end())))
    assert "asked no council" in page
    assert_nothing_runs_or_loads(page)


def test_axes_and_curves_keep_what_matters() -> None:
    assert nice_steps(0, 10) == [0, 2, 4, 6, 8, 10]
    assert nice_steps(5, 5) == [5]
    values = [0.0] * 10_000
    values[4_321], values[7_654] = 5.0, -5.0
    points = thinned(list(range(10_000)), values)
    assert len(points) < 1_700 and (4_321, 5.0) in points and (7_654, -5.0) in points and points[-1][0] == 9_999
    candles = Candles(
        HOUR_MS, tuple(range(0, 4 * HOUR_MS, HOUR_MS)), (1, 2, 3, 4), (5, 6, 9, 8), (1, 0, 2, 2), (2, 3, 4, 5)
    )
    two = merged(candles, 2)
    assert (two.open, two.high, two.low, two.close) == ((1, 3), (6, 9), (0, 2), (3, 5))


def test_words() -> None:
    assert [age(x) for x in (250, 12_000, 90_000, 3 * HOUR_MS, 2 * DAY_MS + 5 * HOUR_MS)] == [
        "250 ms",
        "12 s",
        "1 min 30 s",
        "3 h",
        "2 d 5 h",
    ]
    assert [signed(x) for x in (1.005, -0.001, -1234.5)] == ["+1.00", "0.00", "−1,234.50"]
    assert figure(-0.5) == "−0.5" and escaped("a\nb<") == "a\\nb&lt;"
