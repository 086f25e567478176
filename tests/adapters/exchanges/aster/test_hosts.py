"""A key goes to the hosts of its own net and nowhere else."""

import pytest

from aister.adapters.exchanges.aster.hosts import MAINNET, TESTNET, check_origin, net, origin
from aister.core.errors import CredentialError, SettingsError
from aister.ports.vault import Credential


def credential(net_name: str, where: str) -> Credential:
    return Credential("main", "v3", "0x0", net_name, where, 0, b"\x11" * 32)


def test_nets_by_name() -> None:
    assert net("mainnet") == MAINNET and net("testnet") == TESTNET
    assert net("mainnet", "https://FAPI3.asterdex.com:443/").rest == "https://fapi3.asterdex.com"
    assert net("simulator", "http://127.0.0.1:8081", "ws://[::1]:8082").stream == "ws://[::1]:8082"


@pytest.mark.parametrize(
    ("name", "rest"),
    [
        ("mainnet", "https://fapi.asterdex.com.evil.example"),
        ("mainnet", "http://fapi.asterdex.com"),
        ("mainnet", "https://fapi.asterdex-testnet.com"),
        ("mainnet", "https://fapi.asterdex.com:8443"),
        ("testnet", "https://key@fapi.asterdex-testnet.com"),
        ("testnet", "fapi.asterdex-testnet.com"),
        ("simulator", "http://10.0.0.1:80"),
        ("simulator", "http://127.0.0.1.evil.example:80"),
        ("simulator", "http://127.0.0.1:port"),
        ("moonnet", ""),
    ],
)
def test_other_hosts_are_refused(name: str, rest: str) -> None:
    with pytest.raises(SettingsError):
        net(name, rest, "ws://127.0.0.1:1" if name == "simulator" else "")


def test_a_key_is_bound_to_net_and_origin() -> None:
    check_origin(credential("testnet", "https://fapi.asterdex-testnet.com:443"), TESTNET)
    for wrong in (credential("mainnet", TESTNET.rest), credential("testnet", MAINNET.rest)):
        with pytest.raises(CredentialError, match="made for that host"):
            check_origin(wrong, TESTNET)


def test_origins_are_compared_in_one_form() -> None:
    assert origin(" HTTPS://Host.example:443/path?x=1") == "https://host.example"
    assert origin("http://127.0.0.1:8080") == "http://127.0.0.1:8080"
