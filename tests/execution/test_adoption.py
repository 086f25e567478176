"""Which stop a position that is found at the start is kept by."""

from aister.core.trade import OrderType, Side
from aister.execution.adoption import found_position, keepable
from aister.execution.reconcile import Finding, FindingKind
from aister.ports.exchange import VenueOrder, VenuePosition, VenueStatus
from tests.execution.scene import SYMBOL

SHORT = VenuePosition(SYMBOL, 0, -10, -1_000, 100, 200, 5, True, 100)
FOUND = Finding(FindingKind.DIFFERS, SYMBOL, 0, "", "", 0, -10, position=SHORT)


def resting(kind: OrderType, ticks: int) -> VenueOrder:
    whole = kind is OrderType.STOP_MARKET
    return VenueOrder(
        "web_1", 1, SYMBOL, Side.BUY, kind, VenueStatus.NEW, 0 if whole else 10, 0, 0, ticks, True, whole, 0, 1
    )


def test_a_trailing_stop_whose_place_cannot_be_read_hides_no_other() -> None:
    trailing = resting(OrderType.TRAILING_STOP_MARKET, 0)
    both = (resting(OrderType.STOP_MARKET, 120), trailing)
    assert keepable(SHORT, both)
    kept = found_position(FOUND, both, "ai00000000", 1)
    assert kept is not None and kept.stop_ticks == 120
    assert not keepable(SHORT, (trailing,)) and found_position(FOUND, (trailing,), "ai00000000", 1) is None
