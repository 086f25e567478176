"""The exchange as a file: stop it, start it on the same feed, and its books are as they were.

Connections and listen keys are not in it: a restart breaks them. Neither are the log and the happenings so far."""

from collections import deque
from collections.abc import Iterator
from typing import Any, TypeVar

import msgspec

from aister.core.errors import UsageError
from aister.core.events import Funding
from aister.core.instrument import Instrument
from aister.exchange_sim.accounts import Account
from aister.exchange_sim.auth import Credentials, Nonces, Verifier, recovered_by_eth_account
from aister.exchange_sim.exchange import Exchange
from aister.exchange_sim.faults import Fault
from aister.exchange_sim.limits import Spent
from aister.exchange_sim.market import Kline, Leg, Trade
from aister.exchange_sim.marks import MarksState
from aister.exchange_sim.records import Chase, Holding, Income, MarginChange, OrderState, Strategy, Terms, UserTrade
from aister.exchange_sim.settings import Settings
from aister.exchange_sim.wire import Request
from aister.ports.feed import MarketSlice
from aister.sim.keeping import VenueState, keep, put_back

__all__ = ["ExchangeState", "load", "save"]

_Row = TypeVar("_Row")


class _Ticker(msgspec.Struct):
    instrument: Instrument
    last_ticks: int
    klines: list[Kline]
    trades: list[Trade]
    next_trade: int
    update_id: int
    funding_e8: int
    settlements: list[Funding]
    mark_shift_ticks: int
    index_shift_ticks: int
    marks: MarksState | None
    mark_klines: list[Kline]
    index_klines: list[Kline]
    older: list[tuple[int, Instrument]] = []


class _Account(msgspec.Struct):
    credentials: Credentials
    hedged: bool
    multi_assets: bool
    frozen: str
    terms: dict[str, Terms]
    orders: list[OrderState]
    trades: list[UserTrade]
    income: list[Income]
    holdings: list[tuple[str, int, Holding]]
    countdowns: dict[str, int]
    strategies: dict[int, Strategy]
    margin_changes: list[MarginChange]
    stp_mode: str
    chases: dict[int, Chase]
    venue: VenueState


class _Task(msgspec.Struct):
    due_ms: int
    order: int
    what: str
    numbers: list[int]
    request: Request | None


class ExchangeState(msgspec.Struct):
    """All of it. `taken`: slices of the feed that were read; `shift_ms`: how far its times were moved."""

    settings: Settings
    data_hash: str
    now_us: int
    numbers: int
    skew_ms: int
    taken: int
    leg: Leg | None
    last: Leg | None
    ready: list[Leg]
    tickers: dict[str, _Ticker]
    accounts: list[_Account]
    nonces: dict[str, tuple[list[int], list[int]]]
    weights: dict[str, Spent]
    orders: dict[int, Spent]
    faults: list[tuple[Fault, int]]
    tasks: list[_Task]
    shift_ms: int = 0


def save(exchange: Exchange, data_hash: str) -> bytes:
    """The exchange as bytes; `data_hash` names the feed it runs on."""
    exchange.tell()
    state = ExchangeState(
        settings=exchange.settings,
        data_hash=data_hash,
        now_us=exchange.now_us,
        numbers=exchange.numbers,
        skew_ms=exchange.skew_ms,
        taken=exchange.market.taken,
        leg=exchange.player.leg,
        last=exchange.player.last,
        ready=list(exchange.market.ready),
        tickers={
            symbol: _Ticker(
                t.instrument,
                t.last_ticks,
                list(t.klines),
                list(t.trades),
                t.next_trade,
                t.update_id,
                t.funding_e8,
                list(t.settlements),
                t.mark_shift_ticks,
                t.index_shift_ticks,
                t.marks.state if t.marks else None,
                list(t.mark_klines),
                list(t.index_klines),
                list(t.older),
            )
            for symbol, t in exchange.market.tickers.items()
        },
        accounts=[_kept(account) for account in exchange.accounts.values()],
        nonces={name: (seen.seen, sorted(seen.voided)) for name, seen in exchange.gate.nonces.items()},
        weights=exchange.gate.meter.weights,
        orders=exchange.gate.meter.orders,
        faults=list(zip(exchange.faults.plan, exchange.faults.hits, strict=True)),
        tasks=[_task(*task) for task in exchange.tasks],
        shift_ms=exchange.market.shift_ms,
    )
    return msgspec.msgpack.encode(state)


def load(
    kept: bytes,
    data_hash: str,
    instruments: dict[str, Instrument],
    slices: Iterator[MarketSlice],
    interval_ms: int,
    settings: Settings,
    *,
    verify: Verifier = recovered_by_eth_account,
) -> Exchange:
    """The exchange that was saved, on the same feed from its start, moved in time as it was. Raises `UsageError` when
    feed or settings are others, or the file cannot be read."""
    try:
        state = msgspec.msgpack.decode(kept, type=ExchangeState)
    except (msgspec.ValidationError, msgspec.DecodeError) as broken:
        raise UsageError(f"The simulator's state cannot be read ({broken}); start without it.") from None
    if state.data_hash != data_hash or state.settings != settings:
        raise UsageError(
            "The simulator's state belongs to another feed or other settings; take those, or start afresh."
        )
    made = Exchange(instruments, slices, interval_ms, settings, verify=verify, shift_ms=state.shift_ms)
    made.market.skip_to(state.taken, state.ready)
    made.player.leg, made.player.last = state.leg, state.last
    for symbol, ticker in state.tickers.items():
        _restore_ticker(made, symbol, ticker)
    for one in state.accounts:
        _restore_account(made, one)
    made.now_us, made.numbers, made.skew_ms = state.now_us, state.numbers, state.skew_ms
    for name, (seen, voided) in state.nonces.items():
        nonces = made.gate.nonces[name] = Nonces(settings.nonces_kept)
        nonces.seen, nonces.voided = seen, set(voided)
    made.gate.meter.weights, made.gate.meter.orders = state.weights, state.orders
    for fault, hits in state.faults:
        made.faults.add(fault)
        made.faults.hits[-1] = hits
    for task in state.tasks:
        details: tuple[Any, ...] = (task.request,) if task.request else tuple(task.numbers)
        made.tasks.append((task.due_ms, task.order, task.what, details))
    made.happenings.clear()
    return made


def _task(due_ms: int, order: int, what: str, details: tuple[Any, ...]) -> _Task:
    if what == "land":
        return _Task(due_ms, order, what, [], details[0])
    return _Task(due_ms, order, what, list(details), None)


def _kept(account: Account) -> _Account:
    return _Account(
        credentials=account.credentials,
        hedged=account.hedged,
        multi_assets=account.multi_assets,
        frozen=account.frozen,
        terms=account.terms,
        orders=list(account.orders.values()),
        trades=account.trades,
        income=account.income,
        holdings=[(symbol, leg, held) for (symbol, leg), held in account.holdings.items()],
        countdowns=account.countdowns,
        strategies=account.strategies,
        margin_changes=account.margin_changes,
        stp_mode=account.stp_mode,
        chases=account.chases,
        venue=keep(account.venue),
    )


def _restore_ticker(made: Exchange, symbol: str, kept: _Ticker) -> None:
    made.player.relist(kept.instrument)
    ticker = made.market.tickers[symbol]
    ticker.older = list(kept.older)
    ticker.last_ticks, ticker.next_trade, ticker.update_id = kept.last_ticks, kept.next_trade, kept.update_id
    ticker.funding_e8, ticker.mark_shift_ticks = kept.funding_e8, kept.mark_shift_ticks
    ticker.index_shift_ticks = kept.index_shift_ticks
    if ticker.marks and kept.marks:
        ticker.marks.state = kept.marks
    _refill(ticker.klines, kept.klines)
    _refill(ticker.mark_klines, kept.mark_klines)
    _refill(ticker.index_klines, kept.index_klines)
    _refill(ticker.trades, kept.trades)
    _refill(ticker.settlements, kept.settlements)


def _refill(target: deque[_Row], rows: list[_Row]) -> None:
    target.clear()
    target.extend(rows)


def _restore_account(made: Exchange, kept: _Account) -> None:
    account = made.add_account(kept.credentials, 0)
    if kept.hedged != account.hedged:
        account.set_hedged(kept.hedged)
    account.terms = kept.terms
    for symbol in kept.terms:
        account.apply_terms(symbol)
    put_back(account.venue, kept.venue)
    account.multi_assets, account.frozen = kept.multi_assets, kept.frozen
    account.orders = {order.order_id: order for order in kept.orders}
    for order in kept.orders:
        if order.working:
            account.open_by_client[order.client_id] = order.order_id
            account.parts.update(dict.fromkeys(order.parts, order.order_id))
    account.trades, account.income, account.countdowns = kept.trades, kept.income, kept.countdowns
    account.strategies = kept.strategies
    account.margin_changes, account.stp_mode, account.chases = kept.margin_changes, kept.stp_mode, kept.chases
    account.holdings = {(symbol, leg): held for symbol, leg, held in kept.holdings}
