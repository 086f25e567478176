"""The Risk Officer (rules): what could go wrong with this trade, on this account, now. APPROVE, REDUCE or VETO; veto
is final.

Two lists. *Checks* measure one danger each against two levels of the priors: beyond the first the size is reduced,
beyond the second the trade is vetoed; the code of a check is the reason that is recorded. *Signals* move the
Officer's odds. A check that cannot be read is a veto (`missing_data`): what must be known and is not is a danger.
"""

from collections.abc import Callable

import msgspec

from aister.core.council import Agent, Evidence, Stance, Statement, Verdict
from aister.core.errors import SettingsError
from aister.council.baseline import TRUE_RANGE_PER_DEVIATION
from aister.council.brief import Brief, Reading, Unreadable
from aister.council.debate import Reply, Speaker, heard_shift, in_reply_to
from aister.council.evidence import Signal, weigh
from aister.council.odds import shift_between, shifted

__all__ = ["CHECKS", "SIGNALS", "seat"]

Levels = dict[str, float]
Measure = Callable[[Reading, float], float]


def _shock(read: Reading) -> float:
    """15m true range against what the last day's volatility implies: 1 is usual."""
    usual = read("15m.volatility_96") * read("15m.close") * TRUE_RANGE_PER_DEVIATION
    return read("15m.atr_14") / max(usual, 1e-12)


def _burst(read: Reading) -> float:
    """Range of the last 15m bar in average true ranges."""
    return (read("15m.high") - read("15m.low")) / max(read("15m.atr_14"), 1e-12)


def _beyond(read: Reading, position: str) -> float:
    """Distance of the close beyond its average, in the trade's direction, in half band widths."""
    return read.side * (2.0 * read(position) - 1.0)


def _loss_streak(read: Reading, streak_hours: float) -> float:
    """Losses in a row, while the last one is fresh."""
    losses = read("account.losses_in_row")
    return losses if losses > 0 and read("account.hours_since_loss") < streak_hours else 0.0


CHECKS: dict[str, Measure] = {
    "cost_to_risk": lambda read, _: read("setup.cost_to_risk"),
    "reward_risk": lambda read, _: read("setup.reward_risk"),
    "adverse_funding": lambda read, _: read("setup.funding_r"),
    "stop_in_noise": lambda read, _: read("setup.risk") * read("setup.entry") / max(read("15m.atr_14"), 1e-12),
    "counter_trend": lambda read, _: -_beyond(read, "4h.bollinger_position"),
    "hourly_trend": lambda read, _: -_beyond(read, "1h.bollinger_position"),
    "overextended": lambda read, _: _beyond(read, "1h.bollinger_position"),
    "exhausted": lambda read, _: 50.0 + read.side * (read("15m.rsi_14") - 50.0),
    "volatility_shock": lambda read, _: _shock(read),
    "burst": lambda read, _: _burst(read),
    "crowding": lambda read, _: read("account.same_side_positions"),
    "loss_streak": _loss_streak,
    "day_loss": lambda read, _: read("account.day_loss"),
    "drawdown": lambda read, _: read("account.drawdown"),
    "heat": lambda read, _: read("account.open_risk"),
    "gross_exposure": lambda read, _: read("account.gross_exposure"),
}
"""Reason code -> what is measured. Levels are in the priors; whether lower or higher is worse follows from them."""


def _pressure(read: Reading, levels: Levels) -> tuple[float, str]:
    score = min(0.0, _beyond(read, "4h.bollinger_position"))
    return score, "the 4h trend stands against the trade" if score < 0 else "the 4h trend does not stand against it"


def _heated(read: Reading, levels: Levels) -> tuple[float, str]:
    over = 50.0 + read.side * (read("15m.rsi_14") - 50.0) - levels["hot_rsi"]
    return -max(0.0, over) / levels["hot_width"], "the move is hot" if over > 0 else "the move is not hot"


def _unrest(read: Reading, levels: Levels) -> tuple[float, str]:
    over = _shock(read) - levels["unrest_from"]
    return -max(0.0, over) / levels["unrest_width"], "ranges are unruly" if over > 0 else "ranges are orderly"


def _room(read: Reading, levels: Levels) -> tuple[float, str]:
    """Whether the last opposing 1h swing stands between entry and first target; beyond it the way is free."""
    wall = read("1h.swing_high") if read.side > 0 else read("1h.swing_low")
    entry, target = read("setup.entry"), read("setup.target")
    share = (wall - entry) / (target - entry)
    if share <= 0.0:
        return 1.0, "the last 1h swing is already behind the price"
    score = share - 1.0
    return score, "the way to the target is free" if score >= 0 else "an opposing 1h swing stands before the target"


SIGNALS: dict[str, Signal] = {"pressure": _pressure, "heated": _heated, "unrest": _unrest, "room": _room}
"""What moves the Officer's odds, by the name the priors weigh it under."""


class _Findings(msgspec.Struct, frozen=True):
    """Codes that veto, codes that reduce, the product of their factors, what they rest on, what cannot be known."""

    vetoes: tuple[str, ...]
    reductions: tuple[str, ...]
    factor: float
    evidence: dict[str, Evidence]
    unknown: tuple[str, ...]

    def text(self, brief: Brief) -> str:
        unknown = f"must know {', '.join(self.unknown)}. " if self.unknown else ""
        measured = f"measured {brief.quote(self.evidence)}. " if self.evidence else ""
        return unknown + measured


def seat(brief: Brief) -> Speaker:
    """The worst of all checks; every code that fired is a reason, vetoes first. In rebuttal he also reduces a trade
    that somebody else doubts.
    """
    mine = brief.priors.officer
    case = weigh(brief, SIGNALS, mine.weights[brief.family], mine.levels)
    found = _check(brief)
    evidence = tuple((found.evidence | case.evidence).values())

    def speak(round: int, heard: tuple[Statement, ...]) -> Reply:
        shift = case.shift + heard_shift(brief, heard)
        verdict = _verdict(found, mine.doubt_factor if _doubted(brief, heard) else None)
        said = in_reply_to(brief, heard, case.shift, shift) if heard else f"{found.text(brief)}{case.text}"
        argument = f"{verdict.stance}{' for ' if verdict.reasons else ''}{', '.join(verdict.reasons)}. {said}"
        statement = Statement(Agent.OFFICER, round, verdict.stance, argument, shifted(brief.p0, shift), evidence)
        return Reply(statement, verdict)

    return speak


def _doubted(brief: Brief, heard: tuple[Statement, ...]) -> bool:
    """Whether somebody's blind odds lay well below the baseline."""
    blind = (one.odds for one in heard if one.round == 1 and one.odds is not None)
    return any(shift_between(odds, brief.p0) <= -brief.priors.officer.doubt_shift for odds in blind)


def _verdict(found: _Findings, doubt_factor: float | None) -> Verdict:
    reductions = (*found.reductions, *(() if doubt_factor is None else ("doubted",)))
    if found.vetoes:
        return Verdict(Stance.VETO, 0, (*found.vetoes, *reductions))
    if not reductions:
        return Verdict(Stance.APPROVE, 10_000, ())
    factor = found.factor * (1.0 if doubt_factor is None else doubt_factor)
    return Verdict(Stance.REDUCE, min(9_999, max(1, int(factor * 10_000))), reductions)


def _check(brief: Brief) -> _Findings:
    """Measure every danger that concerns this family of setups."""
    mine = brief.priors.officer
    vetoes: list[str] = []
    reductions: list[str] = []
    evidence: dict[str, Evidence] = {}
    unknown = [name for name in mine.required if name not in brief.facts]
    unknown += [] if brief.volatility_known else list(brief.priors.baseline.volatility)
    factor = 1.0
    reading = Reading(brief)
    for code, check in mine.checks.items():
        if check.families and brief.family not in check.families:
            continue
        try:
            measure = _measure(code)(reading.anew(), mine.streak_hours)
        except Unreadable as missing:
            unknown.append(missing.feature)
            continue
        if check.reaches(check.veto_at, measure):
            vetoes.append(code)
        elif check.reaches(check.reduce_at, measure):
            reductions.append(code)
            factor *= check.factor
        else:
            continue
        evidence.update(reading.read)
    if unknown:
        vetoes.insert(0, "missing_data")
    return _Findings(tuple(vetoes), tuple(reductions), factor, evidence, tuple(dict.fromkeys(unknown)))


def _measure(code: str) -> Measure:
    if code not in CHECKS:
        raise SettingsError(f"{code} is not a check of the Officer; the priors may set {', '.join(CHECKS)}.")
    return CHECKS[code]
