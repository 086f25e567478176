"""Journal in, `RunResult` out: one pass over the audits. Memory grows with decisions, trades and hours, not with bars.

Positions and equity are computed again here from fills, funding and closes alone (`equity_line`).
"""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from aister.analytics.drafts import CandleDraft, DecisionDraft, LegDraft, TradeDraft
from aister.analytics.equity_line import EquityLine
from aister.analytics.run_result import (
    BreakerMoment,
    Counts,
    DecisionRecord,
    LimitFiring,
    Review,
    RunResult,
    Settlement,
    Trade,
    Voided,
)
from aister.core.audit import (
    AskCouncil,
    Audit,
    BreakerChanged,
    PlaceOrder,
    PlanArmed,
    PlanVoided,
    ProposalResolved,
    Reviewed,
    TradeClosed,
)
from aister.core.commands import Transfer
from aister.core.errors import DataError
from aister.core.events import (
    BarClosed,
    CommandGiven,
    DecisionMade,
    FundingAssumed,
    FundingPaid,
    FundingSettled,
    InstrumentListed,
    MoneyBooked,
    OrderFilled,
    RunEnded,
    RunStarted,
)
from aister.core.money import RATE_ONE
from aister.core.trade import Order, Purpose

__all__ = ["Collector", "collect"]

_NO_START = "The journal has no start of a run, so nothing can be reported; `aister journal show` lists what it holds."


def collect(
    audits: Iterable[Audit], *, flags: tuple[str, ...] = (), assumptions: dict[str, str] | None = None
) -> RunResult:
    """The result of a whole journal, finished or not. Raises `DataError` when it has no start."""
    collector = Collector()
    for audit in audits:
        collector.take(audit)
    return collector.result(flags, assumptions or {})


class Collector:
    """Takes audits in order; `result` may be asked at any time. Raises `DataError` when the first is not a start."""

    def __init__(self) -> None:
        self._started: RunStarted | None = None
        self._finished = False
        self._records = 0
        self._first_ms = self._last_ms = 0
        self._line = EquityLine()
        self._candles: dict[str, CandleDraft] = {}
        self._settled: dict[str, list[Settlement]] = {}
        self._orders: dict[str, Order] = {}
        self._stop_asked: dict[str, int] = {}
        self._open: dict[tuple[str, int], TradeDraft] = {}
        self._ended: list[TradeDraft] = []
        self._waiting: dict[str, list[tuple[TradeDraft, LegDraft]]] = {}
        self._decisions: dict[str, DecisionDraft] = {}
        self._fees = self._funding = 0
        self._proxy = False
        self._transfers: list[tuple[int, int]] = []
        self._refused: Counter[str] = Counter()
        self._bound: Counter[str] = Counter()
        self._void_reasons: Counter[str] = Counter()
        self._breakers: list[BreakerMoment] = []
        self._commands: list[tuple[int, str]] = []
        self._events: dict[type, Callable[[Any], None]] = {
            BarClosed: self._bar,
            FundingAssumed: self._settlement,
            FundingSettled: self._settlement,
            FundingPaid: self._paid,
            MoneyBooked: self._booked,
            OrderFilled: self._fill,
            DecisionMade: self._decision,
            CommandGiven: self._command,
            InstrumentListed: self._listed,
            RunStarted: self._start,
            RunEnded: self._end,
        }
        self._outputs: dict[type, Callable[[int, Any], None]] = {
            AskCouncil: self._asked,
            Reviewed: self._reviewed,
            PlaceOrder: self._placed,
            PlanArmed: self._armed,
            PlanVoided: self._voided,
            ProposalResolved: self._resolved,
            TradeClosed: self._closed,
            BreakerChanged: self._breaker,
        }

    def take(self, audit: Audit) -> None:
        """One record: its event first, then what came of it."""
        event = audit.event
        if not self._records and type(event) is not RunStarted:
            raise DataError(_NO_START)
        self._records += 1
        handle = self._events.get(type(event))
        if handle is not None:
            handle(event)
        for output in audit.outputs:
            note = self._outputs.get(type(output))
            if note is not None:
                note(event.time_ms, output)

    # ---- events ------------------------------------------------------------------------------------------------------

    def _start(self, event: RunStarted) -> None:
        self._started = event
        self._line.begin(event.time_ms, event.capital)

    def _end(self, event: RunEnded) -> None:
        self._finished = True

    def _listed(self, event: InstrumentListed) -> None:
        self._line.instruments[event.instrument.symbol] = event.instrument

    def _bar(self, bar: BarClosed) -> None:
        symbol = bar.symbol
        candles = self._candles.get(symbol)
        if candles is None:
            candles = self._candles[symbol] = CandleDraft()
            self._first_ms = min(self._first_ms or bar.open_time_ms, bar.open_time_ms)
        candles.take(bar)
        self._line.closed(symbol, bar.time_ms, bar.close)
        self._last_ms = bar.time_ms
        if self._waiting:
            for draft, leg in self._waiting.pop(symbol, ()):
                leg.seen_in(bar)
                draft.seen_in(bar, leg)

    def _settlement(self, event: FundingSettled) -> None:
        close = self._line.close.get(event.symbol, 0.0)
        self._settled.setdefault(event.symbol, []).append(Settlement(event.time_ms, event.rate_e8 / RATE_ONE, close))

    def _paid(self, event: FundingPaid) -> None:
        self._line.paid(event.amount)
        self._funding += event.amount
        self._proxy = self._proxy or event.proxy
        draft = self._open.get(self._place(event.symbol, event.steps))
        if draft is not None:
            draft.funding += event.amount

    def _booked(self, event: MoneyBooked) -> None:
        if event.moved:
            self._line.transferred(event.amount)
            self._transfers.append((event.time_ms, event.amount))
        else:
            self._line.paid(-event.amount)
            self._fees -= event.amount

    def _fill(self, event: OrderFilled) -> None:
        fill = event.fill
        one = self._line.instruments[fill.symbol]
        self._line.filled(fill)
        self._fees += fill.fee
        leg = LegDraft(fill, self._orders.get(fill.client_id), one)
        draft = self._open.get((fill.symbol, fill.leg))
        if draft is None:
            setup_id = fill.intent_id.removesuffix("-entry")
            stop_asked = self._stop_asked.get(setup_id, 0)
            draft = self._open[fill.symbol, fill.leg] = TradeDraft(setup_id, fill, one, stop_asked)
        draft.filled(leg)
        self._waiting.setdefault(fill.symbol, []).append((draft, leg))
        if event.done:
            self._orders.pop(fill.client_id, None)
        self._line.point(event.time_ms)

    def _decision(self, event: DecisionMade) -> None:
        draft = self._decisions.get(event.decision.setup_id)
        if draft is not None:
            draft.arrived_ms, draft.decision = event.time_ms, event.decision

    def _command(self, event: CommandGiven) -> None:
        command = event.command
        if isinstance(command, Transfer):
            self._line.transferred(command.amount)
            self._transfers.append((event.time_ms, command.amount))
        words = ", ".join(str(getattr(command, field)) for field in command.__struct_fields__)
        self._commands.append((event.time_ms, f"{type(command).__name__}: {words}"))

    # ---- outputs -----------------------------------------------------------------------------------------------------

    def _asked(self, time_ms: int, output: AskCouncil) -> None:
        self._decisions[output.question.setup.id] = DecisionDraft(output.question)

    def _reviewed(self, time_ms: int, output: Reviewed) -> None:
        intent = output.intent
        if intent.purpose is not Purpose.ENTRY:
            return
        setup_id = intent.id.removesuffix("-entry")
        self._stop_asked[setup_id] = intent.stop_ticks
        if output.granted_steps == 0:
            self._refused[output.limit] += 1
        elif output.limit:
            self._bound[output.limit] += 1
        draft = self._decisions.get(setup_id)
        if draft is not None:
            draft.reviews.append(Review(time_ms, output))

    def _placed(self, time_ms: int, output: PlaceOrder) -> None:
        order = output.order
        self._orders[order.client_id] = order
        draft = self._open.get((order.symbol, order.leg))
        if draft is not None:
            draft.placed(time_ms, order)

    def _armed(self, time_ms: int, output: PlanArmed) -> None:
        draft = self._decisions.get(output.setup_id)
        if draft is not None:
            draft.armed_ms = time_ms

    def _voided(self, time_ms: int, output: PlanVoided) -> None:
        self._void_reasons[output.reason] += 1
        draft = self._decisions.get(output.setup_id)
        if draft is not None:
            draft.voided.append(Voided(time_ms, output.reason))

    def _resolved(self, time_ms: int, output: ProposalResolved) -> None:
        draft = self._decisions.get(output.setup_id)
        if draft is not None:
            draft.label, draft.label_ms = output.label, time_ms

    def _closed(self, time_ms: int, output: TradeClosed) -> None:
        place = self._place(output.symbol, output.side)
        draft = self._open.pop(place)
        draft.closed = output
        self._ended.append(draft)
        gone = [client_id for client_id, order in self._orders.items() if (order.symbol, order.leg) == place]
        for client_id in gone:
            del self._orders[client_id]

    def _place(self, symbol: str, sign: int) -> tuple[str, int]:
        """Where a position of this sign is kept: hedged under its leg."""
        leg = 1 if sign > 0 else -1
        return (symbol, leg if (symbol, leg) in self._open else 0)

    def _breaker(self, time_ms: int, output: BreakerChanged) -> None:
        self._breakers.append(BreakerMoment(time_ms, output.state.value, output.reason))

    # ---- what it comes to --------------------------------------------------------------------------------------------

    def result(self, flags: tuple[str, ...], assumptions: dict[str, str]) -> RunResult:
        """Everything seen so far. Raises `DataError` when no run has started."""
        if self._started is None:
            raise DataError(_NO_START)
        equity = self._line.done(self._last_ms)
        trades = tuple(self._trade(number, draft) for number, draft in enumerate(self._ended, 1))
        still = tuple(self._trade(number, draft) for number, draft in enumerate(self._open.values(), len(trades) + 1))
        numbers = {one.setup_id: one.number for one in (*trades, *still)}
        decisions = tuple(draft.done(n, numbers.get(id)) for n, (id, draft) in enumerate(self._decisions.items(), 1))
        limits = sorted(
            {*self._refused, *self._bound}, key=lambda name: (-self._refused[name], -self._bound[name], name)
        )
        return RunResult(
            started=self._started,
            span_ms=(self._first_ms or self._started.time_ms, self._last_ms or self._started.time_ms),
            finished=self._finished,
            records=self._records,
            bars={symbol: draft.bars for symbol, draft in self._candles.items()},
            instruments=self._line.instruments,
            trades=trades,
            open_trades=still,
            decisions=decisions,
            equity=equity,
            candles={symbol: draft.done() for symbol, draft in self._candles.items()},
            settlements={symbol: tuple(rows) for symbol, rows in self._settled.items()},
            fees=self._fees,
            funding=self._funding,
            slippage=sum(one.slippage for one in (*trades, *still)),
            slippage_known=all(one.slippage_known for one in (*trades, *still)),
            funding_proxy=self._proxy,
            transfers=tuple(self._transfers),
            firings=tuple(LimitFiring(name, self._refused[name], self._bound[name]) for name in limits),
            breakers=tuple(self._breakers),
            commands=tuple(self._commands),
            counts=self._counts(decisions, trades),
            flags=flags,
            assumptions=assumptions,
        )

    def _trade(self, number: int, draft: TradeDraft) -> Trade:
        known = self._decisions.get(draft.setup_id)
        rule = known.rule if known else _rule_in(draft.setup_id, draft.symbol)
        return draft.done(number, rule, self._last_ms, self._line.close.get(draft.symbol, 0.0))

    def _counts(self, decisions: tuple[DecisionRecord, ...], trades: tuple[Trade, ...]) -> Counts:
        made = [one.decision for one in decisions if one.decision is not None]
        vetoed = [one.verdict.reasons for one in made if one.verdict.stance == "VETO"]
        return Counts(
            questions=len(decisions),
            decisions=len(made),
            proposals_to_trade=sum(one.outcome == "TRADE" for one in made),
            veto_total=len(vetoed),
            vetoes=_ranked(Counter(reason for reasons in vetoed for reason in reasons)),
            outcomes=_ranked(Counter(one.reason for one in made)),
            trades=_ranked(Counter(f"{one.symbol} {one.side.word}" for one in trades)),
            refused=_ranked(self._refused),
            voided=_ranked(self._void_reasons),
            labels=_ranked(Counter(one.label for one in decisions if one.label)),
        )


def _ranked(counter: Counter[str]) -> dict[str, int]:
    return dict(sorted(counter.items(), key=lambda pair: (-pair[1], pair[0])))


def _rule_in(setup_id: str, symbol: str) -> str:
    """The rule named in a setup id of the form SYMBOL-TIME-RULE-SIDE, for a trader that asks no council."""
    parts = setup_id.removeprefix(f"{symbol}-").split("-")
    return "-".join(parts[1:-1]) if len(parts) >= 3 else setup_id
