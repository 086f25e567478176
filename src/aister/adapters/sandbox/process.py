"""The parent's end: start the child with nothing, talk to it against a clock, kill it whatever happens."""

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable
from types import TracebackType

import msgspec

from aister.adapters.bare import bare_command
from aister.adapters.sandbox.limits import Allowance
from aister.adapters.sandbox.protocol import HEADER, FromChild, FromParent, decode_from_child, frame, frame_size
from aister.core.errors import StrategyError

__all__ = ["Child"]

_MEGABYTE = 1_048_576
_CHUNK = 65_536
_BEAT_S = 1.0
_PASSED_ON = ("NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES", "NUMBA_DISABLE_JIT")
_ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


class Child:
    """A context: the child lives inside it and is gone after it. Nothing it does is believed or waited for without
    end: every wait has a deadline, every message and the sum of them a size, and what it prints is kept up to a few
    kilobytes."""

    def __init__(self, data: int, allowance: Allowance) -> None:
        """Start it. `data`: a readable descriptor of the shared memory."""
        self.allowance = allowance
        self.waiting: Callable[[], None] = lambda: None
        """Called every second while it is waited for."""
        self._limit, self.deadline = "load_s", time.monotonic() + allowance.load_s
        self.printed = b""
        self.said = 0
        self._buffer = bytearray()
        theirs_in, self._commands = os.pipe()
        self._answers, theirs_out = os.pipe()
        self._prints, theirs_print = os.pipe()
        try:
            self.process = subprocess.Popen(
                _command(theirs_in, theirs_out, data, allowance),
                env=_environment(),
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=theirs_print,
                stderr=theirs_print,
                close_fds=True,
                pass_fds=(theirs_in, theirs_out, data),
                start_new_session=True,
            )
        finally:
            for theirs in (theirs_in, theirs_out, theirs_print):
                os.close(theirs)
        for ours in (self._commands, self._answers, self._prints):
            os.set_blocking(ours, False)
        self._watch = selectors.DefaultSelector()
        self._watch.register(self._answers, selectors.EVENT_READ)
        self._watch.register(self._prints, selectors.EVENT_READ)

    def __enter__(self) -> "Child":
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self.kill()

    def run(self) -> None:
        """It is loaded: from now on it has the seconds of a whole run."""
        self._limit, self.deadline = "wall_s", time.monotonic() + self.allowance.wall_s

    def ask(self, message: FromParent) -> FromChild:
        """Say it, and wait for one message. Raises `StrategyError` when the child dies, is late, or says what is no
        message."""
        self.say(message)
        return self.hear()

    def say(self, message: FromParent) -> None:
        """Say what has no answer. Raises as `ask`."""
        self._write(frame(message))

    def hear(self) -> FromChild:
        """The next message. Raises as `ask`."""
        head = self._take(HEADER.size)
        size = frame_size(head)
        self.said += size
        if self.said > self.allowance.answer_mb * _MEGABYTE:
            raise StrategyError(
                f"The strategy's process said more than {self.allowance.answer_mb} MB and was stopped: let it answer"
                " fewer signals."
            )
        try:
            message: FromChild = decode_from_child(self._take(size))
            return message
        except (msgspec.DecodeError, ValueError) as wrong:
            raise StrategyError(
                "The strategy's process said something that is no answer and was stopped: a strategy must not write"
                " to the descriptors it finds."
            ) from wrong

    def let_go(self, seconds: float = 2.0) -> None:
        """It has said its last: let it leave by itself, so that its processor time is counted; `kill` does the rest."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return

    def kill(self) -> None:
        """End it and everything it started; reap it; close every descriptor. May be called twice."""
        if self.process.returncode is None:
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                self.process.kill()
            self.process.wait()
        if self._commands >= 0:
            self._watch.close()
            for ours in (self._commands, self._answers, self._prints):
                os.close(ours)
            self._commands = -1

    def _write(self, data: bytes) -> None:
        left = memoryview(data)
        self._watch.register(self._commands, selectors.EVENT_WRITE)
        try:
            while left:
                if self._wait(self._commands):
                    try:
                        left = left[os.write(self._commands, left) :]
                    except BrokenPipeError:
                        return  # what it said before it died is still to be read
        finally:
            self._watch.unregister(self._commands)

    def _take(self, size: int) -> bytes:
        while len(self._buffer) < size:
            if self._wait(self._answers):
                read = os.read(self._answers, _CHUNK)
                if not read:
                    raise self._died()
                self._buffer += read
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken

    def _wait(self, wanted: int) -> bool:
        """True when `wanted` is ready; what the child prints is drained on the way."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise self._late()
        ready = {key.fd for key, _ in self._watch.select(min(left, _BEAT_S))}
        if not ready:
            self.waiting()
        if self._prints in ready:
            self._keep_printed()
        return wanted in ready

    def _late(self) -> StrategyError:
        if self._limit == "load_s":
            return StrategyError(
                f"The strategy was not ready within {self.allowance.load_s:g} s and was stopped: do less while its file"
                " is read and its class is made, or give it a longer load_s."
            )
        return StrategyError(
            f"The strategy did not answer in time ({self.allowance.wall_s:g} s for the whole run) and was stopped: make"
            " it faster, give it a longer wall_s, or run a shorter span."
        )

    def _keep_printed(self) -> None:
        read = os.read(self._prints, _CHUNK)
        if not read:
            self._watch.unregister(self._prints)
        self.printed += read[: max(0, self.allowance.print_kb * 1_024 - len(self.printed))]

    def _died(self) -> StrategyError:
        _, status, used = os.wait4(self.process.pid, 0)
        code = self.process.returncode = os.waitstatus_to_exitcode(status)
        if used.ru_utime + used.ru_stime >= self.allowance.cpu_s:
            return StrategyError(
                f"The strategy used its {self.allowance.cpu_s} s of processor time and was stopped: make it faster, or"
                " give it a larger cpu_s."
            )
        how = f"signal {-code}" if code < 0 else f"status {code}"
        last = self.printed.decode("utf-8", "replace").strip().splitlines()[-1:]
        said = f" It printed last: {clean(last[0])!r}." if last else ""
        return StrategyError(
            f"The strategy's process ended before its run did ({how}): it must neither leave nor crash.{said}"
        )


def clean(text: str, length: int = 300) -> str:
    """Text from the child as one printable line."""
    return "".join(c if c.isprintable() else " " for c in text)[:length]


def _command(commands: int, answers: int, data: int, allowance: Allowance) -> list[str]:
    bounds = allowance.cpu_s, allowance.memory_mb, allowance.without
    return bare_command("aister.adapters.sandbox.child:main", commands, answers, data, *bounds, unbuffered=True)


def _environment() -> dict[str, str]:
    """Nothing of ours, but what decides which compiled kernels are the right ones."""
    from aister.kernels import CACHE  # noqa: PLC0415 - numba is heavy

    passed = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return {"LANG": "C.UTF-8", **dict.fromkeys(_ONE_THREAD, "1"), **passed, "AISTER_CACHE": str(CACHE.parent)}
