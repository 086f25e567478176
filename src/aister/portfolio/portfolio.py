"""What one owner holds and is worth, from fills, funding and transfers alone. It never asks the venue."""

from aister.core.commands import Transfer
from aister.core.errors import MoneyOverflow, UsageError
from aister.core.events import FundingPaid, MoneyBooked, OrderFilled
from aister.core.instrument import Instrument
from aister.core.money import divide_half_even, exact
from aister.core.trade import Fill, FillKind, Position
from aister.kernels import entry
from aister.kernels.ledger import ACCOUNT, POSITION, SUMS, book_fill, book_funding, book_transfer
from aister.kernels.state import allocate
from aister.portfolio.holding import Closing, Holding
from aister.portfolio.ledger import Account, Entry, Ledger
from aister.portfolio.nav import Nav

__all__ = ["Portfolio"]


class Portfolio:
    """Positions, account, double-entry ledger and unitised NAV of one owner. Money is int 1e-8 quote units
    everywhere.

    Equity = wallet + unrealised at the newest marks. Raises `UsageError` for a symbol that was not listed or a
    transfer that leaves nothing, `MoneyOverflow` when an amount leaves the int64 range."""

    def __init__(self, owner_id: str, capital: int, *, keep_entries: bool = False) -> None:
        self.owner_id = owner_id
        self.ledger = Ledger(keep=keep_entries)
        self.nav = Nav(capital)
        self.wallet = 0
        self.unrealised = 0
        self._holdings: dict[tuple[str, int], Holding] = {}
        self._open: dict[str, tuple[Holding, ...]] = {}
        self._accounts = allocate(ACCOUNT)
        self._fill = entry(book_fill, allocate(POSITION), self._accounts, 0, 0, 0, 0, 0)
        self._fund = entry(book_funding, self._accounts, 0)
        self._transfer = entry(book_transfer, self._accounts, 0)
        self._book_transfer(0, capital)

    def list_instrument(self, instrument: Instrument) -> None:
        """Make an instrument known, or change its terms. Raises `UsageError` if its grid changes under an open
        position."""
        symbol = instrument.symbol
        if (symbol, 0) not in self._holdings:
            self._holdings |= {(symbol, leg): Holding(instrument) for leg in (0, 1, -1)}
            return
        old = self._holdings[symbol, 0].instrument
        if symbol in self._open and (old.tick_e8, old.step_e8) != (instrument.tick_e8, instrument.step_e8):
            raise UsageError(f"{symbol} changed its tick or step while held; close the position first.")
        for leg in (0, 1, -1):
            self._holdings[symbol, leg].list(instrument)

    # what happens

    def apply(self, event: OrderFilled | FundingPaid | MoneyBooked | Transfer, time_ms: int = 0) -> Closing | None:
        """Book a venue report or a transfer (whose `time_ms` the caller gives); return the trade that a fill ended,
        if any.

        A fill that flips a position ends one trade and begins the next, its fee shared by size, half-even.
        """
        if isinstance(event, OrderFilled):
            return self._book_fill(event.fill)
        if isinstance(event, FundingPaid):
            holding = self._charged(event)
            self._fund(self._accounts, event.amount)
            self._check()
            holding.funding += event.amount
            self.ledger.post(Entry(event.time_ms, event.symbol, Account.FUNDING, -event.amount))
        elif isinstance(event, MoneyBooked) and not event.moved:
            self._earn(event)
        else:
            self.nav.transfer(self.equity, event.amount)
            self._book_transfer(time_ms, event.amount)
        return None

    def _earn(self, event: MoneyBooked) -> None:
        """A rebate or a charge beside the trades: fees, less or more of them."""
        account = self._accounts
        account["fees"][0] = exact(int(account["fees"][0]) - event.amount)
        account["wallet"][0] = exact(int(account["wallet"][0]) + event.amount)
        self._check()
        self.ledger.post(Entry(event.time_ms, event.symbol, Account.FEES, event.amount))

    def mark(self, symbol: str, close: float) -> None:
        """Revalue an open position at a bar's close; nothing to do without one."""
        for holding in self._open.get(symbol, ()):
            self.unrealised += holding.mark(round(close * holding.per_quote))

    # what it is

    @property
    def equity(self) -> int:
        return self.wallet + self.unrealised

    @property
    def nav_per_unit(self) -> float:
        """What one unit is worth; 1 at the start, unchanged by transfers."""
        return self.nav.per_unit(self.equity)

    def account(self) -> dict[str, int]:
        """Every sum of the account, by name; wallet = transfers + realised - fees - funding."""
        return {name: int(self._accounts[name][0]) for name in SUMS}

    @property
    def positions(self) -> dict[str, Position]:
        """Open positions, by symbol; of two hedged legs what they come to together."""
        return {symbol: _together([one.position for one in self._open[symbol]]) for symbol in sorted(self._open)}

    def position(self, symbol: str, leg: int = 0) -> Position:
        """The position in a listed symbol (hedged: on this leg), flat included."""
        return self._holding(symbol, leg).position

    def holding(self, symbol: str, leg: int = 0) -> Holding:
        """The position with the sums of the trade at hand, to read."""
        return self._holding(symbol, leg)

    def exposure(self, symbol: str) -> int:
        """Signed notional at mark."""
        self._holding(symbol, 0)
        return sum(one.notional if one.steps > 0 else -one.notional for one in self._open.get(symbol, ()))

    @property
    def gross(self) -> int:
        """Sum of |notional| at mark."""
        return sum(holding.notional for legs in self._open.values() for holding in legs)

    @property
    def net(self) -> int:
        """Sum of signed notional at mark."""
        return sum(self.exposure(symbol) for symbol in self._open)

    # inside

    def _holding(self, symbol: str, leg: int) -> Holding:
        try:
            return self._holdings[symbol, leg]
        except KeyError:
            raise UsageError(f"{symbol} is not listed in this portfolio; list its instrument first.") from None

    def _charged(self, event: FundingPaid) -> Holding:
        """Whose funding it is: hedged, that of the leg whose side was charged."""
        leg = 1 if event.steps > 0 else -1
        return self._holding(event.symbol, leg if self._holding(event.symbol, leg).steps else 0)

    def _book_fill(self, fill: Fill) -> Closing | None:
        holding = self._holding(fill.symbol, fill.leg)
        opposite = max(0, -holding.steps * fill.side)
        if not 0 < opposite < fill.steps:
            return self._book_part(holding, fill, fill.steps, fill.fee)
        fee = divide_half_even(fill.fee * opposite, fill.steps)
        closing = self._book_part(holding, fill, opposite, fee)
        self._book_part(holding, fill, fill.steps - opposite, fill.fee - fee)
        return closing

    def _book_part(self, holding: Holding, fill: Fill, steps: int, fee: int) -> Closing | None:
        unit = holding.instrument.unit
        realised = self._fill(holding.positions, self._accounts, unit, int(fill.side), steps, fill.price_ticks, fee)
        self._check()
        liquidation = fill.kind == FillKind.LIQUIDATION
        if liquidation:
            self._accounts["liquidation_fees"][0] += fee
        self.unrealised -= holding.unrealised
        closing = holding.take(fill.time_ms, fill.side, steps, fill.price_ticks, fee, realised)
        self.unrealised += holding.unrealised
        held = tuple(one for leg in (0, 1, -1) if (one := self._holdings[fill.symbol, leg]).steps)
        if held:
            self._open[fill.symbol] = held
        else:
            self._open.pop(fill.symbol, None)
        if realised:
            self.ledger.post(Entry(fill.time_ms, fill.symbol, Account.REALISED, realised))
        self.ledger.post(Entry(fill.time_ms, fill.symbol, Account.LIQUIDATION if liquidation else Account.FEES, -fee))
        return closing

    def _book_transfer(self, time_ms: int, amount: int) -> None:
        self._transfer(self._accounts, amount)
        self._check()
        self.ledger.post(Entry(time_ms, "", Account.TRANSFERS, amount))

    def _check(self) -> None:
        if self._accounts["overflow"][0]:
            raise MoneyOverflow(
                f"An amount of {self.owner_id}'s portfolio does not fit in 64 bits; reduce the position or the capital."
            )
        self.wallet = int(self._accounts["wallet"][0])


def _together(legs: list[Position]) -> Position:
    if len(legs) == 1:
        return legs[0]
    return Position(
        legs[0].symbol,
        sum(one.steps for one in legs),
        sum(one.cost for one in legs),
        min(one.opened_ms for one in legs),
    )
