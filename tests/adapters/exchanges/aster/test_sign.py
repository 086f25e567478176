"""Signatures against the reference's vectors and against eth-account, which shares no code with ours."""

import pickle

import pytest
from eth_account import Account
from eth_account.messages import _hash_eip191_message, encode_typed_data
from hypothesis import given, settings
from hypothesis import strategies as st

from aister.adapters.exchanges.aster.encode import form, json_list
from aister.adapters.exchanges.aster.hosts import MAINNET, TESTNET
from aister.adapters.exchanges.aster.sign import (
    Agent,
    ApiKey,
    address_of,
    domain_separator,
    hmac_signature,
    keccak256,
    message_digest,
    sign_digest,
)
from aister.core.errors import CredentialError

KEY = b"\x11" * 32  # a throwaway key: no account has it
USER = "0x63DD5aCC6b1aa0f563956C0e534DD30B6dcF7C4e"
SIGNER = "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"
MESSAGE_A = (
    b"symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=9000&nonce=1748310859508867"
    b"&user=0x63DD5aCC6b1aa0f563956C0e534DD30B6dcF7C4e&signer=0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"
)
SECRET = b"2b5eb11e18796d12d88f13dc27dbbd02c2cc51ff7059765ed9821957d82bb4d9"


def sign(chain_id: int, message: bytes) -> str:
    from coincurve import PrivateKey

    return sign_digest(PrivateKey(KEY), message_digest(domain_separator(chain_id), message)).hex()


def test_domain_separators_of_both_chains() -> None:
    assert domain_separator(1666).hex() == "a95d0a7a6f3f17fcebb0c2336645385ce79cde7523f71ab147fdb7f15e9f37f9"
    assert domain_separator(714).hex() == "fad01b07bed5729a04dbb977fd86da612eba71d668660bf12cf10b3d65b74d94"
    assert (MAINNET.chain_id, TESTNET.chain_id) == (1666, 714)


def test_vector_a() -> None:
    inner = keccak256(keccak256(b"Message(string msg)") + keccak256(MESSAGE_A)).hex()
    assert inner == "03ed3e6fe41448a8b0e168dce940507467b1ab2ad0f54e3cc8f3d601d313e3e3"
    mainnet, testnet = (message_digest(domain_separator(chain), MESSAGE_A).hex() for chain in (1666, 714))
    assert mainnet == "1a21d6af050e613befcc4b5c749c9059c867524cbcdbbca9a9b9fe46c07e0768"
    assert testnet == "774a788232cf16ff543a43b90084a80dcdaae2056d0c780da080631259a9d54e"
    assert sign(1666, MESSAGE_A) == (
        "3d54b4e68ab90c8b41dcc227d05e16e55451bab3930ee0b578a5d772d3b0fdd6"
        "1b9d10042b3b1ad75089199f9a70e69b4d77908ef6bcb2674531047635b483b71c"
    )
    assert sign(714, MESSAGE_A) == (
        "d2a5794cd63bbe225d7c7b31f7f6d5caa0e5be1c9f5f9bdc408b1bd57d04619c"
        "3a6d23a4bd6ac22acb215b78c80cfc8337fb44f36944cf7ed0be7a1e96424d8e1c"
    )


def test_vector_b_a_batch() -> None:
    batch = '[{"symbol":"BTCUSDT","side":"BUY","type":"LIMIT","timeInForce":"GTC","quantity":"0.01","price":"59000"}]'
    signed = Agent(KEY, USER, 1666).sign([("batchOrders", batch)], 1748310859508868)
    assert signed.payload.decode().endswith(
        "&signature=0xaa55b3dbad8ecaad59532ab6e4ad1af5810750f5a519f43b3c0aee3597c383dc"
        "4fb34f9d0d0368fcc3f54aaead48e710290d9abf69e47272454e9a79afb74c521b"
    )


def test_vector_c_a_query() -> None:
    signed = Agent(KEY, USER, 1666).sign([("symbol", "BTCUSDT")], 1748310859508869)
    assert signed.payload.decode() == (
        f"nonce=1748310859508869&signer={SIGNER}&symbol=BTCUSDT&user={USER}&signature=0x"
        "d445546c5bcdf7284ac478027aa02c761a5031bfad9cc704916545cf819ef655"
        "1ccab23b09b6e5e22e572bf62167cb076e3a132db5cf80839357ab5a1abc9f191c"
    )
    assert signed.nonce_us == 1748310859508869


@pytest.mark.parametrize(
    ("total", "expected"),
    [
        (
            b"symbol=BTCUSDT&side=BUY&type=LIMIT&quantity=1&price=9000&timeInForce=GTC&recvWindow=5000"
            b"&timestamp=1591702613943",
            "3c661234138461fcc7a7d8746c6558c9842d4e10870d2ecbedf7777cad694af9",
        ),
        (
            b"symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=9000&recvWindow=5000"
            b"&timestamp=1591702613943",
            "ec11dcc17e67e47f0d3c3f513dfe9062307e37619c5c82ebaa8fe0bdf3d59519",
        ),
        (
            b"symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC"
            b"quantity=1&price=9000&recvWindow=5000&timestamp=1591702613943",
            "30baaf0fab549bbeda7f5ef201898b34122da25fd23c646cac2c529aebe670a4",
        ),
    ],
)
def test_hmac_vectors(total: bytes, expected: str) -> None:
    assert hmac_signature(SECRET, total) == expected


def test_an_api_key_signs_query_and_sends_its_name_in_a_header() -> None:
    signed = ApiKey("public", SECRET).sign([("symbol", "BTCUSDT")], 1591702613943_999)
    total, _, signature = signed.payload.partition(b"&signature=")
    assert total == b"recvWindow=5000&symbol=BTCUSDT&timestamp=1591702613943"
    assert signature.decode() == hmac_signature(SECRET, total)
    assert ("X-MBX-APIKEY", "public") in signed.headers


TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
NAME = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=1, max_size=12).filter(
    lambda name: name not in ("nonce", "user", "signer", "signature")
)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(NAME, TEXT, max_size=6), st.integers(1, 2**60), st.sampled_from([1666, 714]), st.binary(
    min_size=32, max_size=32).filter(lambda key: 0 < int.from_bytes(key, "big") < 2**255))  # fmt: skip
def test_eth_account_recovers_our_signer_from_the_bytes_sent(
    params: dict[str, str], nonce: int, chain: int, key: bytes
) -> None:
    agent = Agent(key, USER, chain)
    message, _, signature = agent.sign(params.items(), nonce).payload.partition(b"&signature=")
    typed = encode_typed_data(
        domain_data={
            "name": "AsterSignTransaction",
            "version": "1",
            "chainId": chain,
            "verifyingContract": "0x" + "00" * 20,
        },
        message_types={"Message": [{"name": "msg", "type": "string"}]},
        message_data={"msg": message.decode("ascii")},
    )
    assert message_digest(domain_separator(chain), message) == bytes(_hash_eip191_message(typed))
    assert Account.recover_message(typed, signature=signature.decode()) == agent.address
    assert Account.from_key(key).address == agent.address == address_of(key)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(NAME, TEXT, max_size=6))
def test_encoded_parameters_are_read_back_alike_by_a_form_parser(params: dict[str, str]) -> None:
    from urllib.parse import parse_qsl

    encoded = form(params.items())
    read = parse_qsl(encoded.decode("ascii"), keep_blank_values=True)
    assert dict(read) == params and [name for name, _ in read] == sorted(params)


def test_ids_in_a_list_have_no_spaces() -> None:
    assert json_list(["1", "2"]) == '["1","2"]'


@pytest.mark.parametrize("key", [b"", b"\x11" * 31, b"\x00" * 32, b"\xff" * 32])
def test_what_is_no_private_key_is_refused_without_being_shown(key: bytes) -> None:
    with pytest.raises(CredentialError) as refused:
        Agent(key, USER, 714)
    assert "64 hexadecimal digits" in str(refused.value)
    assert not key or key.hex() not in str(refused.value)


@pytest.mark.parametrize("signer", [Agent(KEY, USER, 714), ApiKey("public", SECRET)])
def test_keys_are_neither_shown_nor_pickled(signer: Agent | ApiKey) -> None:
    assert KEY.hex() not in repr(signer) and SECRET.decode() not in repr(signer)
    with pytest.raises(TypeError):
        pickle.dumps(signer)
