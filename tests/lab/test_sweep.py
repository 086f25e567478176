"""A sweep is many single backtests: equal to them to the unit, each a trial, none lost, none run twice."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest

from aister.adapters.store.trials import MemoryTrials
from aister.core.errors import UsageError
from aister.core.money import UNIT
from aister.lab.backtest import Record, backtest_spec
from aister.lab.cells import Row, Work, Workbench
from aister.lab.draws import Cell, Search
from aister.lab.settings import Settings
from aister.lab.space import axis, grid, placed
from aister.lab.sweep import Threads, identity, sweep
from aister.sim.models import FillModel, Margin
from aister.strategy.spec.spec import read_spec
from tests.lab.sweeps import RULES, Kept, market, search, without_bounds

MARKET = market()
GRID = ("fast=5,8", "slow=13,21", "stop_atr=1.5,3.0")


class Counting:
    """Runs cells, remembers which, and asks to stop after so many."""

    def __init__(self, most: int = 1_000) -> None:
        self.ran: list[Cell] = []
        self.most = most

    def run(self, work: Work, cells: Sequence[Cell], stop: Callable[[], bool]) -> Iterator[list[Row]]:
        bench = Workbench(work)
        for cell in cells:
            if stop():
                return
            self.ran.append(cell)
            yield [bench.run(cell)]

    def enough(self) -> bool:
        return len(self.ran) >= self.most


def test_every_cell_is_what_a_backtest_of_its_rules_is() -> None:
    wanted = search(*GRID)
    table = sweep(RULES, MARKET, wanted)
    cells, _ = grid(wanted.axes)
    assert len(table) == 8 and table.complete
    for row, cell in enumerate(cells):
        alone = backtest_spec(read_spec(placed(RULES, wanted.axes, cell)), MARKET, Settings(random_draws=0), Record())
        assert tuple(table[name][row] for name in table.axes) == cell
        assert table["digest"][row] == alone.trades_digest
        assert table["trades"][row] == len(alone.trades) > 5
        assert table["spec_hash"][row] == alone.origin.spec_hash
        figures = alone.performance.figures
        for name in ("net_return", "sharpe_daily", "max_drawdown", "exposure", "fees"):
            assert table[name][row] == getattr(figures, name)
        assert table.returns[row].sum() == pytest.approx(figures.net_return, abs=1e-6)
    assert len(set(table["digest"])) == 8


def test_threads_and_their_number_change_nothing() -> None:
    one, two = (sweep(RULES, MARKET, search(*GRID), runner=Threads(n, batch=b)) for n, b in ((1, 3), (2, 1)))
    assert list(one["digest"]) == list(two["digest"])
    assert one.returns.tobytes() == two.returns.tobytes()


def test_refused_cells_are_rows_with_their_reason_and_no_trials() -> None:
    ledger = MemoryTrials()
    table = sweep(RULES, MARKET, search("fast=0,8,9"), record=Record(trials=ledger))
    assert list(table["refused"] != "") == [True, False, False]
    assert table["refused"][0].startswith("/let/fast/span: 0 is out of range")
    assert np.isnan(table["net_return"][0]) and np.isnan(table.returns[0]).all()
    assert table.trials == ledger.count(table.symbols, table.span_ms) == 2


def test_an_aborted_cell_is_a_row_and_a_trial_and_the_others_go_on() -> None:
    """A hundred times a billion USDT leaves 64 bits; a hundredth of it does not."""
    ledger, kept = MemoryTrials(), Kept()
    near = {**RULES["long"], "stop": {"percent": 0.1}}
    rules = {**RULES, "long": near, "sizing": {"risk": 0.1, "notional": 100.0, "leverage": 125}}
    vast = without_bounds(MARKET)
    model = FillModel(volume_share_e4=0, impact=None, margin=Margin(mode="cross", leverage=125))
    settings = Settings(capital=1_000_000_000 * UNIT, model=model)
    chosen = Search(axes=(axis("/sizing/notional=0.01,0.02,100", rules),))
    table = sweep(rules, vast, chosen, settings, Record(trials=ledger), store=kept)
    assert [bool(why) for why in table["aborted"]] == [False, False, True] and not any(table["refused"])
    assert "does not fit in 64 bits" in table["aborted"][2]
    assert np.isnan(table["net_return"][2]) and np.isnan(table.returns[2]).all() and table["digest"][2] == ""
    assert table["trades"][0] > 0 and table["trades"][1] > 0 and table.complete and 2 not in table.best(3)
    trials = list(ledger.overlapping(table.symbols, table.span_ms))
    assert sorted(trial.outcome for trial in trials) == ["aborted", "finished", "finished"]
    assert all(trial.kind == "sweep" for trial in trials)
    again = sweep(rules, vast, chosen, settings, Record(trials=ledger), store=kept, runner=(second := Counting()))
    assert not second.ran and list(again["aborted"]) == list(table["aborted"])  # it is not tried again


def test_every_cell_leaves_a_trial_before_its_row_and_a_repeat_none() -> None:
    ledger, kept = MemoryTrials(), Kept()

    class Watching(Kept):
        def add(self, rows: Sequence[Row]) -> None:
            assert ledger.count(MARKET.symbols, MARKET.span_ms) >= len(self.rows()) + len(rows)
            super().add(rows)

    store = Watching()
    table = sweep(RULES, MARKET, search(*GRID), record=Record(trials=ledger), store=store)
    assert table.trials == 8 and table.deflation is not None and table.deflation.trials == 8
    again = sweep(RULES, MARKET, search(*GRID), record=Record(trials=ledger), store=kept)
    assert again.trials == 8
    assert list(again["digest"]) == list(table["digest"])


def test_a_stopped_sweep_goes_on_and_runs_nothing_twice() -> None:
    kept, first, second = Kept(), Counting(3), Counting()
    part = sweep(RULES, MARKET, search(*GRID), store=kept, runner=first, stop=first.enough)
    assert len(part) == 3 and not part.complete and part.total == 8
    whole = sweep(RULES, MARKET, search(*GRID), store=kept, runner=second)
    assert len(second.ran) == 5 and not set(first.ran) & set(second.ran)
    assert list(whole["digest"]) == list(sweep(RULES, MARKET, search(*GRID))["digest"])


def test_a_stopped_tpe_sweep_chooses_the_cells_it_would_have_chosen() -> None:
    wanted = search("fast=2..30", "stop_atr=1.0..4.0", method="tpe", count=24)
    whole = sweep(RULES, MARKET, wanted)
    kept, first, second = Kept(), Counting(13), Counting()
    sweep(RULES, MARKET, wanted, store=kept, runner=first, stop=first.enough)
    gone_on = sweep(RULES, MARKET, wanted, store=kept, runner=second)
    assert len(whole) == 24 and len(second.ran) == 11
    assert list(gone_on["fast"]) == list(whole["fast"])
    assert list(gone_on["digest"]) == list(whole["digest"])


@pytest.mark.parametrize("by", ["net_return", "max_drawdown"])
def test_the_best_are_ranked_by_the_figure_that_was_sought(by: str) -> None:
    table = sweep(RULES, MARKET, search(*GRID, by=by))
    values = [table[by][row] for row in table.best(8)]
    assert values == sorted(values, reverse=by == "net_return")


def test_another_spec_data_setting_or_search_is_another_sweep() -> None:
    def told(rules: dict[str, Any] = RULES, days: int = 20, settings: Settings | None = None, *texts: str) -> str:
        return identity(rules, market(days), search(*(texts or GRID)), settings or Settings())

    other = {**RULES, "horizon": {"bars": 65}}
    found = {told(), told(other), told(days=21), told(settings=Settings(delay_bars=1)), told(RULES, 20, None, "fast=5")}
    assert len(found) == 5 and told() == told()


def test_an_unknown_figure_is_refused_with_those_there_are() -> None:
    with pytest.raises(UsageError, match="sharpe_daily"):
        sweep(RULES, MARKET, search(*GRID, by="beauty"))
