"""The page of `aister detect`: what was looked for in which strategy, the verdicts, the figures behind each, how to
check it. A pure function: the same answers give the same bytes."""

from collections.abc import Callable

from aister.analytics.report.flags import flag_in_words
from aister.analytics.report.page import POLICY
from aister.analytics.report.style import STYLE
from aister.analytics.report.words import count, escaped, utc
from aister.core.money import UNIT
from aister.lab.detectors.drawing import OWN_STYLE
from aister.lab.detectors.examine import Examined
from aister.lab.detectors.figures import figures_of
from aister.lab.detectors.verdict import Found, Verdict

__all__ = ["detectors_page"]

_TAGS = {Verdict.CAUGHT: "tag veto", Verdict.CLEAN: "tag yes", Verdict.UNKNOWN: "tag"}

_DONE = {
    "look-ahead": "Does anything said by a moment change when only what comes after it does?",
    "warm-up": "Does what is said hang on where history happens to begin?",
    "fills": "Could each trade have been, given the bars?",
    "cost": "The same signals with fees and half-spreads times 0, 1, 2 and 3. Twice must leave a profit.",
    "delay": "The same signals acted on 0, 1, 3 and 10 base bars later. One bar must not take half of the profit.",
    "neighbourhood": "The same rules with every number up to 20 % off. At least 70 % of them must earn.",
    "trade-order": "The same trades in other orders: how deep could it have gone?",
    "paths": "The strategy run again on prices put together from whole days of these, without drift.",
}


def detectors_page(one: Examined) -> str:
    """The whole page as a string."""
    title = f"{one.name}: detectors over {utc(one.span_ms[0])[:10]} to {utc(one.span_ms[1])[:10]}"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escaped(title)}</title><style>{STYLE}{OWN_STYLE}</style></head><body>{_top(one)}"
        f"<main>{_verdicts(one)}<section><h2>One by one</h2>"
        f'<div class="wide">{"".join(map(_card, one.found))}</div></section></main>{_bottom(one)}</body></html>\n'
    )


def _top(one: Examined) -> str:
    e = one.effort
    looked = (
        f"{count(e.cuts, 'random cut')}, {count(e.starts, 'later beginning')}, {count(e.cells, 'neighbour')}, "
        f"{count(e.draws, 'order')} of trades, {count(e.paths, 'path')}"
    )
    facts = [
        ("Symbols", ", ".join(one.symbols)),
        ("Bars", f"{one.interval_ms // 60_000} min"),
        ("Data", one.data or one.data_hash[:12]),
        ("Kind", one.kind),
        *([("Parameters", one.parameters)] if one.parameters else []),
        ("Capital", f"{one.capital / UNIT:,.2f} USDT"),
        ("Seed", str(e.seed)),
        ("Effort at most", looked),
    ]
    listed = "".join(f"<div><dt>{escaped(name)}</dt><dd>{escaped(value)}</dd></div>" for name, value in facts)
    flags = "".join(f"<li>{escaped(flag)}</li>" for flag in map(flag_in_words, one.flags))
    notes = f'<ul class="flags" aria-label="Assumptions in the data">{flags}</ul>' if flags else ""
    assumed = "".join(f"<dt>{escaped(name)}</dt><dd>{escaped(text)}</dd>" for name, text in one.assumptions.items())
    return (
        f'<header class="top"><span class="badge">DETECTORS</span><h1>{escaped(one.name)}, {utc(one.span_ms[0])} to '
        f"{utc(one.span_ms[1])} UTC</h1><p class='soft'>What would make its backtest a lie, then what makes it "
        "fragile. Results are net of fees, funding and slippage, in shares of the capital.</p>"
        f'<dl class="facts">{listed}</dl>{notes}<details><summary>What the fill model assumes</summary>'
        f"<dl class='hashes'>{assumed}</dl></details></header>"
    )


def _verdicts(one: Examined) -> str:
    said: list[tuple[str, Verdict, str, Callable[[int], str]]] = [
        (
            "Caught",
            Verdict.CAUGHT,
            "A reason not to believe the result, or not to trade it.",
            lambda n: "loss" * (n > 0),
        ),
        ("Clean", Verdict.CLEAN, "Looked, and found nothing; no proof of anything.", lambda n: ""),
        ("Not enough data", Verdict.UNKNOWN, "Nothing can be said. That is not clean.", lambda n: "warn" * (n > 0)),
    ]
    tiles = []
    for title, verdict, meaning, colour in said:
        names = [found.detector for found in one.found if found.verdict is verdict]
        listed = escaped(", ".join(names)) or "none"
        first = " first" if verdict is Verdict.CAUGHT else ""
        tiles.append(
            f'<div class="tile{first}"><h2>{title}</h2><div class="big num {colour(len(names))}">{len(names)}</div>'
            f"<p>{listed}</p><p>{meaning}</p></div>"
        )
    return f'<section><h2>Verdicts</h2><div class="cards">{"".join(tiles)}</div></section>'


def _card(found: Found) -> str:
    done = _DONE.get(found.detector, "")
    return (
        f'<article class="card"><h3>{escaped(found.detector)} <span class="{_TAGS[found.verdict]}">'
        f'{escaped(found.verdict)}</span></h3><p class="note">{done}</p><p>{escaped(_sentence(found.sentence))}</p>'
        f"{figures_of(found)}</article>"
    )


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def _bottom(one: Examined) -> str:
    hashes = {
        "spec_hash": one.spec_hash,
        "data_hash": one.data_hash,
        "code_hash": one.code_hash,
        **({"trials": f"{one.trials:,} on this data so far"} if one.trials is not None else {}),
    }
    listed = "".join(f"<dt>{name}</dt><dd class='mono'>{escaped(value)}</dd>" for name, value in hashes.items())
    return (
        "<footer><h2>To check it</h2><p class='note'>The same rules, data, seed and code give the same answers. Every "
        "run that showed a result has left a trial in the ledger: looking is what counts.</p>"
        f"<dl class='hashes'>{listed}</dl></footer>"
    )
