"""At most one trader opens at every instant: two of them in virtual time, stopped anywhere, cut off from the lease for
up to twice its TTL, with and without a signer they share."""

import random
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from aister.adapters.signer.desk import Desk
from aister.adapters.signer.leased import LeasedSigner
from aister.adapters.signer.state import State, StateFile
from aister.adapters.store.lease import TTL_S, LeaseKeeper, SqliteLease
from aister.core.errors import CredentialError, StorageError
from aister.ports.lease import Held
from aister.ports.signer import Call, Declined, Signed
from tests.adapters.signer.given import KEY, Clocks, place
from tests.adapters.signer.running import FAST

SEEDS = 20
Opened = list[tuple[float, int]]


class Cut:
    """The lease file, unreachable until a moment."""

    def __init__(self, lease: SqliteLease, now: Callable[[], float]) -> None:
        self._lease, self._now = lease, now
        self.until = 0.0

    def _reached(self) -> SqliteLease:
        if self._now() < self.until:
            raise StorageError("The lease file cannot be used; wait.")
        return self._lease

    def take(self, account: str, holder: str) -> Held | str:
        return self._reached().take(account, holder)

    def renew(self, held: Held) -> Held | None:
        return self._reached().renew(held)

    def release(self, held: Held) -> None:
        self._reached().release(held)

    def epoch(self, account: str) -> int:
        return self._reached().epoch(account)


class Remembered(StateFile):
    """The signer's state without a disk."""

    def __init__(self) -> None:
        self._state = State()

    def read(self) -> State:
        return self._state

    def write(self, state: State) -> None:
        self._state = state


class House:
    """What the traders share: time, the lease file, the key's signer, and the record of what was opened."""

    def __init__(self, folder: Path, chance: random.Random, fenced: bool) -> None:
        self.clocks, self.chance, self.fenced = Clocks(), chance, fenced
        self.lease = SqliteLease(folder, monotonic=lambda: self.clocks.mono_s)
        self._state = Remembered()
        self.desk = self._desk()
        self.opened: Opened = []

    def _desk(self) -> Desk:
        return Desk(FAST, KEY, self._state, lambda: self.clocks.wall_us, lambda: self.clocks.mono_s)

    def take_over(self, epoch: int) -> None:
        """A new holder brings its own signer."""
        if self.fenced:
            self.desk = self._desk()
            self.desk.fence(epoch)


class Trader:
    """Port `Signer` too: the way to the signer, on which it may be stopped. What it signs without a fence it records
    itself."""

    address = ""

    def __init__(self, house: House, name: str) -> None:
        self.house, self.name = house, name
        self.lease = Cut(house.lease, lambda: house.clocks.mono_s)
        self.keeper: LeaseKeeper | None = None
        self.stopped_until = 0.0
        self.others: list[Trader] = []

    def turn(self) -> None:
        house = self.house
        if house.clocks.mono_s < self.stopped_until:
            return
        chance = house.chance.random()
        if chance < 0.01:
            self.stopped_until = house.clocks.mono_s + house.chance.uniform(0, 3 * TTL_S)
        elif chance < 0.02:
            self.lease.until = house.clocks.mono_s + house.chance.uniform(0, 2 * TTL_S)
        if self.keeper is None or self.keeper.held is None:
            self._take()
            return
        self.keeper.attend()
        if self.keeper.held is not None:
            LeasedSigner(self, self._until, monotonic=lambda: house.clocks.mono_s).sign(
                place(epoch=self.keeper.held.epoch)
            )

    def sign(self, call: Call) -> Signed | Declined:
        house = self.house
        if house.fenced and house.chance.random() < 0.02:  # stopped between the check and the signature
            self.stopped_until = house.clocks.mono_s + house.chance.uniform(0, 3 * TTL_S)
            while house.clocks.mono_s < self.stopped_until:
                house.clocks.pass_s(0.25)
                for other in self.others:
                    other.turn()
        if house.fenced:
            told = house.desk.sign(call)
            if isinstance(told, Declined):
                return told
        house.opened.append((house.clocks.mono_s, call.epoch))
        return Signed(b"", (), 1)

    def _until(self) -> float:
        return self.keeper.entries_until_s if self.keeper is not None else 0.0

    def _take(self) -> None:
        try:
            held = self.lease.take("account", self.name)
        except StorageError:
            return
        if isinstance(held, Held):
            self.house.take_over(held.epoch)
            self.keeper = LeaseKeeper(self.lease, held, monotonic=lambda: self.house.clocks.mono_s)


@pytest.mark.parametrize("fenced", [False, True])
def test_what_is_opened_never_goes_back_to_an_older_holder(fenced: bool) -> None:
    holders = 0
    for seed in range(SEEDS):
        with tempfile.TemporaryDirectory(prefix="aister-") as folder:
            house = House(Path(folder), random.Random(seed), fenced)
            one, two = Trader(house, "one"), Trader(house, "two")
            one.others, two.others = [two], []
            for _ in range(300):
                house.clocks.pass_s(0.5)
                for trader in (one, two):
                    trader.turn()
            epochs = [epoch for _, epoch in house.opened]
            assert epochs == sorted(epochs), f"seed {seed}"
            holders += len(set(epochs))
            house.lease.close()
    assert holders > 2 * SEEDS


def test_the_check_would_see_two_senders(tmp_path: Path) -> None:
    """Without the rule of two thirds, and without the fence, an old holder does open after a newer one."""
    house = House(tmp_path, random.Random(0), False)
    one, two = Trader(house, "one"), Trader(house, "two")
    one.turn()
    assert one.keeper is not None and one.keeper.held is not None
    house.clocks.pass_s(TTL_S)
    two.turn()
    two.turn()
    one.sign(place(epoch=one.keeper.held.epoch))
    assert [epoch for _, epoch in house.opened] == [2, 1]
    house.fenced = True
    house.take_over(2)
    assert isinstance(one.sign(place(epoch=1)), Declined)
    with pytest.raises(CredentialError):
        house.take_over(1)
    house.lease.close()
