"""What a trader of the campaign is made of, and what outlives its processes: the journal and the lease."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from aister.adapters.exchanges.aster.account import AsterAccount
from aister.adapters.exchanges.aster.userstream import UserStream
from aister.adapters.signer.leased import LeasedSigner
from aister.app.trader_terms import Terms
from aister.core.audit import Audit
from aister.core.council import Setup
from aister.core.errors import StorageError
from aister.core.events import FundingSettled, VenueReport
from aister.core.instrument import Instrument
from aister.engine import runner as the_runner
from aister.engine.engine import Engine
from aister.execution import courier as the_courier
from aister.execution import recovery as the_recovery
from aister.features.featureset import FeatureSet
from aister.features.timeframes import bit
from aister.ports.feed import MarketSlice
from tests.faults.leasing import Lease
from tests.faults.signing import Signing

__all__ = ["Emergency", "Home", "Paper", "Parts", "Pen", "Queue", "Standing", "Told"]


TICK_E8 = 10_000_000
"""What setups are told in."""


class Parts(msgspec.Struct):
    """What a trader is made of; a defect is seeded by exchanging one part."""

    courier: Callable[..., Any] = the_courier.Courier
    run: Callable[..., Any] = the_runner.Run
    account: Callable[..., Any] = AsterAccount
    signing: Callable[..., Any] = Signing
    engine: Callable[..., Any] = Engine
    recovery: Callable[..., Any] = the_recovery.Recovery
    stream: Callable[..., Any] = UserStream
    leased: Callable[..., Any] = LeasedSigner
    terms: Callable[..., Any] = Terms


class Told:
    """A strategy that fires what it was told to: in ticks of the first grid, whatever the contract counts in now."""

    name = "told"
    mask = bit("1m")

    def __init__(self, setups: tuple[Setup, ...]) -> None:
        self._at = {(one.symbol, one.time_ms): one for one in setups}

    def setups(self, features: FeatureSet, instrument: Instrument, cost_e8: int) -> tuple[Setup, ...]:
        found = self._at.get((instrument.symbol, features.time_ms))
        return () if found is None else (_regridded(found, instrument),)


def _regridded(setup: Setup, instrument: Instrument) -> Setup:
    def ticks(told: int) -> int:
        return round(told * TICK_E8 / instrument.tick_e8)

    targets = tuple(msgspec.structs.replace(one, ticks=ticks(one.ticks)) for one in setup.targets)
    entry, stop = ticks(setup.entry_ticks), ticks(setup.stop_ticks)
    return msgspec.structs.replace(setup, entry_ticks=entry, stop_ticks=stop, targets=targets)


class Paper:
    """The journal on disk: what was flushed survives. `told` hears each record when it is durable. `broken` is why it
    cannot be written now, "" when it can."""

    def __init__(self, told: Callable[[Audit], None]) -> None:
        self.durable: list[Audit] = []
        self.broken = ""
        self._told = told

    @property
    def sequence(self) -> int:
        return len(self.durable)

    def records(self) -> Iterator[Audit]:
        return iter(self.durable)

    def add(self, audits: list[Audit]) -> None:
        for audit in audits:
            assert audit.sequence == len(self.durable), "the chain has a hole"
            self.durable.append(audit)
            self._told(audit)

    def restore(self, before_ms: int) -> None:
        """A backup of that moment is put in its place."""
        self.durable = [audit for audit in self.durable if audit.event.time_ms <= before_ms]


class Pen:
    """One process's hold on the journal: `ports.Journal` from where the durable records end. `lost`: somebody else
    writes it now."""

    head = ""
    chain: Any = None

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._waiting: list[Audit] = []
        self.dead = False
        self.lost = False

    @property
    def sequence(self) -> int:
        return self._paper.sequence

    def append(self, audit: Audit) -> None:
        self._waiting.append(audit)

    def flush(self) -> None:
        if self.dead or not self._waiting:
            return
        if self._paper.broken or self.lost:
            raise StorageError(f"The journal cannot be written: {self._paper.broken or 'another process writes it'}.")
        waiting, self._waiting = self._waiting, []
        self._paper.add(waiting)

    def close(self) -> None:
        self.flush()

    def records(self) -> Iterator[Audit]:
        return self._paper.records()


class Emergency:
    """The emergency log's file: what it took is on the disk, and `told` hears of it. `shut`: another process has it."""

    def __init__(self, told: Callable[[Audit], None], kept: Sequence[Audit] = ()) -> None:
        self._told, self._kept, self.shut = told, list(kept), False

    def __len__(self) -> int:
        return len(self._kept)

    def records(self) -> list[Audit]:
        return list(self._kept)

    def keep(self, audits: Sequence[Audit]) -> None:
        if self.shut:
            raise StorageError("The emergency log is another process's.")
        self._kept += audits
        for audit in audits:
            self._told(audit)

    def handed_over(self) -> "Emergency":
        """The same file, for the next process."""
        self.shut = True
        return Emergency(self._told, self._kept)

    def clear(self) -> None:
        self._kept = []

    def close(self) -> None: ...


class Home(msgspec.Struct):
    """One installation: what its processes leave behind. `fed` counts the slices of market its traders were given;
    `forgotten` the records of a journal that was put back, until somebody has answered for that."""

    instance: str
    paper: Paper
    signing: Signing
    emergency: Emergency
    lease: Lease | None = None
    fed: int = 0
    forgotten: int = 0


class Standing:
    """The venue's face towards the runner: it has a market of its own, so there is nothing to move."""

    def __init__(self, courier: Any) -> None:
        self.take_reports: Callable[[], list[VenueReport]] = courier.take_reports

    def list_instrument(self, instrument: Instrument) -> None: ...
    def deposit(self, amount: int) -> None: ...
    def settle(self, event: FundingSettled, price: float) -> None: ...
    def open(self, bars: Any) -> None: ...
    def rest(self, bars: Any, *, again: bool = False) -> None: ...
    def assumptions(self) -> dict[str, str]:
        return {}


class Queue(Iterator[MarketSlice]):
    def __init__(self) -> None:
        self.waiting: deque[MarketSlice] = deque()

    def __next__(self) -> MarketSlice:
        if not self.waiting:
            raise StopIteration
        return self.waiting.popleft()
