"""The size that keeps liquidation away, against a liquidation price found by looking up tiers and halving."""

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from aister.core.instrument import Bracket
from aister.core.money import RATE_ONE, money
from aister.core.trade import Side
from aister.risk.ask import ask
from aister.risk.limits import liquidation_distance
from aister.risk.profile import Limits
from aister.risk.state import State
from tests.risk.world import BTC, PRICE, entry, held, quiet


def survives(side: int, leverage: int, steps: int, ticks: float) -> bool:
    """Margin and result against the maintenance of the tier that the notional at this price falls in."""
    size = steps * BTC.unit
    bracket = BTC.bracket(int(size * ticks))
    result = size * PRICE / leverage + side * size * (ticks - PRICE)
    return result > size * ticks * bracket.maintenance_e8 / RATE_ONE - bracket.deduction


def liquidation(side: int, leverage: int, steps: int) -> float:
    """Its distance from the entry in ticks, by halving."""
    near, far = 0.0, float(PRICE) if side > 0 else 2.0 * PRICE
    for _ in range(80):
        middle = (near + far) / 2
        near, far = (middle, far) if survives(side, leverage, steps, PRICE - side * middle) else (near, middle)
    return near


@settings(max_examples=300)
@given(st.sampled_from([Side.BUY, Side.SELL]), st.integers(1, 20), st.integers(100, 400_000))
def test_the_cap_is_the_last_size_that_keeps_its_distance(side: Side, leverage: int, stop: int) -> None:
    limits = msgspec.structs.replace(Limits(), leverage=leverage)
    intent = entry(side=side, stop_ticks=PRICE - side * stop)
    asked = ask(intent, quiet(equity=money(10**8), atr_1h_ticks=0), State(), limits, BTC)
    line = liquidation_distance.cap(asked)
    if line.steps:
        assert liquidation(side, leverage, line.steps) >= 2 * stop - 1e-3
    if line.steps < BTC.market_max_steps:
        assert liquidation(side, leverage, line.steps + 1) < 2 * stop + 1e-3


def test_the_figure_shown_is_the_distance_of_that_size() -> None:
    asked = ask(entry(), quiet(), State(), Limits(), BTC)
    line = liquidation_distance.cap(asked)
    assert abs(line.used - liquidation(1, 3, line.steps) / PRICE) < 1e-9
    assert line.bound == 0.012


def test_a_size_whose_line_lies_exactly_at_the_distance_passes() -> None:
    """A quarter of maintenance at 3x: liquidated at (2/3) / (3/4) of 900,000, which is 800,000, twice the stop away."""
    whole = msgspec.structs.replace(BTC, brackets=(Bracket(0, money(10**9), RATE_ONE // 4, 0, 125),))
    for stop, steps in ((850_000, BTC.market_max_steps), (849_999, 0)):
        intent = entry(price_ticks=900_000, stop_ticks=stop)
        asked = ask(intent, quiet(mark_ticks=900_000, atr_1h_ticks=0), State(), Limits(), whole)
        assert liquidation_distance.cap(asked).steps == steps


def test_what_is_held_counts_with_the_order() -> None:
    """Near the edge of a tier the size already held is taken off."""
    intent = entry(stop_ticks=PRICE - 164_000)
    alone = liquidation_distance.cap(ask(intent, quiet(), State(), Limits(), BTC))
    more = quiet(positions=(held("BTCUSDT", steps=100, notional=money(10_000)),))
    assert liquidation_distance.cap(ask(intent, more, State(), Limits(), BTC)).steps == alone.steps - 100
