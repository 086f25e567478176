"""The simulated exchange, composed: its clock, its accounts, its plan of faults, and the file it goes on from."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from aister.app.simulator import (
    TEST_AGENT,
    TEST_USER,
    AccountFile,
    SimulatorSettings,
    keep_state,
    open_exchange,
    open_market,
    read_accounts,
    read_faults,
    read_rules,
)
from aister.core.errors import UsageError
from aister.core.money import UNIT
from aister.exchange_sim import Exchange, Fault, Request

MINUTE_MS = 60_000
WALL_MS = 1_795_000_012_345
SETTINGS = SimulatorSettings(symbols=("BTCUSDT",), start_ms=1_746_403_200_000, history_ms=30 * MINUTE_MS)


def made(settings: SimulatorSettings = SETTINGS, *plan: Fault, kept: Path | None = None) -> Exchange:
    return open_exchange(settings.check(), open_market(settings), (), plan, kept, WALL_MS)


def rows(exchange: Exchange, name: str, query: bytes) -> list[list[Any]]:
    answer = exchange.handle(Request("GET", f"/fapi/v3/{name}", query))
    assert answer.status == 200, answer.body
    return msgspec.json.decode(answer.body, type=list[list[Any]])


def test_its_clock_is_the_walls_and_its_history_has_passed() -> None:
    exchange = made()
    assert exchange.now_ms == WALL_MS
    bars = rows(exchange, "klines", b"symbol=BTCUSDT&interval=1m&limit=1500")
    assert 31 <= len(bars) <= 31 + 8 * 60
    assert bars[-1][0] <= WALL_MS < bars[-1][0] + MINUTE_MS
    first = open_market(SETTINGS).columns("BTCUSDT")
    assert [float(row[4]) for row in bars[:3]] == first["close"][:3].tolist()
    assert exchange.settings.nonce_window_ms == 60_000
    assert made(msgspec.structs.replace(SETTINGS, speed=60.0)).settings.nonce_window_ms == 0


def test_funding_is_settled_at_the_hours_it_was_recorded_for() -> None:
    exchange = made(msgspec.structs.replace(SETTINGS, history_ms=24 * 60 * MINUTE_MS))
    answer = exchange.handle(Request("GET", "/fapi/v3/fundingRate", b"symbol=BTCUSDT"))
    told = msgspec.json.decode(answer.body, type=list[dict[str, Any]])
    assert len(told) >= 3 and {one["fundingTime"] % (8 * 60 * MINUTE_MS) for one in told} == {0}


def test_in_lockstep_it_keeps_the_feeds_own_time() -> None:
    exchange = made(msgspec.structs.replace(SETTINGS, lockstep=True, intrabar="ohlc_path", leverage=7))
    assert exchange.now_ms == open_market(SETTINGS).span_ms[0]
    assert (exchange.settings.model.intrabar, exchange.settings.model.margin.leverage) == ("ohlc_path", 7)


def test_in_lockstep_the_history_is_known_and_not_played() -> None:
    later = msgspec.structs.replace(SETTINGS, lockstep=True, start_ms=1_746_403_200_000 + 40 * MINUTE_MS)
    exchange = made(later)
    assert exchange.now_ms == 1_746_403_200_000 + 40 * MINUTE_MS
    assert len(rows(exchange, "klines", b"symbol=BTCUSDT&interval=1m&limit=1500")) == 30
    known = exchange.accounts[1].venue.newest("BTCUSDT")
    assert known[-1].time_ms == exchange.now_ms
    assert exchange.accounts[1].venue.assumptions()["impact"].endswith("until two are known")


def test_in_lockstep_terms_are_those_of_the_run() -> None:
    exchange = made(msgspec.structs.replace(SETTINGS, lockstep=True, margin="cross", positions="hedge", leverage=7))
    account = exchange.accounts[1]
    assert (account.hedged, account.terms["BTCUSDT"].cross, account.terms["BTCUSDT"].leverage) == (True, True, 7)


def test_settings_of_the_exchange_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "rules.json"
    file.write_text('{"retention_ms": 1000, "limits": {"orders_per_minute": 7}, "readings": {"commission_sign": -1}}')
    settings = made(msgspec.structs.replace(SETTINGS, given=read_rules(file))).settings
    assert (settings.retention_ms, settings.limits.orders_per_minute) == (1_000, 7)
    assert (settings.limits.weight_per_minute, settings.readings.commission_sign) == (2_400, -1)
    for text in ("[]", '{"no_such": 1}', '{"readings": {"commission_sign": 5}}'):
        file.write_text(text)
        with pytest.raises(UsageError, match="settings"):
            read_rules(file)


def test_without_accounts_there_is_one_whose_key_is_in_print() -> None:
    (account,) = made().accounts.values()
    assert (account.credentials.user, list(account.credentials.agents)) == (TEST_USER, [TEST_AGENT.lower()])
    assert account.venue.wallet == 10_000 * UNIT


def test_fault_times_count_from_the_start() -> None:
    exchange = made(SETTINGS, Fault("request", at_ms=5_000, until_ms=9_000, path="ping"), Fault("lag", ms=10))
    assert [(one.at_ms, one.until_ms) for one in exchange.faults.plan] == [
        (WALL_MS + 5_000, WALL_MS + 9_000),
        (WALL_MS, 0),
    ]
    seen = []
    for later in (0, 5_000, 9_000):
        exchange.advance(WALL_MS + later)
        seen.append(exchange.handle(Request("GET", "/fapi/v3/ping")).status)
    assert seen == [200, 503, 200]


def test_it_goes_on_from_its_file_and_has_missed_nothing(tmp_path: Path) -> None:
    first, kept = made(SETTINGS, Fault("lag", ms=10)), tmp_path / "state"
    first.accounts[1].transfer(5 * UNIT, first.now_ms, first.number())
    keep_state(first, open_market(SETTINGS), kept)
    assert kept.stat().st_mode & 0o077 == 0
    later = open_exchange(SETTINGS, open_market(SETTINGS), (), (), kept, WALL_MS + 10 * MINUTE_MS)
    first.advance(WALL_MS + 10 * MINUTE_MS)
    query = b"symbol=BTCUSDT&interval=1m&limit=1500"
    assert rows(later, "klines", query) == rows(first, "klines", query)
    assert later.accounts[1].venue.wallet == 10_005 * UNIT
    assert len(later.faults.plan) == 1
    with pytest.raises(UsageError, match="another feed"):
        made(msgspec.structs.replace(SETTINGS, symbols=("ETHUSDT",)), kept=kept)


def test_files_say_what_is_wrong_with_them(tmp_path: Path) -> None:
    file = tmp_path / "given.json"
    for text, reader, words in (
        ("[", read_faults, "not a JSON list of faults"),
        ('[{"kind": "gremlin"}]', read_faults, "no fault 'gremlin'"),
        ('[{"kind": "request", "outcome": "perhaps"}]', read_faults, "refused, done or late"),
        ('[{"money": 1}]', read_accounts, "neither user and agents nor api_key and secret"),
        ('[{"user": "0x1", "agent": "0x2"}]', read_accounts, "unknown field `agent`"),
        ('[{"api_key": "k", "secret": "s", "money": -1}]', read_accounts, "between 0 and"),
    ):
        file.write_text(text)
        with pytest.raises(UsageError, match=words):
            reader(file)
    file.write_text('[{"api_key": "k", "secret": "s", "money": 5}]')
    assert read_accounts(file) == (AccountFile(5, api_key="k", secret="s"),)
    with pytest.raises(UsageError, match="cannot be read"):
        read_faults(tmp_path / "absent")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"speed": 0.0}, "--speed"),
        ({"intrabar": "both"}, "--intrabar"),
        ({"leverage": 126}, "--leverage"),
        ({"margin": "portfolio"}, "--margin"),
        ({"positions": "both"}, "--positions"),
        ({"seed": -1}, "--seed"),
        ({"history_ms": -1}, "--history"),
    ],
)
def test_settings_that_cannot_be_are_one_sentence(change: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        msgspec.structs.replace(SETTINGS, **change).check()
