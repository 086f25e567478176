"""The account beside a Python strategy: the batch loop's own steps, a pace at a time."""

from functools import cache
from struct import Struct
from typing import Any

import numpy as np
import numpy.typing as npt

from aister.core.errors import MoneyOverflow
from aister.core.instrument import Instrument
from aister.core.money import UNIT
from aister.kernels import entry
from aister.kernels.paced import EQUITY, FLOOR, FREE, pace
from aister.kernels.signals import SETUP
from aister.kernels.state import allocate
from aister.kernels.trades import TRADE
from aister.lab.python.memory import BAR, Opening
from aister.strategy.python.contract import Account

__all__ = ["KernelFloor", "warm"]

_ROOM = 1_024
_pack = Struct(f"{SETUP.itemsize // 8}q").pack_into


class KernelFloor:
    """One symbol's desk and the account, advanced bar by bar. It is what the strategy is shown; what counts is made
    of its signals elsewhere."""

    def __init__(self, instrument: Instrument, bars: npt.NDArray[Any], rates_e8: npt.NDArray[Any], opening: Opening):
        self._floor = allocate(FLOOR)
        one = self._floor[0]
        one["desk"] = np.frombuffer(opening.desk, FLOOR["desk"])[0]
        one["account"] = np.frombuffer(opening.account, FLOOR["account"])[0]
        one["at"], one["closed"] = opening.start - 1, 1
        one["seen"][FREE], one["seen"][EQUITY] = 1, one["account"]["wallet"]
        self._bars, self._rates_e8 = bars, rates_e8
        self._trades = np.zeros(_ROOM, TRADE)
        self._setup = np.zeros(1, SETUP)
        self._fields: Any = self._setup.view(np.uint8)
        self._given = 0
        self._pace = warm()
        self._seen = memoryview(one["seen"])
        self._at = self._row = -1
        self._leaves = 0
        self.account = Account(self._seen, 1.0 / instrument.ticks_per_quote, 1.0 / UNIT)

    def pass_to(self, bar: int) -> None:
        """Take the bars up to and with this one; its close waits for a decision."""
        self._go(bar, 0)

    def until_free(self, bar: int) -> int:
        """Take bars until the account is free at a close, but none after `bar`; the bar reached."""
        return self._go(bar, 1)

    def enter(self, bar: int, setup: tuple[int, ...]) -> None:
        """Enter at the close of this bar, by one row, the fields of SETUP in order: done when bars are taken again."""
        _pack(self._fields, 0, *setup)
        self._at, self._row = bar, self._given
        self._seen[FREE] = 0
        self._given += 1

    def leave(self) -> None:
        """Close what is held, at the close of the bar reached: done when bars are taken again."""
        self._leaves = 1

    def _go(self, until: int, to_free: int) -> int:
        if 2 * self._given + 2 > len(self._trades):
            self._trades = np.concatenate((self._trades, np.zeros(len(self._trades), TRADE)))
        at, row, leaves = self._at, self._row, self._leaves
        self._at = self._row = -1
        self._leaves = 0
        reached: int = self._pace(
            self._floor, self._bars, self._rates_e8, self._setup, self._trades, at, row, leaves, until, to_free
        )
        return reached

    def finish(self) -> bytes:
        """Take what bars are left; the trades that have ended, rows of dtype TRADE."""
        self.pass_to(len(self._bars) - 1)
        one = self._floor[0]
        if one["failed"]:
            raise MoneyOverflow("An amount of the account does not fit in 64 bits; reduce the capital or the risk.")
        return self._trades[: int(one["trades"])].tobytes()


@cache
def warm() -> Any:
    """The compiled loop, from the cache or made now."""
    floor, bars, rates_e8 = allocate(FLOOR), np.zeros(1, BAR), np.zeros(1, np.int64)
    bars.flags.writeable = rates_e8.flags.writeable = False
    return entry(pace, floor, bars, rates_e8, np.zeros(1, SETUP), np.zeros(1, TRADE), 0, 0, 0, 0, 0)
