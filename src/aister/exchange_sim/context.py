"""What the handlers of calls see of the exchange."""

from typing import Protocol

from aister.exchange_sim.accounts import Account
from aister.exchange_sim.chasing import Chases
from aister.exchange_sim.depth import Depth
from aister.exchange_sim.market import Market
from aister.exchange_sim.records import OrderState
from aister.exchange_sim.settings import Settings
from aister.exchange_sim.strategies import Strategies
from aister.exchange_sim.telling import Teller
from aister.exchange_sim.trading import Trading

__all__ = ["Context"]


class Context(Protocol):
    """`lag_ms`: how young an order may be and not be seen by the look-up at hand (a fault); `skew_ms`: how far its
    own clock is off (another)."""

    market: Market
    trading: Trading
    settings: Settings
    depth: Depth
    teller: Teller
    strategies: Strategies
    chases: Chases
    lag_ms: int
    skew_ms: int

    @property
    def now_ms(self) -> int: ...
    def number(self) -> int: ...
    def sees(self, order: OrderState) -> bool: ...
    def new_listen_key(self, account: Account) -> str: ...
    def drop_listen_key(self, account: Account, *, tell: bool) -> None: ...
