"""What a simulated exchange is set up with."""

from typing import Literal

import msgspec

from aister.core.errors import SettingsError
from aister.exchange_sim.rules import Readings
from aister.sim.models import FillModel, Latency, Margin

__all__ = ["FREE_MODEL", "Limits", "Settings"]

FREE_MODEL = FillModel(
    impact=None, volume_share_e4=0, latency=Latency(0, 0, 0), margin=Margin("cross", 20), intrabar="ohlc_path"
)
"""What is assumed of fills when the market runs by itself: the path's price, half-spread, no impact, no cap; latency is
what the wire has."""


class Limits(msgspec.Struct, frozen=True):
    """Rate limits (aster-api 4): weight per minute and address, orders per minute and account, and after how many
    requests beyond the limit an address is banned, for how long at first and at most."""

    weight_per_minute: int = 2400
    orders_per_minute: int = 1200
    ban_after: int = 20
    ban_ms: int = 120_000
    longest_ban_ms: int = 3 * 86_400_000


class Settings(msgspec.Struct, frozen=True):
    """A simulated exchange. Times in ms.

    `legs`: into how many straight legs a bar is cut (a multiple of 3: open, nearer extreme, other extreme, close).
    `lockstep`: time moves by barriers and bars are matched whole under `model.intrabar`; otherwise it must be
    `ohlc_path`. `nonce_window_ms` 0 = any time is accepted (a clock that runs faster than the wall's).
    Retention of orders without fills, life of listen keys and of connections can be compressed for tests.
    """

    chain_id: int = 714
    model: FillModel = FREE_MODEL
    legs: int = 15
    lockstep: bool = False
    mark: Literal["last", "model"] = "last"
    """What mark and index are: last itself (a proxy), or the model of `marks`."""
    seed: int = 1
    readings: Readings = Readings()
    limits: Limits = Limits()
    nonce_window_ms: int = 60_000
    nonces_kept: int = 100
    retention_ms: int = 7 * 86_400_000
    trades_window_ms: int = 7 * 86_400_000
    listen_key_ms: int = 3_600_000
    connection_ms: int = 86_400_000
    ping_ms: int = 300_000
    pong_ms: int = 900_000
    messages_per_second: int = 10
    streams_per_connection: int = 200
    take_bound_e8: int = 5_000_000
    """marketTakeBound: MARKET fills at most this share of mark away from it."""
    trigger_protect_e8: int = 5_000_000
    """triggerProtect: an order with priceProtect waits while mark and last are farther apart than this share of
    last."""
    kept: int = 200_000
    """How many requests and happenings are remembered, the newest."""
    margin_type: Literal["", "isolated", "cross"] = ""
    """Of every symbol at the start; empty: the model's."""

    @property
    def life_of_keys_ms(self) -> int:
        """How long a listen key lives; in lockstep nothing ages (a century): a bar may pass in a millisecond."""
        return 100 * 365 * 86_400_000 if self.lockstep else self.listen_key_ms

    def check(self) -> "Settings":
        """The settings themselves; raises `SettingsError` for what cannot be."""
        self.model.check()
        if self.lockstep and self.mark != "last":
            raise SettingsError("In lockstep a bar has no inside to follow a mark price through; choose mark last.")
        if self.lockstep:
            return self
        if self.legs < 3 or self.legs % 3:
            raise SettingsError(f"A bar cannot be cut into {self.legs} legs; give a multiple of 3.")
        if self.model.intrabar != "ohlc_path" or self.model.latency.ms or self.model.latency.ack_ms:
            raise SettingsError(
                "A market that runs by itself walks the bar's path and has the wire's latency; choose ohlc_path and no"
                " latency in the fill model, or lockstep."
            )
        return self
