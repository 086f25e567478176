"""Each rule of the audit on bars made by hand: the claim that breaks it, and the nearest one that does not."""

import msgspec
import numpy as np
import pytest

from aister.lab.detectors.fills import ClaimedFill, ClaimedTrade, StopMove, detect_fills
from aister.lab.detectors.verdict import Verdict
from aister.ports.market import Market
from tests.fakes.rows import MINUTE_MS, START_MS, series

#            open   high   low    close
BARS = [
    *([100.0, 100.5, 99.5, 100.2], [100.2, 101.0, 100.0, 100.8], [100.8, 103.0, 97.0, 100.0]),
    *([94.0, 95.0, 93.0, 94.5], [94.5, 95.0, 94.0, 94.8]),
]
OPENS = [START_MS + MINUTE_MS * place for place in range(len(BARS))]


def market() -> Market:
    o, h, low, c = np.array(BARS).T
    one = msgspec.structs.replace(series(c), open=o, high=h, low=low, close=c)
    return Market((one,), (START_MS, START_MS + len(BARS) * MINUTE_MS), "by hand")


def inside(bar: int) -> int:
    return OPENS[bar] + MINUTE_MS - 1


def bought(bar: int, price: float, order: str = "market", **more: object) -> ClaimedFill:
    return ClaimedFill(OPENS[bar] if order == "market" else inside(bar), price, order, **more)  # type: ignore[arg-type]


def trade(entry: ClaimedFill, left: ClaimedFill, *stops: tuple[int, float], side: int = 1) -> ClaimedTrade:
    return ClaimedTrade("BTCUSDT", side, entry, left, tuple(StopMove(*move) for move in stops))


LEAVE = bought(4, 94.5)

BROKEN = {
    "no bar at that time": (trade(ClaimedFill(START_MS - 1, 100.0), LEAVE), trade(bought(0, 100.0), LEAVE)),
    "bar labelled by its open": (
        trade(bought(1, 100.2, decided_ms=OPENS[2]), LEAVE),
        trade(bought(2, 100.8, decided_ms=OPENS[2]), LEAVE),
    ),
    "filled before it was decided": (
        trade(bought(0, 100.0, decided_ms=OPENS[2]), LEAVE),
        trade(bought(3, 94.0, decided_ms=OPENS[2]), LEAVE),
    ),
    "better than the market was": (
        trade(bought(0, 99.4, "limit", level=100.0), LEAVE),
        trade(bought(0, 99.6, "limit"), LEAVE),
    ),
    "better than the open": (trade(bought(1, 100.1), LEAVE), trade(bought(1, 100.3), LEAVE)),
    "touched, not traded through": (trade(bought(1, 100.0, "limit"), LEAVE), trade(bought(1, 100.1, "limit"), LEAVE)),
    "stop not reached": (
        trade(bought(0, 100.0), ClaimedFill(inside(1), 100.2, "stop"), (OPENS[0], 99.0)),
        trade(bought(0, 100.0), ClaimedFill(inside(2), 97.4, "stop"), (OPENS[0], 97.5)),
    ),
    "gap filled at the stop": (
        trade(bought(0, 100.0), ClaimedFill(OPENS[3], 95.0, "stop"), (OPENS[0], 96.0)),
        trade(bought(0, 100.0), ClaimedFill(OPENS[3], 93.9, "stop"), (OPENS[0], 96.0)),
    ),
    "same-bar high before low": (
        trade(bought(1, 100.2), ClaimedFill(inside(2), 102.0, "target"), (OPENS[1], 98.0)),
        trade(bought(1, 100.2), ClaimedFill(inside(2), 102.0, "target"), (OPENS[1], 96.0)),
    ),
    "stop skipped": (
        trade(bought(0, 100.0), LEAVE, (OPENS[0], 98.0)),
        trade(bought(0, 100.0), LEAVE, (OPENS[0], 92.0)),
    ),
    "trailing stop raised and hit in the same bar": (
        trade(bought(0, 100.0), ClaimedFill(inside(2), 101.0, "stop"), (OPENS[0], 96.0), (inside(2), 101.0)),
        trade(bought(0, 100.0), ClaimedFill(inside(2), 98.0, "stop"), (OPENS[0], 96.0), (inside(1), 98.0)),
    ),
}


@pytest.mark.parametrize("rule", BROKEN)
def test_the_rule_is_named_and_its_neighbour_passes(rule: str) -> None:
    bad, good = BROKEN[rule]
    caught = detect_fills([good, bad], market())
    assert caught.verdict is Verdict.CAUGHT
    assert [(one.trade, one.rule) for one in caught.broken] == [(1, rule)]
    assert caught.by_rule == {rule: 1}
    assert rule in caught.sentence


def test_a_target_in_the_bar_of_a_limit_entry_is_the_same_cheat() -> None:
    claim = trade(bought(2, 99.0, "limit"), ClaimedFill(inside(2), 102.0, "target"))
    assert detect_fills([claim], market()).broken[0].rule == "same-bar high before low"


def test_shorts_are_judged_upside_down() -> None:
    better = trade(bought(0, 100.4), ClaimedFill(OPENS[4], 94.5), side=-1)
    assert detect_fills([better], market()).broken[0].rule == "better than the open"
    through = trade(bought(0, 100.0), ClaimedFill(OPENS[4], 94.6), (OPENS[0], 102.0), side=-1)
    assert detect_fills([through], market()).broken[0].rule == "stop skipped"
    stopped = trade(bought(0, 100.0), ClaimedFill(inside(2), 102.3, "stop"), (OPENS[0], 102.0), side=-1)
    assert detect_fills([stopped], market()).broken == ()


def test_nothing_claimed_is_nothing_known() -> None:
    assert detect_fills([], market()).verdict is Verdict.UNKNOWN


def test_a_symbol_without_bars_cannot_have_been_traded() -> None:
    claim = msgspec.structs.replace(trade(bought(0, 100.0), LEAVE), symbol="ETHUSDT")
    assert detect_fills([claim], market()).broken[0].rule == "no bar at that time"
