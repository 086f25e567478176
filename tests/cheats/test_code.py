"""Cheats written in Python are caught by name, their honest twins are clean."""

import msgspec
import numpy as np
import pytest

from aister.adapters.sandbox.run import run_python_strategy
from aister.core.money import UNIT
from aister.lab.backtest import Record
from aister.lab.batch import Plan
from aister.lab.detectors.blind import CodeLookAhead
from aister.lab.detectors.case import Case
from aister.lab.detectors.code import case_of_code
from aister.lab.detectors.effort import Effort
from aister.lab.detectors.examine import examine
from aister.lab.detectors.verdict import Found, Verdict
from aister.lab.settings import Settings
from aister.ports.market import Market
from aister.sim.models import FillModel
from tests.adapters.sandbox.given import QUICK, inline
from tests.adapters.sandbox.given import market as walked
from tests.cheats.code import BLOCKS, CHANCE, LOOKING, MEMORY
from tests.fakes.asking import AskingHere

MINUTE_MS = 60_000
THROUGH = {"funding rate before settlement": "funding"}
REACH = {"centred window": 5, "pivot at its origin": 3, "shift(-1)": 1, "bar labelled by open": 1}
"""Minutes ahead that each looks at most."""
EFFORT = Effort(cuts=12, starts=4, cells=12)


def market(bars: int = 240) -> Market:
    """Minutes with a settlement every half hour."""
    made = walked(bars)
    one = made.series[0]
    settled = one.open_ms[::30]
    rates = np.random.default_rng(1).integers(-50_000, 50_000, len(settled))
    return msgspec.structs.replace(made, series=(msgspec.structs.replace(one, funding_ms=settled, funding_e8=rates),))


def case(source: str, over: Market) -> Case:
    ask = AskingHere(source, FillModel())
    return case_of_code(ask, over, Settings(), Record(), source=(source, "0" * 64), parameters={})


def found(source: str, detector: str, over: Market | None = None) -> Found:
    return examine(case(source, over or market()), EFFORT, [detector]).found[0]


@pytest.mark.parametrize("name", LOOKING)
def test_what_looks_ahead_is_caught(name: str) -> None:
    seen = found(LOOKING[name][0], "look-ahead")
    assert isinstance(seen, CodeLookAhead)
    assert seen.verdict is Verdict.CAUGHT and seen.first is not None, seen.sentence
    assert seen.first.through == THROUGH.get(name, "bars"), seen.sentence
    if seen.first.through == "bars":
        assert seen.first.reach_ms is not None
        assert MINUTE_MS <= seen.first.reach_ms <= MINUTE_MS * REACH.get(name, 240), seen.sentence
    assert "the long entry of BTCUSDT at 2025-05-05" in seen.sentence


@pytest.mark.parametrize("name", LOOKING)
def test_its_honest_twin_is_clean(name: str) -> None:
    seen = found(LOOKING[name][1], "look-ahead")
    assert (seen.verdict, seen.sentence.startswith("none of its ")) == (Verdict.CLEAN, True), seen.sentence


def test_without_the_closes_one_at_a_time_cuts_alone_catch_it() -> None:
    effort = msgspec.structs.replace(EFFORT, whole_day=False)
    seen = examine(case(LOOKING["full-sample normaliser"][0], market()), effort, ["look-ahead"]).found[0]
    assert isinstance(seen, CodeLookAhead)
    assert seen.verdict is Verdict.CAUGHT and not seen.alone


@pytest.mark.parametrize(("pair", "through"), [(BLOCKS, "blocks"), (CHANCE, "chance")])
def test_what_hangs_on_blocks_or_on_chance_is_caught(pair: tuple[str, str], through: str) -> None:
    seen, twin = (found(source, "look-ahead") for source in pair)
    assert isinstance(seen, CodeLookAhead) and seen.first is not None
    assert (seen.verdict, seen.first.through) == (Verdict.CAUGHT, through), seen.sentence
    assert twin.verdict is Verdict.CLEAN, twin.sentence


def test_a_memory_that_is_not_declared_is_caught_as_warm_up() -> None:
    seen, twin = (found(source, "warm-up", market(600)) for source in MEMORY)
    assert seen.verdict is Verdict.CAUGHT
    assert "`warm_up`, in closes" in seen.sentence and "when history begins at" in seen.sentence
    assert twin.verdict is Verdict.CLEAN, twin.sentence


def test_the_process_says_what_is_said_here() -> None:
    """The tests above ask in this process; walled in and fed through pipes it answers the same."""
    source, over = LOOKING["shift(-1)"][0], market()
    here = AskingHere(source, FillModel())
    for reveal in (None, 1):
        mine = here(over, Plan(), 10_000 * UNIT, parameters={}, reveal=reveal).signals
        more = {} if reveal is None else {"reveal": reveal}
        theirs = run_python_strategy(
            inline(source), over, Plan(), FillModel(), 10_000 * UNIT, allowance=QUICK, **more
        ).signals
        assert mine.setups.tobytes() == theirs.setups.tobytes() and len(mine.setups) > 20
