"""The Market Analyst (rules): is this the hour? Sessions and kill zones, regime, activity, the funding clock.

NOW; WAIT not before a time (the turn of New York's opening half hour at 10:00 there, or just after a settlement that
would cost the trade); AVOID when the moment itself is bad.
"""

from aister.core.council import Agent, Evidence, Stance, Statement, Timing
from aister.council.baseline import TRUE_RANGE_PER_DEVIATION
from aister.council.brief import Brief, Reading, Unreadable
from aister.council.debate import Reply, Speaker, heard_shift, in_reply_to
from aister.council.evidence import Signal, weigh
from aister.council.odds import shifted

__all__ = ["SIGNALS", "seat"]

Levels = dict[str, float]
_MINUTE_MS = 60_000
_NEW_YORK_OPEN, _NEW_YORK_TURN = 9 * 60 + 30, 10 * 60
_SATURDAY = 5


def _session(read: Reading, levels: Levels) -> tuple[float, str]:
    if read("session.kill_zone_london_open") or read("session.kill_zone_new_york_open"):
        return 1.0, "a London or New York kill zone is open"
    if read("session.london_is_open") or read("session.new_york_is_open"):
        return levels["cash_session"], "a cash session is open"
    return levels["off_hours"], "no session is open"


def _weekend(read: Reading, levels: Levels) -> tuple[float, str]:
    weekend = read("session.weekday") >= _SATURDAY
    return (1.0, "it is the week-end") if weekend else (0.0, "it is a working day")


def _regime(read: Reading, levels: Levels) -> tuple[float, str]:
    """+1 in a trend, -1 in a range; families weigh it with opposite signs."""
    score = (read("15m.adx_14") - levels["adx_middle"]) / levels["adx_width"]
    return score, "the market trends" if score > 0 else "the market ranges"


def _direction(read: Reading, levels: Levels) -> tuple[float, str]:
    up, down = read("15m.plus_di_14"), read("15m.minus_di_14")
    score = read.side * (up - down) / max(up + down, 1e-12) / levels["direction_full"]
    return score, f"directional movement is {'with' if score > 0 else 'against'} the trade"


def _activity(read: Reading, levels: Levels) -> tuple[float, str]:
    """Range now against the range the last day's volatility implies; dead markets do not reach targets."""
    usual = read("15m.volatility_96") * read("15m.close") * TRUE_RANGE_PER_DEVIATION
    score = (read("15m.atr_14") / max(usual, 1e-12) - 1.0) / levels["activity_full"]
    return score, "ranges are wider than the day's" if score > 0 else "ranges are narrower than the day's"


def _funding(read: Reading, levels: Levels) -> tuple[float, str]:
    score = -read.side * read("funding.rate_8h") / levels["funding_full"]
    return score, "funding pays the trade" if score > 0 else "funding costs the trade"


SIGNALS: dict[str, Signal] = {
    "session": _session,
    "weekend": _weekend,
    "regime": _regime,
    "direction": _direction,
    "activity": _activity,
    "funding": _funding,
}
"""What the Analyst can read, by the name the priors weigh it under."""


def seat(brief: Brief) -> Speaker:
    """NOW, WAIT or AVOID. The moment's own odds decide on AVOID; what was heard moves the stated odds only."""
    mine = brief.priors.analyst
    case = weigh(brief, SIGNALS, mine.weights[brief.family], mine.levels)
    if case.shift <= mine.avoid_shift:
        timing, read = Timing(Stance.AVOID, brief.question.time_ms, "the moment is against the trade"), case.evidence
    else:
        timing, read = _clock(brief)
    evidence = tuple((read | case.evidence).values())
    opening = f"{timing.condition[0].upper()}{timing.condition[1:]}"

    def speak(round: int, heard: tuple[Statement, ...]) -> Reply:
        shift = case.shift + heard_shift(brief, heard)
        argument = in_reply_to(brief, heard, case.shift, shift) if heard else f"{opening}: {case.text}"
        odds = shifted(brief.p0, shift)
        return Reply(Statement(Agent.ANALYST, round, timing.stance, argument, odds, evidence), timing)

    return speak


def _clock(brief: Brief) -> tuple[Timing, dict[str, Evidence]]:
    """Timing and evidence from the two clocks: the later one decides."""
    mine, now_ms = brief.priors.analyst, brief.question.time_ms
    waits: list[tuple[int, str, dict[str, Evidence]]] = []
    reading = Reading(brief)
    for clock in (_opening_half_hour, _settlement):
        try:
            minutes, condition = clock(reading.anew(), mine.levels)
        except Unreadable:
            continue  # the case above has already said what cannot be read
        if minutes > 0:
            waits.append((_whole_ms(minutes), f"{condition} ({brief.quote(reading.read)})", reading.read))
    if not waits:
        return Timing(Stance.NOW, now_ms, "the clock is free"), {}
    wait_ms, condition, evidence = max(waits, key=lambda wait: wait[0])
    if wait_ms > mine.longest_wait_minutes * _MINUTE_MS:
        return Timing(Stance.AVOID, now_ms, f"too long to {condition}"), evidence
    return Timing(Stance.WAIT, now_ms + wait_ms, condition), evidence


def _whole_ms(minutes: float) -> int:
    """Minutes as whole milliseconds, never early."""
    return -int(-minutes * _MINUTE_MS // 1)


def _opening_half_hour(read: Reading, levels: Levels) -> tuple[float, str]:
    """From 09:30 to 10:00 in New York a trade with the opening move waits for the turn."""
    minute = read("session.new_york_minute")
    if not read("session.new_york_is_open") or not _NEW_YORK_OPEN <= minute < _NEW_YORK_TURN:
        return 0.0, ""
    if read.side * (read("15m.close") - read("15m.open")) <= 0:
        return 0.0, ""
    return _NEW_YORK_TURN - minute, "wait for the 10:00 New York reversal"


def _settlement(read: Reading, levels: Levels) -> tuple[float, str]:
    """A settlement due soon that the trade would pay: enter after it."""
    due = read("funding.minutes_to_next")
    if due > levels["settlement_minutes"] or read.side * read("funding.rate") < levels["settlement_rate"]:
        return 0.0, ""
    return due + levels["settlement_grace"], "wait for the funding settlement to pass"
