"""Decisions with their whole debate: rounds, statements, evidence, the ballot as a sum, the risk kernel's figures."""

import math
import re

from aister.analytics.report.tables import table
from aister.analytics.report.words import age, escaped, figure, money, percent, price, signed, tone, utc
from aister.analytics.run_result import DecisionRecord, Review, RunResult, Trade
from aister.core.council import Agent, Ballot, Decision, Evidence, Statement
from aister.core.instrument import Instrument
from aister.core.trade import OrderType

__all__ = ["BUDGET", "decisions"]

BUDGET = 5_500_000
"""Characters of debate a page carries; decisions beyond it, those without a trade or veto first, keep their line
only."""

_TITLES = {Agent.CONSULTANT: "the Visionary", Agent.ANALYST: "the Timekeeper", Agent.OFFICER: "the Guardian"}
_LANES = (Agent.CONSULTANT, Agent.ANALYST, Agent.OFFICER)
_STRUCK = re.compile(r"([0-9A-Za-z_.]+)[= ]\[struck\]")
_LEFT_OUT = (
    "<p class='soft'>This debate is left out to keep the page small; "
    "the JSON result and <code>aister journal show</code> have it.</p>"
)


def decisions(result: RunResult) -> str:
    """The section: filters, then one fold per decision in order of asking."""
    known = {t.number: t for t in (*result.trades, *result.open_trades)}
    whole = {
        d.number: _inside(d, result.instruments[d.setup.symbol], known.get(d.trade or 0)) for d in result.decisions
    }
    left, kept = BUDGET, set()
    for d in sorted(result.decisions, key=lambda d: (d.trade is None, not d.vetoed, d.number)):
        left -= len(whole[d.number])
        if left >= 0:
            kept.add(d.number)
    folds = "".join(
        _fold(d, known.get(d.trade or 0), whole[d.number] if d.number in kept else _LEFT_OUT) for d in result.decisions
    )
    if not folds:
        return (
            "<section><h2>Decisions</h2><p class='soft'>This run asked no council; its setups went to the risk "
            "kernel directly.</p></section>"
        )
    traded, vetoed = sum(d.trade is not None for d in result.decisions), result.counts.veto_total
    refused = sum(_refused(d) for d in result.decisions)
    filters = "".join(
        f'<label><input type="radio" name="f" id="f-{id}"{" checked" if id == "all" else ""}> {word} '
        f"({number:,})</label>"
        for id, word, number in (
            ("all", "all", len(result.decisions)),
            ("traded", "traded", traded),
            ("vetoed", "vetoed", vetoed),
            ("refused", "refused by the risk kernel", refused),
        )
    )
    return (
        '<section id="decisions"><h2>Decisions</h2><p class="note">Each line opens the whole debate: what was asked, '
        "every statement with "
        "the figures it rests on, the vote as a sum, and what the risk kernel said. Times UTC.</p>"
        f'<div class="book"><div class="filters" role="radiogroup" aria-label="Which '
        f'decisions">{filters}</div>{folds}</div></section>'
    )


def _refused(d: DecisionRecord) -> bool:
    return d.trade is None and any(review.reviewed.granted_steps == 0 for review in d.reviews)


def _fold(d: DecisionRecord, trade: Trade | None, inside: str) -> str:
    kinds = [
        word for word, true in (("traded", trade is not None), ("vetoed", d.vetoed), ("refused", _refused(d))) if true
    ]
    setup, made = d.setup, d.decision
    if trade is not None:
        came = f'<span class="{tone(trade.pnl)} num">{money(trade.pnl)}</span> net, trade {trade.number}'
    elif _refused(d):
        came = f"refused: {_plain(next(r.reviewed.limit for r in d.reviews if r.reviewed.granted_steps == 0))}"
    else:
        came = escaped(d.voided[-1].reason) if d.voided else ""
    label = f"{_plain(d.label)} came first" if d.label else ""
    return (
        f'<details id="d{d.number}" class="{" ".join(kinds)}"><summary><span class="line"><span class="num '
        f'soft">{d.number}</span>'
        f'<span class="num">{utc(d.asked_ms)}</span><span>{escaped(setup.symbol)}</span><span>{setup.side.word}</span>'
        f"<span>{escaped(setup.rule)}</span><span>{_tag(made)}</span><span>{came} <span "
        f"class='soft'>{'' if came else label}</span></span></span>"
        f'</summary><div class="inside">{inside}</div></details>'
    )


def _tag(made: Decision | None) -> str:
    if made is None:
        return '<span class="tag">no answer</span>'
    if made.outcome == "TRADE":
        return '<span class="tag yes">TRADE</span>'
    if made.verdict.stance == "VETO":
        reasons = ", ".join(made.verdict.reasons)
        return f'<span class="tag veto">VETO</span> <span class="soft">{_plain(reasons)}</span>'
    return f'<span class="tag">NO TRADE</span> <span class="soft">{_plain(made.reason)}</span>'


def _plain(code: str) -> str:
    """A reason code in words."""
    return escaped(code.replace("_", " "))


def _inside(d: DecisionRecord, one: Instrument, trade: Trade | None) -> str:
    parts = [_asked(d, one)]
    if d.decision is not None:
        parts += [_debate(d.decision), _ballot(d.decision)]
    parts += [_review(review, one) for review in d.reviews]
    parts.append(_became(d, trade))
    return "".join(parts)


def _asked(d: DecisionRecord, one: Instrument) -> str:
    s = d.setup
    entry = "at market" if s.entry_type is OrderType.MARKET else "limit"
    targets = ", ".join(f"{one.price_text(t.ticks)} ({t.share_e4 / 100:g} %)" for t in s.targets)
    waited = "" if d.arrived_ms is None else f", answered {age(d.arrived_ms - d.asked_ms)} later"
    return (
        f"<p><b>{escaped(s.rule)}</b> fired on {escaped(s.timeframe)} at {utc(s.time_ms)}{waited}. Entry {entry} near "
        f'<span class="num">{one.price_text(s.entry_ticks)}</span>, stop <span '
        f'class="num">{one.price_text(s.stop_ticks)}</span>, targets '
        f'<span class="num">{targets}</span>, horizon {age(s.horizon_ms)}; expected round-trip cost '
        f"{d.cost_e8 / 1e6:.3f} % of price.</p>"
        f"{_chips(s.evidence)}"
    )


def _chips(evidence: tuple[Evidence, ...]) -> str:
    if not evidence:
        return ""
    return (
        '<ul class="chips">' + "".join(f"<li>{escaped(e.feature)} <b>{_value(e)}</b></li>" for e in evidence) + "</ul>"
    )


def _value(e: Evidence) -> str:
    """The figure; a moment as UTC."""
    moment = e.feature.endswith("_at") and 1e11 < e.value < 1e14
    return utc(int(e.value)) if moment else figure(e.value)


def _debate(made: Decision) -> str:
    heads = "".join(f"<h4>{agent.value.title()}, {_TITLES[agent]}</h4>" for agent in _LANES)
    cells, shown = "", dict[Agent, tuple[Evidence, ...]]()
    for number in sorted({s.round for s in made.statements}):
        said = {s.agent: s for s in made.statements if s.round == number}
        cells += f'<div class="round">Round {number}{", blind" if number == 1 else ", having heard the others"}</div>'
        for agent in _LANES:
            cells += (
                _card(said[agent], shown.get(agent)) if agent in said else '<div class="card soft">said nothing</div>'
            )
        shown |= {agent: one.evidence for agent, one in said.items()}
    return f'<div class="lanes">{heads}{cells}</div>'


def _card(s: Statement, before: tuple[Evidence, ...] | None) -> str:
    odds, chips = "", _chips(s.evidence)
    if s.evidence and s.evidence == before:
        chips = '<p class="soft">On the same figures as before.</p>'
    if s.odds is not None:
        o = s.odds
        three = f"target {percent(o.target)} · stop {percent(o.stop)} · neither {percent(o.neither)}"
        odds = f'<span class="odds num">{three}</span>'
    words = _STRUCK.sub(r"<s>\1</s> (struck: the number did not match)", escaped(s.argument))
    return (
        f'<div class="card"><span class="who">{escaped(s.agent.value.title())}</span><b>{escaped(s.stance)}</b>{odds}'
        f"<p>{words}</p>{chips}</div>"
    )


def _logit(p: float) -> float:
    bounded = min(max(p, 1e-12), 1.0 - 1e-12)
    return math.log(bounded / (1.0 - bounded))


def _ballot(made: Decision) -> str:
    """logit p* = logit p0 + capped sum of weight x (logit p - logit p0), line by line."""
    b = made.ballot
    if not b.odds:
        return f"<p class='soft'>No vote was counted: {escaped(b.reason)}.</p>"
    last = {s.agent: s for s in made.statements}
    voices = [agent.value for agent in Agent if agent in last and last[agent].odds is not None]
    names = voices if len(voices) == len(b.odds) else [f"voice {n}" for n in range(1, len(b.odds) + 1)]
    base, pulls = _logit(b.p0), []
    rows = [("baseline, from distances and volatility", percent(b.p0, 2), "", signed(base, 4))]
    for name, p, weight in zip(names, b.odds, b.weights, strict=True):
        pulls.append(weight * (_logit(p) - base))
        rows.append(
            (escaped(name), percent(p, 2), f"{weight:.4f} × {signed(_logit(p) - base, 4)}", signed(pulls[-1], 4))
        )
    capped = "" if abs(sum(pulls) - b.shift) < 1e-9 else f", capped from {signed(sum(pulls), 4)}"
    rows.append((f"shift{capped}", "", "", signed(b.shift, 4)))
    rows.append(
        (
            "<b>pooled chance of the target first</b>",
            f"<b>{percent(b.p_star, 2)}</b>",
            "",
            f"<b>{signed(base + b.shift, 4)}</b>",
        )
    )
    sums = table(
        ("vote", "chance", "weight × log-odds from the baseline", "log-odds"), rows, right=frozenset({1, 2, 3})
    )
    return f"{sums}{_worth(b)}"


def _worth(b: Ballot) -> str:
    enough = "reaches" if b.expected_r_low >= b.threshold_r else "is below"
    return (
        f'<p>Expected <span class="num">{signed(b.expected_r, 3)} R</span> after costs; one standard error lower '
        f'<span class="num">{signed(b.expected_r_low, 3)} R</span>, which {enough} the <span '
        f'class="num">{b.threshold_r:.2f} R</span> asked for. '
        f"The voices differ by {percent(b.spread, 2)}, so size × {b.size_factor:.3f}. Quorum "
        f"{'holds' if b.quorum else 'fails'}. "
        f"Result: <b>{escaped(b.outcome)}</b>, {escaped(b.reason)}.</p>"
    )


def _review(review: Review, one: Instrument) -> str:
    r = review.reviewed
    word = f"granted {one.size_text(r.granted_steps)} {escaped(one.base)}" if r.granted_steps else "refused"
    why = f" by <b>{escaped(r.limit)}</b>" if r.limit else ""
    said = f": {escaped(r.reason)}" if r.reason else ""
    verb = f"size set{why}" if r.granted_steps and r.limit else why
    rows = "".join(
        f"<tr{' class=binds' if c.limit == r.limit else ''}><td>{escaped(c.limit)}</td><td "
        f"class=n>{_allows(c.steps, one)}</td>"
        f"<td class=n>{figure(c.used)}</td><td class=n>{figure(c.bound)}</td></tr>"
        for c in r.caps
    )
    head = "<tr><th>limit</th><th class=n>allows</th><th class=n>figure</th><th class=n>bound</th></tr>"
    caps = f'<div class="scroll"><table><thead>{head}</thead><tbody>{rows}</tbody></table></div>' if rows else ""
    return (
        f"<p>Risk kernel at {utc(review.time_ms, seconds=True)}: "
        f"<b>{word}</b>{', ' if r.granted_steps and why else ''}{verb}{said}.</p>{caps}"
    )


def _allows(steps: int, one: Instrument) -> str:
    if steps <= 0:
        return "nothing"
    return "any size" if steps >= min(one.max_steps, one.market_max_steps) else one.size_text(steps)


def _became(d: DecisionRecord, trade: Trade | None) -> str:
    lines = []
    if d.armed_ms is not None:
        lines.append(f"The plan was armed at {utc(d.armed_ms, seconds=True)}.")
    lines += [f"Given up at {utc(v.time_ms, seconds=True)}: {escaped(v.reason)}." for v in d.voided]
    if trade is not None:
        decimals = price(trade.entry_price, 8).rstrip("0").rstrip(".")
        lines.append(
            f'Filled at <span class="num">{decimals}</span> on {utc(trade.opened_ms, seconds=True)}: <a '
            f'href="#t{trade.number}">trade {trade.number}</a>.'
        )
    if d.label and d.label_ms is not None:
        lines.append(
            f"Outcome known on {utc(d.label_ms)}: {escaped(d.label)} first."
            if d.label != "neither"
            else f"Outcome known on {utc(d.label_ms)}: neither barrier was met in time."
        )
    return f"<p>{' '.join(lines)}</p>" if lines else ""
