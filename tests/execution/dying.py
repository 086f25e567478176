"""Everything of ours is killed at an instant and nothing comes back; the exchange goes on for ten minutes (C6).

    python -m tests.execution.dying 300            # that many instants a mode; a line a mode, then the breaches

Judged by the exchange's books: is anything held that no stop closes, and has a stop gone that nobody took?
"""

import random
import sys
from collections.abc import Callable

import msgspec

from aister.core.council import Setup
from aister.core.trade import OrderType
from aister.exchange_sim import Settings
from aister.execution.courier import CourierRules
from aister.execution.traits import VenueTraits
from tests.engine.rig import START_MS, setup
from tests.execution.trader import Trader

__all__ = ["MODES", "Death", "died", "instants"]

FLAT = (100_000.0, 100_000.0, 100_000.0, 100_000.0)
DIP = (100_000.0, 100_000.0, 99_850.0, 99_900.0)
LOW = (99_900.0, 99_900.0, 99_900.0, 99_900.0)
MARKET = setup(2, stop=99_000.0, targets=((101_000.0, 10_000),))
CROSSING = setup(2, entry=100_100.0, stop=99_000.0, targets=((101_000.0, 10_000),))
LIMIT = setup(2, entry=99_900.0, stop=99_000.0, targets=((101_000.0, 10_000),))
PRICES = [FLAT] * 5 + [DIP] + [LOW] * 12
SETTINGS = Settings(legs=6)
ONCE = CourierRules(unguarded="at_once")
_IN_FLIGHT_MS = 100
"""A stop on its way arrives 5 ms after the death; this is how often is looked."""
CLOSE_MS = 240_000
"""The close at which the order leaves, 150 ms later."""


def _trader(one: Setup, protection: str, rules: CourierRules) -> Trader:
    traits = msgspec.convert({"protection": protection, "targets": "limit"}, VenueTraits)
    attached = protection == "attached"
    return Trader(one, prices=PRICES, traits=traits, settings=SETTINGS, rules=rules, attaching=attached)


MODES: dict[str, Callable[[], Trader]] = {
    "before, market": lambda: _trader(MARKET, "before", ONCE),
    "before, resting": lambda: _trader(LIMIT, "before", ONCE),
    "attached, market": lambda: _trader(MARKET, "attached", CourierRules()),
    "attached, resting": lambda: _trader(LIMIT, "attached", CourierRules()),
    "after, market": lambda: _trader(MARKET, "after", ONCE),
    "after, limit at once": lambda: _trader(CROSSING, "after", ONCE),
}


class Death(msgspec.Struct, frozen=True):
    """What a death left: steps held at the end, the longest time afterwards that no stop closed them, entries still
    working, stops that went though nobody cancelled them; whether entry and stop had reached the exchange."""

    at_ms: float
    held: int
    naked_ms: int
    working: int
    stops_taken: int
    entered: bool
    guarded: bool


def died(mode: str, at_ms: float) -> Death:
    """Kill the trader of a mode at this instant (ms from the start of the market)."""
    trader = MODES[mode]().die(8, at_ms)
    books = trader.books
    asked = [seen.request.body.decode() for seen in trader.exchange.log if seen.request.method == "DELETE"]
    stops = [one for one in books.orders.values() if one.original is OrderType.STOP_MARKET]
    taken = [one for one in stops if one.status == "CANCELED" and not any(one.client_id in body for body in asked)]
    entries = [one for one in books.open_orders() if one.original is OrderType.LIMIT and not one.reduce_only]
    return Death(
        at_ms=at_ms,
        held=trader.there,
        naked_ms=trader.longest_naked_ms,
        working=len(entries),
        stops_taken=len(taken),
        entered=any(one.original in (OrderType.LIMIT, OrderType.MARKET) for one in books.orders.values()),
        guarded=bool(stops),
    )


def instants(mode: str, count: int, seed: int) -> list[float]:
    """Half of them in the second after the order leaves (a resting one: in the minute in which it fills), the rest over
    the whole life."""
    draw = random.Random(f"{mode} {seed}")
    close = [CLOSE_MS + draw.uniform(0.0, 1_000.0) for _ in range(count // 4)]
    close += [CLOSE_MS + 150.0 + draw.uniform(0.0, 40.0) for _ in range(count // 4)]
    if "resting" in mode:
        close = [300_000.0 + draw.uniform(0.0, 60_000.0) for _ in close]
    return close + [draw.uniform(1_000.0, 478_000.0) for _ in range(count - len(close))]


def breach(mode: str, one: Death) -> str:
    """What the rules do not allow of this death."""
    if one.stops_taken:
        return "a stop went that nobody cancelled"
    if one.working and mode.startswith("after"):
        return "an entry still works"
    inside = (one.entered and not one.guarded) or one.naked_ms <= _IN_FLIGHT_MS
    if one.naked_ms and (not mode.startswith("after") or not inside):
        return f"{one.held} steps stood without a stop"
    return ""


def main() -> None:
    count, seed = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1
    for mode in MODES:
        deaths = [died(mode, at_ms) for at_ms in instants(mode, count, seed)]
        wrong = [(one.at_ms, said) for one in deaths if (said := breach(mode, one))]
        bare = sum(one.naked_ms > 0 for one in deaths)
        held = sum(one.held != 0 for one in deaths)
        print(
            f"{mode}: {count} deaths, {held} with a position, {bare} inside the gap, {len(wrong)} breaches", flush=True
        )
        for at_ms, said in wrong[:5]:
            print(f"  killed at {at_ms:.3f} ms after {START_MS}: {said}")


if __name__ == "__main__":
    main()
