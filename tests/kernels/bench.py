"""A book driven by short words, for tests of the matching step."""

from aister.kernels.book import (
    BOOK,
    CROSS,
    ISOLATED,
    LIMIT,
    MARKET,
    NEVER_ABOVE,
    OHLC_PATH,
    STOP,
    STOP_FIRST,
    STOP_MARKET,
    TAKE_PROFIT,
    TAKE_PROFIT_MARKET,
    TRAILING,
    place_order,
    refine_order,
    trail_order,
)
from aister.kernels.ledger import ACCOUNT, book_transfer
from aister.kernels.margin import weigh_book
from aister.kernels.matching import open_bar, rest_bar, start_bar
from aister.kernels.state import allocate

KINDS = {
    "market": MARKET,
    "limit": LIMIT,
    "stop": STOP_MARKET,
    "target": TAKE_PROFIT_MARKET,
    "stop-limit": STOP,
    "target-limit": TAKE_PROFIT,
    "trailing": TRAILING,
}
UNIT = 100_000_000  # one tick x one step = 1 quote unit


class Bench:
    """A book in whole ticks without spread or fees unless asked for, and short words to drive it."""

    def __init__(
        self,
        leverage: int = 1,
        half_spread: int = 0,
        floor: int = 0,
        fees: tuple[int, int, int] = (0, 0, 0),
        tiers: tuple[tuple[int, int], ...] = ((0, 0),),
        wallet: int = 10**12,
        share_e4: int = 0,
        path: bool = False,
        cross: bool = False,
        leg: int = 0,
    ) -> None:
        self.books, self.account = allocate(BOOK), allocate(ACCOUNT)
        book = self.books[0]
        book["unit"], book["leverage"], book["ticks_per_quote"] = UNIT, leverage, 1.0
        book["steps_per_base"], book["leg"] = 1.0, leg
        book["policy"], book["margin_mode"] = OHLC_PATH if path else STOP_FIRST, CROSS if cross else ISOLATED
        book["costs"] = (*fees, half_spread, floor, 10, 0, share_e4)
        book["tier_count"], book["watch_high"] = len(tiers), NEVER_ABOVE
        for i, tier in enumerate(tiers):
            book["tiers"][i] = tier
        book_transfer(self.account, wallet)

    def place(
        self,
        number: int,
        kind: str,
        side: int,
        steps: int = 0,
        at: int = 0,
        *,
        reduce: bool = False,
        close: bool = False,
        wait: int = 0,
        limit: int = 0,
        post: bool = False,
        group: int = 0,
        worst: int = 0,
        callback_e8: int = 0,
        activation: int = 0,
        last: int = 0,
    ) -> None:
        price, trigger = (at, 0) if kind == "limit" else (limit, at)
        assert place_order(self.books, number, KINDS[kind], side, steps, price, trigger, int(reduce), int(close), wait)
        if post or group or worst:
            refine_order(self.books, int(post), group, worst)
        if callback_e8:
            trail_order(self.books, callback_e8, activation, last)

    def open(
        self, o: int, range_ticks: int = 0, lost: int = 0, volume: float = 0.0, impact: float = 0.0, day: int = 0
    ) -> list[tuple[int, int, int]]:
        start_bar(self.books, self.account, day * 86_400_000, range_ticks * 10**8, lost, volume, impact)
        open_bar(self.books, self.account, float(o))
        return self.fills()

    def rest(self, o: int, h: int, l: int, c: int = 0, *, again: int = 0) -> list[tuple[int, int, int]]:
        rest_bar(self.books, self.account, float(o), float(h), float(l), float(c or o), again)
        return self.fills()

    def fills(self) -> list[tuple[int, int, int]]:
        """(order, steps, ticks) of the last phase."""
        book = self.books[0]
        return [(r["id"], r["steps"], r["ticks"]) for r in book["reports"][: book["report_count"]]]

    def long(self, steps: int, at: int) -> None:
        """Hold a long bought at the open `at`."""
        self.place(90, "market", 1, steps)
        assert self.open(at) == [(90, steps, at)]

    def weigh(self, at: int, worth: int = 0, need: int = 0, twin: tuple[int, int] = (0, 0)) -> None:
        """What else the account holds (cross margin)."""
        weigh_book(self.books, self.account, float(at), worth, need, *twin)

    def left(self) -> list[tuple[int, int, int]]:
        """(order, what is left of it, why it left) of the last phase."""
        book = self.books[0]
        return [(int(r["id"]), int(r["left"]), int(r["why"])) for r in book["reports"][: book["report_count"]]]

    def of(self, name: str) -> int:
        """A figure of the book."""
        return int(self.books[0][name])

    @property
    def steps(self) -> int:
        return int(self.books[0]["position"]["steps"])

    @property
    def wallet(self) -> int:
        return int(self.account[0]["wallet"])
