"""What a permission says, that it can be neither altered nor forged, and that it sends once."""

from typing import Any

import msgspec
import pytest

from aister.core.errors import PermissionRefused
from aister.core.permission import Approved, sealed
from aister.core.trade import Order, OrderType, Purpose, Side
from aister.execution.gateway import OrderGateway
from aister.execution.orders import order_of
from aister.risk.kernel import RiskKernel
from aister.risk.limits import LIMITS
from tests.risk.world import KEY, NOON, PRICE, entry, kernel, quiet


def permission() -> Approved:
    permit, _ = kernel().review(entry(), quiet())
    assert isinstance(permit, Approved)
    return permit


def test_a_permission_says_what_it_is_for() -> None:
    permit = permission()
    assert sealed(KEY, permit)
    assert (permit.symbol, permit.side, permit.steps, permit.purpose) == ("BTCUSDT", Side.BUY, 20, Purpose.ENTRY)
    assert (permit.worst_ticks, permit.price_ticks, permit.expires_ms) == (1_005_000, 0, NOON + 2_000)
    assert permit.limits_hash == kernel().limits_hash
    short, _ = kernel().review(entry(side=Side.SELL, stop_ticks=PRICE + 6_000), quiet())
    limit, _ = kernel().review(entry(type=OrderType.LIMIT), quiet())
    assert isinstance(short, Approved) and isinstance(limit, Approved)
    assert (short.worst_ticks, limit.worst_ticks, limit.price_ticks) == (995_000, PRICE, PRICE)


@pytest.mark.parametrize(
    "change",
    [
        {"intent_id": "other"},
        {"symbol": "ALTUSDT"},
        {"side": Side.SELL},
        {"type": OrderType.LIMIT},
        {"purpose": Purpose.CLOSE},
        {"steps": 21},
        {"price_ticks": 1},
        {"trigger_ticks": 1},
        {"worst_ticks": 0},
        {"reduce_only": True},
        {"close_position": True},
        {"limits_hash": "0"},
        {"expires_ms": NOON + 2_001},
        {"seal": b""},
    ],
)
def test_an_altered_permission_is_seen(change: dict[str, Any]) -> None:
    assert not sealed(KEY, msgspec.structs.replace(permission(), **change))


def test_a_permission_forged_under_another_key_is_seen() -> None:
    other = RiskKernel(kernel().limits, {"BTCUSDT": kernel()._instruments["BTCUSDT"]}, b"guess", "owner", "trader")
    forged, _ = other.review(entry(), quiet())
    assert isinstance(forged, Approved) and not sealed(KEY, forged)


class Listens:
    """A venue that only remembers."""

    def __init__(self) -> None:
        self.orders: list[Order] = []

    def send(self, order: Order, time_ms: int) -> None:
        self.orders.append(order)

    def cancel(self, symbol: str, client_id: str, time_ms: int) -> None: ...

    def take_reports(self) -> list[Any]:
        return []


def test_a_permission_sends_once_in_time_and_its_copy_not_at_all() -> None:
    venue, permit = Listens(), permission()
    gateway = OrderGateway(venue, KEY)
    copy = msgspec.msgpack.decode(msgspec.msgpack.encode(permit), type=Approved)
    with pytest.raises(PermissionRefused, match="expired"):
        gateway.send(order_of(permit, "c-0"), permit, NOON + 2_001)
    gateway.send(order_of(permit, "c-1"), permit, NOON + 2_000)
    for again in (permit, copy):
        with pytest.raises(PermissionRefused, match="already used"):
            gateway.send(order_of(again, "c-2"), again, NOON)
    assert [sent.client_id for sent in venue.orders] == ["c-1"]


def test_whose_limits_they_are_and_which_are_in_force_is_in_the_hash() -> None:
    limits = kernel().limits
    hashes = {
        kernel().limits_hash,
        kernel(registry=LIMITS[1:]).limits_hash,
        RiskKernel(limits, {}, KEY, "other", "trader").limits_hash,
        RiskKernel(limits, {}, KEY, "owner", "other").limits_hash,
        kernel(msgspec.structs.replace(limits, leverage=2)).limits_hash,
    }
    assert len(hashes) == 5
