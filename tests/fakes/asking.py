"""A Python strategy asked in this process, shown its closes as the real thing shows them: what is later is zero."""

import sys
import types
from collections.abc import Mapping

import numpy as np

from aister.core.errors import StrategyError
from aister.features.columns import FeatureColumns
from aister.features.timeframes import INTERVAL_MS
from aister.kernels.signals import EXIT, SETUP
from aister.lab.batch import Plan, open_account
from aister.lab.detectors.code import Heard, Parameter
from aister.lab.prepare import prepare
from aister.lab.python.columns import first_close, tables_of
from aister.lab.python.drive import Drive
from aister.lab.python.floor import KernelFloor
from aister.lab.python.memory import Opening, Tables, tables_in
from aister.ports.market import Market
from aister.ports.signals import Signals
from aister.sim.models import FillModel
from aister.strategy import PythonStrategy

BLOCK = 4_096


class AskingHere:
    """An `Ask` of one source, which must hold one class; every call executes it anew. `asked` counts."""

    def __init__(self, source: str, model: FillModel) -> None:
        self.source, self.model, self.asked = source, model, 0

    def __call__(
        self,
        market: Market,
        plan: Plan,
        capital: int,
        *,
        parameters: Mapping[str, Parameter],
        reveal: int | None = None,
    ) -> Heard:
        self.asked += 1
        try:
            return self._heard(market, plan, capital, parameters, reveal or BLOCK)
        except Exception as problem:
            raise StrategyError(f"it raised {type(problem).__name__}: {problem}") from problem

    def _heard(
        self, market: Market, plan: Plan, capital: int, parameters: Mapping[str, Parameter], reveal: int
    ) -> Heard:
        strategy, declared = _made(self.source, parameters)
        series = market.series[0]
        prepared = prepare(series, self.model, (INTERVAL_MS[strategy.timeframe],))
        whole = tables_of(prepared, strategy.timeframe, strategy.features, FeatureColumns(series))
        shown = tables_in(bytearray(whole.shape.size), whole.shape)
        desks, accounts = open_account([prepared], plan, self.model, capital)
        opening = Opening(desks.tobytes(), accounts.tobytes(), series.start)
        floor = KernelFloor(series.instrument, _sealed(shown.bars), _sealed(shown.rates_e8), opening)
        at, count = first_close(series.start, whole), len(whole.closes["bar"])
        drive = Drive(strategy, series.instrument, {k: _sealed(v) for k, v in shown.closes.items()}, floor, at)
        setups, exits = b"", b""
        while at < count:
            at = min(at + reveal, count)
            _reveal(whole, shown, int(whole.closes["bar"][at - 1]) + 1, at)
            more = drive.advance(at)
            setups, exits = setups + more[0], exits + more[1]
        return Heard(
            name=type(strategy).__name__,
            timeframe=strategy.timeframe,
            features=strategy.features,
            warm_up=strategy.warm_up,
            parameters=declared,
            signals=Signals(np.frombuffer(setups, SETUP), np.frombuffer(exits, EXIT)),
        )


def _made(source: str, parameters: Mapping[str, Parameter]) -> tuple[PythonStrategy, dict[str, Parameter]]:
    module = types.ModuleType("asked_here")
    sys.modules["asked_here"] = module
    exec(source, module.__dict__)
    found = [one for one in vars(module).values() if isinstance(one, type) and one.__module__ == "asked_here"]
    made = next(one for one in found if issubclass(one, PythonStrategy))
    code = made.__init__.__code__ if "__init__" in vars(made) else None
    names = code.co_varnames[1 : code.co_argcount] if code is not None else ()
    defaults = dict(zip(names, made.__init__.__defaults__ or (), strict=False)) if code is not None else {}
    return made(**parameters), {**defaults, **parameters}


def _reveal(whole: Tables, shown: Tables, bars: int, closes: int) -> None:
    settled = int(whole.bars["settlements"][bars - 1])
    for name in whole.bars:
        shown.bars[name][:bars] = whole.bars[name][:bars]
    shown.rates_e8[:settled] = whole.rates_e8[:settled]
    for name, column in shown.closes.items():
        column[:closes] = whole.closes[name][:closes]


def _sealed(column: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
    """The same memory, not to be written."""
    view = column.view()
    view.flags.writeable = False
    return view
