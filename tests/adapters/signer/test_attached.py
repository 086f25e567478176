"""The one strategy that is signed: an entry with the stop that closes whatever it opens (C6), capped as the entry."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aister.adapters.signer.allowed import attached_entry
from aister.adapters.signer.charter import Charter
from aister.adapters.signer.policy import Verdict, judge
from aister.ports.signer import Call, Declined
from tests.adapters.signer.given import CHARTER

ENTRY = {
    "strategySubId": "1", "clientOrderId": "ai00000000-1-1", "symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT",
    "quantity": "0.1", "price": "60000", "timeInForce": "GTC",
}  # fmt: skip
STOP = {
    "strategySubId": "2", "clientOrderId": "ai00000000-1-2", "symbol": "BTCUSDT", "side": "SELL", "type": "STOP_MARKET",
    "stopPrice": "59000", "closePosition": "true", "workingType": "MARK_PRICE", "priceProtect": "FALSE",
    "firstDrivenId": "1", "firstDrivenOn": "PARTIALLY_FILLED_OR_FILLED", "firstTrigger": "PLACE_ORDER",
}  # fmt: skip


ATTACHING = msgspec.structs.replace(CHARTER, attached=True)


def told(
    entry: dict[str, str], stop: dict[str, str], right: str = "trade", kind: str = "OTO", charter: Charter = ATTACHING
) -> Verdict | Declined:
    text = msgspec.json.encode([entry, stop]).decode()
    params = (("strategyType", kind), ("subOrderList", text))
    return judge(Call("POST", "/fapi/v3/placeStrategyOrder", params, right, 1), charter, {})


def test_where_the_venue_does_not_trade_so_it_is_not_signed() -> None:
    refused = told(ENTRY, STOP, charter=CHARTER)
    assert isinstance(refused, Declined) and refused.kind == "path"


def test_an_entry_with_its_stop_is_signed_and_counts_as_an_entry() -> None:
    assert told(ENTRY, STOP) == Verdict("trade", True)


@pytest.mark.parametrize(
    ("entry", "stop"),
    [
        ({"quantity": "1"}, {}),  # 60,000 where 10,000 was set at arming
        ({"symbol": "SOLUSDT"}, {"symbol": "SOLUSDT"}),
        ({"side": "SELL"}, {}),
        ({"type": "STOP_MARKET"}, {}),
        ({"timeInForce": "HIDDEN"}, {}),
        ({"reduceOnly": "true"}, {}),
        ({"builder": "0x1"}, {}),
        ({"secondDrivenId": "2"}, {}),
        ({}, {"closePosition": "false"}),
        ({}, {"quantity": "5"}),
        ({}, {"side": "BUY"}),
        ({}, {"symbol": "ETHUSDT"}),
        ({}, {"firstDrivenOn": "NEW"}),
        ({}, {"firstTrigger": "CANCEL_ORDER"}),
        ({}, {"type": "LIMIT"}),
        ({}, {"positionSide": "LONG"}),
    ],
    ids=str,
)
def test_whatever_else_a_pair_says_is_not_signed(entry: dict[str, str], stop: dict[str, str]) -> None:
    assert isinstance(told(ENTRY | entry, STOP | stop), Declined)


@pytest.mark.parametrize("name", [*ENTRY, *STOP])
def test_nothing_that_makes_it_a_pair_may_be_missing(name: str) -> None:
    for entry, stop in (({**ENTRY}, {**STOP}),):
        (entry if name in entry and name not in STOP else stop).pop(name)
        optional = name in ("timeInForce", "workingType", "priceProtect")
        assert isinstance(told(entry, stop), Verdict if optional else Declined)


def test_other_strategies_other_rights_and_double_names_are_not_signed() -> None:
    assert isinstance(told(ENTRY, STOP, kind="OCO"), Declined)
    assert isinstance(told(ENTRY, STOP, right="reduce"), Declined)
    text = msgspec.json.encode([ENTRY, STOP]).decode()
    assert attached_entry(text) == ENTRY
    assert attached_entry(text.replace('"quantity":"0.1"', '"quantity":"9","quantity":"0.1"')) is None
    assert attached_entry(text.replace(",", ", ")) is None


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60) | st.recursive(st.text(max_size=5), lambda inner: st.lists(inner) | st.tuples(inner)))
def test_nonsense_is_no_pair(text: object) -> None:
    assert attached_entry(text if isinstance(text, str) else msgspec.json.encode(text).decode()) is None
