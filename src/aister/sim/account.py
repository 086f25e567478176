"""What can be read of one account at the simulated venue: its money, positions, orders and what was assumed."""

from aister.core.errors import UsageError
from aister.core.events import BarClosed
from aister.core.trade import Order, Position
from aister.kernels.ledger import ACCOUNT, SUMS
from aister.kernels.state import allocate
from aister.sim.calls import calls
from aister.sim.desk import Desk
from aister.sim.margin import Margins
from aister.sim.models import FillModel
from aister.sim.tape import Tape

__all__ = ["SimAccount"]


class SimAccount:
    """One account, one desk per listed instrument (hedged: per leg), and everything assumed named by one `FillModel`.

    Whatever takes a symbol raises `UsageError` for one that was not listed."""

    def __init__(self, model: FillModel) -> None:
        self.model = model
        self._legs = (1, -1) if model.position_mode == "hedge" else (0,)
        self._desks: dict[str, tuple[Desk, ...]] = {}
        self._tapes: dict[str, Tape] = {}
        self._accounts = allocate(ACCOUNT)
        self._call = calls()
        self._margins = Margins(self._desks, self._accounts, self._call)

    @property
    def wallet(self) -> int:
        """Money units in the account, unrealised profit not counted."""
        return int(self._accounts["wallet"][0])

    def account(self) -> dict[str, int]:
        """Every sum of the account, by name."""
        return {name: int(self._accounts[name][0]) for name in SUMS}

    def turnover(self) -> int:
        """Notional traded over the 30 UTC days before the last day that was looked into: what fee tiers go by."""
        return int(self._accounts["turnover"]["sum"][0])

    def position(self, symbol: str, leg: int = 0) -> Position:
        """What the venue holds for us (hedged: on this leg): `opened_ms` is 0, venues do not say."""
        book = self._listed(symbol, leg).books[0]["position"]
        return Position(symbol, int(book["steps"]), int(book["cost"]), 0)

    def open_orders(self, symbol: str) -> list[Order]:
        """Working orders, oldest first (hedged: the long leg's before the short's)."""
        return [order for desk in self._desks_of(symbol) for order in desk.orders.values()]

    def newest(self, symbol: str) -> list[BarClosed]:
        """The newest bars of a symbol as far as they are kept, oldest first."""
        return list(self._desks_of(symbol)[0].tape.recent)

    def standing(self, symbol: str) -> int:
        """Ticks the market has got to in the bar at hand, as far as this account was looked into; 0 if it was not."""
        desk = max(self._desks_of(symbol), key=lambda one: one.filled[0])
        begun = desk.tape.recent and desk.begun_ms == desk.tape.recent[-1].time_ms
        return int(desk.books["at"][0]) if begun else 0

    def reserved(self) -> int:
        """Initial margin of all positions and of the entries on the books, money units."""
        return self._margins.reserved()

    def liquidation_ticks(self, symbol: str, leg: int = 0) -> int:
        """Where the position would be liquidated; 0 when nowhere."""
        return int(self._listed(symbol, leg).books[0]["liquidation"])

    def ambiguous_bars(self, symbol: str) -> int:
        """Bars so far that held a stop and a target of the position alike (the stop was taken)."""
        return self._sum(symbol, "ambiguous")

    def target_first(self, symbol: str) -> int:
        """Money units that the targets of ambiguous bars would have brought more than the stops taken."""
        return self._sum(symbol, "target_first")

    def slippage_paid(self, symbol: str) -> int:
        """Money units given up so far between the market's price and the fills'."""
        return self._sum(symbol, "slippage")

    def assumptions(self) -> dict[str, str]:
        """Every modelling choice behind the fills, in words, for results to print."""
        sources = sorted({legs[0].instrument.source for legs in self._desks.values()})
        said = self.model.assumptions()
        unknown = sum(self._sum(symbol, "unknown_impacts") for symbol in self._desks)
        if unknown:
            said["impact"] += f"; unknown at {unknown} executions"
        return said | {
            "cancels": "act at once",
            "filters and brackets": "; ".join(sources),
            "funding price": "the bar's open (proxy for mark)",
            "liquidation": "at its trigger worsened, never better than bankruptcy; no insurance fund pays the rest",
            "mark": "last price (proxy)",
        }

    def _desks_of(self, symbol: str) -> tuple[Desk, ...]:
        try:
            return self._desks[symbol]
        except KeyError:
            raise UsageError(f"{symbol} is not listed at this venue; list its instrument first.") from None

    def _desk_of(self, symbol: str, leg: int) -> Desk | None:
        return next((desk for desk in self._desks_of(symbol) if desk.leg == leg), None)

    def _listed(self, symbol: str, leg: int) -> Desk:
        desk = self._desk_of(symbol, leg)
        if desk is None:
            raise UsageError(f"{symbol} has no leg {leg} here: legs are {', '.join(map(str, self._legs))}.")
        return desk

    def _sum(self, symbol: str, name: str) -> int:
        return sum(int(desk.books[name][0]) for desk in self._desks_of(symbol))
