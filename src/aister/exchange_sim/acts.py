"""What befalls accounts, instruments and connections by plan (issue part B 7; safety C14 to C16, A4)."""

from collections.abc import Callable
from typing import Protocol
from urllib.parse import parse_qsl

import msgspec

from aister.core.instrument import Instrument
from aister.exchange_sim.access import Gate
from aister.exchange_sim.accounts import Account
from aister.exchange_sim.faults import Fault
from aister.exchange_sim.market import Market
from aister.exchange_sim.playing import Player
from aister.exchange_sim.records import Happening
from aister.exchange_sim.streams import Connection, Hub
from aister.exchange_sim.trading import Trading
from aister.exchange_sim.wire import Params, Refusal

__all__ = ["act"]


class Scene(Protocol):
    """What acts reach of the exchange."""

    market: Market
    trading: Trading
    hub: Hub
    gate: Gate
    player: Player
    accounts: dict[int, Account]
    skew_ms: int
    down_until_ms: int

    @property
    def now_ms(self) -> int: ...
    def number(self) -> int: ...
    def drop_listen_key(self, account: Account, *, tell: bool) -> None: ...


def act(scene: Scene, fault: Fault) -> None:
    """Do it now; what cannot be done (an order to cancel that is not there) is not done."""
    if fault.kind in _OF_ACCOUNTS:
        for account in list(scene.accounts.values()):
            if fault.account in (0, account.number):
                _OF_ACCOUNTS[fault.kind](scene, account, fault)
    else:
        _OF_ALL[fault.kind](scene, fault)


def _expire_listen_key(scene: Scene, account: Account, fault: Fault) -> None:
    if account.listen_key:
        scene.drop_listen_key(account, tell=fault.text != "silently")


def _concerned(scene: Scene, fault: Fault) -> list[Connection]:
    return [
        connection
        for connection in scene.hub.connections.values()
        if (not fault.user_streams or connection.account) and fault.account in (0, connection.account)
    ]


def _cut(scene: Scene, fault: Fault) -> None:
    for connection in _concerned(scene, fault):
        connection.close(1006)


def _half_open(scene: Scene, fault: Fault) -> None:
    for connection in _concerned(scene, fault):
        connection.silent = True


def _skew(scene: Scene, fault: Fault) -> None:
    scene.skew_ms = fault.ms


def _leverage(scene: Scene, account: Account, fault: Fault) -> None:
    account.terms[fault.symbol].leverage = fault.value
    account.apply_terms(fault.symbol)
    account.changed.append(Happening(scene.now_ms, account.number, "CONFIG", symbol=fault.symbol, detail="leverage"))


def _margin_type(scene: Scene, account: Account, fault: Fault) -> None:
    account.terms[fault.symbol].cross = fault.text != "isolated"
    account.apply_terms(fault.symbol)
    account.changed.append(Happening(scene.now_ms, account.number, "MARGIN_TYPE_CHANGE", symbol=fault.symbol))


def _position_mode(scene: Scene, account: Account, fault: Fault) -> None:
    if not account.open_orders() and not any(held.steps for held in account.holdings.values()):
        account.set_hedged(not account.hedged)
        account.changed.append(Happening(scene.now_ms, account.number, "CONFIG", detail="hedged"))


def _multi_assets(scene: Scene, account: Account, fault: Fault) -> None:
    account.multi_assets = not account.multi_assets
    account.changed.append(Happening(scene.now_ms, account.number, "CONFIG", detail="multi_assets"))


def _transfer(scene: Scene, account: Account, fault: Fault) -> None:
    account.transfer(fault.value, scene.now_ms, scene.number())


def _cancel_order(scene: Scene, account: Account, fault: Fault) -> None:
    for order in account.open_orders(fault.symbol):
        if fault.text != "stop" or order.original.conditional:
            scene.trading.cancel(account, order, scene.now_ms)
            return


def _foreign_order(scene: Scene, account: Account, fault: Fault) -> None:
    try:
        scene.trading.place(account, Params(dict(parse_qsl(fault.text))), scene.now_ms)
    except Refusal as refusal:
        account.changed.append(Happening(scene.now_ms, account.number, "REFUSED", detail=str(refusal)))


def _adl(scene: Scene, account: Account, fault: Fault) -> None:
    for leg in account.legs:
        if account.holding(fault.symbol, leg).steps:
            share = fault.fill_e4
            scene.trading.force_close(account, fault.symbol, leg, share, "adl_autoclose", scene.now_ms)


def _instrument(scene: Scene, fault: Fault) -> None:
    terms = msgspec.json.decode(fault.text, type=dict[str, int | str])
    old = scene.market.tickers[fault.symbol].instrument
    most = terms.pop("brackets_max_leverage", None)
    brackets = old.brackets
    if most is not None:
        brackets = tuple(
            msgspec.structs.replace(tier, max_leverage=min(tier.max_leverage, int(most))) for tier in brackets
        )
    changed: Instrument = msgspec.structs.replace(old, brackets=brackets, **terms)
    if (old.tick_e8, old.step_e8) != (changed.tick_e8, changed.step_e8):
        for account in scene.accounts.values():
            held = any(account.holding(fault.symbol, leg).steps for leg in account.legs)
            if held or account.open_orders(fault.symbol):
                account.changed.append(Happening(scene.now_ms, account.number, "REFUSED", detail="the grid is in use"))
                return
    scene.player.relist(changed)


def _mark(scene: Scene, fault: Fault) -> None:
    scene.market.tickers[fault.symbol].mark_shift_ticks = fault.value


def _index(scene: Scene, fault: Fault) -> None:
    scene.market.tickers[fault.symbol].index_shift_ticks = fault.value


def _delist(scene: Scene, fault: Fault) -> None:
    old = scene.market.tickers[fault.symbol].instrument
    scene.player.relist(msgspec.structs.replace(old, status="CLOSE"))


def _agent_expires(scene: Scene, account: Account, fault: Fault) -> None:
    for agent in account.credentials.agents.values():
        agent.expires_ms = scene.now_ms


def _agent_revoked(scene: Scene, account: Account, fault: Fault) -> None:
    for agent in account.credentials.agents.values():
        agent.revoked = True


def _agent_blocked(scene: Scene, account: Account, fault: Fault) -> None:
    for agent in account.credentials.agents.values():
        agent.addresses = tuple(fault.text.split(","))


def _ban(scene: Scene, fault: Fault) -> None:
    for remote in list(scene.gate.meter.weights):
        scene.gate.meter.ban(remote, scene.now_ms, fault.ms)


def _restart(scene: Scene, fault: Fault) -> None:
    scene.down_until_ms = scene.now_ms + fault.ms
    for connection in list(scene.hub.connections.values()):
        connection.close(1006)
    for account in scene.accounts.values():
        scene.drop_listen_key(account, tell=False)


def _announce(scene: Scene, fault: Fault) -> None:
    for connection in _concerned(scene, fault):
        scene.hub.send(connection, {"e": "announcement", "title": fault.text or "Maintenance"})


def _freeze(scene: Scene, account: Account, fault: Fault) -> None:
    account.frozen = fault.text


_OF_ACCOUNTS: dict[str, Callable[[Scene, Account, Fault], None]] = {
    "expire_listen_key": _expire_listen_key,
    "leverage": _leverage,
    "margin_type": _margin_type,
    "position_mode": _position_mode,
    "multi_assets": _multi_assets,
    "transfer": _transfer,
    "cancel_order": _cancel_order,
    "foreign_order": _foreign_order,
    "adl": _adl,
    "agent_expires": _agent_expires,
    "agent_revoked": _agent_revoked,
    "agent_blocked": _agent_blocked,
    "freeze": _freeze,
}
_OF_ALL: dict[str, Callable[[Scene, Fault], None]] = {
    "cut": _cut,
    "half_open": _half_open,
    "skew": _skew,
    "instrument": _instrument,
    "mark": _mark,
    "index": _index,
    "delist": _delist,
    "ban": _ban,
    "restart": _restart,
    "announce": _announce,
}
