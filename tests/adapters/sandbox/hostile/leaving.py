import os

from aister.strategy import PythonStrategy


class Leaving(PythonStrategy):
    timeframe = "1m"

    def __init__(self, how="exit"):
        self.how = how

    def on_bar(self, bar, account):
        if self.how == "exit":
            os._exit(0)
        raise SystemExit("I leave")
