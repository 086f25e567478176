"""The council's thinking, whatever it is made of: rules, language models, recorded replies."""

from typing import Protocol

from aister.core.council import Decision, Question

__all__ = ["Minds"]


class Minds(Protocol):
    """Answers one question with a whole decision. `name` is the deciding configuration (Q6). `latency_ms` is the
    modelled time between question and answer: deterministic in the question, so that replay repeats it (Q26)."""

    @property
    def name(self) -> str: ...
    def deliberate(self, question: Question) -> Decision: ...
    def latency_ms(self, question: Question) -> int: ...
