"""What an account is worth and needs at mark price, where it is liquidated, and who sees to it (aster-api 7 and 9).

Maintenance margin of a position = notional at mark x rate - cum. A position on isolated margin goes when its margin and
what it has gained are not above that; on cross margin the largest goes first when the whole account is not above the
sum. In lockstep liquidation is the matching's own (docs/fills.md), at last price, as in a recorded run.
"""

from aister.core.instrument import Instrument
from aister.core.money import UNIT
from aister.exchange_sim.accounts import Account
from aister.exchange_sim.market import Market
from aister.exchange_sim.trading import Trading

__all__ = ["Warden", "balances", "isolated_margin", "liquidation_ticks", "maintenance", "unrealized"]

_CALLED_PERCENT = 80
"""Maintenance in percent of what is there, from which on a margin call is told; "too high" is all the venue says."""
Leg = tuple[str, int]


def unrealized(account: Account, market: Market, symbol: str, leg: int, ticks: int = 0) -> int:
    """Profit of a leg at mark, or at a price; money units."""
    held, ticker = account.holding(symbol, leg), market.tickers[symbol]
    return held.steps * (ticks or ticker.mark_ticks) * ticker.instrument.unit - held.cost


def maintenance(instrument: Instrument, notional: int) -> int:
    """Maintenance margin of a notional, money units (aster-api 7, leverageBracket)."""
    tier = instrument.bracket(notional)
    return max(0, notional * tier.maintenance_e8 // UNIT - tier.deduction)


def isolated_margin(account: Account, symbol: str, leg: int) -> int:
    """The margin that belongs to a leg alone: initial margin and what was added; 0 on cross margin."""
    terms, held = account.terms[symbol], account.holding(symbol, leg)
    return 0 if terms.cross else -(-abs(held.cost) // terms.leverage) + held.added


def balances(account: Account, market: Market) -> dict[str, int]:
    """Wallet, unrealised profit, what is bound as margin and what may be used, money units."""
    legs = list(account.holdings)
    profit = sum(unrealized(account, market, symbol, leg) for symbol, leg in legs)
    cross_profit = sum(unrealized(account, market, s, leg) for s, leg in legs if account.terms[s].cross)
    position_margin = sum(
        -(-abs(held.cost) // account.terms[symbol].leverage) for (symbol, _), held in account.holdings.items()
    )
    added = sum(held.added for held in account.holdings.values())
    isolated = sum(isolated_margin(account, symbol, leg) for symbol, leg in legs)
    reserved, wallet = account.venue.reserved(), account.venue.wallet
    return {
        "wallet": wallet,
        "cross_wallet": wallet - isolated,
        "profit": profit,
        "cross_profit": cross_profit,
        "position_margin": position_margin + added,
        "order_margin": max(0, reserved - position_margin),
        "available": max(0, wallet + cross_profit - reserved - added),
    }


def liquidation_ticks(account: Account, market: Market, symbol: str, leg: int) -> int:
    """The mark price at which the leg would go, all others standing still; 0 when nowhere."""
    held = account.holding(symbol, leg)
    if account.settings.lockstep or held.steps == 0:
        return account.venue.liquidation_ticks(symbol, leg)
    safe = market.tickers[symbol].mark_ticks
    far = 1 if held.steps > 0 else 8 * safe
    if not _falls(account, market, symbol, leg, far):
        return 0
    if _falls(account, market, symbol, leg, safe):
        return safe
    while abs(far - safe) > 1:
        middle = (far + safe) // 2
        if _falls(account, market, symbol, leg, middle):
            far = middle
        else:
            safe = middle
    return far


def _falls(account: Account, market: Market, symbol: str, leg: int, ticks: int) -> bool:
    there, need = _standing(account, market, (symbol, leg), ticks)
    return there <= need


def _standing(account: Account, market: Market, leg: Leg, ticks: int = 0) -> tuple[int, int]:
    """What stands behind a leg, and what it (on cross margin: every such leg) needs; its symbol at `ticks`."""
    symbol = leg[0]
    if not account.terms[symbol].cross:
        there = isolated_margin(account, *leg) + unrealized(account, market, *leg, ticks)
        return there, _need(account, market, leg, ticks)
    legs = [one for one, held in account.holdings.items() if held.steps]
    shared = [one for one in legs if account.terms[one[0]].cross]
    there = account.venue.wallet - sum(isolated_margin(account, *one) for one in legs)
    need = 0
    for one in shared:
        at = ticks if one[0] == symbol else 0
        there += unrealized(account, market, *one, at)
        need += _need(account, market, one, at)
    return there, need


def _need(account: Account, market: Market, leg: Leg, ticks: int = 0) -> int:
    ticker = market.tickers[leg[0]]
    steps = abs(account.holding(*leg).steps)
    return maintenance(ticker.instrument, steps * (ticks or ticker.mark_ticks) * ticker.instrument.unit)


class Warden:
    """Liquidates and warns, leg of the market by leg of the market."""

    def __init__(self, trading: Trading) -> None:
        self._trading = trading

    def look(self, account: Account, now_ms: int) -> None:
        """Close what its margin does not carry any more; call for margin where it nearly does not, once."""
        held = [leg for leg, one in account.holdings.items() if one.steps]
        market = self._trading.market
        worried: set[Leg] = set()
        for leg in sorted(held, key=lambda one: -_need(account, market, one)):
            there, need = _standing(account, market, leg)
            if there <= need:
                self._liquidate(account, leg, now_ms)
            elif 100 * need > _CALLED_PERCENT * there:
                worried.add(leg)
        fresh = worried - account.called
        account.called = worried
        if fresh:
            account.call_for_margin(tuple(sorted(fresh)), now_ms)

    def _liquidate(self, account: Account, leg: Leg, now_ms: int) -> None:
        """As the venue does it (aster-api 6, statuses): an order of its own; what the liquidation fee has above the
        taker's is an income row of its own (aster-api 7, INSURANCE_CLEAR)."""
        symbol = leg[0]
        instrument = self._trading.market.tickers[symbol].instrument
        traded = len(account.trades)
        self._trading.force_close(account, *leg, 10_000, "autoclose-", now_ms)
        _, taker_e8, liquidation_e8 = account.settings.model.fees.rates_e8(instrument)
        notional = sum(one.steps * one.ticks for one in account.trades[traded:]) * instrument.unit
        if due := notional * (liquidation_e8 - taker_e8) // UNIT:
            account.charge("INSURANCE_CLEAR", symbol, -due, self._trading.number(), now_ms)
