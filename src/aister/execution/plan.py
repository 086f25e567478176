"""What should rest at the venue, as intents and cancels: a pure function of the position, its bracket and live orders.

Never cancel first: a better stop is placed beside the old one, which is cancelled when the new one is accepted (Q28).
"""

from aister.core.permission import Intent
from aister.core.trade import OrderType, Purpose, Side
from aister.execution.bracket import Bracket, split_targets
from aister.execution.orders import OrderBook

__all__ = ["close_intent", "obsolete", "stop_intent", "superseded_stops", "target_intents"]


def stop_intent(bracket: Bracket) -> Intent:
    """The protective stop: STOP_MARKET, closePosition, so that partial fills and targets need no resize."""
    return Intent(
        id=f"{bracket.setup_id}-stop@{bracket.stop_ticks}",
        symbol=bracket.symbol,
        purpose=Purpose.STOP,
        side=bracket.side.opposite,
        type=OrderType.STOP_MARKET,
        steps=0,
        price_ticks=0,
        trigger_ticks=bracket.stop_ticks,
        stop_ticks=0,
        size_factor_e4=10_000,
        reduce_only=False,
        close_position=True,
    )


def target_intents(bracket: Bracket, steps: int) -> list[Intent]:
    """Reduce-only take-profits that together close exactly `steps`."""
    return [
        Intent(
            id=f"{bracket.setup_id}-target@{ticks}",
            symbol=bracket.symbol,
            purpose=Purpose.TARGET,
            side=bracket.side.opposite,
            type=OrderType.TAKE_PROFIT_MARKET,
            steps=part,
            price_ticks=0,
            trigger_ticks=ticks,
            stop_ticks=0,
            size_factor_e4=10_000,
            reduce_only=True,
            close_position=False,
        )
        for ticks, part in split_targets(bracket.targets, steps)
    ]


def close_intent(symbol: str, position_side: Side, steps: int, mark_ticks: int, cause: str) -> Intent:
    """Close what is held at market, reduce-only."""
    return Intent(
        id=f"{cause}-close",
        symbol=symbol,
        purpose=Purpose.CLOSE,
        side=position_side.opposite,
        type=OrderType.MARKET,
        steps=steps,
        price_ticks=mark_ticks,
        trigger_ticks=0,
        stop_ticks=0,
        size_factor_e4=10_000,
        reduce_only=True,
        close_position=False,
    )


def superseded_stops(book: OrderBook, accepted_id: str) -> list[str]:
    """Stops that a newly accepted one replaces: those sent before it (a newer one may still be on its way)."""
    sent = [w.order.client_id for w in book.of(Purpose.STOP)]
    return sent[: sent.index(accepted_id)] if accepted_id in sent else []


def obsolete(book: OrderBook) -> list[str]:
    """Orders with nothing left to protect or reduce once the position is flat: everything but an entry."""
    return [w.order.client_id for p in (Purpose.STOP, Purpose.TARGET, Purpose.CLOSE) for w in book.of(p)]
