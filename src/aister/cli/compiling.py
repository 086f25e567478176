"""Signs of life while kernels compile, which takes about a minute on the first use of a machine: what is being
compiled, how much is done, and the seconds so far. One line that changes on a terminal, a line now and then elsewhere.
"""

import sys
import time
from shutil import get_terminal_size
from threading import Event, Lock, Thread
from typing import Any, TextIO

from numba.core import event

__all__ = ["SignsOfLife", "show_compiling"]

_ON_TERMINAL_S, _ELSEWHERE_S = 1.0, 10.0


def show_compiling() -> None:
    """From now on this process shows on standard error that it compiles, when it does."""
    if not _ours:
        terminal = sys.stderr.isatty()
        _ours.append(SignsOfLife(sys.stderr, terminal, _ON_TERMINAL_S if terminal else _ELSEWHERE_S))
        register: Any = event.register
        register("numba:compile", _ours[0])


class SignsOfLife(event.Listener):
    """Hears when numba compiles one of our kernels and tells of it every `every_s`, on a terminal in place."""

    def __init__(self, out: TextIO, terminal: bool, every_s: float) -> None:
        self._out, self._terminal, self._every_s = out, terminal, every_s
        self._lock = Lock()
        self._now: list[str] = []  # what is being compiled, outermost first
        self._done, self._before_s, self._since, self._told = 0, 0.0, 0.0, 0.0
        self._over = Event()
        self._wide = 0

    @property
    def rules(self) -> int:
        """How many were compiled so far."""
        return self._done

    def on_start(self, event: event.Event) -> None:
        with self._lock:
            self._now.append(_named(event))
            if len(self._now) == 1:
                self._since, self._over = time.monotonic(), Event()
                self._told = self._told or self._since
                Thread(target=self._tell, args=(self._over,), daemon=True).start()

    def on_end(self, event: event.Event) -> None:
        with self._lock:
            self._now.pop()
            self._done += 1
            if not self._now:
                self._before_s += time.monotonic() - self._since
                self._over.set()
                self._write("")

    def _tell(self, over: Event) -> None:
        while not over.wait(max(0.0, self._told + self._every_s - time.monotonic())):
            with self._lock:
                if self._now and not over.is_set():
                    self._told = time.monotonic()
                    seconds = self._before_s + self._told - self._since
                    done = f"{self._done} {'rule' if self._done == 1 else 'rules'}"
                    self._write(f"  {seconds:,.0f} s so far, {done} done, now {self._now[-1]} (once; a minute or so)")

    def _write(self, text: str) -> None:
        """On a terminal the new text replaces the old one; elsewhere a text is a line."""
        try:
            if self._terminal:
                text = text[: get_terminal_size().columns - 1]
                if text or self._wide:
                    back = "" if text else "\r"
                    print(f"\r{text:<{self._wide}}{back}", end="", file=self._out, flush=True)
                self._wide = len(text)
            elif text:
                print(f"aister: compiling:{text[1:]}", file=self._out, flush=True)
        except (OSError, ValueError):  # nobody is there to see it
            self._over.set()


_ours: list[SignsOfLife] = []


def _named(event: event.Event) -> str:
    function = event.data["dispatcher"].py_func
    return f"{function.__module__.rpartition('.')[2]}.{function.__name__}"
