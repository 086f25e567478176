"""From a frame to an order: through a whole trader, signing, the order round trip on loopback beside ccxt and a bare
ping, stream decoding.

The trader runs against the simulated exchange. Clients run in processes of their own against a venue in another that
answers at once (`aister.bench.answering`), in turns, and every call counts: machines are noisy, and so are networks.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from aister.adapters.exchanges.aster.frames import market_frame
from aister.adapters.signer.charter import Charter, Limits
from aister.adapters.signer.client import SignerClient
from aister.adapters.signer.process import SignerProcess
from aister.app.simulator import TEST_KEY, TEST_USER
from aister.bench import Figure
from aister.bench.answering import BURST, burst_frame
from aister.bench.through import STAGES
from aister.bench.trips import InProcess
from aister.core.errors import AisterError
from aister.core.money import UNIT
from aister.ports.signer import Call, Declined, Signed

__all__ = ["answering", "child", "decoding", "measure", "passes", "signer_process", "signing", "simulator", "through"]

_FASTER = 5.0
_DECODED = 80_000
_THROUGH_US, _INSIDE_US = (200, 700), (150, 500)
_SPEED = 120.0
_DAYS = 20
_KEY = 'scheme = "v3"\nnet = "simulator"\naccount = "{account}"\nkey = "{key}"\norigin = "{origin}"\n'
_WORDS = {
    "released": "decoded, and every symbol's bar there",
    "decided": "features, rule, every limit, plan",
    "journaled": "on the disk",
    "handed_on": "the gateway",
    "signed": "filters, and the signature",
    "sent": "to the socket's door",
}
_SIGNED = Call(
    "POST",
    "/fapi/v3/order",
    (
        ("newClientOrderId", "a1b2-1f-1"),
        ("price", "9000"),
        ("quantity", "1"),
        ("side", "BUY"),
        ("symbol", "BTCUSDT"),
        ("timeInForce", "GTC"),
        ("type", "LIMIT"),
    ),
    "trade",
    1,
)


def measure(quick: bool) -> Iterator[Figure]:
    """Microseconds at the median and the 99th percentile, and messages a second of CPU."""
    yield from through(quick)
    yield from signing(quick)
    yield from _trips(quick)
    yield from decoding(quick)


def through(quick: bool) -> Iterator[Figure]:
    """A closed bar's frame to the signed bytes of the order it led to, and what lies between; in turns with the same
    but for a signer in the trader's own process. Raises `AisterError` when the orders do not come in time."""
    told = passes(6, days=10) if quick else passes(200)
    how = f"limits, signer process, journal on (durability {told['durability']})"
    yield from _parted("frame to signed order", told["passes"], _THROUGH_US, how)
    yield from _parted("frame to order, signed in process", told["inside"], _INSIDE_US, "all else as before")


def passes(count: int, days: int = _DAYS) -> Any:
    """What `aister.bench.through` printed of so many orders either way, against a simulated exchange of its own, after
    so many days to warm up on."""
    with simulator(days) as (rest, stream), tempfile.TemporaryDirectory() as home:
        keys = Path(home, "keys")
        keys.mkdir(mode=0o700)
        key = keys / "bench.toml"
        key.touch(0o600)
        key.write_text(_KEY.format(account=TEST_USER, key=TEST_KEY, origin=rest))
        told = _child("aister.bench.through", str(count), rest, stream, f"{_SPEED:g}", str(days - 1), home=home)
    if told["why"]:
        raise AisterError(f"{told['why']} Free this machine of other work and measure again.")
    return told


def _parted(name: str, taken: list[list[float]], aim_us: tuple[int, int], how: str) -> Iterator[Figure]:
    """The whole beside its aims, and its parts."""
    parts = np.array(taken)
    whole = parts.sum(axis=1)
    for share, aim in zip((50, 99), aim_us, strict=True):
        value = float(np.percentile(whole, share))
        note = f"aim {aim} us: {_met(value <= aim)}; {len(whole):,} orders; {how}"
        yield Figure(name, value, f"us p{share}", None, None, note)
    for stage, part in zip(STAGES, parts.T, strict=True):
        yield _beside(
            f"  {stage.replace('_', ' ')}", list(part), float(np.median(whole)), f"of all that: {_WORDS[stage]}"
        )


@contextmanager
def simulator(days: int) -> Iterator[tuple[str, str]]:
    """The simulated exchange with the packaged bars, `_SPEED` times as fast as they were and so many days of them past;
    its two addresses."""
    command = [sys.executable, "-m", "aister", "sim", "serve", "--json", "--symbols", "BTCUSDT"]
    command += ["--rest-port", "0", "--ws-port", "0", "--speed", f"{_SPEED:g}", "--history", str(24 * days)]
    serving = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert serving.stdout is not None
    try:
        where = json.loads(serving.stdout.readline())
        yield where["rest"], where["ws"]
    finally:
        serving.terminate()
        serving.wait(timeout=30)
        serving.stdout.close()


def signing(quick: bool) -> Iterator[Figure]:
    """One order's parameters to signed bytes."""
    signer = InProcess()
    ours = _timed(500 if quick else 3_000, lambda: signer.sign(_SIGNED))
    slow = None
    if find_spec("eth_account") is not None:
        slow = float(np.median(_timed(30 if quick else 100, _by_eth_account(signer.sign(_SIGNED).payload))))
    yield _beside("signing an order, in process", ours, slow, "of eth-account's typed data, which signs the same bytes")
    with signer_process() as line:
        apart = _timed(500 if quick else 3_000, lambda: _ensure(line.sign(_SIGNED)))
    what = "of the same in process: the signer checks it, counts it and keeps nonces on disk"
    yield _beside("signing it in the signer process", apart, float(np.median(ours)), what)


@contextmanager
def signer_process() -> Iterator[SignerClient]:
    """A signer of the key in print, as a trader has one, in a home of its own."""
    limits = Limits(1_000_000 * UNIT, 10**9, 10**9, 20, {"BTCUSDT": 94_000 * UNIT})
    charter = Charter("bench", "v3", TEST_USER, "simulator", 714, limits=limits)
    with tempfile.TemporaryDirectory() as home:
        for folder in ("run", "signer"):
            Path(home, folder).mkdir(mode=0o700)
        process = SignerProcess(charter, lambda: bytes.fromhex(TEST_KEY[2:]), Path(home), epoch=1)
        try:
            line = process.start()
            try:
                yield line
            finally:
                line.close()
        finally:
            process.stop()


def _ensure(signed: Signed | Declined) -> None:
    if isinstance(signed, Declined):
        raise RuntimeError(f"the signer declined: {signed.reason}")


def _by_eth_account(payload: bytes) -> Callable[[], object]:
    from eth_account import Account  # noqa: PLC0415 - where it is installed
    from eth_account.messages import encode_typed_data  # noqa: PLC0415

    domain = {"name": "AsterSignTransaction", "version": "1", "chainId": 714, "verifyingContract": "0x" + "00" * 20}
    types = {"Message": [{"name": "msg", "type": "string"}]}
    message = payload.partition(b"&signature=")[0].decode()
    return lambda: Account.sign_message(encode_typed_data(domain, types, {"msg": message}), TEST_KEY)


def _timed(count: int, call: Callable[[], object]) -> list[float]:
    taken = []
    for number in range(-count // 10, count):
        began = time.perf_counter_ns()
        call()
        if number >= 0:
            taken.append((time.perf_counter_ns() - began) / 1000)
    return taken


def _trips(quick: bool) -> Iterator[Figure]:
    count, rounds = (100, 2) if quick else (400, 5)
    clients = ["ping", "ours"] + (["ccxt"] if find_spec("ccxt") is not None else [])
    taken: dict[str, list[float]] = {client: [] for client in clients}
    with answering() as port:
        for _ in range(rounds):
            for client in clients:
                taken[client] += child(client, port, count)
        floor = float(np.median(taken["ping"]))
        yield _beside("bare aiohttp ping on loopback", taken["ping"], None, "the floor")
        yield _beside("order round trip on loopback", taken["ours"], floor, "of the floor")
        if "ccxt" in taken:
            ours, theirs = float(np.median(taken["ours"])), float(np.median(taken["ccxt"]))
            aim = f"at least {_FASTER:g}x as slow as ours at the median: {_met(theirs >= _FASTER * ours)}"
            yield _beside("the same by ccxt", taken["ccxt"], ours, f"of ours; {aim}")
        else:
            yield Figure("the same by ccxt", 0.0, "us", None, None, "not measured: pip install ccxt==4.5.84")
        told = child("burst", port, BURST)
    lost = BURST - int(told["in_order"])
    rate = BURST / told["wall_s"]
    per = told["cpu_s"] / BURST * 1e6
    note = f"{lost:,} lost or out of order of {BURST:,}: {_met(lost == 0)}; {per:.1f} us of CPU each, socket included"
    yield Figure("a burst over a websocket", rate, "frames/s", None, None, note)


def decoding(quick: bool) -> Iterator[Figure]:
    """Frames of a combined stream to typed values."""
    frames = [burst_frame(number).encode() for number in range(20_000 if quick else 100_000)]
    ours, plain = _rate(frames, market_frame), _rate(frames, json.loads)
    note = f"of json.loads; aim {_DECODED:,}: {_met(ours >= _DECODED)}"
    yield Figure("decoding a stream, typed", ours, "frames/s", plain, ours / plain, note)


def _rate(frames: list[bytes], decode: Callable[[bytes], Any]) -> float:
    """Frames a second of CPU, best of five."""
    best = 0.0
    for _ in range(5):
        began = time.process_time()
        for raw in frames:
            decode(raw)
        best = max(best, len(frames) / (time.process_time() - began))
    return best


def _beside(name: str, taken: list[float], reference: float | None, what: str) -> Figure:
    median, late = (float(one) for one in np.percentile(taken, (50, 99)))
    note = f"{what}; p99 {late:,.0f} us, {len(taken):,} calls"
    return Figure(name, median, "us p50", reference, median / reference if reference else None, note)


def _met(yes: bool) -> str:
    return "met" if yes else "MISSED"


@contextmanager
def answering() -> Iterator[int]:
    """The venue, listening; its port."""
    venue = subprocess.Popen(
        [sys.executable, "-m", "aister.bench.answering"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert venue.stdout is not None and venue.stdin is not None
    try:
        yield int(venue.stdout.readline())
    finally:
        venue.stdin.close()
        venue.wait(timeout=10)
        venue.stdout.close()


def child(client: str, port: int, count: int) -> Any:
    """What `aister.bench.trips` printed."""
    return _child("aister.bench.trips", client, str(port), str(count))


def _child(module: str, *given: str, home: str = "") -> Any:
    """What a module printed, in a process of its own. Raises `RuntimeError` with what it said when it failed."""
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", module, *given],
        env={**os.environ, "AISTER_HOME": home} if home else None,
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode:
        raise RuntimeError(ran.stderr[-2000:])
    return json.loads(ran.stdout.splitlines()[-1])
