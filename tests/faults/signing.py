"""The signer process in virtual time: the desk as it is, its state as a disk keeps it, and its deaths."""

from collections.abc import Callable, Iterable
from typing import Any

from aister.adapters.exchanges.aster.encode import form
from aister.adapters.exchanges.aster.sign import FORM_TYPE, Agent, ApiKey
from aister.adapters.signer.charter import TRADE, Charter, Limits
from aister.adapters.signer.desk import Desk
from aister.adapters.signer.state import State, StateFile
from aister.core.errors import SignerUnreachable
from aister.ports.signer import Call, Declined, Signed
from tests.adapters.exchanges.aster.scripted import KEY, USER
from tests.fakes.virtual import World
from tests.faults.scenario import CAPITAL, PRICES

__all__ = ["Door", "Signing"]

_MARKS = {symbol: ticks * 10_000_000 for symbol, ticks in PRICES.items()}
_CHARTER = Charter("house", "v3", USER, "simulator", 714, limits=Limits(10 * CAPITAL, 10, 10_000, 125, _MARKS))


_SEAL = b"&signature=0x" + b"1b" * 65


class Remembered(StateFile):
    """The signer's state without a disk; `broken`: it cannot be written."""

    def __init__(self) -> None:
        self._state = State()

    def read(self) -> State:
        return self._state

    def write(self, state: State) -> None:
        self._state = state


class Named:
    """An agent whose signature is its name only: the exchange of a run believes it (`house.signed_by`), and mathematics
    would be a tenth of a run's time. Signatures are proved elsewhere."""

    def __init__(self, agent: Agent | ApiKey) -> None:
        assert isinstance(agent, Agent)
        self.address = agent.address
        self._whose = [("signer", agent.address), ("user", agent.user)]

    def sign(self, params: Iterable[tuple[str, str]], nonce_us: int) -> Signed:
        message = form([*params, ("nonce", str(nonce_us)), *self._whose])
        return Signed(message + _SEAL, (FORM_TYPE,), nonce_us)


class Unsealed(Desk):
    """The desk as it is, but for the mathematics."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._signing = Named(self._signing)  # type: ignore[assignment]


class Signing:
    """The key's signer, one at a time. A new one starts above every nonce that the last one may have used."""

    charter = _CHARTER

    def __init__(self, world: World) -> None:
        self._world = world
        self._state = Remembered()
        self._down_until = 0.0
        self.desk: Desk | None = None
        self.agent = Agent(KEY, USER, 714)
        self.last_us = 0

    def start(self, epoch: int) -> None:
        """A trader brings its own signer. Raises `CredentialError` when a newer lease was seen."""
        self.desk = self._started()
        self.desk.fence(epoch)

    def kill(self, down_ms: float) -> None:
        """SIGKILL; somebody starts another after so long."""
        self.desk = None
        self._down_until = self._world.monotonic_ms() + down_ms

    def sign(self, call: Call, ceiling: str) -> Signed | Declined:
        if self._world.monotonic_ms() < self._down_until:
            raise SignerUnreachable("The signer does not answer; restart the trader.")
        if self.desk is None:
            self.desk = self._started()
        self.desk.keep_ahead()
        signed = self.desk.sign(call, ceiling)
        if isinstance(signed, Signed):
            self.last_us = signed.nonce_us
        return signed

    def _started(self) -> Desk:
        return Unsealed(self.charter, KEY, self._state, self._now_us, lambda: self._world.monotonic_ms() / 1000.0)

    def _now_us(self) -> int:
        return self._world.now_ms() * 1000


class Door:
    """Port `Signer`: one process's line to the signer. `open`: whether what enters may be signed now (the lease)."""

    def __init__(self, signing: Signing, ceiling: str = TRADE, open_: Callable[[], bool] = lambda: True) -> None:
        self._signing, self._ceiling, self._open = signing, ceiling, open_

    @property
    def address(self) -> str:
        return self._signing.agent.address

    def sign(self, call: Call) -> Signed | Declined:
        if call.right == TRADE and not self._open():
            return Declined("epoch", "The account's lease could not be renewed; nothing is opened until it is.")
        return self._signing.sign(call, self._ceiling)
