"""A run told line by line, for a pipe, a file or a screen that is none."""

import os
import sys
import time
from collections.abc import Callable
from typing import TextIO

from aister.analytics.report.flags import flag_in_words
from aister.analytics.report.words import age, percent, signed, signed_percent, utc
from aister.app.build import Built
from aister.cli import shown
from aister.cli.watch.telling import Telling
from aister.core.audit import Audit
from aister.core.events import BarClosed
from aister.core.money import UNIT
from aister.ports.feed import MarketSlice

__all__ = ["Lines", "Silence"]

_EVERY_S = 5.0
_LOOK_EVERY = 512  # audits between two looks at the clock


class Silence:
    """Shows nothing."""

    observers: tuple[Callable[[Audit], None], ...] = ()
    failed: OSError | None = None
    """Why nothing can be shown any more, when that is not because the reader left."""
    standing: Callable[[], str] | None = None
    """How things stand at the exchange, in one line; None where there is none."""

    def attach(self, built: Built, already: int) -> None:
        """Nothing to prepare."""

    def watch(self, market: MarketSlice) -> None:
        """Nothing to draw."""

    def tick(self) -> None:
        """Nothing to draw."""

    def close(self) -> None:
        """Nothing to leave behind."""


class Lines(Silence):
    """A line per decision, refusal, opening and closing, and progress every five seconds. Records that are repeated
    from the journal are not told again."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out if out is not None else sys.stdout
        self.observers = (self._observe,)
        self._built: Built | None = None
        self._seen = self._bars = self._already = 0
        self._began = self._next = 0.0

    def attach(self, built: Built, already: int) -> None:
        """Start telling of this run, whose first `already` records are repeated."""
        self._built, self._already = built, already
        self._telling = Telling(built.feed.instruments)
        self._began = time.monotonic()
        self._next = self._began + _EVERY_S
        for flag in built.feed.flags:
            self._say(f"data: {flag_in_words(flag)}")

    def _observe(self, audit: Audit) -> None:
        self._seen += 1
        if not audit.outputs and type(audit.event) is BarClosed:
            self._bars += 1
            if self._seen % _LOOK_EVERY == 0 and time.monotonic() >= self._next:
                self._progress(audit.event.time_ms)
            return
        said = self._telling.hear(audit)
        if self._seen > self._already:
            for sentence in said:
                self._say(sentence)

    def _progress(self, time_ms: int) -> None:
        now = time.monotonic()
        self._next = now + _EVERY_S
        built = self._built
        assert built is not None
        start, end = built.feed.span_ms
        done = (time_ms - start) / max(1, end - start)
        speed = (time_ms - start) / 1000 / max(1e-9, now - self._began)
        equity, capital = built.engine.portfolio.equity, built.settings.capital
        left = age((end - time_ms) / max(1e-9, speed)) if speed > 0 else "unknown"
        self._say(
            f"{percent(done, 0)}, {utc(time_ms)} UTC, equity {equity / UNIT:,.2f} "
            f"({signed_percent(equity / capital - 1)} net), "
            f"{self._telling.decisions} decisions, {self._telling.trades} trades, {signed(speed, 0)[1:]} market s/s, "
            f"about {left} left"
        )

    def _say(self, line: str) -> None:
        try:
            print(shown(line), file=self._out, flush=True)
        except OSError as error:  # nobody reads any more, or nothing can be written: stop as for a signal
            self.failed = None if isinstance(error, BrokenPipeError) else error  # and let later words go nowhere
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._out.fileno())
            if self._built is not None:
                self._built.run.stop()
