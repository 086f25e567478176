"""The Strategy Consultant (rules): turns a setup into a proposal when the chart's evidence lifts its odds above the
baseline.

Reads the chart only: trend on three timeframes, depth of the pullback, momentum, the session's average price, swing
structure, location in the range, volume. What each is worth depends on the setup's family (trend or reversion) and
is read from the priors.
"""

from aister.core.council import Agent, Proposal, Stance, Statement
from aister.council.brief import Brief, Reading
from aister.council.debate import Reply, Speaker, heard_shift, in_reply_to
from aister.council.evidence import Case, Signal, clipped, weigh
from aister.council.odds import shifted

__all__ = ["SIGNALS", "seat"]

Levels = dict[str, float]


def _band_trend(timeframe: str) -> Signal:
    position = f"{timeframe}.bollinger_position"

    def trend(read: Reading, levels: Levels) -> tuple[float, str]:
        score = read.side * (2.0 * read(position) - 1.0)
        return clipped(score), f"the {timeframe} close is on the {_right(score)} side of its average"

    return trend


def _trend_15m(read: Reading, levels: Levels) -> tuple[float, str]:
    score = read.side * read("15m.ema_spread") / levels["ema_spread_full"]
    return score, f"the 15m averages stand {_agree(score)} the trade"


def _slope_1h(read: Reading, levels: Levels) -> tuple[float, str]:
    score = read.side * read("1h.ema_20_slope") / levels["slope_full"]
    return score, f"the 1h EMA20 slopes {_with(score)} the trade"


def _pullback(read: Reading, levels: Levels) -> tuple[float, str]:
    """Best when price has come back to just the wrong side of its average; worth less the further it has run from
    it."""
    depth = read.side * (read("15m.close") - read("15m.ema_20")) / read("15m.atr_14")
    score = 1.0 - abs(depth - levels["pullback_best"]) / levels["pullback_width"]
    return score, "price has pulled back to the 15m EMA20" if score > 0 else "price stands far from the 15m EMA20"


def _stretch(read: Reading, levels: Levels) -> tuple[float, str]:
    """How far price has run against the trade: what a reversion lives on."""
    score = (-read.side * (2.0 * read("15m.bollinger_position") - 1.0)) / levels["stretch_full"]
    return score, "the 15m move against the trade is stretched" if score > 0 else "the 15m move is not stretched"


def _momentum(read: Reading, levels: Levels) -> tuple[float, str]:
    score = read.side * read("15m.macd_histogram") / (levels["momentum_full"] * read("15m.atr_14"))
    return score, f"15m momentum speaks {_agree(score)} the trade"


def _strength(read: Reading, levels: Levels) -> tuple[float, str]:
    score = read.side * (read("15m.rsi_14") - 50.0) / levels["rsi_full"]
    return score, f"15m relative strength speaks {_agree(score)} the trade"


def _vwap(read: Reading, levels: Levels) -> tuple[float, str]:
    score = read.side * read("15m.vwap_distance") / levels["vwap_full"]
    return score, f"price is on the {_right(score)} side of the day's VWAP"


def _structure(read: Reading, levels: Levels) -> tuple[float, str]:
    highs = read("1h.swing_high") - read("1h.swing_high_before")
    lows = read("1h.swing_low") - read("1h.swing_low_before")
    score = 0.5 * read.side * ((highs > 0) - (highs < 0) + (lows > 0) - (lows < 0))
    return score, f"the 1h swings step {_with(score)} the trade"


def _location(read: Reading, levels: Levels) -> tuple[float, str]:
    """Buying in the lower half of the last 1h range, selling in its upper half."""
    position = read("1h.swing_position")
    score = read.side * (1.0 - 2.0 * position)
    if position > 1.0:
        return score, "the entry lies above the last 1h range"
    if position < 0.0:
        return score, "the entry lies below the last 1h range"
    if position == 0.5:
        return score, "the entry lies in the middle of the last 1h range"
    return score, f"the entry lies in the {'upper' if position > 0.5 else 'lower'} half of the last 1h range"


def _volume(read: Reading, levels: Levels) -> tuple[float, str]:
    """The last quarter hour's volume against the hour's pace, signed by the bar's direction."""
    pace = 4.0 * read("15m.volume") / max(read("1h.volume"), 1e-12)
    move = read.side * (read("15m.close") - read("15m.open"))
    score = clipped((pace - 1.0) / levels["volume_full"]) * ((move > 0) - (move < 0))
    return score, f"volume speaks {_agree(score)} the trade"


def _agree(score: float) -> str:
    return "for" if score > 0 else "against"


def _with(score: float) -> str:
    return "with" if score > 0 else "against"


def _right(score: float) -> str:
    return "right" if score > 0 else "wrong"


SIGNALS: dict[str, Signal] = {
    "trend_4h": _band_trend("4h"),
    "trend_1h": _band_trend("1h"),
    "trend_15m": _trend_15m,
    "slope_1h": _slope_1h,
    "pullback": _pullback,
    "stretch": _stretch,
    "momentum": _momentum,
    "strength": _strength,
    "vwap": _vwap,
    "structure": _structure,
    "location": _location,
    "volume": _volume,
}
"""What the Consultant can read, by the name the priors weigh it under."""


def seat(brief: Brief) -> Speaker:
    """PROPOSE when the odds, with what was heard, lie `propose_shift` above the baseline; PASS otherwise. Odds either
    way: what was passed is judged later too. A setup exists because its rule found such evidence, so only what lies
    beyond the rule's usual counts.
    """
    mine = brief.priors.consultant
    case = weigh(brief, SIGNALS, mine.weights[brief.family], mine.levels)
    evidence = tuple(case.evidence.values())
    beyond = case.shift - mine.usual[brief.family] if evidence else 0.0

    def speak(round: int, heard: tuple[Statement, ...]) -> Reply:
        shift = beyond + heard_shift(brief, heard)
        proposes = shift >= mine.propose_shift and bool(evidence)
        said = f"{case.text} Of this {mine.usual[brief.family]:+.2f} is usual for such a setup and does not count."
        argument = in_reply_to(brief, heard, beyond, shift) if heard else said
        stance = Stance.PROPOSE if proposes else Stance.PASS
        statement = Statement(Agent.CONSULTANT, round, stance, argument, shifted(brief.p0, shift), evidence)
        return Reply(statement, _proposal(brief, case) if proposes else None)

    return speak


def _proposal(brief: Brief, case: Case) -> Proposal:
    setup = brief.question.setup
    return Proposal(
        setup_id=setup.id,
        symbol=setup.symbol,
        side=setup.side,
        entry_type=setup.entry_type,
        entry_ticks=setup.entry_ticks,
        stop_ticks=setup.stop_ticks,
        targets=setup.targets,
        horizon_ms=setup.horizon_ms,
        thesis=_thesis(brief, case),
    )


def _thesis(brief: Brief, case: Case) -> str:
    """The case as a paragraph: what speaks most for the trade, what against it, and what chance alone would say."""
    setup = brief.question.setup
    pros = [point.cited for point in case.points if point.part > 0][:4]
    cons = [point.cited for point in case.points if point.part < 0][:2]
    said = [f"{setup.symbol} {setup.side.word} on {setup.rule.replace('_', ' ')} ({setup.timeframe})."]
    if pros:
        said.append(f"For it: {', '.join(pros)}.")
    said.append(f"Against it: {', '.join(cons)}." if cons else "Nothing read speaks against it.")
    said.append(
        f"By chance alone the first target comes first in {brief.p0.target:.0%} of cases; net reward to risk is "
        f"{brief.quotes['setup.reward_risk']}."
    )
    return " ".join(said)
