"""A wire-level simulator of the AsterDex USDT perpetuals exchange.

`Exchange` is the exchange itself without sockets and without a clock of its own: raw requests in, raw responses out,
frames to take, time that is moved from outside. `server` puts HTTP and websockets in front of it. It was written from
the API reference alone and imports nothing of the client: two readings of one document are the check.
"""

from aister.exchange_sim.accounts import Account
from aister.exchange_sim.auth import Agent, Credentials, recovered_by_eth_account
from aister.exchange_sim.exchange import Exchange, Seen
from aister.exchange_sim.faults import Fault, Faults
from aister.exchange_sim.opening import open_exchange
from aister.exchange_sim.records import Happening, OrderState
from aister.exchange_sim.rules import READINGS, Readings
from aister.exchange_sim.settings import FREE_MODEL, Limits, Settings
from aister.exchange_sim.streams import Connection
from aister.exchange_sim.wire import DOWN, NO_ANSWER, Refusal, Request, Response

__all__ = [
    "DOWN",
    "FREE_MODEL",
    "NO_ANSWER",
    "READINGS",
    "Account",
    "Agent",
    "Connection",
    "Credentials",
    "Exchange",
    "Fault",
    "Faults",
    "Happening",
    "Limits",
    "OrderState",
    "Readings",
    "Refusal",
    "Request",
    "Response",
    "Seen",
    "Settings",
    "open_exchange",
    "recovered_by_eth_account",
]
