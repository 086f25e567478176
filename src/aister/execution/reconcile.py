"""Our books beside the venue's: a pure function to findings. The venue is the truth; what follows from a finding is
`recovery`'s business, and account settings or orders of others are never "repaired" (C14).
"""

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from aister.core.money import money_text
from aister.core.trade import Order, Purpose
from aister.execution.cover import protects, uncovered
from aister.execution.identity import instance_of
from aister.ports.exchange import AccountTerms, Open, VenueOrder, VenuePosition

__all__ = ["Armed", "Finding", "FindingKind", "Ours", "OwnOrder", "needed", "reconcile", "wanted_ticks"]

_CENT = 1_000_000


class FindingKind(StrEnum):
    """What can differ. MISSING and DIFFERS may be news still under way and are looked into before they count."""

    MISSING = "missing"
    ALTERED = "altered"
    STRAY = "stray"
    ORPHAN = "orphan"
    TWIN = "twin"
    FOREIGN = "foreign"
    DIFFERS = "position"
    NAKED = "naked"
    TERMS = "terms"
    MONEY = "money"


class Finding(msgspec.Struct, frozen=True):
    """One difference, in one sentence. `ours` and `theirs`: steps or money; `order`: the venue's, where it is about
    one."""

    kind: FindingKind
    symbol: str
    leg: int
    client_id: str
    sentence: str
    ours: int = 0
    theirs: int = 0
    order: VenueOrder | None = None
    position: VenuePosition | None = None

    @property
    def key(self) -> tuple[str, str, int, str]:
        return (self.kind, self.symbol, self.leg, self.client_id)


class OwnOrder(msgspec.Struct, frozen=True):
    """An order of ours that may still fill. `arrived`: the venue is known to have it."""

    order: Order
    arrived: bool


class Armed(msgspec.Struct, frozen=True):
    """What the account's settings were when trading was armed: a difference freezes entries. Symbols without an entry
    are not compared."""

    terms: AccountTerms
    leverage: Mapping[str, int] = {}
    isolated: Mapping[str, bool] = {}


class Ours(msgspec.Struct, frozen=True):
    """Our books: signed steps by symbol and leg (flat ones may be left out), orders that may still fill, the wallet of
    the ledger (None: not compared), the symbols this trader owns, and its instance id."""

    instance: str
    symbols: tuple[str, ...]
    steps: Mapping[tuple[str, int], int]
    orders: tuple[OwnOrder, ...]
    wallet: int | None = None


def reconcile(ours: Ours, open_: Open, armed: Armed | None) -> tuple[Finding, ...]:
    """Every difference, protection first."""
    known = {one.order.client_id: one for one in ours.orders}
    found = [*_positions(ours, open_), *_missing(ours, open_)]
    for order in open_.orders:
        finding = _order(order, ours, known, open_)
        if finding is not None:
            found.append(finding)
    if armed is not None:
        found += _terms(open_, armed)
    if ours.wallet is not None and abs(ours.wallet - open_.money.wallet) > _CENT:
        sentence = (
            f"The wallet holds {money_text(open_.money.wallet, 2)} where the ledger says {money_text(ours.wallet, 2)}; "
            "if money was moved, say how much with aister run --accept-transfer."
        )
        found.append(Finding(FindingKind.MONEY, "", 0, "", sentence, ours.wallet, open_.money.wallet))
    return tuple(found)


def _positions(ours: Ours, open_: Open) -> list[Finding]:
    found = []
    theirs = {(one.symbol, one.leg): one for one in open_.positions}
    for position in open_.positions:
        if position.between and position.symbol in ours.symbols:
            sentence = (
                f"{position.symbol}: the account holds {position.between}, which is between two of the steps it is"
                f" traded in here; it counts as {abs(position.steps)} steps. Close it at the exchange."
            )
            found.append(Finding(FindingKind.TERMS, position.symbol, position.leg, "", sentence, position=position))
        wanted = wanted_ticks(position, ours)
        bare = uncovered(position, open_.orders, wanted) if position.symbol in ours.symbols else 0
        if bare:
            where = f" at {wanted} ticks" if wanted else ""
            sentence = (
                f"{position.symbol}: {bare} of {abs(position.steps)} steps held have no stop{where} at the venue."
            )
            found.append(_of(FindingKind.NAKED, position, sentence, abs(position.steps), bare))
    for symbol, leg in sorted(theirs.keys() | ours.steps.keys()):
        one = theirs.get((symbol, leg))
        held, there = ours.steps.get((symbol, leg), 0), one.steps if one is not None else 0
        if held == there:
            continue
        if symbol not in ours.symbols:
            sentence = f"{symbol}: the account holds {there} steps of it, which is none of this trader's symbols."
            found.append(Finding(FindingKind.FOREIGN, symbol, leg, "", sentence, 0, there))
            continue
        sentence = f"{symbol}: the venue holds {there} steps where the books hold {held}."
        found.append(Finding(FindingKind.DIFFERS, symbol, leg, "", sentence, held, there, position=one))
    return found


def _missing(ours: Ours, open_: Open) -> list[Finding]:
    shown = {one.client_id for one in open_.orders}
    return [
        Finding(
            FindingKind.MISSING,
            one.order.symbol,
            one.order.leg,
            one.order.client_id,
            f"{one.order.symbol}: order {one.order.client_id} is not among the venue's open orders.",
        )
        for one in ours.orders
        if one.arrived and one.order.client_id not in shown
    ]


def _order(order: VenueOrder, ours: Ours, known: Mapping[str, OwnOrder], open_: Open) -> Finding | None:
    own, instance = known.get(order.client_id), instance_of(order.client_id)
    name = f"{order.symbol}: order {order.client_id or order.venue_id}"
    if own is None and instance != ours.instance:
        if instance is not None:
            sentence = f"{name} is of another installation of AISTER ({instance}); stop one of the two."
            return _about(FindingKind.TWIN, order, sentence)
        return _about(FindingKind.FOREIGN, order, f"{name} was placed by somebody else; it is left alone.")
    if own is None:
        return _about(FindingKind.STRAY, order, f"{name} is ours and in no book of ours.")
    sent = own.order
    if (order.side, order.close_position) != (sent.side, sent.close_position) or (
        sent.purpose is Purpose.STOP and order.trigger_ticks != sent.trigger_ticks
    ):
        return _about(FindingKind.ALTERED, order, f"{name} is not what was sent.")
    flat = not any(one.steps for one in open_.positions if (one.symbol, one.leg) == (order.symbol, order.leg))
    enters = any(one.order.symbol == order.symbol and one.order.purpose is Purpose.ENTRY for one in ours.orders)
    if sent.purpose is not Purpose.ENTRY and flat and not enters and not ours.steps.get((order.symbol, order.leg)):
        return _about(FindingKind.ORPHAN, order, f"{name} rests and there is nothing left for it to close.")
    return None


def _terms(open_: Open, armed: Armed) -> list[Finding]:
    said = []
    if open_.terms.hedged != armed.terms.hedged:
        said.append(("", f"The position mode is {'hedge' if open_.terms.hedged else 'one-way'} now; set it back."))
    if open_.terms.multi_assets != armed.terms.multi_assets:
        said.append(("", f"Multi-assets mode is {'on' if open_.terms.multi_assets else 'off'} now; set it back."))
    for one in open_.positions:
        leverage, isolated = armed.leverage.get(one.symbol), armed.isolated.get(one.symbol)
        if leverage is not None and one.leverage != leverage:
            said.append((one.symbol, f"{one.symbol}: leverage is {one.leverage} now, not {leverage}; set it back."))
        if isolated is not None and one.isolated != isolated:
            kind = "isolated" if one.isolated else "cross"
            said.append((one.symbol, f"{one.symbol}: margin is {kind} now; set it back."))
    return [Finding(FindingKind.TERMS, symbol, 0, "", sentence) for symbol, sentence in said]


def _of(kind: FindingKind, position: VenuePosition, sentence: str, ours: int, theirs: int) -> Finding:
    return Finding(kind, position.symbol, position.leg, "", sentence, ours, theirs, position=position)


def _about(kind: FindingKind, order: VenueOrder, sentence: str) -> Finding:
    return Finding(kind, order.symbol, order.leg, order.client_id, sentence, order=order)


def wanted_ticks(position: VenuePosition, ours: Ours) -> int:
    """Where our books want the stop of a position: the nearest trigger of ours that the venue has had; 0: nowhere."""
    side = 1 if position.steps > 0 else -1
    stops = (
        one.order.trigger_ticks
        for one in ours.orders
        if one.arrived
        and one.order.purpose is Purpose.STOP
        and (one.order.symbol, one.order.leg, int(one.order.side)) == (position.symbol, position.leg, -side)
    )
    return max(stops, key=lambda ticks: ticks * side, default=0)


def needed(order: VenueOrder, open_: Open, ours: Ours) -> bool:
    """Whether a stop is all that protects a position there, so that it must not go yet: what others cover farther away
    than where our books want it, they do not."""
    for position in open_.positions:
        others = [one for one in open_.orders if one.client_id != order.client_id]
        if protects(order, position) and uncovered(position, others, wanted_ticks(position, ours)):
            return True
    return False
