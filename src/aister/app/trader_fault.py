"""The end of a trader by a fault. The engine may have stopped in the middle of an event: nothing more is decided or
journaled, and a restart repeats what the journal holds. The watcher withdraws the entries and looks after the rest."""

import asyncio
import traceback
from contextlib import suppress

from aister.app.trader import Trader
from aister.core.errors import AisterError, ProgramFault

__all__ = ["abandon", "fault_of"]

_LEAVING_S = 3.0


async def abandon(trader: Trader) -> str:
    """Leave, and say in one line how things stood. What is under way gets a few seconds for its answer: with it the
    watcher takes over at once, without it as soon as it misses the trader, so that a late order finds it there."""
    answered = False
    with suppress(TimeoutError):
        async with asyncio.timeout(_LEAVING_S):
            await trader.courier.idle()
            answered = True
    await trader.courier.stop()
    watched = trader.watcher.alive
    if answered:
        await asyncio.to_thread(trader.watcher.leave)
    who = "the watcher withdraws entries, stops stay" if watched else "NO WATCHER withdraws entries, stops stay"
    return f"{trader.said()}; {who}"


def fault_of(error: Exception) -> AisterError:
    """The same in one sentence with the remedy; where it is one already, itself."""
    if isinstance(error, AisterError):
        return error
    frames = traceback.extract_tb(error.__traceback__)
    where = f" in {frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno}" if frames else ""
    return ProgramFault(
        f"The trader ended by a fault of the program ({type(error).__name__}: {error}{where}); start the same command "
        "again so that what is held is looked after, and report this line."
    )
