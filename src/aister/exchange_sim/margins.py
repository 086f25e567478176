"""What an account is worth and needs at mark price, where it is liquidated, and who sees to it (aster-api 7 and 9).

Maintenance margin of a position = notional at mark x rate - cum. A position on isolated margin goes when its margin and
what it has gained are not above that; on cross margin the largest goes first when the whole account is not above the
sum. In lockstep liquidation is the matching's own (docs/fills.md), at last price, as in a recorded run.
"""

from collections.abc import Callable

from aister.core.instrument import Instrument
from aister.core.money import UNIT
from aister.exchange_sim.accounts import Account
from aister.exchange_sim.market import Market
from aister.exchange_sim.trading import Trading

__all__ = ["Warden", "balances", "isolated_margin", "liquidation_ticks", "maintenance", "unrealized"]

_CALLED_PERCENT = 80
"""Maintenance in percent of what is there, from which on a margin call is told; "too high" is all the venue says."""
Leg = tuple[str, int]


def unrealized(account: Account, market: Market, symbol: str, leg: int) -> int:
    """Profit of a leg at mark, money units."""
    held, ticker = account.holding(symbol, leg), market.tickers[symbol]
    return held.steps * ticker.mark_ticks * ticker.instrument.unit - held.cost


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
    left = _left(account, market, (symbol, leg))
    above, below = left(safe), left(far)
    if below > 0:
        return 0
    if above <= 0:
        return safe
    step = 0
    while abs(far - safe) > 1:  # within one tier it is a straight line: two guesses, then a half
        step += 1
        guess = safe + (far - safe) * above // (above - below) if step % 3 else (far + safe) // 2
        at = min(max(guess, min(far, safe) + 1), max(far, safe) - 1)
        there = left(at)
        if there <= 0:
            far, below = at, there
        else:
            safe, above = at, there
    return far


def _left(account: Account, market: Market, leg: Leg) -> Callable[[int], int]:
    """What is left above what the leg needs, with its symbol at a price; it falls where nothing is. What no price of
    this symbol moves is read once."""
    symbol, instrument = leg[0], market.tickers[leg[0]].instrument
    moving = [one for one in _together(account, leg) if one[0] == symbol]
    there, need = _standing(account, market, leg, without=symbol)
    there -= sum(account.holdings[one].cost for one in moving)
    steps = sum(account.holdings[one].steps for one in moving) * instrument.unit
    sizes = [abs(account.holdings[one].steps) * instrument.unit for one in moving]

    def left(ticks: int) -> int:
        return there + steps * ticks - need - sum([maintenance(instrument, size * ticks) for size in sizes])

    return left


def _together(account: Account, leg: Leg) -> list[Leg]:
    """Those that stand or fall with a leg: on cross margin every such leg that holds something."""
    if not account.terms[leg[0]].cross:
        return [leg]
    return [one for one, held in account.holdings.items() if held.steps and account.terms[one[0]].cross]


def _standing(account: Account, market: Market, leg: Leg, without: str = "") -> tuple[int, int]:
    """What stands behind a leg, and what it (on cross margin: every such leg) needs; profit and need of a symbol left
    out."""
    if account.terms[leg[0]].cross:
        legs = [one for one, held in account.holdings.items() if held.steps]
        there, need = account.venue.wallet - sum(isolated_margin(account, *one) for one in legs), 0
    else:
        there, need = isolated_margin(account, *leg), 0
    for one in _together(account, leg):
        if one[0] != without:
            there += unrealized(account, market, *one)
            need += _need(account, market, one)
    return there, need


def _need(account: Account, market: Market, leg: Leg) -> int:
    ticker = market.tickers[leg[0]]
    return maintenance(ticker.instrument, abs(account.holding(*leg).steps) * ticker.mark_ticks * ticker.instrument.unit)


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
