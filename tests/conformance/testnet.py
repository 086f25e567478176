"""The venue suite by hand, on AsterDex testnet or on a simulator that is being served. Real orders, play money.

    ASTER_USER=0x... ASTER_AGENT_KEY=0x... python -m tests.conformance.testnet --symbol BTCUSDT
    ASTER_USER=0x63DD... ASTER_AGENT_KEY=0x11... python -m tests.conformance.testnet --rest URL --ws URL

`ASTER_USER` is the address of the account, `ASTER_AGENT_KEY` the private key of an agent made for this on the venue's
page; it is read from the environment and goes nowhere. Cases that need the market moved, or hedge mode, are left out.
The account must be flat and without orders, and is left so. Mainnet is not among the nets.
"""

import argparse
import asyncio
import os
import sys
import time
from typing import Any

from aister.adapters.exchanges.aster.account import AsterAccount
from aister.adapters.exchanges.aster.hosts import Net, net
from aister.adapters.exchanges.aster.messages import PremiumIndex, decoder
from aister.adapters.exchanges.aster.readiness import hindrances
from aister.adapters.exchanges.aster.rest import Rest
from aister.adapters.exchanges.aster.sign import Agent
from aister.adapters.exchanges.aster.sockets import SocketWire, WallClock
from aister.core.money import UNIT
from aister.core.trade import Order, OrderType, Purpose, Side
from aister.ports.exchange import Open
from aister.ports.signer import Call, Declined, Signed
from tests.conformance.subjects import ExchangeSubject
from tests.conformance.venue import CASES, Case

__all__ = ["main"]

_MARK = decoder(PremiumIndex)


class EnvironmentSigner:
    """Signs in this process with the key of the environment."""

    def __init__(self, key: bytes, user: str, chain_id: int) -> None:
        self._agent, self._last = Agent(key, user, chain_id), 0

    @property
    def address(self) -> str:
        return self._agent.address

    def sign(self, call: Call) -> Signed | Declined:
        self._last = call.nonce_us or max(self._last + 1, time.time_ns() // 1000)
        return self._agent.sign(call.params, self._last)


class Client:
    """The account at a net, its calls waited for in one loop."""

    def __init__(self, where: Net, user: str, key: bytes, symbol: str) -> None:
        self.symbol = symbol
        self.clock = WallClock()
        self.loop = asyncio.new_event_loop()
        self.wire = self._run(_wire_to(where))
        signer = EnvironmentSigner(key, user, where.chain_id)
        self.account = AsterAccount(
            Rest(self.wire, self.clock, signer, timeout_ms=15_000), (symbol,), source=where.name
        )

    def hindered(self) -> str:
        """Why the suite cannot run on this account; empty when it can."""
        told = self._run(hindrances(self.account))
        if told:
            return told[0].reason if isinstance(told, tuple) else getattr(told, "reason", "") or told.why
        held = self._run(self.account.survey())
        if not isinstance(held, Open):
            return str(held)
        if held.orders or any(one.steps for one in held.positions):
            return "The account has orders or positions; flatten it first: the suite needs it empty."
        return ""

    def last(self) -> int:
        """The mark price in ticks."""
        told = self._run(self.account.rest.public("premium_index", (("symbol", self.symbol),), _MARK))
        assert isinstance(told, PremiumIndex), told
        return int(told.markPrice * UNIT) // self.account.contracts.instruments[self.symbol].tick_e8

    def subject(self, case: Case) -> ExchangeSubject:
        """The account under test. An ordinary order is three times the least notional."""
        terms = self.account.contracts.instruments[self.symbol]
        size = max(terms.min_steps, -(-3 * terms.min_notional // (self.last() * terms.unit)))
        prefix = f"vc{case.id[-3:]}-{self.clock.now_ms() // 1000:x}"
        return ExchangeSubject(
            self.account, terms, size, self.loop, wait=self.clock.sleep, last=self.last, push=None, prefix=prefix
        )

    def tidy(self, subject: ExchangeSubject) -> None:
        """Leave nothing behind."""
        for client_id in subject.working():
            subject.cancel(client_id)
        held = subject.held()
        if held:
            side = Side.SELL if held > 0 else Side.BUY
            close = Order(
                subject.fresh_id(),
                "tidy",
                self.symbol,
                side,
                OrderType.MARKET,
                Purpose.CLOSE,
                abs(held),
                0,
                0,
                True,
                False,
            )
            assert subject.place(close) == ""
            subject.settle_down()
        assert (subject.held(), subject.working()) == (0, [])

    def close(self) -> None:
        self._run(self.wire.close())
        self.loop.close()

    def _run(self, what: Any) -> Any:
        return self.loop.run_until_complete(what)


async def _wire_to(where: Net) -> SocketWire:
    return SocketWire(where)


def main(arguments: list[str]) -> int:
    """Run what can be run; returns how many cases failed, or 99 when none could be run."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance.testnet")
    parser.add_argument("--symbol", default="BTCUSDT")
    parser.add_argument("--rest", default="", help="REST address of a simulator on this machine, instead of testnet")
    parser.add_argument("--ws", default="", help="its websocket address")
    asked = parser.parse_args(arguments)
    user, key = os.environ.get("ASTER_USER", ""), os.environ.get("ASTER_AGENT_KEY", "")
    if not user or not key:
        print("Set ASTER_USER and ASTER_AGENT_KEY to an account and an agent's key of testnet.")
        return 99
    where = net("simulator", asked.rest, asked.ws or asked.rest) if asked.rest else net("testnet")
    client = Client(where, user, bytes.fromhex(key.removeprefix("0x")), asked.symbol)
    try:
        if why := client.hindered():
            print(why)
            return 99
        return sum(not _passes(case, client) for case in CASES)
    finally:
        client.close()


def _passes(case: Case, client: Client) -> bool:
    if case.needs:
        print(f"{case.id}  left out (needs {', '.join(sorted(case.needs))})")
        return True
    subject = client.subject(case)
    try:
        case.check(subject)
        said = "ok"
    except AssertionError as failed:
        said = f"FAILED: {str(failed).splitlines()[0] if str(failed) else 'as the case says'}"
    client.tidy(subject)
    print(f"{case.id}  {said}  {case.says}")
    return said == "ok"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
