"""The page from top to bottom: what this is, what came out, how it went, every decision, how to check it."""

from aister.analytics.findings import Findings
from aister.analytics.report.candles import candle_section
from aister.analytics.report.curves import curves
from aister.analytics.report.debate import decisions
from aister.analytics.report.flags import flag_in_words
from aister.analytics.report.style import STYLE
from aister.analytics.report.tables import cited, figures, happenings, trades
from aister.analytics.report.tradable import tradable
from aister.analytics.report.words import age, count, escaped, funding, percent, signed, signed_percent, tone, utc
from aister.core.money import UNIT

__all__ = ["POLICY", "report"]

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
"""Nothing is loaded, nothing runs: the page holds no script."""


def report(findings: Findings) -> str:
    """The whole page as a string. A pure function: the same findings give the same bytes."""
    r = findings.result
    title = f"AISTER {findings.about.mode} {utc(r.span_ms[0])[:10]} to {utc(r.span_ms[1])[:10]}"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="referrer" '
        'content="no-referrer">'
        f"<title>{escaped(title)}</title><style>{STYLE}</style></head><body>{_top(findings)}<main>{_outcome(findings)}{curves(findings)}"
        f"{candle_section(r)}<section><h2>Trades</h2><p class='note'>In order of closing; the number leads to the "
        f"decision behind the "
        f"trade. "
        f"± marks a stop in a bar that also reached a "
        f"target. The stop is the first one, or the one that was hit where it had moved. Fees and funding: what was "
        f"paid is negative, what was received positive.</p>{trades(r)}</section>{happenings(findings)}{decisions(r)}"
        f"<section><details><summary><b>Features cited in the "
        f"debates</b></summary>{cited(r)}</details></section></main>"
        f"{_bottom(findings)}</body></html>\n"
    )


def _top(findings: Findings) -> str:
    r, about = findings.result, findings.about
    symbols = ", ".join(r.symbols) or "no symbols"
    facts = [
        ("Symbols", symbols),
        ("Base bars", " · ".join(f"{symbol} {n:,}" for symbol, n in r.bars.items())),
        ("Capital", f"{r.capital / UNIT:,.2f} USDT"),
        ("Mind", r.started.mind),
        ("Venue", r.started.venue),
        ("Seed", str(r.started.seed)),
        *((name.replace("_", " ").capitalize(), value) for name, value in about.settings.items()),
    ]
    listed = "".join(f"<div><dt>{escaped(name)}</dt><dd>{escaped(value)}</dd></div>" for name, value in facts)
    flags = "".join(f"<li>{escaped(flag)}</li>" for flag in (*map(flag_in_words, r.flags), *_own_flags(findings)))
    assumed = "".join(f"<dt>{escaped(name)}</dt><dd>{escaped(text)}</dd>" for name, text in r.assumptions.items())
    notes = f'<ul class="flags" aria-label="Assumptions in the data">{flags}</ul>' if flags else ""
    folded = (
        f"<details><summary>What the simulated venue assumes</summary><dl class='hashes'>{assumed}</dl></details>"
        if assumed
        else ""
    )
    return (
        f'<header class="top"><span class="badge {escaped(about.mode.lower())}">{escaped(about.mode)}</span>'
        f"<h1>{escaped(symbols)}, {utc(r.span_ms[0])} to {utc(r.span_ms[1])} UTC</h1>"
        f'<p class="soft">Recorded market data on a simulated '
        f"venue{'' if r.finished else '; the run was not finished'}. "
        "P&amp;L is net of fees and funding everywhere on this page, and slippage is inside the fill prices. Money "
        "in USDT.</p>"
        f'<dl class="facts">{listed}</dl>{notes}{folded}</header>'
    )


def _own_flags(findings: Findings) -> tuple[str, ...]:
    if not findings.result.funding_proxy:
        return ()
    return ("funding at the bar's open: no mark price was recorded, each settlement may be off by a moment's premium",)


def _outcome(findings: Findings) -> str:
    r, m, hold, chance = findings.result, findings.metrics, findings.hold, findings.matched
    possible = tradable(r)
    since = f"<p>{escaped(possible)}</p>" if possible else ""
    own = (
        f'<div class="tile first"><h2>This run</h2><div class="big num '
        f'{tone(m.net_return)}">{signed_percent(m.net_return)}</div>'
        f"<p>{signed(m.net_pnl)} USDT after {m.fees:,.2f} fees and {funding(m.funding)}; "
        f"{count(m.trades, 'closed trade')}, "
        f"deepest drawdown {percent(m.max_drawdown, 2)}.</p></div>"
    )
    held = '<div class="tile"><h2>Buy and hold</h2><p>No bars.</p></div>'
    if hold is not None:
        held = (
            f'<div class="tile"><h2>Buy and hold</h2><div class="big '
            f'num">{signed_percent(hold.net_return)}</div><p>The same capital spread '
            f"evenly, unlevered, after {hold.fees:,.2f} fees and {funding(hold.funding)}; it pays no "
            f"slippage, which favours it. It holds through all {age(r.span_ms[1] - r.span_ms[0])} of the "
            f"span, the time before a trade was possible included. Deepest drawdown at hourly closes "
            f"{percent(hold.max_drawdown, 1)}.</p></div>"
        )
    matched = f'<div class="tile"><h2>Matched random entry</h2><p>{escaped(chance.words)}</p></div>'
    if chance.mean is not None and chance.low is not None and chance.high is not None and chance.percentile is not None:
        matched = (
            f'<div class="tile"><h2>Matched random entry</h2><div class="big '
            f'num">{signed_percent(chance.mean)}</div><p>Mean of '
            f"{chance.draws:,} random strategies, 5 % to 95 %: {signed_percent(chance.low)} to "
            f"{signed_percent(chance.high)}. The closed trades "
            f"({signed_percent(chance.net_return)}) stand at percentile {chance.percentile:.1f}. "
            f"{escaped(chance.words)}</p></div>"
        )
    return (
        f'<section><h2>Result after all costs</h2>{since}<div class="cards">{own}{held}{matched}</div>'
        "<p class='note'>Matched random entry has the run's number of trades, symbols, sides, hours of day, sizes, "
        "stops, costs and holding "
        f"times, entered at random on the same bars. One span of recorded data shows how the machine works, not what "
        f"it will earn.</p>{figures(m)}</section>"
    )


def _bottom(findings: Findings) -> str:
    about = findings.about
    hashes = "".join(
        f"<dt>{escaped(name)}</dt><dd class='mono'>{escaped(value)}</dd>" for name, value in about.hashes.items()
    )
    versions = ", ".join(f"{escaped(name)} {escaped(value)}" for name, value in about.versions.items())
    return (
        f"<footer><h2>To check it</h2><p class='note'>The same data, settings and versions give the same hashes. "
        f"{findings.result.records:,} journal records.</p><dl class='hashes'>{hashes}</dl><p "
        f"class='note'>{versions}</p></footer>"
    )
