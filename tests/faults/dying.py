"""Where processes die: a hook at every moment of the order path decides."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from tests.faults.crash import Crash, Moment, Point, every_point
from tests.faults.process import running
from tests.faults.wrong import ALL, TRADER, WATCHER, Death

__all__ = ["MOMENTS", "WATCHING", "Reaper"]

WATCHING = "aister.execution.watchman"
"""The module that runs in the watcher's process; the others run in the trader's."""


class Reaper:
    """`deaths` to come; `kill` is told of each. `visited` counts every moment, `died`
    holds those at which something did."""

    def __init__(self, deaths: tuple[Death, ...], now_ms: Callable[[], int], kill: Callable[[Death], None]) -> None:
        self.deaths = list(deaths)
        self.visited: dict[Moment, int] = {}
        self.died: list[Moment] = []
        self.dying = False
        self._now_ms, self._kill = now_ms, kill
        self._moments = 0

    async def awaiting(self, point: Point, work: Awaitable[Any]) -> Any:
        if self._visit(Moment(point, False)):
            if asyncio.iscoroutine(work):
                work.close()
            await asyncio.Event().wait()
        result = await work
        if self._visit(Moment(point, True)):
            await asyncio.Event().wait()
        return result

    def writing(self, point: Point, work: Callable[[], Any]) -> Any:
        if self._visit(Moment(point, False)):
            raise Crash
        result = work()
        if self._visit(Moment(point, True)):
            raise Crash
        return result

    def _visit(self, moment: Moment) -> bool:
        """Count it; whether the process that came by dies here."""
        watching = moment.point.module == WATCHING
        if not watching and (one := running()) is not None and one.watches:
            return False  # what the watcher shares with the trader is died at in the trader
        if self.dying and not watching:
            return True
        self.visited[moment] = self.visited.get(moment, 0) + 1
        if not self.deaths or not self._due(self.deaths[0], moment):
            return False
        death = self.deaths.pop(0)
        if watching and death.who != ALL:
            death = msgspec.structs.replace(death, who=WATCHER)
        if death.again:
            self.deaths.insert(0, Death(-1, visit=death.again))
        self._moments = 0
        self.died.append(moment)
        self.dying = self.dying or death.who in (TRADER, ALL)
        self._kill(death)
        return death.who in (WATCHER if watching else TRADER, ALL)

    def _due(self, death: Death, moment: Moment) -> bool:
        if self._now_ms() < death.at_ms:
            return False
        if death.moment < 0:
            if moment.point.module == WATCHING:
                return False
        elif MOMENTS[moment] != death.moment % len(MOMENTS):
            return False
        self._moments += 1
        return self._moments >= death.visit


def _moments() -> dict[Moment, int]:
    both = [Moment(point, after) for point in every_point() for after in (False, True)]
    return {moment: number for number, moment in enumerate(both)}


MOMENTS = _moments()
