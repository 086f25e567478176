"""Our books beside the venue's, without either: what counts as protected is where our books want the stop."""

import msgspec
import pytest

from aister.core.trade import Order, Side
from aister.execution.reconcile import FindingKind, Ours, OwnOrder, needed, reconcile
from aister.ports.exchange import AccountTerms, Money, Open, VenueOrder
from tests.execution.scene import SYMBOL, stop
from tests.execution.test_watch import US, held, resting

LONG = stop(f"{US}-7-1", 950)


def shown(order: Order, trigger: int) -> VenueOrder:
    return msgspec.structs.replace(resting(order.side, trigger), client_id=order.client_id)


def books(*stops: tuple[Order, bool]) -> Ours:
    return Ours(US, (SYMBOL,), {(SYMBOL, 0): 100}, tuple(OwnOrder(*one) for one in stops))


def there(*orders: VenueOrder) -> Open:
    return Open(1, orders, (held(),), Money(0, 0), AccountTerms(hedged=False, multi_assets=False))


@pytest.mark.parametrize(
    ("ours", "trigger", "naked"),
    [
        (books((LONG, True)), 950, False),
        (books((LONG, True)), 960, False),
        (books((LONG, True)), 900, True),
        (books(), 900, False),  # no book wants it anywhere
        (books((LONG, True), (stop(f"{US}-8-1", 970), False)), 950, False),  # the better one is still on its way
        (books((LONG, True), (stop(f"{US}-8-1", 970), True)), 950, True),
        (books((stop(f"{US}-7-1", 1_050, Side.BUY), True)), 900, False),  # of a short that is gone
    ],
)
def test_a_position_is_naked_when_no_stop_lies_where_it_is_wanted(ours: Ours, trigger: int, naked: bool) -> None:
    found = reconcile(ours, there(resting(trigger=trigger)), None)
    assert any(one.kind is FindingKind.NAKED for one in found) is naked


def test_a_stop_in_no_book_stays_while_the_others_lie_too_far_away() -> None:
    stray, far = shown(stop(f"{US}-9-1"), 950), shown(LONG, 900)
    assert needed(stray, there(stray, far), books((LONG, True)))
    assert not needed(stray, there(stray, shown(LONG, 950)), books((LONG, True)))
    assert not needed(far, there(stray, far), books((LONG, True)))
