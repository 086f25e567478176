"""Defects seeded into the order path: the teeth of the campaign. Each is one part of the trader done wrong
(`mistaken`); a run must notice it by the exchange's books."""

from collections.abc import Callable
from typing import Any

import msgspec

from tests.faults import mistaken
from tests.faults.parts import Parts

__all__ = ["DEFECTS", "Defect"]


class Defect(msgspec.Struct, frozen=True):
    """`kind`: the class of runs that shows it; `breaches`: the kinds it is noticed by."""

    name: str
    parts: Parts
    kind: str
    breaches: frozenset[str]


def _of(name: str, kind: str, breach: str, **part: Callable[..., Any]) -> Defect:
    return Defect(name, Parts(**part), kind, frozenset(breach.split()))


DEFECTS = (
    _of("blind resend", "ambiguous", "duplicate", account=mistaken.BlindResend),
    _of("-2013 taken for absent", "ambiguous", "invented", courier=mistaken.AbsentAtOnce),
    _of("sent before it is journaled", "limits", "lost", run=mistaken.SendFirst),
    _of("journal not durable before the send", "limits", "lost", run=mistaken.NeverDurable),
    _of("nonce used twice", "limits", "nonce", signing=mistaken.SameNonce),
    _of("close not reduce-only", "fills and stops", "unsafe", account=mistaken.PlainClose),
    _of("stop for less than is held", "fills and stops", "naked", account=mistaken.SmallStop),
    _of("stop on the wrong side", "limits", "naked", account=mistaken.WrongSide),
    _of("entry twice as large", "limits", "duplicate", account=mistaken.TwiceAsMuch),
    _of("old stop cancelled first", "limits", "naked", courier=mistaken.CancelFirst),
    _of("cancel-all instead of by id", "limits", "naked", account=mistaken.CancelAll),
    _of("countdown while a stop rests", "limits", "naked", account=mistaken.Countdown),
    _of("fill counted twice", "streams", "invented", courier=mistaken.TwiceTold),
    _of("trades never read", "streams", "lost", courier=mistaken.NoTrades),
    _of("partial fill forgotten at a restart", "crash", "invented", courier=mistaken.ForgetsParts),
    _of("sent again after a restart", "crash", "duplicate", courier=mistaken.SendsAgain),
    _of("everything cancelled at a restart", "crash", "naked", courier=mistaken.ClearsOnStart),
    _of("targets left when flat", "limits", "orphan", courier=mistaken.KeepsTargets),
    _of("stop sent late", "limits", "naked", account=mistaken.LateStops),
    _of("client ids used again", "limits", "lost", account=mistaken.NoIds),
    _of("old grid and no cap", "account", "duplicate invented", terms=mistaken.KeepsGrid, signing=mistaken.Uncapped),
    _of("429 starves the stop", "limits", "naked", account=mistaken.Starved),
    _of("late fill after cancel ignored", "fills and stops", "lost", courier=mistaken.DoneWith),
    _of("partial fill lost at a restart", "crash", "lost", courier=mistaken.LosesParts),
    _of("cancel-all in kill", "fills and stops", "naked", engine=mistaken.KillsAll),
    _of("listenKeyExpired ignored", "streams", "deaf", stream=mistaken.Deaf),
    _of("signer ignores the epoch", "lease", "fenced", signing=mistaken.Unfenced),
    _of("lease unchecked", "lease", "fenced", leased=mistaken.unleased),
)
