"""From a feed to an exchange that trades it."""

from collections.abc import Iterator
from itertools import chain, islice

from aister.core.errors import DataError
from aister.exchange_sim.auth import Verifier, recovered_by_eth_account
from aister.exchange_sim.exchange import Exchange
from aister.exchange_sim.faults import Faults
from aister.exchange_sim.settings import Settings
from aister.ports.feed import Feed, MarketSlice

__all__ = ["open_exchange"]


def open_exchange(
    feed: Feed,
    settings: Settings | None = None,
    *,
    history: int = 0,
    start_ms: int | None = None,
    faults: Faults | None = None,
    verify: Verifier = recovered_by_eth_account,
) -> Exchange:
    """An exchange on a feed. Its first `history` slices are the past: klines and settlements that can be read, nothing
    that is played. With `start_ms` times are shifted by whole intervals so that the first bar played opens at the last
    interval before it; without, the feed's own times hold (a client then needs the exchange's clock).

    Raises `DataError` when the feed holds nothing to play after its history."""
    slices = feed.slices()
    past = tuple(islice(slices, history))
    first = next(slices, None)
    if first is None:
        raise DataError(f"The feed ends within the {history} slices of history; choose a longer span or less of it.")
    rest: Iterator[MarketSlice] = chain((first,), slices)
    interval_ms = feed.base_interval_ms
    shift_ms = 0 if start_ms is None else (start_ms - first.open_time_ms) // interval_ms * interval_ms
    return Exchange(
        feed.instruments, rest, interval_ms, settings, faults=faults, verify=verify, shift_ms=shift_ms, history=past
    )
