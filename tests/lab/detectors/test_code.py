"""Detectors over Python strategies: what is asked, what is varied, what is said where code fails or has no numbers."""

import msgspec
import numpy as np
import pytest

from aister.adapters.store.trials import MemoryTrials
from aister.core.errors import StrategyError, UsageError
from aister.lab.backtest import Record
from aister.lab.detectors.case import Case
from aister.lab.detectors.code import case_of_code
from aister.lab.detectors.cost import Cost
from aister.lab.detectors.effort import Effort
from aister.lab.detectors.examine import DETECTORS, examine
from aister.lab.detectors.neighbourhood import Neighbourhood
from aister.lab.detectors.verdict import Verdict
from aister.lab.settings import Settings
from aister.ports.market import Market
from aister.sim.models import FillModel
from tests.adapters.sandbox.given import market
from tests.fakes.asking import AskingHere

TURNS = """
from aister.strategy import LONG, SHORT, Enter, Exit, PythonStrategy


class Turns(PythonStrategy):
    timeframe = "5m"
    features = ("5m.ema_9",)

    def __init__(self, far=0.004, back=3, name="x", loud=False):
        if far > 0.0045:
            raise ValueError("too far")
        self.far, self.back = far, back

    def on_bar(self, bar, account):
        if account.side and account.trades % 2:
            return Exit()
        moved = bar.close - bar.before("close", self.back)
        if account.free and moved:
            side = LONG if moved < 0 else SHORT
            return Enter(side, stop=bar.close * (1 - side * self.far), targets=bar.close * (1 + side * self.far))
"""
BARE = (
    TURNS.replace('def __init__(self, far=0.004, back=3, name="x", loud=False):', "def __init__(self):")
    .replace("self.far, self.back = far, back", "self.far, self.back = 0.004, 3")
    .replace("if far > 0.0045:", "if False:")
)
EFFORT = Effort(cuts=4, starts=2, cells=20, draws=50, paths=2)


def case(source: str = TURNS, over: Market | None = None, record: Record | None = None) -> Case:
    ask, over = AskingHere(source, FillModel()), over or market(1_500)
    return case_of_code(ask, over, Settings(), record or Record(), source=(source, "5" * 64), parameters={})


def test_every_detector_speaks_and_leaves_its_trials() -> None:
    ledger = MemoryTrials()
    told: list[str] = []
    one = examine(case(record=Record(trials=ledger)), EFFORT, tell=lambda found: told.append(found.detector))
    assert told == list(DETECTORS) == [found.detector for found in one.found]
    assert (one.kind, one.name, one.spec_hash) == ("python", "Turns", "5" * 64)
    assert one.parameters == "back=3, far=0.004, loud=False, name='x'"
    by = {found.detector: found for found in one.found}
    assert by["look-ahead"].verdict is by["fills"].verdict is Verdict.CLEAN
    cost = by["cost"]
    assert isinstance(cost, Cost) and cost.looks[1][1].trades > 30
    trials = list(ledger.overlapping(["BTCUSDT"], (0, 1 << 60)))
    assert len(trials) == one.trials and {trial.spec_hash for trial in trials} == {"5" * 64}
    assert all(trial.settings["parameters"] == one.parameters for trial in trials)
    assert sum(trial.settings["varied"].startswith("parameters: ") for trial in trials) > 5


def test_numbers_of_the_class_are_varied_and_what_it_refuses_is_counted() -> None:
    """far above 0.0045 is refused by the class: of nine steps, 1.15 and 1.2. Three closes back are 2, 3 or 4."""
    found = examine(case(), EFFORT, ["neighbourhood"]).found[0]
    assert isinstance(found, Neighbourhood)
    assert found.parameters == ("far", "back")
    assert found.cells + found.refused == 20 and found.refused > 0
    assert found == examine(case(), EFFORT, ["neighbourhood"]).found[0]


def test_a_class_without_numbers_has_no_neighbours_and_says_so() -> None:
    found = examine(case(BARE), EFFORT, ["neighbourhood"]).found[0]
    assert found.verdict is Verdict.UNKNOWN
    assert found.sentence == "Turns.__init__ names no number with a default, so that there is nothing to vary"


def test_code_that_fails_on_other_prices_is_not_called_clean() -> None:
    one = case()
    fragile = msgspec.structs.replace(one, tried=msgspec.structs.replace(one.tried, says=_failing))
    long = msgspec.structs.replace(fragile.tried, market=market(22 * 1_440))
    found = examine(msgspec.structs.replace(fragile, tried=long), EFFORT, ["paths"]).found[0]
    assert (found.verdict, found.sentence) == (Verdict.UNKNOWN, "it fails on data other than these: it raised")


def _failing(market: Market) -> dict[str, object]:
    raise StrategyError("it raised")


def test_several_symbols_are_refused_before_anything_runs() -> None:
    one = market(300)
    both = msgspec.structs.replace(
        one, series=(*one.series, msgspec.structs.replace(one.series[0], instrument=_named(one, "ETHUSDT")))
    )
    with pytest.raises(UsageError, match="one symbol"):
        case(over=both)


def _named(market: Market, symbol: str) -> object:
    return msgspec.structs.replace(market.series[0].instrument, symbol=symbol)


def test_its_warm_up_is_asked_of_an_account_that_holds_nothing() -> None:
    one = case()
    said = one.entries(one.tried.market)["BTCUSDT"]
    held = one.tried.signals["BTCUSDT"]
    assert len(said.setups) > len(held.setups) and len(said.exits) == 0 < len(held.exits)
    assert np.isin(held.setups["time_ms"], said.setups["time_ms"]).mean() > 0.9
    assert one.warm_up_ms > 5 * 60_000
