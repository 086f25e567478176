"""A throwaway key, its charter, and requests to sign. The key is 0x11..11, published with the API's vectors."""

from pathlib import Path

from aister.adapters.signer.charter import Charter, Limits
from aister.adapters.signer.desk import Desk
from aister.adapters.signer.state import StateFile
from aister.core.money import UNIT
from aister.ports.signer import Call

KEY = b"\x11" * 32
AGENT = "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"
USER = "0x63DD5aCC6b1aa0f563956C0e534DD30B6dcF7C4e"
NOW_US = 1_790_000_000_000_000
LIMITS = Limits(10_000 * UNIT, 5, 100, 10, {"BTCUSDT": 60_000 * UNIT, "ETHUSDT": 0})
CHARTER = Charter("test", "v3", USER, "simulator", 714, limits=LIMITS)

Params = tuple[tuple[str, str], ...]


def order(**changes: str | None) -> Params:
    """A limit order's parameters, some of them changed, those of None left out; _ of a name is dropped."""
    params: dict[str, str | None] = {
        "newClientOrderId": "a-1-1",
        "price": "60000",
        "quantity": "0.1",
        "side": "BUY",
        "symbol": "BTCUSDT",
        "timeInForce": "GTC",
        "type": "LIMIT",
    }
    params |= changes
    return tuple((name, value) for name, value in params.items() if value is not None)


def stop(**changes: str | None) -> Params:
    """A resident protective stop."""
    given = {"type": "STOP_MARKET", "closePosition": "true", "stopPrice": "50000", "side": "SELL"}
    return order(**{"price": None, "quantity": None, "timeInForce": None, **given, **changes})


def place(params: Params | None = None, *, right: str = "trade", epoch: int = 1, notional: int = 0) -> Call:
    return Call("POST", "/fapi/v3/order", order() if params is None else params, right, epoch, 0, notional)


def read(epoch: int = -1) -> Call:
    return Call("GET", "/fapi/v3/balance", (), "read", epoch)


class Clocks:
    """Wall and monotonic time by hand."""

    def __init__(self) -> None:
        self.wall_us, self.mono_s = NOW_US, 100.0

    def pass_s(self, seconds: float) -> None:
        self.wall_us += int(seconds * 1_000_000)
        self.mono_s += seconds

    def step_s(self, seconds: float) -> None:
        """Somebody sets the clock."""
        self.wall_us += int(seconds * 1_000_000)


def desk(folder: Path, clocks: Clocks, charter: Charter = CHARTER, key: bytes = KEY) -> Desk:
    return Desk(charter, key, StateFile(folder / "state.json", key), lambda: clocks.wall_us, lambda: clocks.mono_s)
