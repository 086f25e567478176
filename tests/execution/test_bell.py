"""Rest, and what ends it."""

import asyncio

from aister.execution.bell import Bell


class Sleeper:
    """Sleeps until woken, and notes for how long it was asked to."""

    def __init__(self) -> None:
        self.asked: list[float] = []
        self.over = asyncio.Event()

    async def __call__(self, wait_ms: float) -> None:
        self.asked.append(wait_ms)
        if len(self.asked) == 1:
            await self.over.wait()


def test_it_rests_as_long_as_it_may() -> None:
    async def undisturbed() -> list[float]:
        sleeper = Sleeper()
        resting = asyncio.ensure_future(Bell(sleeper).rest(1_000, 50))
        await asyncio.sleep(0.01)
        assert not resting.done()
        sleeper.over.set()
        await resting
        return sleeper.asked

    assert asyncio.run(undisturbed()) == [1_000]


def test_a_ring_ends_it_after_a_moment() -> None:
    async def rung() -> list[float]:
        sleeper = Sleeper()
        bell = Bell(sleeper)
        resting = asyncio.ensure_future(bell.rest(1_000, 50))
        await asyncio.sleep(0.01)
        bell.ring()
        await resting
        return sleeper.asked

    assert asyncio.run(rung()) == [1_000, 50]


def test_a_ring_before_the_rest_does_not_end_it() -> None:
    async def early() -> bool:
        bell = Bell(Sleeper())
        bell.ring()
        resting = asyncio.ensure_future(bell.rest(1_000, 50))
        await asyncio.sleep(0.01)
        resting.cancel()
        return resting.cancelled() or not resting.done()

    assert asyncio.run(early())
