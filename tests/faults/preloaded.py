"""What the server of forks has imported and compiled before the first fork."""

import aister.adapters.exchanges.aster.sockets
import aister.app.trader
import aister.app.watching
import aister.cli
import aister.cli.run
import aister.cli.watch.trade
from tests.faults.house import House
from tests.faults.scenario import scenario

__all__ = ["aister"]

House(scenario(1)).play()
