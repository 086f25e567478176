"""The two hashes of what a trader decided and did (Q2); the third, the journal hash, is the chain's own head.

A decision hash is the SHA-256 of canonical lines joined by newlines. A line is a compact JSON array

    [event time ms, symbol, id, kind, ...]

sorted by (event time, symbol, id, kind), then by the whole line. Floats are written as their shortest round trip
(`repr`), everything else is an integer or a string.

    kind          id             then
    proposal      setup          side, entry type, entry, stop, targets, horizon | null when nobody proposed
    statement     setup          agent, round, stance, odds, evidence (feature, value)
    timing        setup          stance, not before, condition
    verdict       setup          stance, factor, reasons
    ballot        setup          every figure of the vote, outcome, reason
    intent        intent         purpose, side, type, steps, price, trigger, stop, factor, reduce-only, close-position
    approved      intent         granted steps, binding limit, reason
    refused       intent         0, binding limit, reason
    fill          intent         purpose, side, steps, ticks, fee, maker
    liquidation   intent ("")    the same
    funding       ""             amount, rate, steps, ticks, proxy
    close         setup          every field of the closed trade

Left out, because they may differ between two ways of running the same decisions: wall clock, latency, sequence
numbers, venue and client ids, acknowledgements, retries, and the words of an argument (their figures are in). The
time of a decision is its arrival in engine time, which is modelled and therefore the same everywhere.

The trades hash has fills, liquidations and funding only, without intent ids and purposes: a batch loop, which has
neither, must reach the same.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from itertools import zip_longest
from typing import TypeAlias

import msgspec

from aister.core.audit import Audit, Reviewed, TradeClosed
from aister.core.council import Decision, Odds, Target
from aister.core.events import BarClosed, DecisionMade, FundingPaid, OrderFilled
from aister.core.trade import Fill, FillKind

__all__ = ["Difference", "Hashes", "first_difference", "hashes_of"]

Line: TypeAlias = tuple[int, str, str, str, str]  # event time, symbol, id, kind, the line itself


class Difference(msgspec.Struct, frozen=True):
    """The first line in which two runs differ: its number from 0, and what each has there (None: it has ended)."""

    number: int
    left: str | None
    right: str | None


class Hashes:
    """Collects canonical lines from the audits of one run, in any order. Memory grows with decisions, not with bars."""

    def __init__(self) -> None:
        self._decisions: list[Line] = []
        self._trades: list[Line] = []

    def observe(self, audit: Audit) -> None:
        """Take what one pass decided or did; a plain bar costs a comparison."""
        event = audit.event
        if audit.outputs:
            for output in audit.outputs:
                if type(output) is Reviewed:
                    self._reviewed(event.time_ms, output)
                elif type(output) is TradeClosed:
                    self._add(
                        event.time_ms, output.symbol, output.setup_id, "close", *msgspec.structs.astuple(output)[2:]
                    )
        if type(event) is BarClosed:
            return
        if type(event) is OrderFilled:
            self.fill(event.fill)
        elif type(event) is FundingPaid:
            self.funding(event)
        elif type(event) is DecisionMade:
            self._decided(event.time_ms, event.decision)

    def fill(self, fill: Fill) -> None:
        """Take one execution; a batch loop, which has no audits, hands its fills here."""
        kind = "liquidation" if fill.kind is FillKind.LIQUIDATION else "fill"
        figures = (fill.side, fill.steps, fill.price_ticks, fill.fee, fill.maker)
        self._add(fill.time_ms, fill.symbol, fill.intent_id, kind, fill.purpose, *figures)
        self._trades.append(_line(fill.time_ms, fill.symbol, "", kind, *figures))

    def funding(self, paid: FundingPaid) -> None:
        """Take one funding payment."""
        figures = (paid.amount, paid.rate_e8, paid.steps, paid.price_ticks, paid.proxy)
        self._add(paid.time_ms, paid.symbol, "", "funding", *figures)
        self._trades.append(_line(paid.time_ms, paid.symbol, "", "funding", *figures))

    @property
    def decision_hash(self) -> str:
        return _hash(self.lines())

    @property
    def trades_hash(self) -> str:
        return _hash(self.trade_lines())

    def lines(self) -> list[str]:
        """The canonical lines of the decision hash, sorted."""
        return [line[-1] for line in sorted(self._decisions)]

    def trade_lines(self) -> list[str]:
        """The canonical lines of the trades hash, sorted."""
        return [line[-1] for line in sorted(self._trades)]

    def _add(self, time_ms: int, symbol: str, id_: str, kind: str, *rest: object) -> None:
        self._decisions.append(_line(time_ms, symbol, id_, kind, *rest))

    def _reviewed(self, time_ms: int, reviewed: Reviewed) -> None:
        one = reviewed.intent
        asked = (one.side, one.type, one.steps, one.price_ticks, one.trigger_ticks, one.stop_ticks, one.size_factor_e4)
        self._add(time_ms, one.symbol, one.id, "intent", one.purpose, *asked, one.reduce_only, one.close_position)
        word = "approved" if reviewed.granted_steps else "refused"
        self._add(time_ms, one.symbol, one.id, word, reviewed.granted_steps, reviewed.limit, reviewed.reason)

    def _decided(self, time_ms: int, made: Decision) -> None:
        where = (time_ms, made.symbol, made.setup_id)
        proposal, timing, verdict = made.proposal, made.timing, made.verdict
        case: tuple[object, ...] = (None,)
        if proposal is not None:
            prices = (proposal.side, proposal.entry_type, proposal.entry_ticks, proposal.stop_ticks)
            case = (*prices, _targets(proposal.targets), proposal.horizon_ms)
        self._add(*where, "proposal", *case)
        for said in made.statements:
            evidence = [(one.feature, one.value) for one in said.evidence]
            self._add(*where, "statement", said.agent, said.round, said.stance, _odds(said.odds), evidence)
        self._add(*where, "timing", timing.stance, timing.not_before_ms, timing.condition)
        self._add(*where, "verdict", verdict.stance, verdict.factor_e4, verdict.reasons)
        self._add(*where, "ballot", *msgspec.structs.astuple(made.ballot), made.mind, made.outcome, made.reason)


def hashes_of(audits: Iterable[Audit]) -> Hashes:
    """The hashes of a whole journal."""
    found = Hashes()
    for audit in audits:
        found.observe(audit)
    return found


def first_difference(left: Hashes | Sequence[str], right: Hashes | Sequence[str]) -> Difference | None:
    """Where two runs part, or None when every line is equal."""
    ours = left.lines() if isinstance(left, Hashes) else left
    theirs = right.lines() if isinstance(right, Hashes) else right
    for number, (one, other) in enumerate(zip_longest(ours, theirs)):
        if one != other:
            return Difference(number, one, other)
    return None


def _line(time_ms: int, symbol: str, id_: str, kind: str, *rest: object) -> Line:
    text = json.dumps([time_ms, symbol, id_, kind, *rest], separators=(",", ":"))
    return (time_ms, symbol, id_, kind, text)


def _targets(targets: tuple[Target, ...]) -> list[tuple[int, int]]:
    return [(one.ticks, one.share_e4) for one in targets]


def _odds(odds: Odds | None) -> tuple[float, float, float] | None:
    return None if odds is None else (odds.target, odds.stop, odds.neither)


def _hash(lines: list[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
