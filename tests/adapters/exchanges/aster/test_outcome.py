"""What a reply means: a no only where the venue itself says no, unknown wherever anything may have happened."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aister.adapters.exchanges.aster.messages import OrderReply, Status, decoder
from aister.adapters.exchanges.aster.outcome import judged, refused
from aister.adapters.exchanges.aster.wire import Lost, Reply
from aister.ports.exchange import Refused, Unknown, Unreachable

ORDER, STATUS = decoder(OrderReply), decoder(Status)
GOOD = b'{"orderId":5,"symbol":"X","status":"NEW"}'


def read(status: int, body: bytes) -> object:
    return judged(Reply(status, {}, body), ORDER, nonce_us=7, sent_ms=11, retry_ms=99)


@settings(max_examples=200, deadline=None)
@given(
    st.integers(100, 599), st.binary(max_size=60) | st.sampled_from([GOOD, b'{"code":-2019,"msg":"no"}', b"[" * 5000])
)
def test_any_reply_is_one_of_the_outcomes(status: int, body: bytes) -> None:
    told = read(status, body)
    if isinstance(told, OrderReply):
        assert 200 <= status < 300
    elif isinstance(told, Refused):
        assert status < 500 and told.code < 0
    elif isinstance(told, Unreachable):
        assert status in (403, 418, 429) and told.retry_ms == 99
    else:
        assert told.nonce_us == 7 and told.sent_ms == 11 and isinstance(told, Unknown)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (503, b""),
        (503, b'{"code":-1007,"msg":"Timeout"}'),
        (400, b'{"code":-1000,"msg":"unknown"}'),
        (400, b'{"code":-1006,"msg":"bus"}'),
        (400, b'{"code":-1007,"msg":"Timeout"}'),
        (500, b"<html>Internal Server Error</html>"),
        (500, b'{"code":-2019,"msg":"Margin is insufficient."}'),
        (502, b"<html>Bad gateway</html>"),
        (504, b""),
        (200, b"<html>maintenance</html>"),
        (200, GOOD[:20]),
        (200, b'{"code":-1007,"msg":"Timeout"}'),
        (200, b'{"orderId":"what","symbol":"X","status":"NEW"}'),
        (302, b""),
        (400, b"<html>Bad Request</html>"),
        (404, b""),
        (408, b""),
        (200, b"\xff\xfe"),
    ],
)
def test_the_venue_may_have_acted(status: int, body: bytes) -> None:
    assert isinstance(read(status, body), Unknown)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (429, b'{"code":-1003,"msg":"Too many requests"}'),
        (400, b'{"code":-1015,"msg":"Too many orders"}'),
        (418, b"<html>banned</html>"),
        (403, b"<html>WAF</html>"),
    ],
)
def test_the_gate_kept_it_out(status: int, body: bytes) -> None:
    told = read(status, body)
    assert isinstance(told, Unreachable) and told.retry_ms == 99


@pytest.mark.parametrize(
    ("status", "code"), [(400, -2019), (401, -2015), (400, -4061), (200, -4164), (400, -4225), (403, -2015)]
)
def test_the_venue_said_no(status: int, code: int) -> None:
    told = read(status, f'{{"code":{code},"msg":"no"}}'.encode())
    assert isinstance(told, Refused) and told.code == code and told.reason.endswith(".")


def test_success_is_not_the_absence_of_a_code() -> None:
    assert isinstance(read(200, GOOD), OrderReply)
    for body in (b'{"code":200,"msg":"success"}', b'{"code":"200","msg":"success"}'):
        told = judged(Reply(200, {}, body), STATUS, nonce_us=0, sent_ms=0, retry_ms=0)
        assert isinstance(told, Status) and told.code == 200
    assert isinstance(read(200, b'{"code":200,"msg":"success"}'), Unknown)  # no order in it


def test_lost_before_and_after_the_first_byte() -> None:
    assert isinstance(judged(Lost(False, "a"), ORDER, nonce_us=1, sent_ms=2, retry_ms=3), Unreachable)
    assert judged(Lost(True, "b"), ORDER, nonce_us=1, sent_ms=2, retry_ms=3) == Unknown("b", 1, 2)


def test_a_signers_no_is_final_unless_it_is_a_matter_of_moments() -> None:
    assert isinstance(refused("busy", "later", 5), Unreachable) and isinstance(refused("cap", "too large", 5), Refused)
