"""New terms of a contract, on their way into a trader's books (C15).

Every order, stop and holding counts in ticks and steps, so their size may change only where nothing is left that counts
in the old ones. Until then the contract keeps the grid it is held in and is not entered; other symbols go on, and so do
its stops and closes. All the other terms (brackets, fees, funding interval, bounds of worth) are in force at once.
"""

from collections.abc import Callable, Iterable
from itertools import chain

from msgspec.structs import replace

from aister.core.events import InstrumentListed
from aister.core.instrument import Instrument
from aister.engine.runner import Run
from aister.execution.courier import Courier

__all__ = ["REGRIDDED", "Terms"]

REGRIDDED = "REGRIDDED"
"""Status of a contract in our books whose tick or step at the venue is another than the one it is held in."""


class Terms:
    """`count_by` tells the client what integers of a symbol mean from now on; `say` what a person should hear."""

    def __init__(
        self, run: Run, courier: Courier, count_by: Callable[[Instrument], None], say: Callable[[str], object]
    ) -> None:
        self._run, self._courier, self._count_by, self._say = run, courier, count_by, say
        self._waiting: dict[str, Instrument] = {}

    def begin(self) -> None:
        """The client counts as the books do: after a restart the venue may list another grid than they were kept in."""
        for desk in self._run.engine.desks.values():
            self._count_by(desk.instrument)

    def told(self, instruments: Iterable[Instrument]) -> None:
        """The venue's terms as read now; they wait for `take`."""
        self._waiting |= {one.symbol: one for one in instruments}

    def take(self, time_ms: int) -> None:
        """Put in force what can be. Reports that came before count in the old terms and are heard first."""
        if not self._waiting:
            return
        self._run.hear()
        for symbol, new in list(self._waiting.items()):
            old = self._run.engine.desks[symbol].instrument
            if _same_grid(old, new) or not self._counted(symbol):
                del self._waiting[symbol]
                self._courier.teller.forget_price(symbol)
                self._count_by(new)
                self._list(time_ms, old, new)
            else:
                self._list(time_ms, old, _on_grid_of(old, new))

    def _counted(self, symbol: str) -> bool:
        """Whether something counts in the symbol's ticks and steps: held, working, or perhaps working."""
        engine, courier = self._run.engine, self._courier
        if any(len(leg.orders) or engine.portfolio.holding(symbol, leg.leg).steps for leg in engine.desks[symbol].legs):
            return True
        return any(one.order.symbol == symbol for one in chain(courier.courses(), courier.lingering()))

    def _list(self, time_ms: int, old: Instrument, new: Instrument) -> None:
        if new == old:
            return
        if new.status != old.status:
            self._say(_sentence(new))
        self._run.hear(InstrumentListed(max(self._run.engine.time_ms, time_ms), new))


def _same_grid(old: Instrument, new: Instrument) -> bool:
    return (old.tick_e8, old.step_e8) == (new.tick_e8, new.step_e8)


def _on_grid_of(old: Instrument, new: Instrument) -> Instrument:
    """The new terms, except what counts in ticks or steps."""
    return replace(
        new,
        status=REGRIDDED,
        tick_e8=old.tick_e8,
        step_e8=old.step_e8,
        unit=old.unit,
        min_ticks=old.min_ticks,
        max_ticks=old.max_ticks,
        min_steps=old.min_steps,
        max_steps=old.max_steps,
        market_max_steps=old.market_max_steps,
    )


def _sentence(new: Instrument) -> str:
    if new.status == "TRADING":
        return f"{new.symbol} trades again; it may be entered."
    if new.status == REGRIDDED:
        return (
            f"{new.symbol} has another tick or step at the exchange than the one it is held in. It is not entered until"
            " nothing of it is held or working; its stop stays. If the exchange refuses an order of it, close it there."
        )
    return (
        f"{new.symbol} is {new.status} at the exchange. It is not entered; its stop stays as long as it is kept there."
    )
