"""Calls of whoever runs the simulator, beside those of the exchange: /sim/...

GET  /sim/clock       {"time", "phase"}
POST /sim/barrier     {"client"}: lockstep; answered when the market has moved
POST /sim/attach, /sim/detach  {"client"}
GET  /sim/faults      the plan with its hits; POST adds (a list of faults), DELETE clears
POST /sim/accounts    {"user", "agents", "api_key", "secret", "money"}: opens an account
GET  /sim/log?since=n  requests seen, without the first n ever;  GET /sim/happenings?since=n
GET  /sim/books       positions and working orders of every account
"""

from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import Any, TypeVar

import msgspec

from aister.core.errors import AisterError
from aister.exchange_sim.auth import Agent, Credentials
from aister.exchange_sim.exchange import Exchange
from aister.exchange_sim.faults import Fault
from aister.exchange_sim.forms import order_reply, positions
from aister.exchange_sim.lockstep import Lockstep
from aister.exchange_sim.wire import Params, Request, Response, reply

__all__ = ["answer_admin"]

_Row = TypeVar("_Row")


def _after(rows: deque[_Row], since: int, ever: int) -> Iterator[_Row]:
    """Of those remembered, what came after the first `since` of all."""
    return islice(rows, max(0, since - (ever - len(rows))), None)


class _NewAccount(msgspec.Struct):
    money: int
    user: str = ""
    agents: list[str] = []
    api_key: str = ""
    secret: str = ""


class _Client(msgspec.Struct):
    client: str


def answer_admin(exchange: Exchange, lockstep: Lockstep | None, request: Request) -> Response:
    """Answer an administrator's call."""
    try:
        return reply(_answer(exchange, lockstep, request))
    except (msgspec.ValidationError, msgspec.DecodeError, ValueError, AisterError) as wrong:
        return reply({"code": -1, "msg": str(wrong)}, 400)
    except LookupError:
        return reply({"code": -1, "msg": f"There is no {request.method} {request.path}."}, 404)


def _answer(exchange: Exchange, lockstep: Lockstep | None, request: Request) -> Any:
    asked = (request.method, request.path.removeprefix("/sim/"))
    since = Params.of(Request("GET", "", request.query)).whole("since", 0)
    if asked == ("GET", "clock"):
        return {"time": exchange.now_ms, "phase": msgspec.to_builtins(lockstep.phase) if lockstep else None}
    if asked in (("POST", "attach"), ("POST", "detach")) and lockstep:
        client = msgspec.json.decode(request.body, type=_Client).client
        (lockstep.attach if asked[1] == "attach" else lockstep.detach)(client)
        return {"phase": msgspec.to_builtins(lockstep.phase)}
    if asked == ("GET", "faults"):
        plan = zip(exchange.faults.plan, exchange.faults.hits, strict=True)
        return [{"fault": msgspec.to_builtins(fault), "hits": hits} for fault, hits in plan]
    if asked == ("POST", "faults"):
        exchange.faults.add(*msgspec.json.decode(request.body, type=list[Fault]))
        return {"faults": len(exchange.faults.plan)}
    if asked == ("DELETE", "faults"):
        exchange.faults.clear()
        return {"faults": 0}
    if asked == ("POST", "accounts"):
        new = msgspec.json.decode(request.body, type=_NewAccount)
        agents = {address.lower(): Agent(address.lower()) for address in new.agents}
        account = exchange.add_account(Credentials(new.user, agents, new.api_key, new.secret), new.money)
        return {"account": account.number}
    if asked == ("GET", "log"):
        return [
            {
                "time_us": seen.time_us,
                "account": seen.account,
                "method": seen.request.method,
                "path": seen.request.path,
                "raw": (seen.request.query + seen.request.body).decode("utf-8", "replace"),
                "status": seen.status,
                "code": seen.code,
                "fault": seen.fault,
                "done": seen.done,
            }
            for seen in _after(exchange.log, since, exchange.asked)
        ]
    if asked == ("GET", "happenings"):
        return [msgspec.to_builtins(told) for told in _after(exchange.happenings, since, exchange.told)]
    if asked == ("GET", "books"):
        return [
            {
                "account": account.number,
                "wallet": account.venue.wallet,
                "positions": positions(account, exchange.market, list(account.instruments)),
                "orders": [order_reply(order, account.instruments[order.symbol]) for order in account.open_orders()],
            }
            for account in exchange.accounts.values()
        ]
    raise LookupError
