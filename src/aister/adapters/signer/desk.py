"""The desk that signs: policy, epoch, pace, nonce, signature, in this order. It reads no clock and opens no socket, so
that it runs the same in its own process, in a test, and in virtual time."""

import threading
from collections.abc import Callable

from aister.adapters.exchanges.aster.sign import Agent, ApiKey
from aister.adapters.signer.charter import READ, REDUCE, TRADE, Charter
from aister.adapters.signer.fence import AccountFence
from aister.adapters.signer.nonces import Nonces
from aister.adapters.signer.pace import Pace
from aister.adapters.signer.policy import judge
from aister.adapters.signer.state import State, StateFile
from aister.core.errors import CredentialError, StorageError
from aister.ports.signer import Call, Declined, Signed

__all__ = ["Desk", "ready_to_sign"]

_LAST_DAY_MS = 86_400_000
_MARK_US = 60_000_000
_HIGHEST_MARK_TIMES = 4
_MOST_MARKS = 1_000
_MOST_HEADS = 64
_LARGEST_EPOCH = 2**53
_MOST_AHEAD_US = 600_000_000
"""How far ahead of the wall clock a caller may say that the venue is: what a lie can burn of the nonces to come."""


def ready_to_sign(charter: Charter, key: bytes) -> Agent | ApiKey:
    """The key, able to sign. Raises `CredentialError`, which never shows the key: an old key on mainnet, a key that is
    none, a main wallet's key."""
    if charter.scheme == "v1":
        if charter.net == "mainnet":
            raise CredentialError("An API key with a secret (V1) is not traded with on mainnet; create an agent.")
        return ApiKey(charter.account, key)
    if charter.scheme != "v3":
        raise CredentialError("A key is of scheme v3 (an agent) or v1 (an old API key); write one of the two.")
    agent = Agent(key, charter.account, charter.chain_id)
    if agent.address.lower() == charter.account.lower():
        raise CredentialError("This is your main wallet key; create an agent and give its key instead.")
    return agent


class Desk:
    """Port `Signer`. `now_us`: wall clock, microseconds; `monotonic`: seconds; `account`: what the signers of the
    account's other keys have seen. Reads the state it left behind, if any.

    Raises as `ready_to_sign` and `StateFile.read`. While the state cannot be written it only reduces: a reduction is
    worth more than the certainty that no nonce repeats after a crash with the clock set back (C8).
    """

    def __init__(
        self,
        charter: Charter,
        key: bytes,
        state: StateFile,
        now_us: Callable[[], int],
        monotonic: Callable[[], float],
        account: AccountFence | None = None,
    ) -> None:
        self._charter, self._account = charter, account
        self._signing = ready_to_sign(charter, key)
        self._file, self._now_us, self._monotonic = state, now_us, monotonic
        kept = state.read()
        self._nonces = Nonces(kept.reserved_us, charter.window_us)
        self._reserved_us = kept.reserved_us
        self._epoch = kept.epoch
        self._heads = dict(kept.heads)
        limits = charter.limits
        burnt = limits.orders_per_s if kept.day else 0  # what may have been signed after the last writing
        self._pace = Pace(limits.orders_per_s, limits.orders_per_day, kept.day, kept.orders + burnt)
        self._marks: dict[str, tuple[int, int]] = {}
        self._writing = threading.Lock()
        self._off_us = 0
        self.keep_ahead(always=True)

    @property
    def address(self) -> str:
        return self._signing.address

    @property
    def epoch(self) -> int:
        """The highest lease epoch seen."""
        return self._epoch

    def sign(self, call: Call, ceiling: str = TRADE) -> Signed | Declined:
        """`ceiling`: the most the caller's door lets through."""
        verdict = judge(call, self._charter, self._fresh_marks(call), ceiling)
        if isinstance(verdict, Declined):
            return verdict
        opens = verdict.right == TRADE
        now_us = self._nonce_time_us(call.venue_ms)
        declined = self._fenced(call, verdict.right, ceiling)
        if declined is None and opens:
            declined = self._unfit_to_open(now_us, verdict.counts)
        if declined is not None:
            return declined
        nonce_us = call.nonce_us
        if nonce_us:
            if not self._nonces.given(nonce_us):
                return Declined("parameter", "Only a nonce given out before can be killed; name that of the request.")
        else:
            nonce_us = self._nonces.peek(now_us)
            if nonce_us > self._reserved_us and not self._reserve(nonce_us) and opens:
                return Declined("busy", "The signer cannot write its state; free the disk, until then it only reduces.")
            self._nonces.take(now_us)
        if verdict.counts:
            self._pace.count(self._monotonic(), now_us // 1_000)
        return self._signing.sign(call.params, nonce_us)

    def keep_ahead(self, *, always: bool = False) -> None:
        """Write down the nonces of the next block before they are needed, when less than half of it is left. May be
        called by another thread, so that no request waits for the disk."""
        now_us = self._nonces.peek(self._now_us() + self._off_us)
        if always or 2 * (self._reserved_us - now_us) < self._charter.block_us:
            self._reserve(now_us)

    def tell_mark(self, symbol: str, mark_e8: int) -> Declined | None:
        """The mark price of a symbol that may be traded, valid for a minute. It may be anything up to four times the
        one at arming; beyond that one of the two is wrong."""
        armed = self._charter.limits.marks.get(symbol)
        if armed is None or mark_e8 <= 0 or len(self._marks) > _MOST_MARKS:
            return Declined("parameter", "A mark price above zero of a symbol set at arming is wanted; tell that.")
        if armed and mark_e8 > _HIGHEST_MARK_TIMES * armed:
            return Declined("cap", f"The price of {symbol} is far above the one at arming; arm again if it is right.")
        self._marks[symbol] = (mark_e8, self._now_us())
        return None

    def keep_head(self, chain: str, sequence: int, head: str, *, accepted: bool = False) -> Declined | None:
        """The newest record of a journal chain; on disk with the next block. An older one than is kept is refused
        unless a person accepted the rollback."""
        kept = self._heads.get(chain, (-1, ""))
        if not accepted and (sequence < kept[0] or (sequence == kept[0] and head != kept[1])):
            return Declined(
                "parameter",
                f"The journal stands at record {sequence} and stood at {kept[0]} before; restore it, or accept the "
                "rollback with aister journal accept-rollback.",
            )
        if chain not in self._heads and len(self._heads) >= _MOST_HEADS:
            return Declined("parameter", "Too many journal chains are kept for one key; use a home of its own.")
        self._heads[chain] = (sequence, head)
        return None

    def fence(self, epoch: int) -> None:
        """Raise the epoch to that of the lease its starter holds, for every signer of the account. Raises
        `CredentialError` when a newer one was seen, `StorageError` when the others cannot be told."""
        if 0 <= epoch < self._newest():
            raise CredentialError("Another trader took this account over; take its lease before starting a signer.")
        if epoch >= 0 and self._account is not None:
            self._account.raise_to(epoch)
        if epoch > self._epoch:
            self._epoch = epoch
            self._reserve(self._nonces.last_us)

    def gives_way_to(self, epoch: int) -> bool:
        """Whether a signer started under that lease may replace this one: under a newer one, or when this one only
        reduces. If so, nobody starts one under an older lease again."""
        if epoch > self._epoch or (self._charter.right != TRADE and epoch == self._epoch):
            self.fence(epoch)
            return True
        return False

    def kept_head(self, chain: str) -> tuple[int, str] | None:
        return self._heads.get(chain)

    def flush(self) -> None:
        """Everything on disk. Raises `StorageError`."""
        self._write(self._reserved_us)

    def _nonce_time_us(self, venue_ms: int) -> int:
        """The time that nonces are made of: the venue's where the caller has measured it, else this machine's. Made of
        a wall clock that is ahead, a nonce makes every later one useless until that time has come. A simulator's
        clock may run as fast as somebody asked it to."""
        wall_us, told_us = self._now_us(), venue_ms * 1_000
        believed = told_us <= wall_us + _MOST_AHEAD_US or self._charter.net == "simulator"
        now_us = told_us if told_us > 0 and believed else wall_us
        self._off_us = now_us - wall_us
        return now_us

    def _fresh_marks(self, call: Call) -> dict[str, int]:
        if call.right != TRADE or not self._marks:
            return {}
        oldest = self._now_us() - _MARK_US
        return {symbol: mark for symbol, (mark, at) in self._marks.items() if at >= oldest}

    def _fenced(self, call: Call, right: str, ceiling: str) -> Declined | None:
        """Whether the caller's lease is the newest. Reads need none; the watcher's door needs none to reduce."""
        epoch, newest = call.epoch, self._newest()
        if epoch > newest and right != READ and ceiling == TRADE:
            if epoch > _LARGEST_EPOCH:
                return Declined("epoch", "That is no lease's epoch; take the lease of the account first.")
            before, self._epoch = self._epoch, epoch
            if not (self._tell_others(epoch) and self._reserve_now()) and right == TRADE:
                self._epoch = before
                return Declined("busy", "The signer cannot write its state; free the disk, until then it only reduces.")
            return None
        if 0 <= epoch == newest or (right == READ and not 0 <= epoch < newest):
            return None
        if right == REDUCE and ceiling == REDUCE and epoch < 0:
            return None
        if epoch < 0:
            return Declined("epoch", "The account's lease is not held; take it first.")
        return Declined("epoch", "Another trader took this account over; stop this one, or restart it.")

    def _unfit_to_open(self, now_us: int, counts: bool) -> Declined | None:
        expires_ms = self._charter.expires_ms
        if expires_ms and now_us // 1_000 >= expires_ms - _LAST_DAY_MS:
            return Declined("key", "The agent's key ends within 24 hours; create a new agent before opening anything.")
        if self._nonces.clock_is_back(now_us):
            ahead_s = self._nonces.ahead_us(now_us) // 1_000_000
            return Declined(
                "clock",
                f"Requests were signed {ahead_s} s ahead of what the clock says now; set the clock right and wait that "
                "long, or create a new agent.",
            )
        full = self._pace.full(self._monotonic(), now_us // 1_000) if counts else ""
        return Declined("cap", full) if full else None

    def _newest(self) -> int:
        """The highest epoch any signer of this account has seen."""
        return max(self._epoch, self._account.newest()) if self._account is not None else self._epoch

    def _tell_others(self, epoch: int) -> bool:
        try:
            if self._account is not None:
                self._account.raise_to(epoch)
        except StorageError:
            return False
        return True

    def _reserve_now(self) -> bool:
        return self._reserve(self._nonces.peek(self._now_us() + self._off_us))

    def _reserve(self, nonce_us: int) -> bool:
        """Write down that every nonce up to a block from here counts as used; whether the disk has it."""
        try:
            self._write(nonce_us + self._charter.block_us)
        except StorageError:
            return False
        return True

    def _write(self, reserved_us: int) -> None:
        with self._writing:  # never an older state over a newer one
            reserved_us = max(reserved_us, self._reserved_us)
            kept = State(reserved_us, self._epoch, self._pace.day, self._pace.orders, dict(self._heads))
            self._file.write(kept)
            self._reserved_us = reserved_us
