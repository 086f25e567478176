"""What the server of forks has imported and compiled before the first fork."""

import aister.adapters.exchanges.aster.sockets
import aister.app.trader
import aister.app.watching
import aister.cli
import aister.cli.run
import aister.cli.watch.trade
from aister.features.market import Features
from tests.faults.house import House
from tests.faults.scenario import scenario
from tests.faults.wrong import SYMBOLS
from tests.sim.market import MINUTE_MS

__all__ = ["aister"]

House(scenario(1)).play()
Features(MINUTE_MS, SYMBOLS, indicators=(("1m", "ema_3"),))  # what the strategy of the arena asks for
