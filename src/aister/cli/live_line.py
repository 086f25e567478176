"""A line that says how far something has got: in place on a terminal, elsewhere a line now and then."""

import sys
import time
from shutil import get_terminal_size
from typing import TextIO

__all__ = ["LiveLine"]

_EVERY_S = (1.0, 10.0)  # on a terminal, elsewhere


class LiveLine:
    """`due` says whether it is time again; `show` writes; in the end `clear` takes the line of a terminal back and
    `end` leaves it."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stderr
        self._terminal = self._out.isatty()
        self._told = self._began = time.monotonic()
        self._wide = 0

    @property
    def seconds(self) -> float:
        """Since it was made."""
        return time.monotonic() - self._began

    def due(self) -> bool:
        """Whether nothing was shown for a second (ten where it is no terminal)."""
        return time.monotonic() - self._told >= _EVERY_S[0 if self._terminal else 1]

    def show(self, text: str) -> None:
        """Write it now."""
        self._told = time.monotonic()
        if not self._terminal:
            print(text, file=self._out, flush=True)
            return
        text = text[: get_terminal_size().columns - 1]  # a line that wraps cannot be written over
        print(f"\r{text:<{self._wide}}", end="", file=self._out, flush=True)
        self._wide = len(text)

    def clear(self) -> None:
        """Nothing is left to tell."""
        if self._terminal and self._wide:
            print(f"\r{'':<{self._wide}}\r", end="", file=self._out, flush=True)
            self._wide = 0

    def end(self) -> None:
        """What it says last stays."""
        if self._terminal and self._wide:
            print(file=self._out, flush=True)
            self._wide = 0
