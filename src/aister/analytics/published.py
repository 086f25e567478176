"""A run's findings as plain values for JSON. The names are part of the interface.

Money is a number in quote currency (exact to 1e-8 up to ten million), prices and sizes are numbers in the instrument's
units, times are UTC milliseconds (`*_ms`), shares are fractions. Sides are "long" and "short". What is not known is
null, with its reason in `metrics.unavailable`.
"""

from enum import Enum
from typing import Any

import msgspec

from aister.analytics.findings import Findings
from aister.analytics.run_result import DecisionRecord, Leg, Review, Trade
from aister.core.council import Decision, Evidence, Proposal, Setup, Target
from aister.core.instrument import Instrument
from aister.core.money import UNIT
from aister.core.trade import OrderType, Side

__all__ = ["published"]


def published(findings: Findings) -> dict[str, Any]:
    """Everything that is known of the run: hashes first, then figures, trades, decisions, equity."""
    r, about = findings.result, findings.about
    return {
        **about.hashes,
        "mode": about.mode,
        "finished": r.finished,
        "seed": r.started.seed,
        "capital": r.capital / UNIT,
        "mind": r.started.mind,
        "venue": r.started.venue,
        "symbols": list(r.symbols),
        "start_ms": r.span_ms[0],
        "end_ms": r.span_ms[1],
        "bars": r.bars,
        "journal_records": r.records,
        "settings": about.settings,
        "versions": about.versions,
        "flags": list(r.flags),
        "assumptions": r.assumptions,
        "metrics": plain(findings.metrics),
        "benchmarks": {"buy_and_hold": _hold(findings), "matched_random": plain(findings.matched)},
        "counts": plain(r.counts),
        "limits": plain(r.firings),
        "kelly": {"state": findings.kelly.state, **plain(findings.kelly)},
        "breakers": plain(r.breakers),
        "commands": [{"time_ms": at, "command": words} for at, words in r.commands],
        "transfers": [{"time_ms": at, "amount": amount / UNIT} for at, amount in r.transfers],
        "trades": [_trade(t, r.instruments[t.symbol]) for t in (*r.trades, *r.open_trades)],
        "decisions": [_decision(d, r.instruments[d.setup.symbol]) for d in r.decisions],
        "equity": [
            {"time_ms": at, "equity": amount / UNIT, "drawdown": below}
            for at, amount, below in zip(r.equity.times_ms, r.equity.amounts, r.equity.drawdown, strict=True)
        ],
    }


def plain(value: Any) -> Any:
    """Structs as objects by field name, sides and order types as words; everything else as it is."""
    if isinstance(value, Side):
        return value.word
    if isinstance(value, OrderType):
        return value.name.lower()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, msgspec.Struct):
        return {name: plain(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return value


def _hold(findings: Findings) -> dict[str, Any] | None:
    if findings.hold is None:
        return None
    return {name: value for name, value in plain(findings.hold).items() if name not in ("times_ms", "equity")}


def _trade(t: Trade, one: Instrument) -> dict[str, Any]:
    row: dict[str, Any] = plain(t)
    for name in ("gross", "fees", "funding", "pnl", "initial_risk", "slippage", "target_first", "notional", "turnover"):
        row[name] = row[name] / UNIT
    row["size"] = one.size(row.pop("steps"))
    row["open"] = t.closed_ms is None
    row["fills"] = [_fill(leg, one) for leg in t.legs]
    del row["legs"]
    return row


def _fill(leg: Leg, one: Instrument) -> dict[str, Any]:
    row: dict[str, Any] = plain(leg)
    row["side"] = leg.side.name.lower()
    row["size"] = one.size(leg.steps)
    row["fee"] = leg.fee / UNIT
    row["slippage"] = None if leg.slippage is None else leg.slippage / UNIT
    return row


def _decision(d: DecisionRecord, one: Instrument) -> dict[str, Any]:
    made = d.decision
    return {
        "number": d.number,
        "setup_id": d.setup.id,
        "symbol": d.setup.symbol,
        "side": d.setup.side.word,
        "rule": d.setup.rule,
        "asked_ms": d.asked_ms,
        "arrived_ms": d.arrived_ms,
        "price": d.price,
        "round_trip_cost": d.cost_e8 / UNIT,
        "setup": _setup(d.setup, one),
        "account": d.account,
        "standings": plain(d.standings),
        **_answer(made, one),
        "armed_ms": d.armed_ms,
        "reviews": [_review(review, one) for review in d.reviews],
        "voided": plain(d.voided),
        "filled": d.trade is not None,
        "trade": d.trade,
        "label": d.label or None,
        "label_ms": d.label_ms,
    }


def _answer(made: Decision | None, one: Instrument) -> dict[str, Any]:
    if made is None:
        names = ("question_id", "mind", "outcome", "reason", "proposal", "timing", "verdict", "statements", "ballot")
        return dict.fromkeys(names)
    return {
        "question_id": made.question_id,
        "mind": made.mind,
        "outcome": made.outcome.value,
        "reason": made.reason,
        "proposal": _proposal(made.proposal, one),
        "timing": plain(made.timing),
        "verdict": plain(made.verdict),
        "statements": [{**plain(s), "evidence": _evidence(s.evidence)} for s in made.statements],
        "ballot": plain(made.ballot),
    }


def _setup(s: Setup, one: Instrument) -> dict[str, Any]:
    return {
        "timeframe": s.timeframe,
        "time_ms": s.time_ms,
        "entry_type": s.entry_type.name.lower(),
        "entry": one.price(s.entry_ticks),
        "stop": one.price(s.stop_ticks),
        "targets": _targets(s.targets, one),
        "horizon_ms": s.horizon_ms,
        "evidence": _evidence(s.evidence),
    }


def _proposal(p: Proposal | None, one: Instrument) -> dict[str, Any] | None:
    if p is None:
        return None
    return {
        "side": p.side.word,
        "entry_type": p.entry_type.name.lower(),
        "entry": one.price(p.entry_ticks),
        "stop": one.price(p.stop_ticks),
        "targets": _targets(p.targets, one),
        "horizon_ms": p.horizon_ms,
        "thesis": p.thesis,
    }


def _targets(targets: tuple[Target, ...], one: Instrument) -> list[dict[str, float]]:
    return [{"price": one.price(t.ticks), "share": t.share_e4 / 10_000} for t in targets]


def _evidence(evidence: tuple[Evidence, ...]) -> list[dict[str, Any]]:
    return [{"feature": e.feature, "value": e.value} for e in evidence]


def _review(review: Review, one: Instrument) -> dict[str, Any]:
    r = review.reviewed
    return {
        "time_ms": review.time_ms,
        "intent_id": r.intent.id,
        "granted": r.granted_steps > 0,
        "size": one.size(r.granted_steps),
        "limit": r.limit or None,
        "reason": r.reason,
        "limits": [{"limit": c.limit, "size": one.size(c.steps), "used": c.used, "bound": c.bound} for c in r.caps],
    }
