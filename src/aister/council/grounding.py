"""Grounding: every number an agent cites names a fact of the question and must equal it, or it is struck before the
vote.

Both the evidence list and citations of the form `feature=value` inside the argument are checked. Struck numbers lose
their pull: the agent's shift above the baseline shrinks to the share of its citations that stand, and an agent none
of whose citations stands abstains. What tightens stands as it was said (a shift below the baseline, PASS, AVOID,
VETO): a wrong number must never make a trade more likely.
"""

import math
import re

import msgspec

from aister.core.council import Evidence, Stance, Statement
from aister.council.brief import Brief
from aister.council.odds import shift_between, shifted

__all__ = ["STRUCK", "ground", "ground_text", "strikes"]

STRUCK = "[struck]"
"""What stands in an argument where a number did not match its feature."""

_NUMBER = r"[-+]?(?:nan|inf|(?:\d[\d_]*\.?\d*|\.\d+)(?:e[-+]?\d+)?)"
_CITATION = re.compile(rf"\b([0-9a-z_]+\.[0-9a-z_]+)=({_NUMBER})", re.IGNORECASE)
_STRIKE = re.compile(rf"([0-9a-z_.]+)[= ]{re.escape(STRUCK)}", re.IGNORECASE)
_QUOTE_ROUNDING = 5e-6  # the most by which six significant digits can be off
_TIGHTENING = (Stance.PASS, Stance.AVOID, Stance.VETO)


def ground(statement: Statement, brief: Brief) -> Statement:
    """The statement as the others and the vote may take it; the very same one when every number stands."""
    argument = ground_text(statement.argument, brief)
    own = brief.cited
    lost = [o.feature for o in statement.evidence if o is not own.get(o.feature) and not _stands(o, brief)]
    if not lost and argument == statement.argument:
        return statement
    standing = tuple(one for one in statement.evidence if _stands(one, brief))
    if lost:
        argument += f" Grounding: {', '.join(f'{feature} {STRUCK}' for feature in lost)}."
    failed = {*lost, *_STRIKE.findall(argument)}
    cited = {one.feature for one in statement.evidence} | {found[0] for found in _CITATION.findall(statement.argument)}
    share = 1.0 - len(failed & cited) / len(cited)
    stance, odds = statement.stance, statement.odds
    if odds is not None and (shift := shift_between(odds, brief.p0)) > 0.0:
        odds = shifted(brief.p0, shift * share)
    if share == 0.0 and stance not in _TIGHTENING:
        stance, odds = Stance.ABSTAIN, None
    return msgspec.structs.replace(statement, stance=stance, argument=argument, odds=odds, evidence=standing)


def ground_text(text: str, brief: Brief) -> str:
    """The text with every cited number struck that does not match its fact."""
    if "=" not in text or _quotes_only(text, brief):
        return text
    return _CITATION.sub(lambda found: _kept(found, brief), text)


def strikes(statement: Statement) -> int:
    """How many features of a grounded statement were cited with a wrong number."""
    return len(set(_STRIKE.findall(statement.argument)))


def _quotes_only(text: str, brief: Brief) -> bool:
    """Whether every citation is, word for word, a quote that the brief itself rendered from a fact: those stand."""
    if brief.priors.debate.grounding_tolerance < _QUOTE_ROUNDING:
        return False
    for word in text.split():
        if "=" in word:
            quote = word.strip("(,;:.)")
            if brief.quotes.get(quote.partition("=")[0]) != quote:
                return False
    return True


def _stands(cited: Evidence, brief: Brief) -> bool:
    fact, value = brief.facts.get(cited.feature), cited.value
    if fact is None or not math.isfinite(value):
        return False
    return value == fact or math.isclose(value, fact, rel_tol=brief.priors.debate.grounding_tolerance)


def _kept(found: re.Match[str], brief: Brief) -> str:
    cited = Evidence(found.group(1), float(found.group(2).replace("_", "")))
    return found.group(0) if _stands(cited, brief) else f"{cited.feature}={STRUCK}"
