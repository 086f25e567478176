"""The position manager: shares of targets, break-even, trailing; a stop only ever moves towards profit."""

from hypothesis import given
from hypothesis import strategies as st

from aister.core.council import Proposal, Target
from aister.core.trade import OrderType, Side
from aister.execution.bracket import Bracket, ManagementRules, bracket_for, split_targets, trailed_stop

RULES = ManagementRules()
sides = st.sampled_from([Side.BUY, Side.SELL])


def proposal(side: Side = Side.BUY, entry: int = 10_000, risk: int = 100) -> Proposal:
    targets = (Target(entry + side * 150, 5_000), Target(entry + side * 250, 5_000))
    return Proposal("s", "BTCUSDT", side, OrderType.MARKET, entry, entry - side * risk, targets, 99, "")


def bracket(side: Side = Side.BUY, entry: int = 10_000) -> Bracket:
    return bracket_for(
        proposal(side), entry_ticks=entry, planned_ticks=10_000, steps=40, unit=10, opened_ms=1, cost_e8=90_000
    )


def test_the_bracket_of_a_fill() -> None:
    """100 ticks x 40 steps x 10 = 40,000 at risk; 0.09 % of 10,000 ticks = 9 ticks of cost."""
    made = bracket()
    assert (made.risk_ticks, made.risk_amount, made.cost_ticks, made.best_ticks) == (100, 40_000, 9, 10_000)


def test_a_gap_towards_the_stop_makes_no_trade_look_cheap() -> None:
    """Planned at 10,000 with the stop at 9,900; filled at 9,905: a unit of risk stays 100 ticks, not 5."""
    made = bracket(entry=9_905)
    assert (made.risk_ticks, made.risk_amount) == (100, 40_000)


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=4), st.integers(1, 10_000))
def test_targets_close_exactly_the_position(shares: list[int], steps: int) -> None:
    parts = split_targets([Target(100 + i, share) for i, share in enumerate(shares)], steps)
    assert sum(part for _, part in parts) == steps
    assert all(part > 0 for _, part in parts)


def test_shares_floor_and_the_last_takes_the_rest() -> None:
    assert split_targets([Target(1, 3_333), Target(2, 3_333), Target(3, 3_334)], 10) == [(1, 3), (2, 3), (3, 4)]
    assert split_targets([Target(1, 5_000), Target(2, 5_000)], 1) == [(2, 1)]


def test_no_target_hit_no_move() -> None:
    assert trailed_stop(bracket(), 10_400, RULES) == 9_900


def test_break_even_pays_the_round_trip() -> None:
    made = bracket()
    made.targets_hit = 1
    assert trailed_stop(made, 10_060, ManagementRules(trail_share_e4=0)) == 10_009


def test_trailing_keeps_the_initial_distance_behind_the_best_close() -> None:
    made = bracket()
    made.targets_hit, made.best_ticks = 1, 10_300
    assert trailed_stop(made, 10_250, RULES) == 10_200


def test_a_stop_never_crosses_the_price() -> None:
    made = bracket()
    made.targets_hit, made.best_ticks = 1, 10_300
    assert trailed_stop(made, 10_009, RULES) == made.stop_ticks


def test_a_trail_that_the_price_has_passed_still_leaves_break_even() -> None:
    """The best close was 300 ticks up, the target came on a spike, and the close is 150 up again: below the trail."""
    made = bracket()
    made.targets_hit, made.best_ticks = 1, 10_300
    assert trailed_stop(made, 10_150, RULES) == 10_009


@given(sides, st.lists(st.integers(-400, 400), min_size=1, max_size=30), st.integers(0, 2))
def test_it_only_moves_towards_profit_and_stays_behind_the_price(side: Side, closes: list[int], hits: int) -> None:
    made = bracket(side)
    made.targets_hit = hits
    for move in closes:
        close = 10_000 + move
        made.best_ticks = max(made.best_ticks, close) if side > 0 else min(made.best_ticks, close)
        stop = trailed_stop(made, close, RULES)
        assert (stop - made.stop_ticks) * side >= 0
        assert stop == made.stop_ticks or (close - stop) * side > 0
        made.stop_ticks = stop


@given(sides, st.lists(st.integers(-400, 400), min_size=1, max_size=30))
def test_long_and_short_mirror_each_other(side: Side, closes: list[int]) -> None:
    one, other = bracket(side), bracket(side.opposite)
    one.targets_hit = other.targets_hit = 1
    for move in closes:
        stop, mirrored = trailed_stop(one, 10_000 + move, RULES), trailed_stop(other, 10_000 - move, RULES)
        assert stop - 10_000 == 10_000 - mirrored
        one.stop_ticks, other.stop_ticks = stop, mirrored
