"""Answers for a close of the block before: it knows by now how that went."""

from aister.strategy import LONG, Enter, PythonStrategy


class Backdated(PythonStrategy):
    timeframe = "1m"

    def __init__(self):
        from aister.lab.python import drive

        honest = drive.setup_row

        def earlier(answer, time_ms, close, instrument):
            row = honest(answer, time_ms, close, instrument)
            return (row[0] - 3_600_000, *row[1:])

        drive.setup_row = earlier

    def on_bar(self, bar, account):
        if account.free and bar.before("close", 120) > 0:
            return Enter(LONG, stop=bar.close * 0.99, targets=bar.close * 1.01)
