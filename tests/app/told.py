"""The command's trader in this process, before the exchange's sockets: told how to begin, and stopped by a word."""

import os
import signal
import threading
from collections.abc import Callable

from aister.app.build import Built
from aister.app.settings import RunSettings
from aister.app.trader import Trader
from aister.app.trader_ways import Ways
from aister.cli.watch.lines import Silence
from aister.cli.watch.trade import run_trader
from aister.core.audit import Audit
from tests.app.served import NAME, SYMBOL, Served

__all__ = ["BOOKS_READ", "Told"]

BOOKS_READ = "The exchange's books are read."


class Told:
    """One life: what it said, what it recorded, and the run it leaves. It is stopped (as by Ctrl-C) once what `until`
    asks for is there after its books were read (by default: the watcher); `meanwhile` is done before that, once."""

    def __init__(
        self,
        served: Served,
        ways: Ways | None = None,
        *,
        until: Callable[["Told"], object] = lambda told: told.trader.watcher.pid,
        meanwhile: Callable[["Told"], object] = lambda told: None,
        leverage: int = 20,
        fresh: bool = False,
        within_s: float = 60.0,
    ) -> None:
        self.said: list[str] = []
        self.audits: list[Audit] = []
        self._read, self._left = threading.Event(), threading.Event()
        self._until, self._meanwhile, self._within_s = until, meanwhile, within_s
        settings = RunSettings(
            data="live simulator",
            symbols=(SYMBOL,),
            leverage=leverage,
            margin="cross",
            mind="none",
            strategy="confluence",
        )
        watcher = self._watcher = Silence()
        watcher.observers = (self.audits.append,)  # type: ignore[assignment]
        stopper = threading.Thread(target=self._stop, daemon=True)
        stopper.start()
        try:
            self.built: Built
            self.built, self.stands, _ = run_trader(
                served.home, settings, served.where, NAME, 0.05, watcher, self._say, fresh=fresh, ways=ways or Ways()
            )
        finally:
            self._left.set()
            stopper.join()
            if watcher.standing is not None:
                self.trader.watcher.stop()

    @property
    def trader(self) -> Trader:
        assert self._watcher.standing is not None
        return self._watcher.standing.__self__  # type: ignore[attr-defined,no-any-return]

    @property
    def text(self) -> str:
        return "\n".join(self.said)

    def _say(self, sentence: str) -> None:
        self.said.append(sentence)
        if sentence.startswith(BOOKS_READ):
            self._read.set()

    def _stop(self) -> None:
        while not self._read.wait(0.05):
            if self._left.is_set():
                return
        self._meanwhile(self)
        for _ in range(round(self._within_s / 0.05)):
            if self._until(self) or self._left.wait(0.05):
                break
        if not self._left.is_set():
            os.kill(os.getpid(), signal.SIGINT)
