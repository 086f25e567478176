"""From evidence to the next question: found is believed at once, absent needs proof."""

from hypothesis import given, settings
from hypothesis import strategies as st

from aister.execution.unknown import Absent, Ask, Evidence, Question, UnknownRules, Wait, next_step

RULES = UnknownRules()
READS = [Question.ORDER, Question.OPEN, Question.EXECUTIONS, Question.POSITION]


def test_a_noop_comes_first_and_is_not_proof_by_itself() -> None:
    evidence = Evidence(sent_ms=1_000, nonce_us=5)
    assert next_step(evidence, 1_000, RULES) == Ask(Question.VOID)
    evidence.asked_ms[Question.VOID] = 1_000
    evidence.void(True, 1_010)
    for read in READS:
        evidence.no(read, 40_000)
    assert not evidence.used_up and not isinstance(next_step(evidence, 40_000, RULES), Absent)


def test_a_used_up_nonce_and_late_enough_reads_are() -> None:
    evidence = Evidence(sent_ms=1_000, nonce_us=5)
    evidence.void(True, 1_010)
    evidence.void(False, 1_600)
    for read in READS:
        evidence.no(read, 36_599)
    assert not isinstance(next_step(evidence, 36_599, RULES), Absent)
    for read in READS:
        evidence.no(read, 36_600)
    assert isinstance(next_step(evidence, 36_600, RULES), Absent)


def test_without_a_nonce_only_age_is_proof_and_every_read_counts() -> None:
    evidence = Evidence(sent_ms=1_000)
    for read in READS[:3]:
        evidence.no(read, 66_000)
    assert next_step(evidence, 66_000, RULES) == Ask(Question.POSITION)
    evidence.no(Question.POSITION, 66_000)
    assert isinstance(next_step(evidence, 66_000, RULES), Absent)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 100_000), st.booleans(), st.booleans())
def test_asking_goes_on_at_a_bearable_pace_until_it_is_proven(sent: int, nonce: bool, taken: bool) -> None:
    evidence, now, asked = Evidence(sent, 7 if nonce else 0), sent, 0
    while not isinstance(step := next_step(evidence, now, RULES), Absent):
        if isinstance(step, Wait):
            assert step.until_ms > now
            now = step.until_ms
            continue
        asked += 1
        evidence.asked_ms[step.question] = now
        if step.question is Question.VOID:
            evidence.void(taken and not evidence.voids, now)
        else:
            evidence.no(step.question, now)
        now += 20
    assert now <= sent + RULES.window_ms + 2 * RULES.margin_ms
    assert now >= sent + RULES.lag_ms
    assert asked <= 160
