"""What the person who starts a trader has said, and the commands that it becomes."""

from collections.abc import Callable, Collection, Mapping

from msgspec import Struct

from aister.app.trader_checks import Found, transfer_of
from aister.core.audit import Breaker
from aister.core.commands import ABSENCE, AcceptAbsence, Command, ResumeTrading
from aister.core.events import CommandGiven
from aister.engine.runner import Run

__all__ = ["Ways", "give"]


class Ways(Struct, frozen=True):
    """What the person who starts a trader has decided: what becomes of a position that is in no book of its run, and
    why entries may go on after a long absence or trading after a halt (by whom; empty: nobody says so); what money was
    moved meanwhile (money units, 0: none). Where nobody says what becomes of a position, a run that goes on keeps it,
    and a new one does not begin."""

    found: Found = ""
    absence_by: str = ""
    absence_reason: str = ""
    resume_reason: str = ""
    transfer: int = 0


def give(
    ways: Ways,
    run: Run,
    frozen: Mapping[str, str],
    wallet: int,
    stamp: Callable[[], int],
    say: Callable[[str], object],
    before: Collection[Command] = (),
) -> None:
    """The commands, once the account's books were read: `frozen` are the causes of a freeze then, `wallet` is the
    venue's. What was reported until then comes first, also what the venue's income explains by itself. A reason speaks
    once: of those among the journal's commands (`before`) none is taken again, since a command that is started over
    and over is no person who has looked (C11, C21)."""
    run.hear()

    def speak(command: AcceptAbsence | ResumeTrading, flag: str, wanted: bool) -> None:
        if command not in before:
            run.hear(CommandGiven(stamp(), command))
        elif wanted:
            say(f"{flag} {command.reason!r} was said before and speaks for that time only; look, and say why anew.")

    if ways.absence_reason and ABSENCE in frozen:
        speak(AcceptAbsence(ways.absence_by, ways.absence_reason), "--accept-absence", True)
    if ways.transfer:
        told = transfer_of(ways.absence_by, ways.transfer, run.engine.portfolio.wallet, wallet)
        if isinstance(told, str):
            say(told)
        else:
            run.hear(CommandGiven(stamp(), told))
    if ways.resume_reason:
        halted = run.engine.risk.breaker is Breaker.HALTED
        speak(ResumeTrading(ways.absence_by, ways.resume_reason), "--resume", halted)
