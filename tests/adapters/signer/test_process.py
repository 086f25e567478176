"""The real process: hostile callers, deaths in the middle, a stopped trader, a second one."""

import os
import random
import resource
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from aister.adapters.signer.allowed import ALLOWED
from aister.adapters.signer.leased import LeasedSigner
from aister.adapters.signer.process import SignerProcess, doors
from aister.adapters.signer.protocol import HEADER, LONGEST, Keep, Mark, Retire, Sign, framed
from aister.core.errors import CredentialError, SettingsError, SignerUnreachable
from aister.ports.signer import Call, Declined, Signed
from tests.adapters.signer.given import AGENT, CHARTER, KEY, order, place, read, stop
from tests.adapters.signer.running import FAST, Caller, gone, home, is_there, running, soon
from tests.adapters.signer.test_policy import PATHS, SIGNED


def test_it_signs_over_its_socket_and_keeps_what_it_was_told() -> None:
    with home() as folder:
        with running(folder) as (process, line):
            assert line.address == AGENT and process.serving is not None and not process.why
            signed = line.sign(place())
            assert isinstance(signed, Signed) and abs(signed.nonce_us - time.time_ns() // 1_000) < 10_000_000
            assert isinstance(line.sign(place(order(builder="0x1"))), Declined)
            assert line.keep_head("run", 7, "ab") is None and line.kept_head("run") == (7, "ab")
            assert line.tell_mark("BTCUSDT", 60_000 * 10**8) is None
            for door in doors(folder, CHARTER.name):
                assert stat.S_IMODE(os.stat(door).st_mode) == 0o600
            assert stat.S_IMODE((folder / "run").stat().st_mode) == 0o700
            state = next((folder / "signer").glob("*.json"))
            assert stat.S_IMODE(state.stat().st_mode) == 0o600
        with running(folder) as (_, again):
            assert again.kept_head("run") == (7, "ab")
            later = again.sign(place())
            assert isinstance(later, Signed) and later.nonce_us > signed.nonce_us


def test_a_hostile_caller_gets_nothing_signed_that_is_not_on_the_list() -> None:
    """Every path of the exchange at both doors, ten thousand made-up requests, and bytes that are none."""
    chance = random.Random(1122)
    names = [
        *ALLOWED["v3"]["POST", "/fapi/v3/order"].params,
        "builder",
        "amount",
        "asset",
        "toAddress",
        "nonce",
        "user",
    ]
    values = ["BTCUSDT", "DOGEUSDT", "BUY", "SELL", "LIMIT", "MARKET", "STOP_MARKET", "true", "0.1", "1000", "1e9", ""]
    with home() as folder, running(folder) as (process, line):
        at = [Caller(folder, 0), Caller(folder, 1)]
        for name in PATHS:
            for method in ("GET", "POST", "PUT", "DELETE"):
                if method in SIGNED.get(name, ()):
                    continue
                call = Call(method, f"/fapi/v3/{name}", (("symbol", "BTCUSDT"),), "trade", 1)
                answers = [one.ask(Sign(call)) for one in at]
                assert all(got is not None and got.signed is None and got.declined is not None for got in answers)
        signed = 0
        for number in range(10_000):
            params = dict(order()) if chance.random() < 0.9 else {}
            params |= {chance.choice(names): chance.choice(values) for _ in range(chance.randrange(4))}
            path = chance.choice(PATHS) if chance.random() < 0.3 else "order"
            method = chance.choice(["POST", "POST", "POST", "PUT", "DELETE", "GET"])
            right = chance.choice(["trade", "trade", "reduce", "read"])
            call = Call(method, f"/fapi/v3/{path}", tuple(params.items()), right, chance.choice([1, 1, 0, -1]), 0)
            door = number % 2
            got = at[door].ask(Sign(call))
            assert got is not None
            if got.signed is None:
                continue
            signed += 1
            rule = ALLOWED["v3"][method, f"/fapi/v3/{path}"]
            assert set(params) <= set(rule.params) and set(rule.required) <= set(params)
            reduces = rule.right in ("read", "reduce") or "true" in (
                params.get("reduceOnly"),
                params.get("closePosition"),
            )
            assert reduces or (door == 0 and right == "trade" and params["symbol"] == "BTCUSDT")
        assert signed > 50
        for ask in (Mark("BTCUSDT", 1), Keep("run", 1, ""), Retire(99)):  # not the watcher's to tell
            got = at[1].ask(ask)
            assert got is not None and got.declined is not None
        for _ in range(300):
            for one in at:
                one.say(HEADER.pack(chance.randrange(1, 64)) + chance.randbytes(chance.randrange(64)) + bytes(64))
        for content in (b"GET / HTTP/1.1\r\n\r\n", HEADER.pack(LONGEST + 1), HEADER.pack(2**32 - 1), HEADER.pack(0)):
            assert at[0].say(content) is None
        for one in at:
            one.close()
        assert isinstance(soon(line, place()), Signed) and process.starts == 1


def test_callers_that_say_half_a_frame_or_never_read_hold_nobody_up() -> None:
    with home() as folder, running(folder) as (process, line):
        idle = []
        for _ in range(40):
            one = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            one.connect(doors(folder, CHARTER.name)[0])
            one.setblocking(False)
            idle.append(one)
        for one in idle[:5]:
            one.send(framed(Sign(place()))[:9])
        flood = framed(Sign(place())) * 200
        for one in idle[5:10]:
            try:
                for _ in range(20):
                    one.send(flood)
            except (BlockingIOError, BrokenPipeError, ConnectionResetError):
                continue
        line.close()
        for one in idle[10:]:
            one.close()
        assert isinstance(soon(line, place()), Signed) and process.starts == 1
        for one in idle[:10]:
            one.close()


def test_a_hundred_at_once_get_a_hundred_nonces() -> None:
    with home() as folder, running(folder) as (_, line):
        with ThreadPoolExecutor(100) as pool:
            got = list(pool.map(lambda _: line.sign(place()), range(100)))
        nonces = [one.nonce_us for one in got if isinstance(one, Signed)]
        assert len(set(nonces)) == 100


def test_killed_at_any_moment_of_any_order_it_comes_back_and_no_nonce_repeats() -> None:
    chance = random.Random(7)
    nonces: list[int] = []
    with home() as folder, running(folder) as (process, line):
        for _ in range(3):
            pid = process.pid
            shot = threading.Timer(chance.uniform(0.0, 0.1), os.kill, (pid, signal.SIGKILL))
            shot.start()
            with pytest.raises(SignerUnreachable, match="nothing was signed"):
                while True:
                    signed = line.sign(place())
                    assert isinstance(signed, Signed)
                    nonces.append(signed.nonce_us)
            shot.join()
            gone(process, pid)
            signed = soon(line, place())
            assert isinstance(signed, Signed)
            nonces.append(signed.nonce_us)
        assert process.starts == 4
    assert len(nonces) > 10 and all(one < other for one, other in pairwise(nonces))


def test_one_that_hangs_is_said_at_once_and_replaced() -> None:
    with home() as folder, running(folder) as (process, line):
        first = process.pid
        os.kill(first, signal.SIGSTOP)
        began = time.monotonic()
        with pytest.raises(SignerUnreachable, match="in time"):
            line.sign(place())
        assert time.monotonic() - began < 2
        assert isinstance(soon(line, place()), Signed) and process.pid != first and not is_there(first)


def test_it_ends_with_whoever_started_it() -> None:
    code = (
        "import sys, time; from pathlib import Path; from tests.adapters.signer.running import running\n"
        "with running(Path(sys.argv[1])) as (process, line):\n    print(process.pid, flush=True); time.sleep(60)"
    )
    with (
        home() as folder,
        subprocess.Popen([sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE, text=True) as trader,
    ):
        assert trader.stdout is not None
        pid = int(trader.stdout.readline())
        trader.kill()
        until = time.monotonic() + 10
        while is_there(pid) and time.monotonic() < until:
            time.sleep(0.02)
        assert not is_there(pid)


def test_a_wrong_key_is_refused_in_the_signers_words_and_not_tried_again() -> None:
    with home() as folder:
        main_wallet = msgspec.structs.replace(FAST, account=AGENT)
        process = SignerProcess(main_wallet, lambda: KEY, folder, epoch=1)
        with pytest.raises(CredentialError, match="main wallet key") as refused:
            process.start()
        assert KEY.hex() not in str(refused.value) and process.starts == 1 and process.why == str(refused.value)
        process.stop()


def test_a_home_too_deep_for_a_socket_is_one_sentence() -> None:
    with home() as folder:
        deep = folder / ("d" * 120)
        with pytest.raises(SettingsError, match="short path"):
            SignerProcess(FAST, lambda: KEY, deep, epoch=1).start()


def test_entries_end_with_two_thirds_of_the_lease_and_nothing_else_does() -> None:
    clock, until = [10.0], [16.6]
    with home() as folder, running(folder) as (_, line):
        leased = LeasedSigner(line, lambda: until[0], monotonic=lambda: clock[0])
        assert leased.address == AGENT and isinstance(leased.sign(place()), Signed)
        clock[0] = 16.599
        assert isinstance(leased.sign(place()), Signed)
        clock[0] = 16.6
        told = leased.sign(place())
        assert isinstance(told, Declined) and told.kind == "epoch"
        assert isinstance(leased.sign(place(stop(), right="reduce")), Signed) and isinstance(
            leased.sign(read()), Signed
        )


def test_this_process_may_still_leave_a_core_file() -> None:
    """The hardening is the child's; ours is as it was, so that tests of the child's mean something."""
    with home() as folder, running(folder) as (process, _):
        limits = Path(f"/proc/{process.pid}/limits")
        if not limits.exists():
            pytest.skip("only Linux tells another process's limits")
        core = next(line.split() for line in limits.read_text().splitlines() if line.startswith("Max core"))
        assert core[4:6] == ["0", "0"]
        assert resource.getrlimit(resource.RLIMIT_CORE)[1] != 0
