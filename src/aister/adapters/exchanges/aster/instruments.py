"""From what the venue says of a contract to an `Instrument`, and what changed between two readings.

exchangeInfo and fundingInfo are public; maintenance brackets and commission are an account's. What an account has not
told is taken from `assumed` instruments and says so in `source`; without those the contract is unavailable.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

import msgspec

from aister.adapters.exchanges.aster.amounts import text, units
from aister.adapters.exchanges.aster.listing import Listing
from aister.adapters.exchanges.aster.messages import Brackets, Commission
from aister.core.errors import DataError
from aister.core.instrument import Bracket, Instrument

__all__ = ["Contract", "InstrumentChanged", "changes", "contract", "instrument", "tiers"]

_NO_TICKS = 2**53
_HOUR_MS = 3_600_000
_USUAL_FUNDING_HOURS = 8
_WIDE_E8 = 10**12


class Contract(msgspec.Struct, frozen=True):
    """Everything about one contract that an order's fate depends on. Rates in 1e-8. `proxy` names what is assumed
    rather than told by the venue."""

    listing: Listing
    brackets: tuple[Bracket, ...]
    maker_e8: int
    taker_e8: int
    funding_interval_ms: int
    proxy: tuple[str, ...] = ()


class InstrumentChanged(msgspec.Struct, frozen=True):
    """One property of one contract that is not what it was when last read."""

    symbol: str
    what: str
    before: str
    after: str


def tiers(told: Brackets) -> tuple[Bracket, ...]:
    """Maintenance brackets in ascending order of notional. Raises `DataError` when they leave a gap."""
    rows = sorted(
        (
            Bracket(
                units(row.notionalFloor),
                units(row.notionalCap),
                units(row.maintMarginRatio),
                units(row.cum),
                row.initialLeverage,
            )
            for row in told.brackets
        ),
        key=lambda tier: tier.floor,
    )
    if not rows or any(before.cap != after.floor for before, after in pairwise(rows)):
        raise DataError(f"{told.symbol}: the venue's maintenance brackets are missing or leave a gap; not tradable.")
    return tuple(rows)


def contract(
    listed: Listing,
    told: Brackets | None,
    commission: Commission | None,
    funding_hours: int | None,
    assumed: Instrument | None = None,
) -> Contract:
    """What is told, completed by what is assumed. Raises `DataError` when brackets or fees are neither."""
    proxy: list[str] = []
    if told is not None:
        brackets = tiers(told)
    elif assumed is not None:
        brackets = assumed.brackets
        proxy.append("brackets")
    else:
        raise DataError(f"The maintenance brackets of {listed.symbol} are only told to an account; add a key.")
    if commission is not None:
        maker, taker = units(commission.makerCommissionRate), units(commission.takerCommissionRate)
    elif assumed is not None:
        maker, taker = assumed.maker_e8, assumed.taker_e8
        proxy.append("fees")
    else:
        raise DataError(f"The commission of {listed.symbol} is only told to an account; add a key.")
    if funding_hours is None:
        proxy.append("funding interval")
    interval = (funding_hours or _USUAL_FUNDING_HOURS) * _HOUR_MS
    return Contract(listed, brackets, maker, taker, interval, tuple(proxy))


def instrument(known: Contract, source: str) -> Instrument:
    """The contract as the engine takes it; bounds that are off become wide ones."""
    listed = known.listing
    tick, step = listed.tick, listed.lot.step
    most_steps = _NO_TICKS if listed.lot.most == 0 else listed.lot.most // step
    market_most = most_steps if listed.market_lot.most == 0 else min(most_steps, listed.market_lot.most // step)
    return Instrument(
        symbol=listed.symbol,
        base=listed.base,
        quote=listed.quote,
        status=listed.status,
        tick_e8=tick,
        step_e8=step,
        unit=listed.unit,
        min_ticks=max(1, listed.least_price // tick),
        max_ticks=_NO_TICKS if listed.most_price == 0 else listed.most_price // tick,
        min_steps=max(1, listed.lot.least // step, listed.market_lot.least // step),
        max_steps=most_steps,
        market_max_steps=market_most,
        min_notional=listed.min_notional,
        band_up_e8=listed.up or _WIDE_E8,
        band_down_e8=listed.down,
        max_orders=listed.max_orders,
        maker_e8=known.maker_e8,
        taker_e8=known.taker_e8,
        liquidation_e8=listed.liquidation_fee,
        funding_interval_ms=known.funding_interval_ms,
        brackets=known.brackets,
        source=f"{source}; assumed: {', '.join(known.proxy)}" if known.proxy else source,
    )


def changes(before: Mapping[str, Contract], after: Mapping[str, Contract]) -> tuple[InstrumentChanged, ...]:
    """What differs, symbol by symbol; a symbol that vanished is `gone`, a new one `listed`."""
    return tuple(_changes(before, after, sorted(before.keys() | after.keys())))


def _changes(
    before: Mapping[str, Contract], after: Mapping[str, Contract], symbols: Iterable[str]
) -> Iterator[InstrumentChanged]:
    for symbol in symbols:
        old, new = before.get(symbol), after.get(symbol)
        if old is None or new is None:
            status = (old or new or after[symbol]).listing.status
            words = ("", status) if old is None else (status, "")
            yield InstrumentChanged(symbol, "listed" if old is None else "gone", *words)
            continue
        told_before, told_after = _told(old), _told(new)
        for what, value in told_before.items():
            if value != told_after[what]:
                yield InstrumentChanged(symbol, what, value, told_after[what])


def _told(known: Contract) -> dict[str, str]:
    listed = known.listing
    return {
        "status": listed.status,
        "tick": text(listed.tick),
        "step": text(listed.lot.step),
        "price bounds": f"{text(listed.least_price)}-{text(listed.most_price)}",
        "size bounds": f"{text(listed.lot.least)}-{text(listed.lot.most)}",
        "market size": f"{text(listed.market_lot.least)}-{text(listed.market_lot.most)}/{text(listed.market_lot.step)}",
        "least notional": text(listed.min_notional),
        "price band": f"{text(listed.down)}-{text(listed.up)}",
        "most orders": f"{listed.max_orders}/{listed.max_stops}",
        "largest leverage": str(max((tier.max_leverage for tier in known.brackets), default=0)),
        "brackets": ", ".join(f"{text(b.floor)}:{text(b.maintenance_e8)}:{b.max_leverage}" for b in known.brackets),
        "fees": f"{text(known.maker_e8)}/{text(known.taker_e8)}",
        "funding interval": f"{known.funding_interval_ms // _HOUR_MS} h",
    }
