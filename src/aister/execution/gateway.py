"""The one sender. Nothing else may call `Venue.send`; nothing passes here without a sealed, fresh, unused
permission."""

from aister.core.errors import PermissionRefused
from aister.core.permission import Approved, sealed
from aister.core.trade import Order
from aister.execution.orders import order_of
from aister.ports.venue import Venue

__all__ = ["OrderGateway"]

_MANY = 1_024
"""So many used permissions are looked through for expired ones: more than leave within the life of one."""


class OrderGateway:
    """Sends an order if its `Approved` is genuine, says exactly this order, is not expired and was never used.

    `key` is the risk kernel's seal key. Times are engine time. Raises `PermissionRefused`; the order is then not sent.
    """

    def __init__(self, venue: Venue, key: bytes) -> None:
        self._venue = venue
        self._key = key
        self._used: dict[bytes, int] = {}

    def send(self, order: Order, permit: Approved, time_ms: int) -> None:
        refusal = self._refusal(order, permit, time_ms)
        if refusal:
            raise PermissionRefused(f"Order {order.client_id} was not sent: {refusal}.")
        self._remember(permit, time_ms)
        self._venue.send(order, time_ms)

    def cancel(self, symbol: str, client_id: str, time_ms: int) -> None:
        """Cancelling never adds risk that was not reviewed: entries only shrink, and stops are replaced before."""
        self._venue.cancel(symbol, client_id, time_ms)

    def _remember(self, permit: Approved, time_ms: int) -> None:
        """It was used. Those that have expired are refused for that, and need not be remembered."""
        if len(self._used) >= _MANY:
            self._used = {seal: until_ms for seal, until_ms in self._used.items() if until_ms >= time_ms}
        self._used[permit.seal] = permit.expires_ms

    def _refusal(self, order: Order, permit: Approved, time_ms: int) -> str:
        if not sealed(self._key, permit):
            return "its permission is forged or altered"
        if permit.seal in self._used:
            return "its permission was already used"
        if time_ms > permit.expires_ms:
            return "its permission has expired"
        return "" if order == order_of(permit, order.client_id) else "it is not the order that was permitted"
