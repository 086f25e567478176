"""Prints without end, then fills the pipe with one enormous message."""

import os

from aister.strategy import PythonStrategy


class Flood(PythonStrategy):
    timeframe = "1m"

    def on_bar(self, bar, account):
        for _ in range(200):
            print("\x1b[2J" + "flood " * 10_000)
        block = b"\xff" * 65_536
        while True:
            for number in range(3, 64):
                try:
                    os.write(number, block)
                except OSError:
                    continue
