"""Where backtests are put together: rules by name, file or value; data by name, path or arrays; the trial ledger.

`aister.backtest(...)` in Python and `aister backtest` on the command line both end here.
"""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, TypedDict, Unpack

import msgspec
import numpy as np
import numpy.typing as npt

from aister.adapters.feeds.recorded import open_feed
from aister.adapters.feeds.settlements import settlements
from aister.adapters.sandbox.protocol import Parameter
from aister.adapters.store.home import open_home
from aister.adapters.store.sample import shipped_instruments
from aister.adapters.store.trials import SqliteTrials
from aister.app.python_strategies import PythonRules, python_rules
from aister.app.strategies import history_ms, named_spec
from aister.core.errors import DataError, UsageError
from aister.core.instrument import Instrument
from aister.core.money import money
from aister.lab.backtest import Backtest, Record, backtest_spec
from aister.lab.settings import Settings
from aister.ports.market import Market, Series
from aister.sim.models import FillModel
from aister.strategy.spec.spec import read_spec
from aister.strategy.spec.tree import Spec

__all__ = ["Columns", "Data", "Rules", "backtest", "market_of", "moment", "rules_of", "rules_or_code", "run_backtest"]

Columns = Mapping[str, npt.ArrayLike]
"""open_time (UTC ms), open, high, low, close, volume, all of one length; a pandas DataFrame is one."""

Rules = str | Path | Mapping[str, Any] | Spec
Data = str | Path | Market | Mapping[str, Columns]
_BARS = ("open", "high", "low", "close", "volume")


class Options(TypedDict, total=False):
    """What `backtest` takes besides. capital in quote currency; model: fees, slippage, latency, margin and the order
    inside a bar, everything on by default; delay_bars: base bars between decision and order; seed, random_draws: of
    bootstrap and matched random entry; fills: keep every execution."""

    capital: float | str
    model: FillModel
    delay_bars: int
    seed: int
    random_draws: int
    fills: bool


def backtest(
    strategy: Rules,
    data: Data = "sample",
    *,
    symbols: tuple[str, ...] | list[str] = (),
    start: str | int | None = None,
    end: str | int | None = None,
    assume_funding: bool = False,
    home: Path | str | None = None,
    parameters: Mapping[str, Parameter] | None = None,
    accept: str = "",
    **options: Unpack[Options],
) -> Backtest:
    """Run a strategy over data and return everything that came of it; in a notebook the result shows its report.

    strategy: a template's name, a spec file, a Python strategy (.py, one symbol; `parameters` are its own, `accept` is
    what must be typed where the system cannot wall it in), a spec as a dict, or a `Spec`. data: "sample", a symbol of
    the store, a path, a `Market`, or arrays by symbol (see `Columns`; open times in UTC ms, funding assumed). start,
    end: UTC, as text ("2025-05-10") or ms, end exclusive. home: where the trial is recorded (default: AISTER_HOME).
    options: see `Options`. Raises `UsageError`, `SpecRefused`, `DataError`, `StrategyError`: each says what to change.
    """
    given = dict(options)
    return run_backtest(
        rules_or_code(strategy, parameters, accept),
        data,
        Settings(**{**given, "capital": money(str(given.get("capital", 10_000)))}),  # type: ignore[arg-type]
        symbols=tuple(symbols),
        start_ms=moment(start, "start"),
        end_ms=moment(end, "end"),
        assume_funding=assume_funding,
        home=Path(home) if home is not None else None,
    )


def run_backtest(
    rules: Spec | PythonRules,
    data: Data,
    settings: Settings,
    *,
    symbols: tuple[str, ...] = (),
    start_ms: int | None = None,
    end_ms: int | None = None,
    assume_funding: bool = False,
    home: Path | None = None,
    hear: Callable[[str], None] = lambda printed: None,
    progress: Callable[[int, int], None] | None = None,
) -> Backtest:
    """Open the data, run, and leave the trial in the ledger of `home`. `hear` gets what a Python strategy printed,
    `progress` the closes it has answered and all of them, as it goes."""
    settings.check()
    spec = rules if isinstance(rules, Spec) else None
    market = market_of(
        data,
        symbols=symbols or (spec.symbols if spec is not None else ()),
        start_ms=start_ms,
        end_ms=end_ms,
        assume_funding=assume_funding,
        history_ms=history_ms(spec),
    )
    trials = SqliteTrials(home or open_home())
    try:
        named = str(data) if isinstance(data, str | Path) else "arrays"
        record = Record(trials=trials, data=named, made_ms=_now_ms())
        if isinstance(rules, Spec):
            return backtest_spec(rules, market, settings, record)
        from aister.app.python_runs import backtest_python  # noqa: PLC0415  (a spec needs no walls)

        result, ran = backtest_python(rules, market, settings, record, progress)
        if ran.printed:
            hear(ran.printed)
        return result
    finally:
        trials.close()


def rules_or_code(
    strategy: Rules, parameters: Mapping[str, Parameter] | None = None, accept: str = ""
) -> Spec | PythonRules:
    """The spec that is meant, or the Python strategy, read but not run."""
    if isinstance(strategy, str | Path) and Path(strategy).suffix == ".py":
        return python_rules(strategy, dict(parameters or {}), accept)
    if parameters or accept:
        raise UsageError("Only a Python strategy (.py) takes parameters and an acceptance; a spec holds its own.")
    return rules_of(strategy)


def rules_of(strategy: Rules) -> Spec:
    """The spec that is meant. Raises `UsageError` for an unknown name, `SpecRefused` for rules that are not sound."""
    if isinstance(strategy, Spec):
        return strategy
    if isinstance(strategy, Mapping):
        return read_spec(strategy)
    spec = named_spec(str(strategy))
    if spec is None:
        raise UsageError(
            f"{strategy} is code of the trader, not a spec; `aister strategy list` shows what can be backtested."
        )
    return spec


def market_of(
    data: Data,
    *,
    symbols: tuple[str, ...] = (),
    start_ms: int | None = None,
    end_ms: int | None = None,
    assume_funding: bool = False,
    history_ms: int = 0,
) -> Market:
    """The data as columns, with up to `history_ms` of what lies before the start for features to warm up on."""
    if isinstance(data, Market):
        return data
    if isinstance(data, Mapping):
        return _market_of_arrays(data, symbols, start_ms, end_ms)
    feed = open_feed(
        str(data),
        symbols=symbols or None,
        start_ms=start_ms,
        end_ms=end_ms,
        assume_funding=assume_funding,
        warm_up_ms=history_ms,
    )
    return feed.market()


def moment(given: str | int | None, what: str) -> int | None:
    """UTC milliseconds of a date; raises `UsageError` when it is none."""
    if given is None or isinstance(given, int):
        return given
    try:
        at = datetime.fromisoformat(given)
    except ValueError:
        raise UsageError(f"{what} {given!r} is not a UTC date; write 2025-05-10 or 2025-05-10T12:00.") from None
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)


def _market_of_arrays(
    data: Mapping[str, Columns], symbols: tuple[str, ...], start_ms: int | None, end_ms: int | None
) -> Market:
    """Arrays as a market: shipped instruments, funding by the stated scenario, both flagged as assumed."""
    known, series, digest = shipped_instruments(), [], sha256()
    for symbol in sorted(symbols or data):
        if symbol not in data:
            raise UsageError(f"There are no arrays of {symbol}; there are {', '.join(sorted(data))}.")
        if symbol not in known:
            raise UsageError(
                f"{symbol} has no shipped instrument ({', '.join(sorted(known))} have): bring the bars in with"
                " `aister data import`, beside an instruments file."
            )
        series.append(_series(symbol, data[symbol], known[symbol], start_ms, end_ms))
        for column in (series[-1].open_ms, *(getattr(series[-1], name) for name in _BARS)):
            digest.update(np.ascontiguousarray(column).tobytes())
        digest.update(msgspec.json.encode(known[symbol], order="sorted"))
    if not series:
        raise UsageError("There are no arrays in data; give columns by symbol, such as {'BTCUSDT': frame}.")
    if len({one.interval_ms for one in series}) > 1:
        raise UsageError("The arrays have different bar intervals; give bars of one interval.")
    first = min(int(one.open_ms[one.start]) for one in series)
    last = max(int(one.open_ms[-1]) for one in series) + series[0].interval_ms
    return Market(tuple(series), (first, last), digest.hexdigest(), ("funding: assumed", "instruments: assumed"))


def _series(symbol: str, columns: Columns, instrument: Instrument, start_ms: int | None, end_ms: int | None) -> Series:
    try:
        open_ms = np.ascontiguousarray(columns["open_time"]).astype(np.int64)
        bars = {name: np.ascontiguousarray(columns[name]).astype(np.float64) for name in _BARS}
    except KeyError as missing:
        raise UsageError(f"{symbol}: the arrays lack {missing}; give open_time, {', '.join(_BARS)}.") from None
    kept = open_ms < end_ms if end_ms is not None else np.ones(len(open_ms), np.bool_)
    lengths = {len(open_ms), *(len(column) for column in bars.values())}
    if len(lengths) > 1 or kept.sum() < 2:
        raise DataError(f"{symbol}: give at least two bars, every column of one length.")
    open_ms, bars = open_ms[kept], {name: column[kept] for name, column in bars.items()}
    steps = np.diff(open_ms)
    interval_ms = int(steps.min())
    o, h, low, c, v = (bars[name] for name in _BARS)
    sound = (low > 0) & (low <= np.minimum(o, c)) & (np.maximum(o, c) <= h) & (h < np.inf) & (v >= 0) & (v < np.inf)
    if interval_ms <= 0 or (steps % interval_ms).any() or not sound.all():
        at = int(np.flatnonzero(~sound)[0]) if not sound.all() else int(np.argmin(steps)) + 1
        raise DataError(
            f"{symbol}: row {at} is no bar in order (rising times, 0 < low <= open, close <= high, volume >= 0)."
        )
    start = int(np.searchsorted(open_ms, start_ms)) if start_ms is not None else 0
    if start >= len(open_ms):
        raise UsageError(f"{symbol}: no bar lies at or after the start; give an earlier one.")
    settled, _ = settlements(
        symbol, None, int(open_ms[0]), int(open_ms[-1]), instrument.funding_interval_ms, assume=True
    )
    return Series(
        instrument=instrument,
        interval_ms=interval_ms,
        open_ms=open_ms,
        open=o,
        high=h,
        low=low,
        close=c,
        volume=v,
        funding_ms=np.array([one.time_ms for one in settled], np.int64),
        funding_e8=np.array([one.rate_e8 for one in settled], np.int64),
        start=start,
        funding_assumed=np.ones(len(settled), np.bool_),
    )


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
