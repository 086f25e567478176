"""The class a user writes: `on_bar` sees one closed bar and the account, and answers enter, exit or nothing.

class Cross(PythonStrategy):
    timeframe = "15m"
    features = ("15m.ema_20", "15m.ema_50", "15m.atr_14")

    def on_bar(self, bar, account):
        above = bar["15m.ema_20"] > bar["15m.ema_50"]
        was_above = bar.before("15m.ema_20") > bar.before("15m.ema_50")
        if account.side == 0 and above and not was_above:
            atr = bar["15m.atr_14"]
            return Enter(LONG, stop=bar.close - 2 * atr, targets=bar.close + 3 * atr)
"""

from collections.abc import Mapping, Sequence
from math import nan
from typing import Any

import msgspec

__all__ = ["LONG", "SHORT", "Account", "Answer", "Bar", "Enter", "Exit", "PythonStrategy"]

LONG, SHORT = 1, -1
DAY_MS = 86_400_000


class Enter(msgspec.Struct, frozen=True, gc=False):
    """Open a position of this side at the next open, or at `limit`.

    Prices in quote per base; they are rounded outward to ticks. stop: protective stop, against the side. targets: one
    price, or up to three of (price, share of the position), the last taking what is left. limit: price of a resting
    entry, None for market; life_ms: how long it may rest. horizon_ms: closed at market so long after the entry.
    The size is the plan's: risk of equity over the distance to the stop.
    """

    side: int
    stop: float
    targets: float | tuple[tuple[float, float], ...]
    limit: float | None = None
    horizon_ms: int = DAY_MS
    life_ms: int = DAY_MS


class Exit(msgspec.Struct, frozen=True, gc=False):
    """Close the position at market, at the next open."""


Answer = Enter | Exit | None


class Bar:
    """One closed bar of the strategy's timeframe, and the features asked for, as they were known at its close.

    time_ms: its close (UTC). open, high, low, close in quote per base, volume in base units. `bar[id]`: a feature at
    this close, nan where it is unavailable. `bar.before(id, n)`: the same n closes earlier, nan before the first.
    `id` is one of `features`, or open, high, low, close, volume. It is one object that moves on: keep values, not bars.
    """

    __slots__ = ("_at", "_close", "_columns", "_high", "_low", "_open", "_time_ms", "_volume", "symbol")

    def __init__(self, symbol: str, columns: Mapping[str, Any]) -> None:
        """columns: by name, `time_ms`, open, high, low, close, volume and every feature; indexed by close."""
        self.symbol = symbol
        self._columns = columns
        self._time_ms = columns["time_ms"]
        self._open, self._high, self._low = columns["open"], columns["high"], columns["low"]
        self._close, self._volume = columns["close"], columns["volume"]
        self._at = 0

    @property
    def time_ms(self) -> int:
        value: int = self._time_ms[self._at]
        return value

    @property
    def open(self) -> float:
        value: float = self._open[self._at]
        return value

    @property
    def high(self) -> float:
        value: float = self._high[self._at]
        return value

    @property
    def low(self) -> float:
        value: float = self._low[self._at]
        return value

    @property
    def close(self) -> float:
        value: float = self._close[self._at]
        return value

    @property
    def volume(self) -> float:
        value: float = self._volume[self._at]
        return value

    def __getitem__(self, id: str) -> float:
        value: float = self._columns[id][self._at]
        return value

    def before(self, id: str, bars: int = 1) -> float:
        """The value `bars` closes before this one. Raises ValueError for a negative number: there is no future here."""
        if bars < 0:
            raise ValueError(f"before({id!r}, {bars}) asks for the future: count closes back, from 0 on")
        at = self._at - bars
        value: float = self._columns[id][at] if at >= 0 else nan
        return value


class Account:
    """The position in the bar's symbol and the money of the account, as they are at this close.

    free: neither a position nor an entry on its way: only then an Enter is taken. side: 1 long, -1 short, 0 none.
    waiting: an entry has been ordered and has not filled. entry, stop: prices, nan when nothing is held. opened_ms:
    time of the first fill, 0 when nothing is held. trades: ended so far. equity: money and unrealised result, in quote
    units.
    """

    __slots__ = ("_money", "_seen", "_tick")

    def __init__(self, seen: Sequence[int], tick: float, money: float) -> None:
        """seen: free, side, waiting, entry and stop in ticks, opened_ms, trades, equity in money units, kept by whoever
        runs the account; tick, money: what one tick and one money unit are."""
        self._seen, self._tick, self._money = seen, tick, money

    @property
    def free(self) -> bool:
        return self._seen[0] == 1

    @property
    def side(self) -> int:
        return self._seen[1]

    @property
    def waiting(self) -> bool:
        return self._seen[2] == 1

    @property
    def entry(self) -> float:
        return self._seen[3] * self._tick if self._seen[1] else nan

    @property
    def stop(self) -> float:
        return self._seen[4] * self._tick if self._seen[1] else nan

    @property
    def opened_ms(self) -> int:
        return self._seen[5]

    @property
    def trades(self) -> int:
        return self._seen[6]

    @property
    def equity(self) -> float:
        return self._seen[7] * self._money


class PythonStrategy:
    """Base of a user's strategy. One object is made, before the first bar; `symbol` is set on it.

    timeframe: `on_bar` is called at its closes. features: ids `{timeframe}.{name}` of the catalogue. while_open: also
    call `on_bar` while a position or an entry is open (False: stop, targets and horizon do the rest, the run jumps).
    lookback: closes before the block that `candidates` is given. warm_up: closes after which its answers no longer hang
    on where its own memory began (0: it keeps none). Parameters are the keyword arguments of `__init__`.
    """

    timeframe: str = "15m"
    features: tuple[str, ...] = ()
    while_open: bool = True
    lookback: int = 1
    warm_up: int = 0
    symbol: str = ""

    def on_bar(self, bar: Bar, account: Account) -> Answer:
        """Called at each close; the answer acts at the next open. An Enter while not `account.free`, and an Exit
        without a position, are dropped and counted."""
        raise NotImplementedError("write on_bar(self, bar, account): it answers Enter, Exit or None")

    def candidates(self, columns: Mapping[str, Any]) -> Any:
        """Optional: which closes are worth an `on_bar` call while there is no position.

        columns: `time_ms`, open, high, low, close, volume and the features, each a numpy array of one block of closes
        and of `lookback` closes before it. Returns booleans of the same length (those of the look-back are ignored).
        Whatever is computed here must come out the same whichever way the closes are cut into blocks.
        """
        raise NotImplementedError
