"""The fill models that random streams are driven through, each with the orders it is about."""

from collections.abc import Sequence
from typing import Any

import msgspec

from aister.sim.models import Fees, FeeTier, FillModel, Impact, Latency, Margin
from tests.reference.drive import Pair
from tests.reference.streams import EVERY, PLAIN, stream

__all__ = ["CASES", "run"]

PLAIN_MODEL = FillModel(impact=None, volume_share_e4=0)
TIERS = (FeeTier(0, 20_000, 50_000), FeeTier(10**12, 10_000, 40_000), FeeTier(10**13, 0, 30_000))
TWO = ("BTCUSDT", "ETHUSDT")
SMALL = 8 * 10**8


class Case(msgspec.Struct, frozen=True):
    """A model, the kinds of orders sent, and how the stream runs."""

    model: FillModel
    kinds: Sequence[str] = PLAIN
    more: dict[str, Any] = {}


def changed(**changes: Any) -> FillModel:
    return msgspec.structs.replace(PLAIN_MODEL, **changes)


CASES = {
    "plain": Case(PLAIN_MODEL),
    "every kind of order": Case(PLAIN_MODEL, EVERY),
    "volume cap": Case(changed(volume_share_e4=500), EVERY),
    "impact": Case(changed(impact=Impact()), PLAIN, {"bars_a_day": 12}),
    "fee tiers": Case(changed(fees=Fees(tiers=TIERS)), PLAIN, {"bars_a_day": 12}),
    "latency of a bar": Case(changed(latency=Latency(ms=60_000)), EVERY),
    "latency of two bars, two symbols": Case(changed(latency=Latency(120_000, 60_000)), EVERY, {"symbols": TWO}),
    "latency of two bars": Case(changed(latency=Latency(ms=150_000, ack_ms=60_000)), EVERY),
    "isolated at leverage 100": Case(changed(margin=Margin("isolated", 100)), EVERY),
    "two symbols": Case(PLAIN_MODEL, EVERY, {"symbols": TWO}),
    "cross margin": Case(changed(margin=Margin("cross", 100)), PLAIN, {"symbols": TWO, "capital": SMALL}),
    "hedge mode": Case(changed(position_mode="hedge", volume_share_e4=500), EVERY),
    "hedge mode, cross margin": Case(
        changed(position_mode="hedge", margin=Margin("cross", 100)), PLAIN, {"symbols": TWO, "capital": SMALL}
    ),
    "path": Case(changed(intrabar="ohlc_path")),
    "path, every kind of order": Case(changed(intrabar="ohlc_path"), EVERY),
    "path, volume cap, latency": Case(
        changed(intrabar="ohlc_path", volume_share_e4=500, latency=Latency(60_000, 60_000)), EVERY
    ),
    "path, isolated at leverage 100": Case(changed(intrabar="ohlc_path", margin=Margin("isolated", 100)), EVERY),
    "path, hedge, cross, two symbols": Case(
        changed(intrabar="ohlc_path", position_mode="hedge", margin=Margin("cross", 100)),
        EVERY,
        {"symbols": TWO, "capital": SMALL},
    ),
    "path, two symbols": Case(changed(intrabar="ohlc_path", volume_share_e4=500), EVERY, {"symbols": TWO}),
    "lower timeframe": Case(changed(intrabar="lower_timeframe"), EVERY),
    "the defaults": Case(FillModel(), EVERY, {"bars_a_day": 12}),
}


def run(name: str, seed: int, bars: int = 60) -> Pair:
    """One stream through reference and venue; raises AssertionError where they differ."""
    case = CASES[name]
    return stream(seed, bars, case.model, kinds=case.kinds, **case.more)
