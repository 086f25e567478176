"""The size of a further entry, written twice: by `risk` in integers without end, because a review must never wrap, and
as a step of the batch loop, which has 64 bits and may not import `risk`. One rule: equal wherever the step's range ends
not."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from aister.kernels import kernel, sizing
from aister.risk.sizing import size_to_add

MONEY = 10**8


@kernel
def _stepped(equity: int, risk_e8: int, share_e4: int, distance: int, unit: int, lost: int) -> int:
    return sizing.size_to_add(equity, risk_e8, share_e4, distance, unit, lost)


@settings(max_examples=300, deadline=None)
@given(
    equity=st.integers(-MONEY, 10**10 * MONEY),
    risk_e8=st.integers(0, 10**8),
    share_e4=st.integers(0, 10_000),
    distance=st.integers(-10, 10**7),
    unit=st.integers(1, 10**6),
    part=st.integers(-10, 110),
)
@example(equity=10_000 * MONEY, risk_e8=500_000, share_e4=5_000, distance=2_000, unit=10_000, part=60)
def test_the_two_forms_of_the_rule_agree(
    equity: int, risk_e8: int, share_e4: int, distance: int, unit: int, part: int
) -> None:
    """part: what is already held loses at the stop, in percent of the risk of a trade."""
    lost = max(0, equity) * risk_e8 // MONEY * part // 100
    asked = {"share_e4": share_e4, "distance": distance, "unit": unit}
    stepped = _stepped(equity, risk_e8, share_e4, distance, unit, lost)
    assert stepped == size_to_add(equity, risk_e8, at_stop=lost, **asked)
    if lost <= 0:
        assert stepped == size_to_add(equity, risk_e8, at_stop=None, **asked)


def test_by_hand() -> None:
    """10,000 x 0.5 % = 50 at risk, half of it for the part: 25; 2,000 ticks x 0.0001 = 0.2 a step: 125 steps. Where
    what is held loses 30 there, 20 are left: 100 steps; where it loses 50: none."""
    for lost, steps in ((0, 125), (30, 100), (50, 0), (70, 0)):
        assert _stepped(10_000 * MONEY, 500_000, 5_000, 2_000, 10_000, lost * MONEY) == steps
