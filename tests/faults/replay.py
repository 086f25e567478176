"""Run one scenario again and tell its story: what was planned, asked, booked and decided, in order of time.

python -m tests.faults.replay SEED [--kind KIND] [--from SECONDS] [--to SECONDS] [--about TEXT]
"""

import argparse
from urllib.parse import parse_qsl

from aister.core.audit import PlaceOrder
from aister.core.events import BarClosed, OrderFilled
from tests.faults.house import House
from tests.faults.scenario import START_MS, scenario

_DULL = ("time", "listenKey", "premiumIndex", "exchangeInfo")
_SHOWN = ("symbol", "newClientOrderId", "origClientOrderId", "type", "side", "stopPrice", "quantity")


def told(house: House) -> list[tuple[int, str]]:
    """(ms from the start, line) of everything that happened."""
    lines: list[tuple[int, str]] = []
    for seen in house.exchange.log:
        name = seen.request.path.rpartition("/")[2]
        if name not in _DULL:
            pairs = dict(parse_qsl((seen.request.query or seen.request.body).decode()))
            words = " ".join(pairs[one] for one in _SHOWN if one in pairs)
            end = f"{seen.status} {seen.code or ''} {seen.fault}".strip()
            lines.append((seen.time_us // 1000 - START_MS, f"asks   {seen.request.method} {name} {words} -> {end}"))
    for happening in house.exchange.happenings:
        order, trade = happening.order, happening.trade
        words = f"{order.client_id} {order.status}" if order else happening.symbol
        steps = f"{int(trade.side) * trade.steps:+d} at {trade.ticks}" if trade else ""
        lines.append((happening.time_ms - START_MS, f"books  {happening.what} {words} {steps} {happening.detail}"))
    for audit in house.paper.durable:
        event = audit.event
        if isinstance(event, BarClosed) and not audit.outputs:
            continue
        what = f"{event.fill.client_id} {event.fill.steps}" if isinstance(event, OrderFilled) else ""
        what = what or f"{getattr(event, 'client_id', '')} {getattr(event, 'reason', '')}"
        done = [
            f"{one.order.purpose} {one.order.client_id}" if isinstance(one, PlaceOrder) else type(one).__name__
            for one in audit.outputs
        ]
        lines.append((event.time_ms - START_MS, f"trader {type(event).__name__} {what} => {', '.join(done)}"))
    return sorted(lines, key=lambda line: line[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seed", type=int)
    parser.add_argument("--kind", default="")
    parser.add_argument("--from", dest="first", type=float, default=0.0)
    parser.add_argument("--to", dest="last", type=float, default=10_000.0)
    parser.add_argument("--about", default="")
    chosen = parser.parse_args()
    house = House(scenario(chosen.seed, chosen.kind)).play()
    wrong = house.scene.wrong
    print(f"run    {house.scene.kind} and {house.scene.other}, stops {house.scene.protection} entries")
    for one in (*wrong.faults, *wrong.blows, *wrong.deaths):
        print(f"{type(one).__name__.lower():6} {one}")
    print(f"wall   {wrong.walls}")
    print(f"died   {[tuple(one) for one in house.reaper.died]}")
    for time_ms, line in told(house):
        if chosen.first * 1000 <= time_ms <= chosen.last * 1000 and chosen.about in line:
            print(f"{time_ms / 1000:10.3f} {line}")
    for problem in house.problems:
        print(f"PROBLEM {problem}")
    for breach in house.oracle.breaches:
        print(f"BREACH {breach.what} at {breach.time_ms / 1000:.3f}: {breach.text}")


if __name__ == "__main__":
    main()
