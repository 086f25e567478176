"""From a frame's bytes to the signed bytes of an order, through a whole trader: prints microseconds of each as JSON.

python -m aister.bench.through COUNT REST WS SPEED DAYS        AISTER_HOME has a key named bench; DAYS to warm up on

The trader is the one of `aister run --venue aster`: stream, engine with every limit of the risk kernel, journal in its
live durability, gateway, courier, filters, signer process. Its rule enters on every other bar and leaves on the next,
and its profile has room for that. In turns with the signer process, two orders each, a signer in this process signs:
`passes` are those of the one, `inside` those of the other. Where fewer than COUNT of each come in time, `why` says so.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from aister.adapters.exchanges.aster.hosts import net
from aister.adapters.store.emergency import guarded
from aister.adapters.store.journal import open_chain
from aister.adapters.vault.file import FileVault
from aister.app.build import limits_of
from aister.app.live import beginning_path, identity_of
from aister.app.settings import RunSettings
from aister.app.simulator import event_loop
from aister.app.trader import opened
from aister.app.trader_seat import Connected, connected, seat
from aister.app.watcher import end_watcher
from aister.bench.trips import InProcess
from aister.core.money import money, rate
from aister.ports.signer import Call, Declined, Signed, Signer
from aister.risk.profile import PROFILES, Pace

__all__ = ["STAGES", "Notes"]

STAGES = ("released", "decided", "journaled", "handed_on", "signed", "sent")
"""What lies between: the stream's decoding and alignment; features, rule, risk and plan; the journal on the disk; the
gateway; the courier and the exchange's filters; the signer process."""

_RULE = {
    "version": 1,
    "name": "every_other_bar",
    "timeframe": "1m",
    "long": {"entry": {">": [{"feature": "close"}, 0]}, "stop": {"percent": 3.0}, "targets": [{"r": 5.0, "share": 1}]},
    "horizon": {"bars": 1},
}
_NEVER = 10**9
_SETTLE_S = 30.0
_LONGEST_MS = 6 * 60_000
"""An order a bar, of each kind every other two: three times what that takes."""
_ROOMY = replace(
    PROFILES["balanced"],
    daily_e8=rate("0.5"),
    weekly_e8=rate("0.6"),
    reducing_e8=rate("0.8"),
    recovered_e8=rate("0.7"),
    halted_e8=rate("0.9"),
    trades_a_day=_NEVER,
    losses_in_row=_NEVER,
    losses_pause_ms=1,
    stop_pause_ms=1,
    cost_to_risk_e8=rate("0.9"),
    max_order_notional=money("1000000"),
    max_position_notional=money("1000000"),
    entries=Pace(_NEVER, _NEVER, _NEVER, _NEVER),
    messages_an_entry=_NEVER,
    repeats=_NEVER,
)


class Notes:
    """When each stage of the pass under way was over, ns; a pass that sent an order is kept: `apart` where the signer
    process signed it, else `inside`. `done` once there are `count` of each."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.apart, self.inside = list[list[float]](), list[list[float]]()
        self.done = asyncio.Event()
        self.durability = self.why = ""
        self._at: dict[str, int] = {}

    @property
    def kept(self) -> list[list[float]]:
        """Where the next pass belongs: an entry and what leaves again are two, then it is the other's turn."""
        turn = (len(self.apart) + len(self.inside)) // 2 % 2
        return self.inside if turn else self.apart

    def begin(self) -> None:
        """A frame's bytes are here."""
        self._at = {"frame": time.perf_counter_ns()}

    def note(self, stage: str) -> None:
        """A stage is over. Until the order is handed on the last time counts, of that itself the first."""
        handed_on = "handed_on" in self._at
        if self._at and (stage == "signed" or not handed_on):
            self._at[stage] = time.perf_counter_ns()

    def end(self) -> None:
        """The request leaves."""
        at = self._at
        if "handed_on" not in at or at.get("signed", 0) < at["handed_on"]:
            return
        at["sent"] = time.perf_counter_ns()
        marks = [at["frame"], *(at[stage] for stage in STAGES)]
        self.kept.append([(after - before) / 1000 for before, after in pairwise(marks)])
        self._at = {}
        if min(len(self.apart), len(self.inside)) >= self.count:
            self.done.set()


class InTurns:
    """Port `Signer`: the signer process, or one in this process where it is its turn."""

    def __init__(self, apart: Signer, inside: Signer, notes: Notes) -> None:
        self._apart, self._inside, self._notes = apart, inside, notes
        self.address = apart.address

    def sign(self, call: Call) -> Signed | Declined:
        signer = self._apart if self._notes.kept is self._notes.apart else self._inside
        signed = signer.sign(call)
        self._notes.note("signed")
        return signed


def _before(call: Callable[..., Any], act: Callable[[], None]) -> Callable[..., Any]:
    def wrapped(*given: Any, **named: Any) -> Any:
        act()
        return call(*given, **named)

    return wrapped


def _after(call: Callable[..., Any], act: Callable[[], None]) -> Callable[..., Any]:
    def wrapped(*given: Any, **named: Any) -> Any:
        told = call(*given, **named)
        act()
        return told

    return wrapped


def _listen(there: Connected, notes: Notes) -> None:
    """Frames that close a bar begin a pass, requests that carry an order end it."""
    wire: Any = there.wire
    connect, request = wire.connect, wire.request

    async def connecting(path: str, timeout_ms: int) -> Any:
        frames = await connect(path, timeout_ms)
        receive = frames.receive

        async def receiving(wait_ms: int) -> bytes | None:
            raw: bytes | None = await receive(wait_ms)
            if raw is not None and b'"x":true' in raw.replace(b" ", b""):
                notes.begin()
            return raw

        frames.receive = receiving
        return frames

    async def requesting(method: str, path: str, *rest: Any) -> Any:
        if method == "POST" and path.endswith("/order"):
            notes.end()
        return await request(method, path, *rest)

    wire.connect, wire.request = connecting, requesting
    rest: Any = there.account.rest
    rest._signer = InTurns(rest._signer, InProcess(), notes)


async def _trade(settings: RunSettings, count: int, rest: str, stream: str, speed: float, days: float) -> Notes:
    home, where, notes = Path(os.environ["AISTER_HOME"]), net("simulator", rest, stream), Notes(count)
    with seat(home, FileVault(home), "bench", where, "bench") as held:
        identity = identity_of(settings, where, held.account)
        chain = open_chain(home, owner_id="bench", identity=identity, kind="live", fresh=True)
        notes.durability = chain.durability
        with guarded(home, chain) as journal:
            async with connected(held, settings.symbols, limits_of(settings), speed=speed) as there:
                _listen(there, notes)
                path = beginning_path(home, identity)
                trader = await opened(there, settings, journal, path, days, (), print_aside, speed=speed)
                run: Any = trader.built.run
                run.step = _before(run.step, lambda: notes.note("released"))
                run._process = _after(run._process, lambda: notes.note("decided"))
                run._journal.flush = _after(run._journal.flush, lambda: notes.note("journaled"))
                trader.courier.send = _before(trader.courier.send, lambda: notes.note("handed_on"))  # type: ignore[method-assign]
                trader.start()
                living = asyncio.ensure_future(trader.live(lambda market: None, lambda news: None))
                waiting = asyncio.ensure_future(notes.done.wait())
                longest_s = _SETTLE_S + count * _LONGEST_MS / speed / 1000
                await asyncio.wait((living, waiting), timeout=longest_s, return_when=asyncio.FIRST_COMPLETED)
                if living.done():
                    living.result()
                if not notes.done.is_set():
                    left = len(notes.apart) + len(notes.inside)
                    notes.why = f"Only {left} of {2 * count} orders left within {longest_s:.0f} s: {trader.standing()}."
                for job in (living, waiting):
                    job.cancel()
                await asyncio.gather(living, waiting, return_exceptions=True)
                await trader.stop()
    await asyncio.to_thread(end_watcher, home, "bench")
    return notes


def print_aside(sentence: str) -> None:
    """What a person would be told, beside the figures."""
    print(sentence, file=sys.stderr)


def _main() -> None:
    count, rest, stream, speed, days = int(sys.argv[1]), *sys.argv[2:4], float(sys.argv[4]), float(sys.argv[5])
    PROFILES["balanced"] = _ROOMY.check()  # of this process only
    settings = RunSettings(
        owner_id="bench",
        trader_id="bench",
        mind="none",
        symbols=("BTCUSDT",),
        strategy="every_other_bar",
        spec=json.dumps(_RULE),
    ).check()
    with asyncio.Runner(loop_factory=event_loop()) as runner:
        notes = runner.run(_trade(settings, count, rest, stream, speed, days))
    told = {"durability": notes.durability, "why": notes.why, "passes": notes.apart, "inside": notes.inside}
    print(json.dumps(told))


if __name__ == "__main__":
    _main()
