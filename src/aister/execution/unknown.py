"""What to do about a request whose outcome nobody told (C1): a pure function from the evidence to the next question.

"It is there" is believed at once, from whoever says so. "It is not there" needs proof, because look-ups lag and the
request itself may still be under way:

* its nonce is used up without it: a noop with the same nonce was taken, and a second one refused as already seen (one
  answer alone is not proof, the venue calls noops best effort); then absence in all four reads, each begun later than
  look-ups can lag behind; or
* its nonce is too old to act: absence in all four reads, each begun at least the nonce window and 5 s after the nonce.

Until one of both holds the order counts with its full size, and nothing more is sent for its intent.
"""

from enum import StrEnum

import msgspec

__all__ = ["Absent", "Ask", "Evidence", "Question", "Step", "UnknownRules", "Wait", "next_step"]


class Question(StrEnum):
    """What can be asked. The last four are the reads of which all must say no."""

    VOID = "noop with its nonce"
    ORDER = "the order by its client id"
    OPEN = "the open orders"
    EXECUTIONS = "the account's trades"
    POSITION = "the position"


_MOST_VOIDS = 4
READS = (Question.ORDER, Question.OPEN, Question.EXECUTIONS, Question.POSITION)


class UnknownRules(msgspec.Struct, frozen=True):
    """`window_ms`: how long a nonce can act (60 s today). `margin_ms` on top of it. `lag_ms`: how far look-ups may lag
    behind. `soon_ms`, `late_ms`: between two rounds of questions in the first `eager_ms`, and after."""

    window_ms: int = 60_000
    margin_ms: int = 5_000
    lag_ms: int = 30_000
    soon_ms: int = 500
    late_ms: int = 3_000
    eager_ms: int = 5_000


class Evidence(msgspec.Struct):
    """What is known of one ambiguous request. `sent_ms`: when it left, venue time; `nonce_us` 0 = not known, so that it
    cannot be voided. `voids`: answers of its noops, True = taken, False = refused as seen. `absent`: when the newest
    read of each kind that did not show it was begun."""

    sent_ms: int
    nonce_us: int = 0
    voids: list[bool] = []
    voided_ms: int = 0
    absent: dict[Question, int] = {}
    asked_ms: dict[Question, int] = {}

    def no(self, question: Question, begun_ms: int) -> None:
        """This read, begun then, did not show it."""
        self.absent[question] = max(begun_ms, self.absent.get(question, 0))

    def void(self, taken: bool, time_ms: int) -> None:
        """A noop with its nonce was answered. The first that is refused as seen settles that the nonce is used up."""
        self.voids.append(taken)
        if not taken and not self.voided_ms:
            self.voided_ms = time_ms

    @property
    def used_up(self) -> bool:
        """Whether the nonce can no longer act: refused as seen."""
        return bool(self.voided_ms)


class Ask(msgspec.Struct, frozen=True):
    question: Question


class Wait(msgspec.Struct, frozen=True):
    until_ms: int


class Absent(msgspec.Struct, frozen=True):
    """It is not there and never will be."""

    reason: str


Step = Ask | Wait | Absent


def next_step(evidence: Evidence, now_ms: int, rules: UnknownRules) -> Step:
    """The next question, how long to wait before it, or the conclusion that the request never acts. Times are venue
    time (the client's estimate of it)."""
    proof_ms = _proof_ms(evidence, rules)
    if all(evidence.absent.get(read, -1) >= proof_ms for read in READS):
        how = "its nonce is used up" if evidence.used_up else "its nonce is too old to act"
        return Absent(f"it never acted: {how} and no read shows it")
    voidable = evidence.nonce_us and not evidence.used_up and len(evidence.voids) < _MOST_VOIDS
    if voidable and _due(evidence, Question.VOID, now_ms, rules):
        return Ask(Question.VOID)
    wanted = [read for read in READS if evidence.absent.get(read, -1) < proof_ms]
    due = [read for read in wanted if _due(evidence, read, now_ms, rules)]
    if due:
        return Ask(min(due, key=lambda read: evidence.asked_ms.get(read, -1)))
    times = [_again_ms(evidence, read, rules) for read in wanted]
    if voidable:
        times.append(_again_ms(evidence, Question.VOID, rules))
    return Wait(max(now_ms + 1, min(times)))


def _proof_ms(evidence: Evidence, rules: UnknownRules) -> int:
    """From when on a read that does not show it proves that it is absent."""
    aged = evidence.sent_ms + rules.window_ms + rules.margin_ms
    return min(aged, evidence.voided_ms + rules.lag_ms + rules.margin_ms) if evidence.used_up else aged


def _due(evidence: Evidence, question: Question, now_ms: int, rules: UnknownRules) -> bool:
    return now_ms >= _again_ms(evidence, question, rules)


def _again_ms(evidence: Evidence, question: Question, rules: UnknownRules) -> int:
    asked = evidence.asked_ms.get(question)
    if asked is None:
        return 0
    eager = asked - evidence.sent_ms < rules.eager_ms
    return asked + (rules.soon_ms if eager else rules.late_ms)
