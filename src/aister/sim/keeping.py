"""A simulated venue as a value that can be stored, and back."""

import msgspec

from aister.core.errors import UsageError
from aister.core.events import OrderAccepted
from aister.core.trade import Order
from aister.kernels.state import restore, snapshot
from aister.sim.tape import TapeState
from aister.sim.venue import SimVenue

__all__ = ["DeskState", "VenueState", "keep", "put_back"]


class DeskState(msgspec.Struct, frozen=True):
    """One book: its record as bytes led by the layout's digest, and the orders behind its numbers."""

    leg: int
    book: bytes
    orders: dict[int, Order]
    reserves: dict[int, int]
    next_number: int
    begun_ms: int
    filled: tuple[int, int]


class VenueState(msgspec.Struct, frozen=True):
    """Everything a venue knows but its model and instruments, by symbol."""

    account: bytes
    acks: list[tuple[int, OrderAccepted]]
    desks: dict[str, list[DeskState]]
    tapes: dict[str, TapeState]


def keep(venue: SimVenue) -> VenueState:
    """The venue as it stands; what it has not yet reported is not in it. Raises `UsageError` if there is any."""
    account, acks, desks, tapes, reports = venue.parts()
    if reports:
        raise UsageError("The simulated venue still has reports to give; take them before it is stored.")
    return VenueState(
        account=snapshot(account),
        acks=list(acks),
        desks={
            symbol: [
                DeskState(
                    desk.leg,
                    snapshot(desk.books),
                    dict(desk.orders),
                    dict(desk.reserves),
                    desk.next_number,
                    desk.begun_ms,
                    desk.filled,
                )
                for desk in legs
            ]
            for symbol, legs in desks.items()
        },
        tapes={symbol: tape.keep() for symbol, tape in tapes.items()},
    )


def put_back(venue: SimVenue, state: VenueState) -> None:
    """Give a venue of the same model and instruments, with nothing in it yet, what was kept. Raises `UsageError` for
    other instruments, `ValueError` when the layout of a book has changed since."""
    account, acks, desks, tapes, _ = venue.parts()
    if set(desks) != set(state.desks) or any(len(desks[s]) != len(kept) for s, kept in state.desks.items()):
        raise UsageError("This state belongs to other instruments or another position mode; start afresh.")
    restore(account, state.account)
    acks[:] = state.acks
    for symbol, tape in tapes.items():
        tape.put_back(state.tapes[symbol])
    for symbol, legs in desks.items():
        for desk, kept in zip(legs, state.desks[symbol], strict=True):
            restore(desk.books, kept.book)
            desk.orders, desk.reserves = dict(kept.orders), dict(kept.reserves)
            desk.numbers = {order.client_id: number for number, order in kept.orders.items()}
            desk.next_number, desk.begun_ms, desk.filled = kept.next_number, kept.begun_ms, kept.filled
            desk.refresh()
