"""A contract's tick and step change while it is held: books, client and exchange go on meaning the same size."""

import asyncio
import json
from urllib.parse import parse_qs

import msgspec
import pytest

from aister.app.trader_terms import REGRIDDED, Terms
from aister.core.audit import PlaceOrder
from aister.core.council import Setup
from aister.core.events import InstrumentListed
from aister.core.instrument import Instrument
from aister.core.trade import Purpose
from aister.exchange_sim import Fault
from aister.ports.feed import MarketSlice
from tests.engine.rig import BTC, START_MS, setup
from tests.execution.trader import Trader
from tests.sim.market import MINUTE_MS, bracketed

FLAT = (100_000.0, 100_000.0, 100_000.0, 100_000.0)
FALL = (100_000.0, 100_000.0, 98_000.0, 98_500.0)
LOW = (98_500.0, 98_500.0, 98_500.0, 98_500.0)
FIRST = setup(2, stop=99_000.0, targets=((103_000.0, 10_000),))
SECOND = setup(9, near=98_500.0, stop=97_500.0, targets=((101_000.0, 10_000),))


def regridded(tick: float, step: float) -> Instrument:
    """The same contract on a grid so many times as coarse."""
    old = bracketed()
    return msgspec.structs.replace(
        old,
        tick_e8=round(old.tick_e8 * tick),
        step_e8=round(old.step_e8 * step),
        unit=round(old.unit * tick * step),
        max_ticks=round(old.max_ticks / tick),
        max_steps=round(old.max_steps / step),
        market_max_steps=round(old.market_max_steps / step),
    )


def counted_by(told: Setup, tick: float) -> Setup:
    targets = tuple(msgspec.structs.replace(one, ticks=round(one.ticks / tick)) for one in told.targets)
    stop, entry = round(told.stop_ticks / tick), round(told.entry_ticks / tick)
    return msgspec.structs.replace(told, entry_ticks=entry, stop_ticks=stop, targets=targets)


class Retold(Trader):
    """Held from minute 4 to minute 6; the venue's new terms are read in minute 5, its grid changes in minute 6."""

    def __init__(self, new: Instrument, tick: float) -> None:
        self.told_terms, self.heard = new, list[str]()
        self.seen: list[tuple[str, int, int]] = []
        changed = {name: getattr(new, name) for name in ("tick_e8", "step_e8", "unit", "max_ticks", "max_steps")}
        fault = Fault("instrument", at_ms=7 * MINUTE_MS - 1_000, symbol=BTC, text=json.dumps(changed))
        prices = [FLAT] * 6 + [FALL] + [LOW] * 8
        super().__init__(FIRST, counted_by(SECOND, tick), prices=prices, faults=(fault,))

    def _boot(self) -> None:
        super()._boot()
        self.terms = Terms(self.run, self.courier, self.account.contracts.count_by, self.heard.append)

    def before(self, market: MarketSlice) -> None:
        minute = (market.open_time_ms - START_MS) // MINUTE_MS
        if minute == 8:
            self.reading = asyncio.ensure_future(self.account.contracts.read())
        if minute == 5:
            self.terms.told((self.told_terms,))
        self.terms.take(market.open_time_ms)
        one = self.engine.desks[BTC].instrument
        self.seen.append((one.status, one.tick_e8, self.account.contracts.grid(BTC).tick))

    def quantities(self) -> list[float]:
        """Of the entries, as the exchange was asked."""
        sent = [one.request for one in self.exchange.log if one.request.path.endswith("/order")]
        asked = [parse_qs((one.body or one.query).decode()) for one in sent if one.method == "POST"]
        return [float(one["quantity"][0]) for one in asked if one.get("side") == ["BUY"] and "quantity" in one]


@pytest.mark.parametrize(("tick", "step"), [(0.1, 0.1), (10, 1), (1, 10)])
def test_a_grid_that_changes_while_held_waits_and_no_size_is_sent_in_another_meaning(tick: float, step: float) -> None:
    trader = Retold(regridded(tick, step), tick)
    trader.trade(14)
    old, new = bracketed().tick_e8, regridded(tick, step).tick_e8
    assert trader.seen[4] == ("TRADING", old, old) and trader.seen[5] == (REGRIDDED, old, old)
    assert trader.seen[8] == ("TRADING", new, new)
    assert [one.reason for one in trader.closed] == ["stop"]
    assert len(trader.heard) == 2 and "another tick or step" in trader.heard[0]
    entries = [one.order for one in trader.said(PlaceOrder) if one.order.purpose is Purpose.ENTRY]
    first, second = trader.quantities()
    assert len(entries) == 2 and first == pytest.approx(entries[0].steps * bracketed().step_e8 / 1e8)
    assert second == pytest.approx(entries[1].steps * trader.told_terms.step_e8 / 1e8)
    assert 0.5 < second / first < 2
    assert trader.there == trader.steps == entries[1].steps
    stop = next(one for one in trader.books.venue.open_orders(BTC) if one.close_position)
    assert stop.trigger_ticks * new == 97_500 * 10**8


def test_terms_that_count_in_no_tick_are_in_force_at_once_and_the_old_grid_comes_back_over_a_restart() -> None:
    new = msgspec.structs.replace(regridded(0.1, 0.1), min_notional=50 * 10**8)
    trader = Retold(new, 0.1)
    trader.trade(6)
    listed = [one.event.instrument for one in trader.audits if isinstance(one.event, InstrumentListed)]
    assert [(one.status, one.min_notional, one.step_e8) for one in listed] == [
        (REGRIDDED, 50 * 10**8, bracketed().step_e8)
    ]
    trader._boot()
    trader.run.repeat(trader._learn)
    trader.account.contracts.count_by(new)
    trader.terms.begin()
    trader.terms.told((new,))
    trader.terms.take(START_MS + 6 * MINUTE_MS)
    assert trader.account.contracts.grid(BTC).step == bracketed().step_e8
    assert trader.engine.desks[BTC].instrument == listed[0] and trader.steps
