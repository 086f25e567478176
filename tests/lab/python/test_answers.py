"""An answer in prices becomes a row in ticks, or a sentence."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aister.core.instrument import Instrument
from aister.kernels.signals import SETUP
from aister.lab.python.answers import setup_row
from aister.strategy import LONG, SHORT, Enter
from tests.strategy.scenes import instrument

BTC = instrument()


def row(answer: Enter, instrument: Instrument = BTC) -> dict[str, int]:
    return dict(zip(flat(), setup_row(answer, 60_000, 100.04, instrument), strict=True))


def flat() -> list[str]:
    names: list[str] = []
    for name in SETUP.names or ():
        shape = SETUP[name].shape
        names += [f"{name}{i}" for i in range(shape[0])] if shape else [name]
    return names


def test_a_long_at_market_is_rounded_outward() -> None:
    got = row(Enter(LONG, stop=99.04, targets=101.04))
    assert (got["side"], got["limit"], got["targets"], got["time_ms"]) == (1, 0, 1, 60_000)
    assert got["entry_ticks"] == BTC.to_ticks(100.04)
    assert (got["stop_ticks"], got["target_ticks0"]) == (BTC.ticks_below(99.04), BTC.ticks_above(101.04))
    assert (got["share_e40"], got["share_e41"], got["target_ticks1"]) == (10_000, 0, 0)


def test_a_short_with_a_limit_and_three_targets() -> None:
    got = row(Enter(SHORT, stop=103.0, targets=((99.0, 0.5), (98.0, 0.25), (97.0, 0.9)), limit=101.03))
    assert (got["limit"], got["entry_ticks"]) == (1, BTC.ticks_above(101.03))
    assert [got[f"share_e4{i}"] for i in range(3)] == [5_000, 2_500, 2_500]
    assert got["stop_ticks"] > got["entry_ticks"] > got["target_ticks0"] > got["target_ticks2"]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Enter(0, stop=99.0, targets=101.0), "side is 0"),
        (Enter(LONG, stop=float("nan"), targets=101.0), "stop is nan"),
        (Enter(LONG, stop=-1.0, targets=101.0), "stop is -1.0"),
        (Enter(LONG, stop=1e300, targets=101.0), "stop is 1e\\+300"),
        (Enter(LONG, stop=101.0, targets=102.0), "must lie below the entry"),
        (Enter(SHORT, stop=99.0, targets=98.0), "must lie above the entry"),
        (Enter(LONG, stop=99.0, targets=99.5), "target 99.5 must lie above"),
        (Enter(LONG, stop=99.0, targets=float("inf")), "targets is inf"),
        (Enter(LONG, stop=99.0, targets=()), "0 targets"),
        (Enter(LONG, stop=99.0, targets=((101.0, 1.0),) * 4), "4 targets"),
        (Enter(LONG, stop=99.0, targets=((102.0, 0.5), (101.0, 0.5))), "must lie above 102.0"),
        (Enter(LONG, stop=99.0, targets=((101.0, 1.0), (102.0, 0.5))), "leave it nothing"),
        (Enter(LONG, stop=99.0, targets=((101.0, 0.0),)), "share 0.0"),
        (Enter(LONG, stop=99.0, targets=(101.0,)), "must be \\(price, share"),  # type: ignore[arg-type]
        (Enter(LONG, stop=99.0, targets=101.0, limit=0.0), "limit is 0.0"),
        (Enter(LONG, stop=99.0, targets=101.0, horizon_ms=0), "horizon_ms is 0"),
        (Enter(LONG, stop=99.0, targets=101.0, life_ms=-5), "life_ms is -5"),
    ],
)
def test_nonsense_is_refused_by_name(answer: Enter, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        setup_row(answer, 60_000, 100.04, BTC)


@settings(max_examples=60)
@given(side=st.sampled_from((LONG, SHORT)), stop=st.floats(0.1, 50.0), target=st.floats(0.1, 50.0))
def test_rounding_never_moves_a_price_towards_the_entry(side: int, stop: float, target: float) -> None:
    got = row(Enter(side, stop=100.04 - side * stop, targets=100.04 + side * target))
    tick = BTC.tick_e8 / 1e8
    assert side * (100.04 - got["stop_ticks"] * tick) >= stop - 1e-9
    assert side * (got["target_ticks0"] * tick - 100.04) >= target - 1e-9


def test_the_short_way_says_what_the_long_way_says() -> None:
    for side in (LONG, SHORT):
        quick = row(Enter(side, stop=100.04 - side * 1.003, targets=100.04 + side * 2.007))
        whole = row(Enter(side, stop=100.04 - side * 1.003, targets=((100.04 + side * 2.007, 1.0),)))
        assert quick == whole
