"""Nonces across clocks and deaths, epochs, pace, expiry, and what is kept: on the desk itself, with clocks by hand."""

from pathlib import Path

import msgspec
import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from hypothesis import given, settings
from hypothesis import strategies as st

from aister.adapters.signer import state as state_module
from aister.adapters.signer.charter import UNARMED, Charter, Limits
from aister.adapters.signer.desk import Desk
from aister.adapters.signer.pace import Pace
from aister.adapters.signer.state import State, StateFile, epoch_seen
from aister.core.errors import CredentialError, StorageError
from aister.core.money import UNIT
from aister.ports.signer import Call, Declined, Signed
from tests.adapters.signer.given import (
    AGENT,
    CHARTER,
    KEY,
    LIMITS,
    NOW_US,
    USER,
    Clocks,
    desk,
    order,
    place,
    read,
    stop,
)

WINDOW_US = CHARTER.window_us
SECONDS = st.floats(-200, 200)


def nonce(one: Desk, call: Call | None = None) -> int:
    signed = one.sign(read() if call is None else call)
    assert isinstance(signed, Signed), signed
    return signed.nonce_us


def kind(told: Signed | Declined | None) -> str:
    return told.kind if isinstance(told, Declined) else ""


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


def test_another_reading_of_the_document_recovers_the_agent_from_the_bytes_signed(
    tmp_path: Path, clocks: Clocks
) -> None:
    signed = desk(tmp_path, clocks).sign(place())
    assert isinstance(signed, Signed)
    message, _, signature = signed.payload.decode().partition("&signature=")
    assert f"&nonce={NOW_US}&" in message and f"&user={USER}" in message
    document = {
        "types": {
            "EIP712Domain": [
                {"name": "name", "type": "string"},
                {"name": "version", "type": "string"},
                {"name": "chainId", "type": "uint256"},
                {"name": "verifyingContract", "type": "address"},
            ],
            "Message": [{"name": "msg", "type": "string"}],
        },
        "primaryType": "Message",
        "domain": {
            "name": "AsterSignTransaction",
            "version": "1",
            "chainId": 714,
            "verifyingContract": "0x" + "0" * 40,
        },
        "message": {"msg": message},
    }
    assert Account.recover_message(encode_typed_data(full_message=document), signature=signature) == AGENT


# ---- nonces ---------------------------------------------------------------------------------------------------------


def test_nonces_are_the_clock_and_rise_when_it_stands(tmp_path: Path, clocks: Clocks) -> None:
    one = desk(tmp_path, clocks)
    first = [nonce(one) for _ in range(100)]
    assert first == list(range(NOW_US, NOW_US + 100))
    clocks.pass_s(3)
    assert nonce(one) == clocks.wall_us


def test_a_nonce_on_disk_is_never_given_again_however_the_process_ended(tmp_path: Path, clocks: Clocks) -> None:
    """A kill at any moment is a new desk over whatever file is there: before, between and after each writing."""
    given_out: list[int] = []
    one = desk(tmp_path, clocks)
    for step in range(200):
        given_out += [nonce(one) for _ in range(step % 4)]
        clocks.pass_s(0.13)
        if step % 3 == 0:
            one.keep_ahead()
        if step % 7 == 0:
            one = desk(tmp_path, clocks)
            assert nonce(one) > max(given_out, default=0)
    assert len(set(given_out)) == len(given_out)


@pytest.mark.parametrize("step_s", [-90.0, -3_600.0, 3_600.0])
def test_no_nonce_repeats_when_the_clock_steps_across_a_restart(tmp_path: Path, clocks: Clocks, step_s: float) -> None:
    one = desk(tmp_path, clocks)
    before = [nonce(one, place()) for _ in range(3)]
    clocks.step_s(step_s)
    one = desk(tmp_path, clocks)  # killed without a word
    entry = one.sign(place())
    if step_s < 0:
        assert kind(entry) == "clock" and isinstance(entry, Declined) and "set the clock right" in entry.reason
        after = nonce(one, place(stop()))  # reductions go on, above every nonce before
        assert max(before) < after < max(before) + 2 * CHARTER.block_us + 10
        clocks.step_s(-step_s)
        clocks.pass_s(2)
        assert nonce(one, place()) > after
    else:
        assert isinstance(entry, Signed) and entry.nonce_us == clocks.wall_us
        clocks.step_s(-step_s)  # set right again: what was signed ahead freezes entries until the clock gets there
        one = desk(tmp_path, clocks)
        assert kind(one.sign(place())) == "clock" and nonce(one, place(stop())) > entry.nonce_us
        clocks.pass_s(step_s)
        assert nonce(one, place()) > entry.nonce_us


def test_entries_freeze_just_beyond_half_the_window_and_not_at_it(tmp_path: Path, clocks: Clocks) -> None:
    one = desk(tmp_path, clocks)
    last = nonce(one, place())
    clocks.wall_us = last - WINDOW_US // 2
    assert isinstance(one.sign(place()), Signed)  # last is now one higher
    clocks.wall_us = last + 1 - WINDOW_US // 2 - 1
    assert kind(one.sign(place())) == "clock"


def test_only_a_nonce_given_out_can_be_killed_and_only_by_noop(tmp_path: Path, clocks: Clocks) -> None:
    one = desk(tmp_path, clocks)
    used = nonce(one, place())
    noop = Call("POST", "/fapi/v3/noop", (), "reduce", 1, used)
    signed = one.sign(noop)
    assert isinstance(signed, Signed) and signed.nonce_us == used and b"nonce=%d&" % used in signed.payload
    assert kind(one.sign(msgspec.structs.replace(noop, nonce_us=used + 10_000_000))) == "parameter"
    assert kind(one.sign(msgspec.structs.replace(noop, nonce_us=-1))) == "parameter"
    assert kind(one.sign(msgspec.structs.replace(noop, nonce_us=0))) == "parameter"
    assert kind(one.sign(msgspec.structs.replace(place(), nonce_us=used))) == "parameter"


def test_two_agents_do_not_share_nonces(tmp_path: Path, clocks: Clocks) -> None:
    (tmp_path / "other").mkdir()
    one, other = desk(tmp_path, clocks), desk(tmp_path / "other", clocks, key=b"\x12" * 32)
    assert one.address != other.address and nonce(one) == nonce(other)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["sign", "step", "pass", "kill", "ahead"]), SECONDS), max_size=40))
def test_whatever_happens_in_whatever_order_nonces_rise(
    tmp_path_factory: pytest.TempPathFactory, story: list[tuple[str, float]]
) -> None:
    folder, clocks = tmp_path_factory.mktemp("story"), Clocks()
    one, last = desk(folder, clocks), 0
    for what, seconds in story:
        match what:
            case "step":
                clocks.step_s(seconds)
            case "pass":
                clocks.pass_s(abs(seconds))
            case "kill":
                one = desk(folder, clocks)
            case "ahead":
                one.keep_ahead()
            case _:
                got = nonce(one)
                assert got > last
                last = got


# ---- epochs ---------------------------------------------------------------------------------------------------------


def test_a_newer_lease_fences_off_the_older_one_across_restarts(tmp_path: Path, clocks: Clocks) -> None:
    one = desk(tmp_path, clocks)
    assert kind(one.sign(place(epoch=-1))) == "epoch"
    for call in (place(epoch=3), place(stop(), epoch=3)):
        assert isinstance(one.sign(call), Signed)
    assert isinstance(one.sign(place(epoch=4)), Signed)
    one = desk(tmp_path, clocks)
    assert one.epoch == 4
    for old in (place(epoch=3), place(stop(), epoch=3), place(stop(), right="reduce", epoch=3), read(epoch=3)):
        assert kind(one.sign(old)) == "epoch"
    assert all(isinstance(one.sign(call), Signed) for call in (read(), read(epoch=9), place(epoch=4)))
    assert one.epoch == 4


def test_the_watchers_door_reduces_without_a_lease_and_raises_no_epoch(tmp_path: Path, clocks: Clocks) -> None:
    one = desk(tmp_path, clocks)
    assert isinstance(one.sign(place(epoch=4)), Signed)
    assert isinstance(one.sign(place(stop(), right="reduce", epoch=-1), "reduce"), Signed)
    assert kind(one.sign(place(stop(), right="reduce", epoch=-1))) == "epoch"  # not at the trader's door
    assert kind(one.sign(place(stop(), right="reduce", epoch=9), "reduce")) == "epoch" and one.epoch == 4
    assert kind(one.sign(place(epoch=4), "reduce")) == "parameter"


def test_no_epoch_of_nonsense_locks_everybody_out(tmp_path: Path, clocks: Clocks) -> None:
    one = desk(tmp_path, clocks)
    assert kind(one.sign(place(epoch=2**62))) == "epoch" and isinstance(one.sign(place(epoch=1)), Signed)


def test_a_signer_starts_under_the_newest_lease_and_gives_way_to_a_newer_one_only(
    tmp_path: Path, clocks: Clocks
) -> None:
    one = desk(tmp_path, clocks)
    one.fence(5)
    assert kind(one.sign(place(epoch=4))) == "epoch"
    assert not one.gives_way_to(5) and one.gives_way_to(6)
    with pytest.raises(CredentialError, match="Another trader"):
        desk(tmp_path, clocks).fence(4)
    watcher = desk(tmp_path, clocks, msgspec.structs.replace(CHARTER, right="reduce"))
    assert watcher.gives_way_to(6) and not watcher.gives_way_to(5)  # 6 was remembered


# ---- pace, marks, expiry --------------------------------------------------------------------------------------------


def test_orders_a_second_and_a_day_are_capped_and_reductions_are_not(tmp_path: Path, clocks: Clocks) -> None:
    one = desk(tmp_path, clocks)
    told = [kind(one.sign(place())) for _ in range(7)]
    assert told == [""] * 5 + ["cap"] * 2
    assert all(isinstance(one.sign(place(stop())), Signed) for _ in range(50))
    clocks.pass_s(0.999)
    assert kind(one.sign(place())) == "cap"
    clocks.pass_s(0.001)
    assert kind(one.sign(place())) == ""
    signed = 6
    for _ in range(200):
        clocks.pass_s(1)
        signed += isinstance(one.sign(place()), Signed)
    assert signed == 100
    assert isinstance(one.sign(place(stop())), Signed)
    clocks.step_s(-2 * 86_400)  # the day does not begin again
    clocks.mono_s += 2
    assert isinstance(one.sign(place()), Declined)
    clocks.step_s(2 * 86_400)
    clocks.pass_s(86_400)
    assert isinstance(one.sign(place()), Signed)


def test_a_death_does_not_win_back_what_was_spent_today(tmp_path: Path, clocks: Clocks) -> None:
    one, signed = desk(tmp_path, clocks), 0
    for step in range(300):
        clocks.pass_s(0.3)
        signed += isinstance(one.sign(place()), Signed)
        if step % 5 == 0:
            one.keep_ahead()
        if step % 11 == 0:
            one = desk(tmp_path, clocks)
    assert 0 < signed <= LIMITS.orders_per_day


def test_a_cap_of_nothing_lets_nothing_through() -> None:
    assert Pace(0, 10).full(0.0, 0) and Pace(10, 0).full(0.0, 0) and not Pace(1, 1).full(0.0, 0)


def test_a_mark_told_counts_for_a_minute_and_only_within_reason(tmp_path: Path, clocks: Clocks) -> None:
    one = desk(tmp_path, clocks)
    market = place(order(type="MARKET", price=None, timeInForce=None, quantity="0.1"))
    assert kind(one.sign(market)) == "cap"  # 0.1 at twice 60,000
    assert one.tell_mark("BTCUSDT", 60_000 * UNIT) is None
    assert isinstance(one.sign(market), Signed)
    clocks.pass_s(60.000001)
    assert kind(one.sign(market)) == "cap"
    for symbol, mark in (("BTCUSDT", 240_001), ("BTCUSDT", 0), ("BTCUSDT", -1), ("XUSDT", 1)):
        assert one.tell_mark(symbol, mark * UNIT) is not None


def test_from_a_day_before_the_key_ends_nothing_is_opened(tmp_path: Path, clocks: Clocks) -> None:
    ends_ms = NOW_US // 1_000 + 86_400_000
    dying = desk(tmp_path, clocks, msgspec.structs.replace(CHARTER, expires_ms=ends_ms))
    assert kind(dying.sign(place())) == "key" and isinstance(dying.sign(place(stop())), Signed)
    later = desk(tmp_path, clocks, msgspec.structs.replace(CHARTER, expires_ms=ends_ms + 1))
    assert isinstance(later.sign(place()), Signed)


# ---- keys and state -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "charter", "says"),
    [
        (KEY, msgspec.structs.replace(CHARTER, account=AGENT.lower()), "main wallet key"),
        (bytes(32), CHARTER, "64 hexadecimal digits"),
        (KEY[:31], CHARTER, "64 hexadecimal digits"),
        (b"secret", Charter("old", "v1", "apikey", "mainnet", 1666), "not traded with on mainnet"),
        (KEY, msgspec.structs.replace(CHARTER, scheme="v2"), "scheme"),
    ],
)
def test_a_key_of_the_wrong_kind_is_refused_in_a_sentence(
    tmp_path: Path, clocks: Clocks, key: bytes, charter: Charter, says: str
) -> None:
    with pytest.raises(CredentialError, match=says) as refused:
        desk(tmp_path, clocks, charter, key)
    assert key.hex() not in str(refused.value) or key == bytes(32)


def test_an_old_api_key_signs_for_testnet(tmp_path: Path, clocks: Clocks) -> None:
    old = desk(tmp_path, clocks, Charter("old", "v1", "apikey", "testnet", 714, limits=LIMITS), b"a-secret")
    call = Call("POST", "/fapi/v1/order", order(), "trade", 1)
    signed = old.sign(call)
    assert isinstance(signed, Signed) and ("X-MBX-APIKEY", "apikey") in signed.headers
    assert kind(old.sign(place())) == "path" and old.address == "apikey"


def test_unarmed_it_reads_and_reduces(tmp_path: Path, clocks: Clocks) -> None:
    one = desk(tmp_path, clocks, msgspec.structs.replace(CHARTER, limits=UNARMED))
    assert isinstance(one.sign(read()), Signed) and isinstance(one.sign(place(stop())), Signed)
    assert kind(one.sign(place())) == "cap"
    generous = msgspec.structs.replace(CHARTER, limits=Limits(10**18, 0, 0, 0, LIMITS.marks))
    assert kind(desk(tmp_path, clocks, generous).sign(place())) == "cap"


def test_the_state_is_sealed_and_a_changed_one_is_refused(tmp_path: Path) -> None:
    file = StateFile(tmp_path / "state.json", KEY)
    kept = State(5, 6, 7, 8, {"chain": (9, "ab")})
    file.write(kept)
    assert file.read() == kept
    assert (tmp_path / "state.json").read_bytes().find(KEY) < 0 and KEY.hex() not in (
        tmp_path / "state.json"
    ).read_text()
    whole = (tmp_path / "state.json").read_bytes()
    for at in range(0, len(whole), 7):
        (tmp_path / "state.json").write_bytes(whole[:at] + bytes((whole[at] ^ 1,)) + whole[at + 1 :])
        with pytest.raises(CredentialError, match="not written by this key"):
            file.read()
    (tmp_path / "state.json").write_bytes(whole)
    (tmp_path / "signer").mkdir()
    (tmp_path / "signer" / f"{AGENT.lower()}.json").write_bytes(whole)
    assert epoch_seen(tmp_path, AGENT) == 6 and epoch_seen(tmp_path, "absent") == -1
    with pytest.raises(CredentialError, match="not written by this key"):
        StateFile(tmp_path / "state.json", b"\x12" * 32).read()


def test_when_the_disk_is_full_it_still_reduces_and_opens_nothing(
    tmp_path: Path, clocks: Clocks, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = desk(tmp_path, clocks)
    assert isinstance(one.sign(place()), Signed)

    def full(path: Path, data: bytes) -> None:
        raise StorageError(f"There is no room to write {path}.")

    monkeypatch.setattr(state_module, "write_whole", full)
    clocks.pass_s(5)
    assert kind(one.sign(place())) == "busy"
    assert kind(one.sign(place(epoch=2))) == "busy" and one.epoch == 1
    assert nonce(one, place(stop())) == clocks.wall_us
    restarted = desk(tmp_path, clocks)
    restarted.fence(3)
    assert kind(restarted.sign(place(epoch=3))) == "busy" and isinstance(restarted.sign(place(stop(), epoch=3)), Signed)
    assert kind(restarted.sign(place(stop(), epoch=2))) == "epoch"
    monkeypatch.undo()
    assert isinstance(one.sign(place()), Signed)


def test_journal_heads_are_kept_and_a_rollback_is_refused_until_somebody_accepts_it(
    tmp_path: Path, clocks: Clocks
) -> None:
    one = desk(tmp_path, clocks)
    assert one.kept_head("run") is None and one.keep_head("run", 10, "aa") is None
    one.flush()
    one = desk(tmp_path, clocks)
    assert one.kept_head("run") == (10, "aa")
    for sequence, head in ((9, "99"), (10, "bb")):
        assert kind(one.keep_head("run", sequence, head)) == "parameter" and one.kept_head("run") == (10, "aa")
    assert one.keep_head("run", 10, "aa") is None and one.keep_head("run", 11, "cc") is None
    assert one.keep_head("run", 3, "dd", accepted=True) is None and one.kept_head("run") == (3, "dd")
    told = [kind(one.keep_head(f"chain {number}", 1, "")) for number in range(80)]
    assert told.count("parameter") == 80 - 63


@pytest.mark.parametrize(("net", "believed"), [("testnet", False), ("simulator", True)])
def test_a_venue_far_ahead_of_this_machine_is_believed_of_a_simulator_only(
    net: str, believed: bool, tmp_path: Path
) -> None:
    clocks = Clocks()
    one = desk(tmp_path, clocks, msgspec.structs.replace(CHARTER, net=net))
    for ahead_s in (60, 500, 700, 3_600):
        now_us = clocks.wall_us + ahead_s * 1_000_000
        signed = one.sign(msgspec.structs.replace(place(stop()), right="reduce", venue_ms=now_us // 1_000))
        assert isinstance(signed, Signed)
        near = ahead_s <= 600 or believed
        assert (signed.nonce_us >= now_us) is near
        opened = one.sign(msgspec.structs.replace(place(), venue_ms=now_us // 1_000))
        assert isinstance(opened, Signed) is near
