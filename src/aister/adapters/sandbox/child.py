"""The child's end: walls first, then the source, then the run. Nothing it says after `Ready` is believed."""

import contextlib
import gc
import linecache
import mmap
import os
import signal
import sys
import time
import traceback
import types
from pathlib import Path
from typing import Any

from aister.adapters.host.spared import NotForNumba
from aister.adapters.sandbox.kernel_calls import set_death_signal
from aister.adapters.sandbox.walls import leave_the_world, raise_walls

__all__ = ["main"]

_MODULE = "user_strategy"
_LONGEST = 500


def main(commands: int, answers: int, data: int, cpu_s: int, memory_mb: int, without: tuple[str, ...]) -> None:
    """Run one strategy from the commands read, and end. `data`: the descriptor of the shared memory."""
    with contextlib.suppress(OSError):
        set_death_signal(signal.SIGKILL)
    world = leave_the_world(without)
    # What starts threads or reads the disk is imported between the two halves: after the first, before the second.
    sys.meta_path.insert(0, NotForNumba())
    from aister.adapters.sandbox import protocol  # noqa: PLC0415
    from aister.lab.python import drive, floor  # noqa: F401, PLC0415

    floor.warm()
    line = _Line(commands, answers, protocol)
    package = Path(__file__).parent.parent.parent
    line.say(protocol.Ready(raise_walls(world, package, cpu_s, memory_mb, without)))
    os.environ.clear()
    gc.freeze()
    load = line.hear()
    strategy = None
    try:
        strategy = _Loaded(load)
        line.say(strategy.described(protocol))
        _run(line, strategy, data, protocol)
    except BaseException as problem:  # a strategy may raise anything, SystemExit too
        line.say(_failure(problem, load, strategy, protocol))
    os._exit(0)


class _Line:
    """The two pipes."""

    def __init__(self, commands: int, answers: int, protocol: Any) -> None:
        self._commands, self._answers = open(commands, "rb"), answers  # noqa: SIM115 - held until the end
        self._protocol = protocol

    def hear(self) -> Any:
        head = self._commands.read(self._protocol.HEADER.size)
        if not head:
            os._exit(0)  # the parent is gone
        return self._protocol.decode_from_parent(self._commands.read(self._protocol.frame_size(head)))

    def say(self, message: Any) -> None:
        left = memoryview(self._protocol.frame(message))
        while left:
            left = left[os.write(self._answers, left) :]


class _Loaded:
    """The strategy's class and the object of it."""

    def __init__(self, load: Any) -> None:
        from aister.strategy.python.contract import PythonStrategy  # noqa: PLC0415

        module = types.ModuleType(_MODULE)
        module.__file__ = load.name
        sys.modules[_MODULE] = module
        linecache.cache[load.name] = (len(load.source), None, load.source.splitlines(keepends=True), load.name)
        exec(compile(load.source, load.name, "exec"), module.__dict__)
        found = [
            value
            for value in vars(module).values()
            if isinstance(value, type) and issubclass(value, PythonStrategy) and value.__module__ == _MODULE
        ]
        if len(found) != 1:
            raise TypeError(
                f"{load.name} defines {len(found)} classes that derive from PythonStrategy; it must define one"
            )
        self.name = found[0].__name__
        self.parameters = {**_defaults(found[0]), **load.parameters}
        self.strategy = found[0](**load.parameters)
        self.strategy.symbol = load.symbol

    def described(self, protocol: Any) -> Any:
        from aister.lab.python.drive import is_filtered  # noqa: PLC0415

        one = self.strategy
        return protocol.Described(
            name=self.name,
            timeframe=str(one.timeframe),
            features=tuple(str(id) for id in one.features),
            lookback=int(one.lookback),
            warm_up=int(one.warm_up),
            filtered=is_filtered(one),
            parameters=self.parameters,
        )


def _defaults(made: type) -> dict[str, Any]:
    """The keyword arguments of a class that are plain values unless they are given."""
    import inspect  # noqa: PLC0415

    named = inspect.signature(made).parameters.values()
    return {one.name: one.default for one in named if type(one.default) in (bool, int, float, str)}


def _run(line: _Line, loaded: _Loaded, data: int, protocol: Any) -> None:
    from aister.lab.python.drive import Drive  # noqa: PLC0415
    from aister.lab.python.floor import KernelFloor  # noqa: PLC0415
    from aister.lab.python.memory import tables_in  # noqa: PLC0415

    start = line.hear()
    began = time.process_time()
    memory = mmap.mmap(data, start.shape.size, access=mmap.ACCESS_READ)
    tables = tables_in(memory, start.shape)
    floor = KernelFloor(start.instrument, tables.bars, tables.rates_e8, start.opening)
    drive = Drive(loaded.strategy, start.instrument, tables.closes, floor, start.first)
    while not (reveal := line.hear()).last:
        line.say(protocol.Answered(*drive.advance(reveal.until)))
    line.say(protocol.Finished(floor.finish(), drive.dropped, time.process_time() - began))


def _failure(problem: BaseException, load: Any, loaded: _Loaded | None, protocol: Any) -> Any:
    """Where in the strategy's file it happened: the innermost line of it on the way; for an answer that made no sense,
    where `on_bar` begins."""
    frames = [frame for frame in traceback.extract_tb(problem.__traceback__) if frame.filename == load.name]
    if frames:
        number = frames[-1].lineno or 0
    elif isinstance(problem, SyntaxError):
        number = problem.lineno or 0
    else:
        number = getattr(getattr(getattr(loaded, "strategy", None), "on_bar", None), "__code__", _NoCode).co_firstlineno
    lines = load.source.splitlines()
    text = lines[number - 1].strip() if 0 < number <= len(lines) else ""
    try:
        said = f"{type(problem).__name__}: {problem}"
    except Exception:
        said = type(problem).__name__
    return protocol.Failed(number, text[:_LONGEST], said[:_LONGEST])


class _NoCode:
    co_firstlineno = 0
