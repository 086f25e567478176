"""The figures behind each detector's sentence, as parts of the page."""

from collections.abc import Sequence

from aister.analytics.report.tables import table
from aister.analytics.report.words import escaped, percent, signed_percent, utc
from aister.lab.detectors.blind import CodeLookAhead
from aister.lab.detectors.cost import Cost
from aister.lab.detectors.delay import Delay
from aister.lab.detectors.drawing import bars, ranged
from aister.lab.detectors.fills import FillAudit
from aister.lab.detectors.lookahead import LookAhead
from aister.lab.detectors.monte_carlo import HALTED, Paths, TradeOrder
from aister.lab.detectors.neighbourhood import Neighbourhood
from aister.lab.detectors.trying import Look
from aister.lab.detectors.verdict import Found, spoken
from aister.lab.detectors.warm_up import WarmUp

__all__ = ["figures_of"]

_NUMBERS = frozenset({1})
_MOST = 20


def figures_of(found: Found) -> str:
    """What there is to see beside the sentence; nothing for an answer without figures."""
    match found:
        case LookAhead():
            return _rows(_look_ahead(found))
        case WarmUp():
            return _warm_up(found)
        case FillAudit():
            return _fills(found)
        case Cost(looks=looks, break_even=at):
            named = [(f"x {multiple:g}", look) for multiple, look in looks]
            return _looks(named, "Net result by multiple of fees and half-spreads") + _rows(
                [] if at is None else [("Nothing is left from", f"{at:.2f} times on")]
            )
        case Delay(looks=looks, t=t):
            named = [(f"{delay} bars", look) for delay, look in looks]
            return _looks(named, "Net result by delay in base bars") + _rows(
                [] if t is None else [("t of what the same setups lose by one bar", f"{t:.1f}")]
            )
        case Neighbourhood():
            return _neighbourhood(found)
        case TradeOrder():
            return _order(found)
        case Paths():
            return _paths(found)
    return ""


def _rows(rows: Sequence[tuple[str, str]]) -> str:
    return table(("", ""), [(escaped(name), escaped(value)) for name, value in rows], right=_NUMBERS) if rows else ""


def _look_ahead(found: LookAhead) -> list[tuple[str, str]]:
    rows = [("Signals", f"{found.signals:,}"), ("Cuts", f"{found.cuts:,}")]
    if isinstance(found, CodeLookAhead):
        rows.append(("Shown one close at a time", "yes" if found.alone else "no"))
    elif found.day_ms is not None:
        rows.append((f"Cuts at every bar of {utc(found.day_ms)[:10]}", f"{found.day_cuts:,}"))
    if found.first is not None:
        rows += [("First offence", f"{utc(found.first.time_ms)} UTC"), ("Through", found.first.through)]
        if found.first.reach_ms is not None:
            rows.append(("Looks ahead at least", spoken(found.first.reach_ms)))
    return rows


def _warm_up(found: WarmUp) -> str:
    rows = [
        ("Declared", spoken(found.warm_up_ms)),
        ("Later beginnings", f"{len(found.starts_ms):,}"),
        ("Values and signals compared", f"{found.compared:,}"),
        ("Largest difference within bounds", f"{found.worst:.1e}"),
    ]
    drifts = [
        (
            escaped(one.name),
            utc(one.time_ms),
            utc(one.start_ms),
            "another" if one.relative is None else f"{one.relative:.1e}",
        )
        for one in found.drifts[:_MOST]
    ]
    listed = table(("What drifts", "At", "History from", "Off by"), drifts, right=frozenset({3})) if drifts else ""
    return _rows(rows) + listed


def _fills(found: FillAudit) -> str:
    rows = [("Trades judged", f"{found.trades:,}")]
    rows += sorted(((rule, f"{times:,}") for rule, times in found.by_rule.items()), key=lambda row: row[0])
    return _rows(rows)


def _looks(looks: Sequence[tuple[str, Look]], title: str) -> str:
    drawn = bars([(name, look.net_return) for name, look in looks], title)
    rows = [(escaped(name), f"{look.trades:,}", percent(look.drawdown, 2)) for name, look in looks]
    return drawn + table(("", "Trades", "Drawdown"), rows, right=frozenset({1, 2}))


def _neighbourhood(found: Neighbourhood) -> str:
    if found.worst is None or found.median is None or found.best is None or found.profitable is None:
        return ""
    spread = (found.worst, found.median, found.best)
    rows = [
        ("Neighbours", f"{found.cells:,}"),
        ("Draws that were no sound rules", f"{found.refused:,}"),
        ("With a profit", percent(found.profitable)),
        ("Net: worst, median, best", ", ".join(signed_percent(value) for value in spread)),
        ("As chosen", signed_percent(found.chosen.net_return)),
    ]
    legend = "<p class='note'>From the worst to the best; line: median, dot: as chosen.</p>"
    varied = f"<p class='note mono' style='overflow-wrap:anywhere'>Varied: {escaped(', '.join(found.parameters))}</p>"
    return ranged("net", spread, found.chosen.net_return, "Net results of neighbours") + legend + _rows(rows) + varied


_LEGEND = "<p class='note'>5th to 95th percentile; line: median, dot: as it came, dashed: where trading halts.</p>"


def _order(found: TradeOrder) -> str:
    if found.drawdown is None:
        return ""
    d = found.drawdown
    picture = ranged(
        "drawdown", (d.low, d.middle, d.high), found.own, "Drawdowns of other orders", limit=HALTED, signs=False
    )
    return picture + _LEGEND + _rows([("Orders", f"{found.draws:,}"), ("As they came", percent(found.own, 2))])


def _paths(found: Paths) -> str:
    if found.drawdown is None or found.net is None:
        return ""
    d, n = found.drawdown, found.net
    rows = [
        ("Paths", f"{found.paths:,}, of blocks of 1 to {found.longest_days} days"),
        ("Seeds", f"{found.seeds[0]} to {found.seeds[1]}"),
        ("Net: 5th percentile, median, 95th", ", ".join(signed_percent(value) for value in (n.low, n.middle, n.high))),
        ("On the market itself", signed_percent(found.own_net)),
    ]
    if found.profitable is not None and found.trades is not None:
        rows += [("With a profit", percent(found.profitable)), ("Trades a path", f"{found.trades:,.0f}")]
    return (
        ranged("net", (n.low, n.middle, n.high), found.own_net, "Net results on paths")
        + ranged("drawdown", (d.low, d.middle, d.high), None, "Drawdowns on paths", limit=HALTED, signs=False)
        + _LEGEND
        + _rows(rows)
    )
