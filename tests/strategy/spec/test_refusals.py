"""Bad specs are refused with the place and the reason; everything wrong is told at once."""

import json
import math
from copy import deepcopy
from typing import Any

import jsonschema
import pytest
from msgspec.structs import replace

from aister.strategy.spec.checks import check, unfit
from aister.strategy.spec.program import program_of
from aister.strategy.spec.refusal import SpecRefused
from aister.strategy.spec.schema import spec_schema
from aister.strategy.spec.spec import read_spec
from tests.strategy.scenes import instrument

Json = Any

GOOD: dict[str, Json] = {
    "version": 1,
    "name": "good",
    "timeframe": "15m",
    "let": {"fast": 20, "atr": {"feature": "atr", "span": 14}, "up": {">": [{"feature": "close"}, {"use": "level"}]}}
    | {"level": {"feature": "ema", "span": {"use": "fast"}}},
    "long": {
        "entry": {"and": [{"use": "up"}, {"<": [{"feature": "rsi", "span": 14}, 70]}]},
        "order": {"limit": {"-": [{"feature": "close"}, {"use": "atr"}]}, "life": 2},
        "stop": {"distance": {"*": [3, {"use": "atr"}]}},
        "targets": [{"r": 1, "share": 0.5}, {"r": 2, "share": 0.5}],
    },
    "horizon": {"bars": 10},
    "sizing": {"risk": 0.01, "notional": 1, "leverage": 2},
}
CLOSE, ATR = {"feature": "close"}, {"use": "atr"}
DELETE = object()


def changed(path: str, value: Json) -> dict[str, Json]:
    """The good spec with the part at a JSON pointer replaced, added or deleted."""
    document: Json = deepcopy(GOOD)
    *way, last = path.removeprefix("/").split("/")
    place = document
    for step in way:
        place = place[int(step)] if isinstance(place, list) else place[step]
    key = int(last) if isinstance(place, list) else last
    if value is DELETE:
        del place[key]
    else:
        place[key] = value
    return dict(document)


def refused(document: Json) -> list[tuple[str, str]]:
    with pytest.raises(SpecRefused) as caught:
        read_spec(document)
    return [(finding.path, finding.reason) for finding in caught.value.findings]


def test_the_good_one_is_read() -> None:
    spec = read_spec(GOOD)
    assert spec.interval_ms == 900_000
    assert spec.horizon_ms == 10 * 900_000
    assert [word for _, word, _ in spec.sides] == ["long"]


SEEN_BY_SCHEMA: list[tuple[str, Json, str, str]] = [
    ("/version", 2, "/version", "reads version 1 only"),
    ("/version", DELETE, "", "lacks 'version'"),
    ("/name", "Good Name", "/name", "small letters"),
    ("/timeframe", "7m", "/timeframe", "no such timeframe"),
    ("/horizon", {"hours": 3}, "/horizon", "either bars or minutes"),
    ("/horizon/bars", 0, "/horizon/bars", "out of range"),
    ("/symbols", ["btc"], "/symbols/0", "such as BTCUSDT"),
    ("/symbols", ["BTCUSDT", "BTCUSDT"], "/symbols/1", "named twice"),
    ("/extra", 1, "/extra", "unknown key"),
    ("/long/entry/and/1/</0/feature", "rsy", "/long/entry/and/1/</0/feature", "unknown feature 'rsy'"),
    ("/long/entry/and/1/</0/feature", "rsi_14", "/long/entry/and/1/</0/feature", "'feature': 'rsi', 'span': 14"),
    ("/long/entry/and/1/</0/feature", "15m.rsi", "/long/entry/and/1/</0/feature", "'timeframe': '15m'"),
    ("/long/entry/and/1/</0/feature", 7, "/long/entry/and/1/</0/feature", "this is a number"),
    ("/long/entry/and/1/</0/span", 1, "/long/entry/and/1/</0/span", "from 2 up to 500"),
    ("/long/entry/and/1/</0/span", 14.5, "/long/entry/and/1/</0/span", "not a whole number"),
    ("/long/entry/and/1/</0/span", "14", "/long/entry/and/1/</0/span", "this is text"),
    ("/long/entry/and/1/</0/span", DELETE, "/long/entry/and/1/</0", "lacks 'span'"),
    ("/long/entry/and/1/</0/width", 2, "/long/entry/and/1/</0/width", "no such parameter; it has span"),
    ("/long/entry/and/1/</0/timeframe", "2h", "/long/entry/and/1/</0/timeframe", "no timeframe '2h'"),
    ("/long/entry/and/1", {"feature": "session.weekday", "timeframe": "1h"}, "/long/entry/and/1/timeframe", "no timef"),
    ("/long/entry/and/1", {"is_above": [1, 2]}, "/long/entry/and/1/is_above", "unknown operator"),
    ("/long/entry/and/1", {"<": [1, 2], ">": [1, 2]}, "/long/entry/and/1", "side by side"),
    ("/long/entry/and/1", {"<": [1, 2, 3]}, "/long/entry/and/1/<", "has 3 parts; give 2"),
    ("/long/entry/and/1", {"weekday": "someday"}, "/long/entry/and/1/weekday", "no 'someday'"),
    ("/long/entry/and/1", {"kill_zone": []}, "/long/entry/and/1/kill_zone", "this is a list"),
    ("/long/entry/and/1", {"silver_bullet": False}, "/long/entry/and/1/silver_bullet", "give true"),
    ("/long/entry/and/1", [], "/long/entry/and/1", "this is a list"),
    ("/long/entry/and", [], "/long/entry/and", "has 0 parts"),
    ("/long/entry", True, "/long/entry", "true or false"),
    ("/long/entry", {">": [{"of": CLOSE, "ago": -1}, 1]}, "/long/entry/>/0/ago", "-1 looks ahead"),
    ("/long/entry", {">": [{"of": CLOSE, "ago": 501}, 1]}, "/long/entry/>/0/ago", "out of range"),
    ("/long/entry", {">": [{"ago": 1}, 1]}, "/long/entry/>/0", "lacks 'of'"),
    ("/long/stop", {"distance": 1, "percent": 1}, "/long/stop", "distance and percent"),
    ("/long/stop", {"percent": 0}, "/long/stop/percent", "out of range"),
    ("/long/stop", {"percent": 51}, "/long/stop/percent", "out of range"),
    ("/long/stop", 3, "/long/stop", "this is a number"),
    ("/long/targets", [], "/long/targets", "has 0 parts; give 1 to 3"),
    ("/long/targets/0/r", 0, "/long/targets/0/r", "out of range"),
    ("/long/targets/0/share", 0, "/long/targets/0/share", "out of range"),
    ("/long/targets/0/also", 0, "/long/targets/0/also", "unknown key"),
    ("/long/order/life", 0, "/long/order/life", "out of range"),
    ("/long/order", "limit", "/long/order", "this is text"),
    ("/long/stop", DELETE, "/long", "lacks 'stop'"),
    ("/short", "mirrored", "/short", "this is text"),
    ("/management", {"break_even_after": 4}, "/management/break_even_after", "out of range"),
    ("/sizing/risk", 0, "/sizing/risk", "zero size"),
    ("/sizing/notional", 0, "/sizing/notional", "zero size"),
    ("/sizing/leverage", 0, "/sizing/leverage", "zero size"),
    ("/sizing/leverage", 126, "/sizing/leverage", "out of range"),
    ("/sizing/leverage", 2.5, "/sizing/leverage", "not a whole number"),
    ("/sizing/risk", 0.2, "/sizing/risk", "out of range"),
    ("/filter", {"weekdays": ["sunny"]}, "/filter/weekdays/0", "no 'sunny'"),
    ("/filter", {"sessions": ["london", "london"]}, "/filter/sessions/1", "named twice"),
    ("/let/Fast", 1, "/let/Fast", "a letter first"),
    ("/long", DELETE, "", "neither a long nor a short side"),
]
SEEN_BY_THE_READER: list[tuple[str, Json, str, str]] = [
    ("/long/entry/and/1/</0/span", math.nan, "/long/entry/and/1/</0/span", "nan is not a usable number"),
    ("/long/entry/and/1/</1", math.inf, "/long/entry/and/1/</1", "inf is not a usable number"),
    ("/long/entry/and/1/</1", 10**400, "/long/entry/and/1/</1", "not a usable number"),
    ("/sizing/risk", math.nan, "/sizing/risk", "nan is not a usable number"),
    ("/sizing/risk", 1e-12, "/sizing/risk", "zero size"),
    ("/long/entry/and/0/use", "down", "/long/entry/and/0/use", "`let` has no 'down'"),
    ("/let/level/span", {"use": "atr"}, "/let/level/span/use", "no number of `let`"),
    ("/let/atr", {"+": [1, {"use": "atr"}]}, "/let/atr/+/1/use", "cyclic reference: atr > atr"),
    ("/let/up/>/1", {"*": [2, {"use": "wide"}]}, "/let/up/>/1/*/1/use", "`let` has no 'wide'"),
    ("/let/up/>/0", {"use": "up"}, "/let/up/>/0/use", "cyclic reference: up > up"),
    ("/long/entry/and/1", CLOSE, "/long/entry/and/1", "is a number where a condition is needed"),
    ("/long/stop/distance", {"use": "up"}, "/long/stop/distance", "is a condition where a number is needed"),
    ("/let/odd", {"and": [1, {"use": "up"}]}, "/let/odd/and/0", "is a number where a condition is needed"),
    ("/long/targets/1/share", 0.4, "/long/targets", "shares add up to 0.9"),
    ("/long/targets/1/share", 0.12345, "/long/targets/1/share", "more than four decimals"),
    ("/long/targets/1/r", 0.5, "/long/targets/1/r", "not farther than the target before it"),
    ("/management", {"break_even_after": 3}, "/management/break_even_after", "there are 2"),
    (
        "/long/entry/and/1",
        {">": [{"feature": "macd", "fast": 26, "slow": 12, "signal": 9}, 0]},
        "/long/entry/and/1/>/0",
        "fast must be below slow",
    ),
    # the wrong side, whatever the market does
    (
        "/long/stop",
        {"price": {"+": [CLOSE, {"*": [2, ATR]}]}},
        "/long/stop/price",
        "stop on the wrong side: for a long",
    ),
    ("/long/stop", {"price": {"feature": "high"}}, "/long/stop/price", "wrong side"),
    ("/long/stop", {"price": {"*": [CLOSE, 1.01]}}, "/long/stop/price", "wrong side"),
    ("/long/stop", {"price": {"max": [{"feature": "low"}, CLOSE]}}, "/long/stop/price", "wrong side"),
    ("/long/stop", {"distance": {"neg": ATR}}, "/long/stop/distance", "wrong side"),
    ("/long/stop", {"distance": 0}, "/long/stop/distance", "wrong side"),
    ("/long/targets/0", {"price": {"-": [CLOSE, {"*": [2, ATR]}]}, "share": 0.5}, "/long/targets/0/price", "target on"),
    ("/long/targets/0", {"distance": {"-": [0, ATR]}, "share": 0.5}, "/long/targets/0/distance", "target on"),
    (
        "/short",
        {**GOOD["long"], "order": "market", "stop": {"price": {"feature": "lowest", "span": 9}}},
        "/short/stop/price",
        "for a short it is never above the entry",
    ),
]


@pytest.mark.parametrize(("at", "value", "path", "reason"), SEEN_BY_SCHEMA + SEEN_BY_THE_READER)
def test_each_is_refused_at_its_place(at: str, value: Json, path: str, reason: str) -> None:
    found = refused(changed(at, value))
    assert [where for where, _ in found] == [path], found
    assert reason in found[0][1]


@pytest.mark.parametrize(("at", "value"), [row[:2] for row in SEEN_BY_SCHEMA])
def test_the_schema_refuses_what_it_can_see(at: str, value: Json) -> None:
    assert not jsonschema.Draft202012Validator(spec_schema()).is_valid(changed(at, value))


def test_a_circle_over_several_names_is_told_once() -> None:
    names = {"a": {"+": [1, {"use": "b"}]}, "b": {"neg": {"use": "c"}}, "c": {"abs": {"use": "a"}}}
    found = refused({**GOOD, "let": GOOD["let"] | names})
    assert found == [("/let/c/abs/use", "cyclic reference: a > b > c > a; a name cannot rest on itself")]


def test_everything_wrong_is_told_at_once() -> None:
    document = changed("/long/entry/and/1/</0/feature", "rsy")
    document["timeframe"], document["sizing"], document["more"] = "7m", {"risk": math.nan}, 1
    paths = [path for path, _ in refused(document)]
    assert sorted(paths) == ["/long/entry/and/1/</0/feature", "/more", "/sizing/risk", "/timeframe"]


@pytest.mark.parametrize(
    ("text", "path", "reason"),
    [
        ("{", "", "not JSON"),
        ("[]", "", "one JSON object"),
        ('{"name": "a", "name": "b"}', "/name", "given twice"),
        ('{"name": NaN}', "/name", "a letter first"),
        ("[" * 5_000 + "]" * 5_000, None, "levels deep"),
        ("9" * 5_000, "", "not JSON"),
        (" " * 300_000, "", "longer than 262,144 characters"),
    ],
)
def test_texts_that_are_no_spec(text: str, path: str | None, reason: str) -> None:
    found = refused(text)
    assert any((path is None or where == path) and reason in why for where, why in found), found


def test_a_text_may_hold_nan_and_is_refused_at_it() -> None:
    text = json.dumps(changed("/long/entry/and/1/</1", math.nan))
    assert refused(text) == [("/long/entry/and/1/</1", "nan is not a usable number; give a finite one")]


def test_names_that_double_at_each_level_are_bounded() -> None:
    names: dict[str, Json] = {"n0": {"feature": "close"}}
    for level in range(1, 200):
        names[f"n{level}"] = {"+": [{"use": f"n{level - 1}"}, {"use": f"n{level - 1}"}]}
    few = GOOD["let"] | {f"n{level}": names[f"n{level}"] for level in range(40)}
    scale = {"/": [{"use": "n39"}, 2.0**39]}
    stop = {"price": {"-": [{"max": [scale, scale]}, ATR]}}
    doubled = {**changed("/long/stop", stop), "let": few, "short": "mirror"}
    spec = read_spec(doubled)
    assert len(program_of(spec).operations) < 120
    many = {**changed("/long/stop", {"price": {"use": "n149"}}), "let": GOOD["let"] | dict(list(names.items())[:150])}
    assert [(path, "more than 100 levels" in why) for path, why in refused(many)] == [("/long/stop/price", True)]
    wide = {f"w{i}": {"+": [CLOSE] * 64} for i in range(20)}
    assert "more than 1,000" in refused({**GOOD, "let": GOOD["let"] | wide})[0][1]


def test_many_parts_count_as_many_levels() -> None:
    long = {"+": [ATR] * 64}
    read_spec(changed("/long/stop", {"distance": long}))
    longer = {"+": [{"+": [ATR] * 64}, *[ATR] * 63]}
    assert "more than 100 levels" in refused(changed("/long/stop", {"distance": longer}))[0][1]


def test_what_depends_on_instruments_data_and_costs() -> None:
    spec = read_spec(changed("/symbols", ["BTCUSDT", "ETHUSDT"]))
    btc, eth = instrument("BTCUSDT"), instrument("ETHUSDT")
    assert check(spec, {"BTCUSDT": btc, "ETHUSDT": eth}, base_interval_ms=60_000) is spec
    bare = replace(eth, brackets=())
    assert unfit(spec, {"BTCUSDT": btc, "ETHUSDT": bare})[0].path == "/symbols/1"
    with pytest.raises(SpecRefused, match="/symbols/1: ETHUSDT has no maintenance brackets"):
        check(spec, {"BTCUSDT": btc, "ETHUSDT": bare})
    with pytest.raises(SpecRefused, match="/symbols/0: BTCUSDT is not offered here; choose of ETHUSDT"):
        check(spec, {"ETHUSDT": eth})
    with pytest.raises(SpecRefused, match="ETHUSDT has no maintenance brackets"):
        check(read_spec(GOOD), {"ETHUSDT": bare})


def test_timeframes_below_the_bars_that_are_fed() -> None:
    fine = {"<": [{"feature": "rsi", "timeframe": "1m", "span": 14}, 70]}
    spec = read_spec(changed("/long/entry/and/1", fine))
    assert [one.path for one in unfit(spec, base_interval_ms=300_000)] == ["/long/entry/and/1/</0/timeframe"]
    found = unfit(spec, base_interval_ms=3_600_000)
    assert found[0].path == "/timeframe"
    assert "15m is below the bars that are fed, 1h" in found[0].reason


def test_a_stop_nearer_than_three_round_trips() -> None:
    spec = read_spec(changed("/long/stop", {"percent": 0.2}))
    assert unfit(spec, costs_e8={"BTCUSDT": 60_000}) == []
    (finding,) = unfit(spec, costs_e8={"BTCUSDT": 90_000})
    assert finding.path == "/long/stop/percent"
    assert "nearer than 3 round-trip costs of BTCUSDT (0.27 %)" in finding.reason
