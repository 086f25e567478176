"""Orders that pass our filters pass the simulated exchange's, which another hand wrote from the same page: any
contract, any order."""

import asyncio
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from aister.adapters.exchanges.aster.account import AsterAccount
from aister.adapters.exchanges.aster.rest import Rest
from aister.core.trade import OrderType, Purpose, Side
from aister.exchange_sim import Agent, Credentials, Exchange
from aister.ports.exchange import Placed, Refused
from tests.adapters.exchanges.aster.scene import order
from tests.adapters.exchanges.aster.scripted import USER, LocalSigner
from tests.exchange_sim.floor import MINUTE_MS, slices
from tests.fakes.wire import ExchangeClock, IndoorWire
from tests.sim.market import MONEY, instrument

FILTERS = {
    *(-1102, -1106, -1111, -1116, -2007, -4002, -4003, -4004, -4005, -4006, -4007, -4013, -4014, -4016, -4023, -4024),
    *(-4061, -4137, -4138, -4140, -4141, -4164, -4183, -4184),
}


@st.composite
def contracts(draw: st.DrawFn) -> tuple[dict[str, Any], int]:
    """Terms of a contract and the ticks its market is at."""
    tick_exponent = draw(st.integers(0, 9))
    step_exponent = draw(st.integers(max(0, 8 - tick_exponent), 11))
    tick, step = (draw(st.sampled_from([1, 2, 5])) * 10**exponent for exponent in (tick_exponent, step_exponent))
    least_steps, at = draw(st.integers(1, 20)), draw(st.integers(200, 100_000))
    terms = {
        "tick_e8": tick,
        "step_e8": step,
        "unit": tick * step // 10**8,
        "min_ticks": draw(st.integers(1, at * 9 // 10)),
        "max_ticks": at + draw(st.integers(0, at)),
        "min_steps": least_steps,
        "max_steps": least_steps + draw(st.integers(0, 10**6)),
        "market_max_steps": least_steps + draw(st.integers(0, 10**4)),
        "min_notional": draw(st.sampled_from([0, 5, 100])) * MONEY,
        "band_up_e8": draw(st.sampled_from([105_000_000, 115_000_000, 500_000_000])),
        "band_down_e8": draw(st.sampled_from([95_000_000, 85_000_000, 20_000_000])),
    }
    return terms, at


@st.composite
def orders(draw: st.DrawFn, at: int, terms: dict[str, Any]) -> dict[str, Any]:
    kind, purpose = draw(st.sampled_from(OrderType)), draw(st.sampled_from(Purpose))
    reduces = purpose is not Purpose.ENTRY
    closes = reduces and kind in (OrderType.STOP_MARKET, OrderType.TAKE_PROFIT_MARKET) and draw(st.booleans())
    edge = draw(st.sampled_from([terms["band_up_e8"], terms["band_down_e8"], 10**8, 10**8])) * at // 10**8
    bound = draw(st.sampled_from([edge, edge, terms["min_ticks"], terms["max_ticks"]]))
    ticks = max(1, bound + draw(st.integers(-3, 3)))
    trails = kind is OrderType.TRAILING_STOP_MARKET
    least, most = terms["min_steps"], terms["max_steps" if kind.limited else "market_max_steps"]
    steps = draw(st.integers(least, most) | st.sampled_from([max(1, least - 1), most, most + 1]))
    return {
        "side": draw(st.sampled_from(Side)),
        "type": kind,
        "purpose": purpose,
        "steps": 0 if closes else steps,
        "price_ticks": ticks if kind.limited else 0,
        "trigger_ticks": max(1, ticks + draw(st.sampled_from([-at // 10, -1, 0, 1, at // 10])))
        if kind.conditional and not trails
        else 0,
        "reduce_only": reduces and not closes,
        "close_position": closes,
        "worst_ticks": draw(st.sampled_from([0, ticks])) if kind is OrderType.MARKET else 0,
        "post_only": kind is OrderType.LIMIT and draw(st.booleans()),
        "callback_e8": draw(st.integers(1, 60)) * 100_000 if trails else 0,
        "activation_ticks": draw(st.sampled_from([0, ticks])) if trails else 0,
    }


def fast(message: bytes, chain_id: int, signature: bytes) -> str:
    """Whose signature it is, taken from the message: signatures are test_sign's matter."""
    return next(part[7:] for part in message.decode().split("&") if part.startswith("signer="))


@settings(max_examples=40, deadline=None)
@given(st.data(), contracts())
def test_the_exchange_refuses_nothing_for_its_form(data: st.DataObject, drawn: tuple[dict[str, Any], int]) -> None:
    terms, at = drawn
    price = at * terms["tick_e8"] / 1e8
    feed = slices(*((price,) * 4,) * 30)
    exchange = Exchange({"BTCUSDT": instrument("BTCUSDT", **terms)}, feed, MINUTE_MS, verify=fast)
    clock = ExchangeClock(exchange)
    wire, signer = IndoorWire(exchange, clock), LocalSigner(clock)  # type: ignore[arg-type]
    agent = signer.address.lower()
    exchange.add_account(Credentials(USER, {agent: Agent(agent)}), 10**9 * MONEY)
    account = AsterAccount(Rest(wire, clock, signer), ("BTCUSDT",), source="simulator")

    async def talk() -> None:
        known = await account.instruments()
        assert isinstance(known, dict) and known["BTCUSDT"].unit == terms["unit"]
        for number in range(6):
            wanted = order(number + 1, **data.draw(orders(at, terms)))
            before = sum(one.method == "POST" for one in wire.sent)
            told = await account.place(wanted)
            sent = sum(one.method == "POST" for one in wire.sent) > before
            assert isinstance(told, Placed | Refused), told
            if sent and isinstance(told, Refused):
                assert told.code not in FILTERS, (wanted, told)
            if isinstance(told, Placed) and not wanted.close_position:
                assert told.order.steps == wanted.steps

    asyncio.run(talk())
