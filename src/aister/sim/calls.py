"""The compiled steps of the simulated venue, behind their fast entry points."""

from collections.abc import Callable
from functools import cache, cached_property
from typing import Any

from aister.kernels import entry
from aister.kernels.book import BOOK, place_order, refine_order, trail_order, withdraw_order
from aister.kernels.ledger import ACCOUNT, book_transfer
from aister.kernels.margin import weigh_book, worth_and_need
from aister.kernels.matching import open_bar, rest_bar, settle_funding, start_bar
from aister.kernels.state import allocate

__all__ = ["Calls", "calls"]


class Calls:
    """The compiled steps, behind their fast entry points. What only trailing stops and cross margin need is compiled
    when first asked for."""

    def __init__(self) -> None:
        books, accounts = allocate(BOOK), allocate(ACCOUNT)
        self.place: Callable[..., Any] = entry(place_order, books, *[0] * 9)
        self.refine: Callable[..., Any] = entry(refine_order, books, 0, 0, 0)
        self.withdraw: Callable[..., Any] = entry(withdraw_order, books, 0)
        self.settle: Callable[..., Any] = entry(settle_funding, books, accounts, 0, 0.0)
        self.start: Callable[..., Any] = entry(start_bar, books, accounts, 0, 0, 0, 0.0, 0.0)
        self.open: Callable[..., Any] = entry(open_bar, books, accounts, 0.0)
        self.rest: Callable[..., Any] = entry(rest_bar, books, accounts, 0.0, 0.0, 0.0, 0.0, 0)
        self.deposit: Callable[..., Any] = entry(book_transfer, accounts, 0)

    @cached_property
    def trail(self) -> Callable[..., Any]:
        return entry(trail_order, allocate(BOOK), 0, 0, 0)

    @cached_property
    def weigh(self) -> Callable[..., Any]:
        return entry(weigh_book, allocate(BOOK), allocate(ACCOUNT), 0.0, 0, 0, 0, 0)

    @cached_property
    def worth(self) -> Callable[..., Any]:
        return entry(worth_and_need, allocate(BOOK), allocate(ACCOUNT), 0.0)


@cache
def calls() -> Calls:
    """Made once: finding them takes 20 ms, as long as a short run."""
    return Calls()
