"""What befalls a run: each blow at its moment, or as soon as an order of ours is in the state it is aimed at."""

import asyncio
from typing import TYPE_CHECKING

import msgspec

from aister.core.commands import EngageKill, ReleaseKill
from aister.core.events import CommandGiven
from aister.exchange_sim import Fault, Happening
from tests.faults.scenario import out_of_reach
from tests.faults.wrong import FILL, FLAT, PATIENCE_MS, Blow, Death

if TYPE_CHECKING:
    from tests.faults.house import House
    from tests.faults.life import Life

__all__ = ["Blows"]

_OVERTAKEN_S = 11.0
_AGAIN_S = 5.0


class Blows:
    """Those of one run."""

    def __init__(self, house: "House") -> None:
        self._house = house
        self._waiting: list[Blow] = []

    # ---- when

    def strike(self, blow: Blow) -> None:
        """Its moment has come: at once, or when what it is aimed at is there."""
        if blow.aim:
            self._waiting.append(blow)
            self._look_for_flat()
            if blow.aim != FLAT:
                asyncio.get_running_loop().call_later(PATIENCE_MS / 1000.0, self._give_up, blow)
        else:
            self._do(blow)

    def happened(self, happening: Happening) -> None:
        """Something changed in the books: an entry may have filled, a symbol may be flat."""
        house, trade = self._house, happening.trade
        if not self._waiting or happening.account != house.books.number:
            return
        order = house.oracle.orders.get(trade.client_id) if trade is not None else None
        if order is not None and not (order.reduce_only or order.close_position):
            self._release(FILL)
        self._look_for_flat()

    def noticed(self) -> None:
        """An order may be in another state than before."""
        life = self._house.life
        if self._waiting and life is not None and life.courier is not None:
            for state in {course.state for course in self._house.coverage.standing()}:
                self._release(state)

    def _look_for_flat(self) -> None:
        books = self._house.books
        for blow in [one for one in self._waiting if one.aim == FLAT]:
            symbol = blow.fault.symbol if blow.fault is not None else ""
            if not books.holding(symbol, 0).steps and not books.open_orders(symbol):
                self._waiting.remove(blow)
                self._do(blow)

    def _release(self, aim: str) -> None:
        for blow in [one for one in self._waiting if one.aim == aim]:
            self._waiting.remove(blow)
            self._do(blow)

    def _give_up(self, blow: Blow) -> None:
        if blow in self._waiting:
            self._waiting.remove(blow)
            self._do(blow)

    # ---- what

    def _do(self, blow: Blow) -> None:
        house = self._house
        if blow.what not in ("venue", "death", "wall"):
            house.coverage.bit("stop takeover" if blow.what == "stop" and blow.text else blow.what)
        house.struck.append((house.now_ms, blow.ms))
        loop, later = asyncio.get_running_loop(), blow.ms / 1000.0
        if blow.what == "disk":
            house.paper.broken = blow.text
            loop.call_later(later, self._mend)
        elif blow.what == "restored":
            house.restored_ms = blow.ms
            house.ended.set()
        elif blow.what == "partition" and house.home.lease is not None:
            house.home.lease.cut = True
            loop.call_later(later, self._join)
        elif blow.what == "stop" and house.life is not None:
            house.life.process.halt()
            house.darken(house.exchange.now_ms, house.exchange.now_ms + blow.ms)
            loop.call_later(later, house.life.process.go_on)
            if blow.text:
                loop.call_later(_OVERTAKEN_S, house.overtake, house.life)
        elif blow.what == "twin":
            house.aside(house.twin())
        elif blow.what == "death" and house.life is not None and not house.life.process.dead:
            house.reap(Death(0, who=blow.text, down_ms=blow.ms))
        elif blow.what == "wall":
            house.step_wall(int(blow.text))
        elif blow.what == "kill" and house.life is not None:
            self._kill(house.life, blow.ms)
        elif blow.what == "venue" and blow.fault is not None:
            until_ms = max(0, blow.fault.until_ms - blow.at_ms)
            true_ms = house.world.now_ms() - house.world.wall_ahead_ms  # the books may not have been played up to it
            self.add(msgspec.structs.replace(blow.fault, at_ms=0, until_ms=until_ms), true_ms)
            loop.call_soon(house.world.wake)

    def add(self, fault: Fault, from_ms: int) -> None:
        """To the exchange's plan, its times counted from then."""
        until_ms = fault.until_ms and fault.until_ms + from_ms
        fault = msgspec.structs.replace(fault, at_ms=fault.at_ms + from_ms, until_ms=until_ms)
        self._house.exchange.faults.add(fault)
        span = out_of_reach(fault)
        if span is not None:
            self._house.darken(*span, venue=True)

    def _mend(self) -> None:
        self._house.paper.broken = ""

    def _join(self) -> None:
        lease = self._house.home.lease
        assert lease is not None
        lease.cut = False

    def _kill(self, life: "Life", ms: int) -> None:
        """An operator's kill switch, released after a while."""
        life.ask(EngageKill("owner", "a drill"))
        asyncio.get_running_loop().call_later(ms / 1000.0, self._release_kill)

    def _release_kill(self) -> None:
        """Until the journal holds it: who was asked may stand still, or have died."""
        given = (one.event for one in reversed(self._house.paper.durable) if isinstance(one.event, CommandGiven))
        last = next((one.command for one in given if isinstance(one.command, EngageKill | ReleaseKill)), None)
        life = self._house.life
        if isinstance(last, EngageKill) and life is not None:
            life.ask(ReleaseKill("owner", "the drill is over"))
        asyncio.get_running_loop().call_later(_AGAIN_S, self._release_kill)
