"""Only a sealed, fresh, unused permission for exactly this order reaches the venue (C10)."""

import copy
import pickle

import msgspec
import pytest

from aister.core.errors import PermissionRefused
from aister.core.permission import Approved, seal_of
from aister.core.trade import Order, OrderType, Purpose, Side
from aister.execution.gateway import OrderGateway
from aister.execution.orders import order_of

KEY = b"k" * 32


class Recorder:
    """A venue that remembers what it was sent."""

    def __init__(self) -> None:
        self.orders: list[Order] = []
        self.cancels: list[str] = []

    def send(self, order: Order, time_ms: int) -> None:
        self.orders.append(order)

    def cancel(self, symbol: str, client_id: str, time_ms: int) -> None:
        self.cancels.append(client_id)

    def take_reports(self) -> list[object]:
        return []


def permit(**changes: object) -> Approved:
    fields = dict(
        intent_id="s-entry",
        symbol="BTCUSDT",
        side=Side.BUY,
        type=OrderType.MARKET,
        purpose=Purpose.ENTRY,
        steps=10,
        price_ticks=0,
        trigger_ticks=0,
        worst_ticks=1_000_000,
        reduce_only=False,
        close_position=False,
        limits_hash="h",
        expires_ms=2_000,
        leg=0,
        seal=b"",
    )
    unsealed = msgspec.convert(fields | changes, Approved)
    return msgspec.structs.replace(unsealed, seal=seal_of(KEY, unsealed))


def test_used_permissions_are_remembered_as_long_as_they_could_be_used() -> None:
    venue = Recorder()
    gateway = OrderGateway(venue, KEY)  # type: ignore[arg-type]
    for number in range(5_000):
        one = permit(intent_id=f"s-{number}", expires_ms=number + 500)
        gateway.send(order_of(one, f"a-{number}"), one, number)
        for time_ms in (number, number + 500):
            with pytest.raises(PermissionRefused, match="already used"):
                gateway.send(order_of(one, f"b-{number}"), one, time_ms)
    assert len(gateway._used) <= 1_024 and len(venue.orders) == 5_000
    first = permit(intent_id="s-0", expires_ms=500)
    with pytest.raises(PermissionRefused, match="expired"):
        gateway.send(order_of(first, "c"), first, 5_000)


@pytest.fixture
def venue() -> Recorder:
    return Recorder()


@pytest.fixture
def gateway(venue: Recorder) -> OrderGateway:
    return OrderGateway(venue, KEY)


def test_a_genuine_permission_sends_its_order_once(gateway: OrderGateway, venue: Recorder) -> None:
    allowed = permit()
    order = order_of(allowed, "a")
    gateway.send(order, allowed, 2_000)
    assert venue.orders == [order]
    with pytest.raises(PermissionRefused, match="already used"):
        gateway.send(order, allowed, 2_000)
    assert venue.orders == [order]


@pytest.mark.parametrize("make", [copy.copy, copy.deepcopy, lambda p: pickle.loads(pickle.dumps(p))])
def test_a_copy_is_the_same_permission(gateway: OrderGateway, venue: Recorder, make) -> None:  # type: ignore[no-untyped-def]
    allowed = permit()
    gateway.send(order_of(allowed, "a"), allowed, 0)
    with pytest.raises(PermissionRefused, match="already used"):
        gateway.send(order_of(allowed, "b"), make(allowed), 0)


def test_expired(gateway: OrderGateway, venue: Recorder) -> None:
    allowed = permit()
    with pytest.raises(PermissionRefused, match="expired"):
        gateway.send(order_of(allowed, "a"), allowed, 2_001)
    assert not venue.orders


@pytest.mark.parametrize("field", [f for f in Approved.__struct_fields__ if f != "seal"])
def test_any_altered_field_breaks_the_seal(gateway: OrderGateway, venue: Recorder, field: str) -> None:
    allowed = permit()
    value = getattr(allowed, field)
    other = {
        "side": Side.SELL,
        "type": OrderType.LIMIT,
        "purpose": Purpose.CLOSE,
        "reduce_only": True,
        "close_position": True,
    }.get(field, value + ("x" if isinstance(value, str) else 1) if not isinstance(value, bool) else True)
    forged = msgspec.structs.replace(allowed, **{field: other})
    with pytest.raises(PermissionRefused, match="forged"):
        gateway.send(order_of(forged, "a"), forged, 0)
    assert not venue.orders


def test_sealed_under_another_key(gateway: OrderGateway, venue: Recorder) -> None:
    foreign = permit()
    foreign = msgspec.structs.replace(foreign, seal=seal_of(b"other" * 7, foreign))
    with pytest.raises(PermissionRefused, match="forged"):
        gateway.send(order_of(foreign, "a"), foreign, 0)


@pytest.mark.parametrize(
    "change",
    [
        {"steps": 11},
        {"side": Side.SELL},
        {"symbol": "ETHUSDT"},
        {"intent_id": "x"},
        {"type": OrderType.LIMIT},
        {"trigger_ticks": 5},
        {"price_ticks": 7},
        {"reduce_only": True},
        {"close_position": True},
        {"purpose": Purpose.STOP},
    ],
)
def test_another_order_than_the_permitted_one(
    gateway: OrderGateway, venue: Recorder, change: dict[str, object]
) -> None:
    allowed = permit()
    other = msgspec.structs.replace(order_of(allowed, "a"), **change)
    with pytest.raises(PermissionRefused, match="not the order"):
        gateway.send(other, allowed, 0)
    assert not venue.orders


def test_a_limit_order_carries_its_price(gateway: OrderGateway, venue: Recorder) -> None:
    allowed = permit(type=OrderType.LIMIT, price_ticks=999)
    gateway.send(order_of(allowed, "a"), allowed, 0)
    assert venue.orders[0].price_ticks == 999


def test_cancels_pass(gateway: OrderGateway, venue: Recorder) -> None:
    gateway.cancel("BTCUSDT", "a", 5)
    assert venue.cancels == ["a"]
