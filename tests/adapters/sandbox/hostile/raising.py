from aister.strategy import PythonStrategy


class Raising(PythonStrategy):
    timeframe = "1m"

    def on_bar(self, bar, account):
        secret = "\x1b[31mCANARY\n"
        raise ValueError(f"{secret} {bar.before('close', -1)}")
