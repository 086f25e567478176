"""A new run that leaves out what an earlier run's watcher looks after would leave it to nobody."""

import asyncio

import pytest

from aister.adapters.watcher.line import Door, Watching, beat_door
from aister.app.trader_checks import check_watched
from aister.core.errors import UsageError
from tests.adapters.signer.running import home


def test_a_symbol_that_is_watched_is_not_left_out() -> None:
    async def story() -> None:
        with home() as folder:
            await asyncio.to_thread(check_watched, folder, "main", ("BTCUSDT",))  # nobody watches
            (folder / "run").mkdir(mode=0o700)
            door = Door(beat_door(folder, "main"), lambda said: None)
            await door.open()

            async def tell() -> None:
                while True:
                    door.tell(Watching(1, "", ("BTCUSDT", "ETHUSDT"), (), (), 0, ""))
                    await asyncio.sleep(0.05)

            telling = asyncio.ensure_future(tell())
            try:
                await asyncio.to_thread(check_watched, folder, "main", ("ETHUSDT", "BTCUSDT"))
                with pytest.raises(UsageError, match=r"looks after ETHUSDT, .*unwatched; go on with the run"):
                    await asyncio.to_thread(check_watched, folder, "main", ("BTCUSDT",))
            finally:
                telling.cancel()
                await door.close()

    asyncio.run(story())
