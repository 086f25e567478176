"""Writes what is no message into every descriptor it finds."""

import os

from aister.strategy import PythonStrategy


class Garbage(PythonStrategy):
    timeframe = "1m"

    def on_bar(self, bar, account):
        for number in range(3, 64):
            try:
                os.write(number, b"\x08\x00\x00\x00" + b"\xc1" * 8)
            except OSError:
                continue
