from aister.strategy import PythonStrategy


class Endless(PythonStrategy):
    timeframe = "1m"

    def on_bar(self, bar, account):
        while True:
            pass
