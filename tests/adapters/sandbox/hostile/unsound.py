"""Answers prices that make no sense: through the front door, or (`forced`) past the child's own check."""

from aister.strategy import LONG, Enter, PythonStrategy


class Unsound(PythonStrategy):
    timeframe = "1m"

    def __init__(self, what="nan", forced=False):
        self.what = what
        if forced:
            from aister.lab.python import drive

            drive.setup_row = lambda answer, time_ms, close, instrument: (
                (time_ms, 1, 0, 100, 200, 1, 300, 0, 0, 10_000, 0, 0, 60_000, 60_000)
            )

    def on_bar(self, bar, account):
        close = bar.close
        answers = {
            "nan": lambda: Enter(LONG, stop=float("nan"), targets=close * 1.01),
            "wrong side": lambda: Enter(LONG, stop=close * 1.01, targets=close * 1.02),
            "word": lambda: "buy",
        }
        return answers[self.what]()
