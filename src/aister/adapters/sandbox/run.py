"""One Python strategy over one market: walled in, fed block by block, its signals simulated again here.

What holds: the strategy's process never has a bar of a later block while it answers for this one, and it answers for
this block before it gets the next. Within a block (`reveal` closes) `Bar` shows the past alone, but code that digs in
its own process's memory could find the rest of the block; `reveal=1` leaves it nothing to find.
"""

from collections.abc import Callable, Mapping
from typing import TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

from aister.adapters.sandbox.limits import Allowance
from aister.adapters.sandbox.memory import Shared
from aister.adapters.sandbox.process import Child, clean
from aister.adapters.sandbox.protocol import (
    Answered,
    Described,
    Failed,
    Finished,
    FromChild,
    Load,
    Parameter,
    Ready,
    Reveal,
    Start,
)
from aister.adapters.sandbox.source import PythonSource
from aister.adapters.sandbox.walls import Walls
from aister.core.errors import StrategyError, UsageError
from aister.features.columns import FeatureColumns
from aister.features.timeframes import INTERVAL_MS, NAMES
from aister.kernels.signals import EXIT, SETUP
from aister.lab.batch import Plan, Simulated, open_account, run
from aister.lab.prepare import prepare
from aister.lab.python.check import checked_exits, checked_setups
from aister.lab.python.columns import first_close, tables_of
from aister.lab.python.floor import warm
from aister.lab.python.memory import Opening, Tables
from aister.ports.market import Market, Series
from aister.ports.signals import Signals
from aister.sim.models import FillModel

__all__ = ["ACCEPTANCE", "BLOCK", "Progress", "PythonRun", "run_python_strategy"]

ACCEPTANCE = "this code may read my files and use my network"
"""What a user types to run a strategy where the system cannot wall it in."""

BLOCK = 4_096
"""Closes revealed at a time."""

ALLOWANCE = Allowance()
_MOST_FEATURES = 64

Rows = npt.NDArray[np.void]
Progress = Callable[[int, int], None]
T = TypeVar("T")


class PythonRun(msgspec.Struct, frozen=True, eq=False):
    """What is known of a run of a user's class.

    source: what ran, with its hash; name, timeframe, features, filtered, warm_up: what the class asked for; parameters:
    given to it, declared: all that its class names, with their values; signals: what it answered, checked; simulated:
    what the parent made of them, which the child's own account equals; dropped: answers that could not act; walls;
    reveal: closes it had at a time; cpu_s: of the child's run, as it says; printed: the first kilobytes of what it
    printed, cleaned.
    """

    source: PythonSource
    name: str
    timeframe: str
    features: tuple[str, ...]
    filtered: bool
    warm_up: int
    parameters: Mapping[str, Parameter]
    declared: Mapping[str, Parameter]
    signals: Signals
    simulated: Simulated
    dropped: int
    walls: Walls
    reveal: int
    cpu_s: float
    printed: str


def run_python_strategy(
    source: PythonSource,
    market: Market,
    plan: Plan,
    model: FillModel,
    capital: int,
    *,
    parameters: Mapping[str, Parameter] | None = None,
    reveal: int = BLOCK,
    allowance: Allowance = ALLOWANCE,
    accepted: str = "",
    progress: Progress | None = None,
) -> PythonRun:
    """Run it in a child process, take its signals, and simulate them here.

    plan, model, capital (money units): as `lab.batch.simulate` takes them; reveal: closes it is given at a time (1: it
    cannot look ahead); accepted: `ACCEPTANCE`, where the system cannot wall it in; progress: called with the closes it
    has answered and all of them, at least every second. Raises `StrategyError` when it raises, is late, dies, passes
    its limits, answers nonsense or says it traded what its signals do not trade; `UsageError` for several symbols or a
    missing acceptance.
    """
    if len(market.series) != 1:
        raise UsageError(
            f"A Python strategy runs on one symbol, not on {', '.join(market.symbols)}: name one with --symbols."
        )
    if model.position_mode == "hedge":
        raise UsageError("A Python strategy holds one position at a time; choose --positions one_way.")
    if reveal < 1:
        raise UsageError(f"reveal is {reveal}: a strategy is given at least one close at a time.")
    series, given = market.series[0], dict(parameters or {})
    warm()
    with Shared() as shared, Child(shared.reader, allowance) as child:
        walls = _walls(child, accepted)
        described = _expect(Described, child.ask(Load(source.text, source.name, given, series.symbol)), source)
        timeframe_ms = INTERVAL_MS.get(described.timeframe, 0)
        if timeframe_ms < series.interval_ms:
            raise UsageError(
                f"{described.name} decides on {described.timeframe!r}; choose one of {', '.join(NAMES)}, and bars no"
                " longer than it."
            )
        prepared = prepare(series, model, (timeframe_ms,))
        whole = tables_of(prepared, described.timeframe, _wanted(described), FeatureColumns(series))
        desks, accounts = open_account([prepared], plan, model, capital)
        opening = Opening(desks.tobytes(), accounts.tobytes(), series.start)
        child.run()
        signals = _feed(child, shared, whole, series, opening, reveal, source, progress)
        finished = _expect(Finished, child.ask(Reveal(len(whole.closes["bar"]), last=True)), source)
        child.let_go()
        printed = child.printed
    simulated = run([prepared], {series.symbol: signals}, plan, model, capital)
    if finished.trades != simulated.trades.tobytes():
        raise StrategyError(
            "The strategy's process says it traded what its signals do not trade; nothing of it is used: a strategy"
            " must not touch the account it is shown."
        )
    return PythonRun(
        source=source,
        name=described.name,
        timeframe=described.timeframe,
        features=described.features,
        filtered=described.filtered,
        warm_up=described.warm_up,
        parameters=given,
        declared=_declared(described),
        signals=signals,
        simulated=simulated,
        dropped=finished.dropped,
        walls=walls,
        reveal=reveal,
        cpu_s=finished.cpu_s,
        printed="\n".join(map(clean, printed.decode("utf-8", "replace").splitlines())),
    )


def _walls(child: Child, accepted: str) -> Walls:
    """The walls that stand. The child has seen nothing of the strategy yet."""
    ready = child.hear()
    if not isinstance(ready, Ready):
        raise StrategyError("The strategy's process did not raise its walls; see what it printed, and report it.")
    if ready.walls.open and accepted != ACCEPTANCE:
        raise UsageError(
            f"This system cannot keep a Python strategy from {', '.join(ready.walls.open)} ({ready.walls}); run it on"
            f" Linux with Landlock and seccomp, or type: {ACCEPTANCE}."
        )
    return ready.walls


def _feed(
    child: Child,
    shared: Shared,
    whole: Tables,
    series: Series,
    opening: Opening,
    reveal: int,
    source: PythonSource,
    progress: Progress | None,
) -> Signals:
    """Give it the closes block by block; its signals, each block's checked before the next is given."""
    bar, times, closes = whole.closes["bar"], whole.closes["time_ms"], whole.closes["close"]
    shared.hold(whole)
    first = at = first_close(series.start, whole)
    child.say(Start(series.instrument, whole.shape, first, opening))
    setups, exits = [np.zeros(0, SETUP)], [np.zeros(0, EXIT)]
    if progress is not None:
        child.waiting = lambda: progress(at, len(times))
    while at < len(times):
        child.waiting()
        until = min(at + reveal, len(times))
        shared.reveal(int(bar[until - 1]) + 1, until)
        answered = _expect(Answered, child.ask(Reveal(until, last=False)), source)
        setups.append(checked_setups(answered.setups, times[at:until], closes[at:until], series.instrument))
        exits.append(checked_exits(answered.exits, times[at:until]))
        at = until
    shared.reveal(len(series.open_ms), len(times))
    return Signals(np.concatenate(setups), np.concatenate(exits))


def _wanted(described: Described) -> tuple[str, ...]:
    """The features it asked for, each once."""
    if len(described.features) > _MOST_FEATURES or len(set(described.features)) != len(described.features):
        raise UsageError(f"A Python strategy asks for at most {_MOST_FEATURES} features, each once.")
    return described.features


def _declared(described: Described) -> dict[str, Parameter]:
    """The parameters its class names, as far as they can be ones."""
    if len(described.parameters) > _MOST_FEATURES:
        raise UsageError(f"A Python strategy takes at most {_MOST_FEATURES} parameters.")
    return {name: value for name, value in described.parameters.items() if name.isidentifier()}


def _expect(kind: type[T], message: FromChild, source: PythonSource) -> T:
    """The message, if it is of that kind. Raises `StrategyError` in the strategy's own words when it failed."""
    if isinstance(message, kind):
        return message
    if isinstance(message, Failed):
        where = f", line {message.line}" if message.line > 0 else ""
        text = f" `{clean(message.text)}`" if message.text else ""
        raise StrategyError(f"{source.name}{where}:{text} raised {clean(message.error)}")
    raise StrategyError(
        "The strategy's process answered out of turn and was stopped: a strategy must not write to the descriptors it"
        " finds."
    )
