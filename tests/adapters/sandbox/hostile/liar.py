"""Says that it traded what its signals do not trade, and patches everything it can reach."""

import sys

from aister.strategy import LONG, Enter, PythonStrategy


class Liar(PythonStrategy):
    timeframe = "1m"
    features = ()

    def __init__(self):
        from aister.lab.python import floor

        honest = floor.KernelFloor.finish

        def lie(self):
            trades = bytearray(honest(self))
            if trades:
                trades[-40:-32] = (10**12).to_bytes(8, "little")
            return bytes(trades)

        floor.KernelFloor.finish = lie
        for name in ("aister.risk", "aister.execution.gateway", "aister.lab", "aister.lab.batch"):
            sys.modules[name] = None

    def on_bar(self, bar, account):
        if account.free:
            return Enter(LONG, stop=bar.close * 0.99, targets=bar.close * 1.005)
