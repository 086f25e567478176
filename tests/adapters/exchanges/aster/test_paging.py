"""Trades and income page by page: nothing missing and nothing twice, over long absences and full pages."""

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aister.adapters.exchanges.aster import paging
from aister.adapters.exchanges.aster.account import AsterAccount
from aister.adapters.exchanges.aster.governor import Governor
from aister.adapters.exchanges.aster.messages import RateLimit
from aister.adapters.exchanges.aster.rest import Rest
from aister.adapters.exchanges.aster.wire import Lost, Reply
from aister.ports.exchange import Unknown
from tests.adapters.exchanges.aster.scripted import START_MS, Hands, LocalSigner, ScriptedWire, Sent, reply

DAY_MS = 86_400_000
OLD_MS = 300_000  # from then on the venue may have forgotten an order whose trades it tells
ROOMY = (RateLimit("REQUEST_WEIGHT", "MINUTE", 1, 10**6),)


def account(answers: Any) -> tuple[AsterAccount, ScriptedWire]:
    hands = Hands()
    wire = ScriptedWire(answers, hands, delay_ms=0)
    signer = LocalSigner(hands)
    return AsterAccount(Rest(wire, hands, signer, governor=Governor(ROOMY)), ("BTCUSDT",), source="test"), wire


def rows_of(sent: Sent, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The venue's side (aster-api 7): at most 7 days a window, fromId without times, ascending, `limit` rows."""
    asked = sent.params
    if "fromId" in asked:
        assert "startTime" not in asked and "endTime" not in asked
        found = [row for row in rows if row["id"] >= int(asked["fromId"])]
    else:
        begin, end = int(asked["startTime"]), int(asked["endTime"])
        assert end - begin < 7 * DAY_MS
        found = [row for row in rows if begin <= row["time"] <= end]
    return found[: int(asked["limit"])]


AGES = st.lists(
    st.integers(OLD_MS, 45 * DAY_MS) | st.sampled_from([OLD_MS, DAY_MS, 7 * DAY_MS, 7 * DAY_MS - 1]), max_size=25
)


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "PAGE", 4)


@settings(max_examples=80, deadline=None)
@given(AGES, st.integers(0, 40))
def test_every_trade_since_then_once(ages: list[int], days: int) -> None:
    times = sorted(START_MS - age for age in ages)
    trades = [
        {"symbol": "BTCUSDT", "id": 100 + 3 * n, "orderId": n % 5, "side": "BUY", "price": "1", "qty": "1", "time": at}
        for n, at in enumerate(times)
    ]

    def answers(sent: Sent) -> Reply | Lost:
        if sent.path.endswith("/order"):
            return reply({"code": -2013, "msg": "Order does not exist."}, 400)
        return reply(rows_of(sent, trades))

    client, _ = account(answers)
    since = START_MS - days * DAY_MS
    told = asyncio.run(client.executions("BTCUSDT", since))
    assert isinstance(told, tuple)
    assert [one.trade_id for one in told] == [row["id"] for row in trades if row["time"] >= since]
    assert {one.client_id for one in told} <= {""}


@settings(max_examples=80, deadline=None)
@given(st.lists(st.integers(0, 20 * DAY_MS) | st.just(3 * DAY_MS), max_size=14, unique=True), st.integers(1, 3))
def test_all_income_of_a_span_once(ages: list[int], together: int) -> None:
    rows = [
        {"symbol": "BTCUSDT", "incomeType": "COMMISSION", "income": "-0.1", "asset": "USDT", "time": START_MS - age,
         "tranId": str(index)}
        for age in sorted(ages, reverse=True) for index in range(together)
    ]  # fmt: skip

    def answers(sent: Sent) -> Reply | Lost:
        return reply(rows_of(sent, rows))

    client, _ = account(answers)
    told = asyncio.run(client.income(START_MS - 18 * DAY_MS, START_MS))
    assert isinstance(told, tuple)
    wanted = [row["time"] for row in rows if row["time"] >= START_MS - 18 * DAY_MS]
    assert [one[0] for one in told] == wanted and all(one[3] == -10_000_000 for one in told)


def test_a_young_trade_whose_order_cannot_be_seen_yet_is_nobodys_answer() -> None:
    trade = {
        "symbol": "BTCUSDT",
        "id": 1,
        "orderId": 9,
        "side": "BUY",
        "price": "1",
        "qty": "1",
        "time": START_MS - 999,
    }

    def answers(sent: Sent) -> Reply | Lost:
        if sent.path.endswith("/order"):
            return reply({"code": -2013, "msg": "Order does not exist."}, 400)
        return reply([trade])

    client, wire = account(answers)
    assert isinstance(asyncio.run(client.executions("BTCUSDT", START_MS - DAY_MS)), Unknown)
    client.learn(9, "abcd-1-1")
    [told] = asyncio.run(client.executions("BTCUSDT", START_MS - DAY_MS))  # type: ignore[misc]
    assert told.client_id == "abcd-1-1" and len(wire.sent) == 3


def test_half_of_the_pages_is_not_an_answer() -> None:
    seen = []

    def answers(sent: Sent) -> Reply | Lost:
        seen.append(sent)
        return reply([]) if len(seen) < 3 else Lost(True, "gone")

    client, _ = account(answers)
    assert isinstance(asyncio.run(client.executions("BTCUSDT", START_MS - 40 * DAY_MS)), Unknown)
    assert len(seen) == 3
